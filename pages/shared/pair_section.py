"""The part of *Patterns* on pairs of land-use classes."""

from __future__ import annotations

import streamlit as st

from data.store import pattern_queries as ask
from data.store.queries import City
from pages.shared import chart_tables, charts, frame, palette, state
from pages.shared.pair_chart import MEASURES, heatmaps, pair_sentence, shown_codes
from pages.shared.plain_text import inform
from pages.shared.study import OpenStudy

_POLARITIES: dict[str, str] = {"poor": "Poor", "rich": "Rich"}


def pair_section(here: OpenStudy, city: City, method: str, level: str) -> None:
    """Draw which classes gain or lose activation beside others, and what the census says of these pairs."""
    everything = here.ask(ask.class_pairs, city.city_id, method, level)
    if everything.empty:
        return
    heading, controls = st.columns([58, 42], vertical_alignment="bottom")
    heading.subheader("Classes side by side", anchor=False)
    with controls, st.container(horizontal=True, horizontal_alignment="right"):
        polarity = _control("polarity", "Map", _POLARITIES)
        titles = {name: measure.title for name, measure in MEASURES.items()}
        measure = MEASURES[_control("pairs", "Of a pair", titles)]
    pairs = everything[everything.polarity == polarity]
    if not shown_codes(pairs, measure):
        inform(f"No two land-use classes of {city.name} share 30 cells predicted {polarity}.")
        return
    ink = palette.inks()
    share = round(0.4 * here.row.n_classes) / here.row.n_classes  # the lowest or highest 40 % of classes
    charts.draw(
        heatmaps(pairs, measure, polarity, share, ink),
        "pairs-chart",
        f"Heatmaps of pairs of land-use classes, {polarity} map: activation left, census right",
        data=lambda: chart_tables.class_pairs(pairs),
    )
    frame.sentence(pair_sentence(pairs, measure, polarity))
    more, less = ("brown", "teal") if polarity == "poor" else ("teal", "brown")
    frame.note(
        f"Row: the class looked at; column: the class that is in the cell too; {more}: more than elsewhere, "
        f"{less}: less, full colour from twice or half on. Left over cells predicted {polarity}, right over "
        f"cells with an income, of which {100 * share:.0f} % in a city count as {polarity}. Blank: under "
        "30 cells. Activation ratios are means over cells, the paper's estimator; the diagonal is the "
        "class's usual one, to which the sentence compares. No intervals: read single pairs as hints."
    )


def _control(name: str, title: str, options: dict[str, str]) -> str:
    chosen = state.choice(name, tuple(options), next(iter(options)))
    st.segmented_control(
        title,
        list(options),
        format_func=options.__getitem__,
        key=name,
        on_change=state.remember,
        args=(name,),
        required=True,
        label_visibility="collapsed",
    )
    return chosen
