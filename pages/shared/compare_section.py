"""The part of *Patterns* that sets the relations of several cities side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from data.store.queries import City
from pages.shared import (
    charts,
    compare_chart,
    compare_words,
    forest,
    frame,
    index_chart,
    index_words,
    palette,
    pattern_caveats,
    pattern_words,
)
from pages.shared.kept import kept
from pages.shared.language import _, listed, number
from pages.shared.pattern_tables import correlation_table, draw_table
from pages.shared.pattern_words import RELATIONS
from pages.shared.relation_section import (
    BY_TITLES,
    Asked,
    axis_title,
    index_table,
    measured,
    pull_note,
    pulls_table,
    relation_table,
    title,
)
from pages.shared.study import OpenStudy

_CHARACTERS = {"circle": "●", "diamond": "◆", "square": "■", "triangle-up": "▲", "triangle-down": "▼"}


@dataclass(frozen=True)
class _Part:
    forest: go.Figure | None
    sentence: str
    note: str
    index: go.Figure | None
    verdicts: list[str]
    counts: str
    scatters: go.Figure | None
    table: pd.DataFrame


def compare_section(here: OpenStudy, cities: Sequence[City], asked: Asked) -> None:
    """Draw a relation of several cities, the chosen one first, beside what their networks make of it."""
    ids = tuple(city.city_id for city in cities)
    part = kept(_part, here, ids, asked.relation, asked.level, asked.coefficient, asked.with_imputed)
    names = listed([city.name for city in cities])
    left, right = st.columns([54, 46], gap="medium")
    with left:
        st.header(title(asked), anchor=False)
        st.html(_legend(cities))
        if part.forest is not None:
            alt = _("Forest plot of {cities}: {relation}").format(
                cities=names, relation=_(RELATIONS[asked.relation])
            )
            charts.draw(part.forest, "forest-cities", alt, data=lambda: relation_table(here, cities, asked))
        frame.sentence(part.sentence)
        frame.note(part.note)
    with right:
        st.header(_("Does the network pull the way of the census?"), anchor=False)
        if part.index is not None:
            alt = _("Index of {cities} with interval and verdict, a row a null").format(cities=names)
            charts.draw(part.index, "index-cities", alt, data=lambda: index_table(here, cities, asked))
        for said in part.verdicts:
            frame.sentence(said)
        st.html(part.counts)
        if part.scatters is not None:
            alt = _("Scatter of relation (i) against the pull of each land-use class, one chart a city")
            charts.draw(part.scatters, "scatters", alt, data=lambda: pulls_table(here, cities, asked))
        frame.note(pull_note(asked, ""))
    draw_table(_("The correlations as a table"), "correlations", part.table)


def _legend(cities: Sequence[City]) -> str:
    chips = "".join(
        f'<span class="pair"><span style="color:{colour}">{_CHARACTERS[symbol]}</span> '
        f"{escape(city.name)}</span>"
        for city, colour, symbol in zip(
            cities, palette.cities(len(cities)), index_chart.SYMBOLS, strict=False
        )
    )
    return f'<div class="carreau-legend">{chips}</div>'


def _part(
    here: OpenStudy,
    ids: tuple[str, ...],
    relation: str,
    level: str,
    coefficient: str,
    with_imputed: bool,
) -> _Part:
    asked, ink = Asked(relation, level, coefficient, with_imputed), palette.inks()
    cities = [here.city(city_id) for city_id in ids]
    colours = palette.cities(len(cities))
    found = {city_id: measured(here, city_id, asked) for city_id in ids}
    rows = _together({city_id: one.rows for city_id, one in found.items()})
    everything = _together({city_id: one.everything for city_id, one in found.items()})
    indices = _together({city_id: one.indices for city_id, one in found.items()})
    pairs = {city_id: one.pairs for city_id, one in found.items()}
    has_pulls = any(one.has_pulls for one in found.values())
    names = {city.city_id: city.name for city in cities}
    pale = int((~forest.significant(rows)).sum())
    note = pattern_caveats.joined(
        (
            _("Rows by {city}, the largest on top; square: the class's Urban Atlas colour.").format(
                city=cities[0].name
            ),
            _(
                "Pale ({pale} of {total}): q above 0.05 after false-discovery control over the classes."
            ).format(pale=number(pale), total=number(len(rows))),
            compare_words.compare_caveat(here.row),
        )
    )
    table = correlation_table(everything.drop(columns="city_id"), relation)
    table.insert(0, "city", everything.city_id.map(names).to_numpy())
    return _Part(
        forest=compare_chart.forest_of_cities(rows, cities, axis_title(asked), colours, ink)
        if len(rows)
        else None,
        sentence=compare_words.compare_sentence(rows, cities),
        note=note,
        index=index_chart.index_chart(indices, cities, colours, ink)
        if has_pulls and indices.value.notna().any()
        else None,
        verdicts=index_words.indices_sentences(indices, cities)
        if has_pulls
        else [
            _(
                "This study was published by an earlier version, without the pull of its classes: run it "
                "again."
            )
        ],
        counts=_counts(cities, pairs),
        scatters=compare_chart.scatters(
            pairs, cities, _("(i) land use and census"), _(BY_TITLES[asked.by]), ink
        )
        if any(len(part) for part in pairs.values())
        else None,
        table=table,
    )


def _together(frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all cities, with their city_id."""
    return pd.concat([frame.assign(city_id=city_id) for city_id, frame in frames.items()], ignore_index=True)


def _counts(cities: Sequence[City], pairs: dict[str, pd.DataFrame]) -> str:
    """Return a table of the cities: dates, and how the pulls of their classes go with the census."""
    heads = [
        _("City"),
        _("Income, land use, photograph of"),
        _("Tied to income"),
        _("Pull agrees"),
        _("Pull opposes"),
        _("Cannot be told"),
    ]
    rows = []
    for city in cities:
        counts = pattern_words.compared(pairs[city.city_id])
        years = (city.census_year, city.land_use_year, city.imagery_year)
        cells = [
            escape(city.name),
            ", ".join("?" if year is None else str(year) for year in years),
            _("{n} of {total}").format(n=number(counts.tied), total=number(counts.classes)),
            number(counts.same),
            number(counts.opposite),
            number(counts.undetermined),
        ]
        rows.append("".join(f"<td>{cell}</td>" for cell in cells))
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<table class="carreau-cities"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
