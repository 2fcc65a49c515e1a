"""The part of *Patterns* on pairs of land-use classes."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from data.store import pattern_queries as ask
from data.store.queries import City
from pages.shared import chart_tables, charts, frame, palette
from pages.shared.kept import kept
from pages.shared.language import _, later
from pages.shared.pair_chart import MEASURES, heatmaps, pair_sentence, reading, shown_codes
from pages.shared.plain_text import inform
from pages.shared.study import OpenStudy

_POLARITIES: dict[str, str] = {"poor": later("Poor"), "rich": later("Rich")}
_NO_PAIR = {
    "poor": later("No two land-use classes of {city} share 30 cells predicted poor."),
    "rich": later("No two land-use classes of {city} share 30 cells predicted rich."),
}
_ALTS = {
    "poor": later("Heatmaps of pairs of land-use classes, poor map: activation left, census right"),
    "rich": later("Heatmaps of pairs of land-use classes, rich map: activation left, census right"),
}


@dataclass(frozen=True)
class _Part:
    figure: go.Figure | None
    sentence: str
    note: str


def pair_section(here: OpenStudy, city: City, method: str, level: str, heading: str) -> None:
    """Draw which classes gain or lose activation beside others, and what the census says of these pairs."""
    if here.ask(ask.class_pairs, city.city_id, method, level).empty:
        return
    words, controls = st.columns([58, 42], vertical_alignment="bottom")
    words.header(heading, anchor=False)
    with controls, st.container(horizontal=True, horizontal_alignment="right"):
        polarity = _control("polarity", _("Map"), _POLARITIES)
        titles = {name: measure.title for name, measure in MEASURES.items()}
        measure = _control("pairs", _("Of a pair"), titles)
    part = kept(_part, here, city.city_id, method, level, polarity, measure)
    if part.figure is None:
        inform(_(_NO_PAIR[polarity]).format(city=city.name))
        return
    charts.draw(
        part.figure,
        "pairs-chart",
        _(_ALTS[polarity]),
        data=lambda: _table(here, city.city_id, method, level, polarity),
    )
    frame.sentence(part.sentence)
    frame.note(part.note)


def _table(here: OpenStudy, city_id: str, method: str, level: str, polarity: str) -> pd.DataFrame:
    everything = here.ask(ask.class_pairs, city_id, method, level)
    return chart_tables.class_pairs(everything[everything.polarity == polarity])


def _part(here: OpenStudy, city_id: str, method: str, level: str, polarity: str, measured: str) -> _Part:
    everything, measure = here.ask(ask.class_pairs, city_id, method, level), MEASURES[measured]
    pairs = everything[everything.polarity == polarity]
    if not shown_codes(pairs, measure):
        return _Part(None, "", "")
    # the lowest or highest 40 % of classes
    share = round(0.4 * here.row.n_classes) / here.row.n_classes
    return _Part(
        heatmaps(pairs, measure, polarity, share, palette.inks()),
        pair_sentence(pairs, measure, polarity),
        reading(polarity, share),
    )


def _control(name: str, title: str, options: dict[str, str]) -> str:
    return frame.one_of(
        title, name, {option: _(said) for option, said in options.items()}, next(iter(options))
    )
