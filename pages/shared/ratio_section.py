"""The part of *Patterns* on activation by class: where the poor and the rich map dwell, beside incomes."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from data.store import pattern_queries as ask
from data.store.queries import City
from pages.shared import chart_tables, charts, frame, palette, pattern_caveats, pattern_words, ratio_chart
from pages.shared.kept import kept
from pages.shared.language import _, later
from pages.shared.pattern_tables import draw_table, ratio_table
from pages.shared.plain_text import inform
from pages.shared.study import OpenStudy

_LEGEND = {
    "poor": later("Poor map, cells predicted in the lowest 40 % · poor in the census"),
    "rich": later("Rich map, cells predicted in the highest 40 % · rich in the census"),
}


@dataclass(frozen=True)
class _Part:
    figure: go.Figure
    sentence: str
    note: str
    table: pd.DataFrame


def ratio_section(here: OpenStudy, city: City, method: str, estimator: str, level: str) -> None:
    """Draw the activation ratio of each class under both maps; the heading is the page's."""
    _legend(palette.inks())
    part = kept(_part, here, city.city_id, method, estimator, level)
    if part is None:
        inform(
            _("No land-use class of {city} has 30 cells predicted poor or rich: too few for a ratio.").format(
                city=city.name
            )
        )
        return
    alt = _("Activation ratio by land-use class for the poor and the rich map, beside census shares")
    charts.draw(part.figure, "ratios", alt, data=lambda: _table(here, city.city_id, method, estimator, level))
    frame.sentence(part.sentence)
    frame.note(part.note)
    draw_table(_("The ratios and shares as a table"), "ratios", part.table)


def _table(here: OpenStudy, city_id: str, method: str, estimator: str, level: str) -> pd.DataFrame:
    incomes = here.ask(ask.class_income, city_id, level)
    return chart_tables.ratios(
        pattern_words.drawable(here.ask(ask.class_activation, city_id, method, estimator, level)),
        incomes[incomes.enough.astype(bool) & incomes.probability.notna()],
    )


def _part(here: OpenStudy, city_id: str, method: str, estimator: str, level: str) -> _Part | None:
    city = here.city(city_id)
    everything = here.ask(ask.class_activation, city_id, method, estimator, level)
    incomes = here.ask(ask.class_income, city_id, level)
    rows = pattern_words.drawable(everything)
    income = incomes[incomes.enough.astype(bool) & incomes.probability.notna()]
    if rows.empty and income.empty:
        return None
    size = here.ask(ask.map_size, city_id, "cam")
    width = size[1] if size else here.row.input_px // here.row.output_stride
    note = pattern_caveats.joined(
        (
            pattern_caveats.mirror_caveat(here.row),
            pattern_caveats.resolution_caveat(here.row, width),
            _(
                "Any function of the photograph relates to land use, so a ratio off 1 is no proof of "
                "attention to income."
            ),
            pattern_caveats.dates_caveat(city),
            pattern_caveats.without_interval(rows),
            pattern_caveats.too_few(everything, on_the_left=True),
        )
    )
    return _Part(
        ratio_chart.ratios(rows, income, here.row.n_classes, palette.inks()),
        pattern_words.ratio_sentence(rows, income, city),
        note,
        ratio_table(everything, incomes),
    )


def _legend(ink: palette.Inks) -> None:
    chips = "".join(
        f'<span style="color:{polarity.colour(ink)}">{"●" if polarity.symbol == "circle" else "◆"}</span>'
        f"<span>{_(_LEGEND[name])}</span>"
        for name, polarity in ratio_chart.POLARITIES.items()
    )
    reading = _(
        "Left: activation share over area share. Right: of the cells where the class is present, the share "
        "with such an income; dotted: the share in the whole city."
    )
    st.html(f'<div class="carreau-legend">{chips}<span>{reading}</span></div>')
