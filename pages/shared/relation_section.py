"""The part of *Patterns* on one city's relations: forest plot, scatter against pulls, index and verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from data.store import pattern_queries as ask
from data.store.queries import City
from pages.shared import (
    chart_tables,
    charts,
    figures,
    forest,
    frame,
    index_chart,
    index_words,
    palette,
    pattern_caveats,
    pattern_words,
)
from pages.shared.kept import kept
from pages.shared.language import _, later, listed, number
from pages.shared.pattern_tables import correlation_table, draw_table
from pages.shared.pattern_words import COEFFICIENTS, RELATIONS
from pages.shared.study import OpenStudy

BY_TITLES = {
    "activation": later("pull by activation, standard deviations of z"),
    "occlusion": later("pull by occlusion, standard deviations of z"),
}
_SCATTER_ALTS = {
    "activation": later("Scatter of relation (i) against the pull of each land-use class by activation"),
    "occlusion": later("Scatter of relation (i) against the pull of each land-use class by occlusion"),
}


@dataclass(frozen=True)
class Asked:
    """What of the relations the reader asks for; `level` is the one that the relation has."""

    relation: str
    level: str
    coefficient: str
    with_imputed: bool

    @property
    def by(self) -> str:
        """What pulls: the map, or for (iv) painting over."""
        return "occlusion" if self.relation == "occlusion" else "activation"


@dataclass(frozen=True)
class Measured:
    """The figures of one city: relation, census relation (both drawable), pulls, indices; and all classes."""

    everything: pd.DataFrame
    rows: pd.DataFrame
    census: pd.DataFrame
    pairs: pd.DataFrame
    has_pulls: bool
    indices: pd.DataFrame


def measured(here: OpenStudy, city_id: str, asked: Asked) -> Measured:
    """Return what the publication says of a city's relation, the null taken off where it has one."""

    def of(name: str) -> pd.DataFrame:
        found = here.ask(ask.correlations, city_id, name, asked.coefficient, asked.with_imputed, asked.level)
        return pattern_words.less_null(found)

    everything = of(asked.relation)
    if asked.level == ask.FULL_LEVEL:
        relied = here.ask(ask.reliance, city_id, asked.with_imputed)
        everything["reliance"] = everything["code"].map(relied.set_index("code").value)
    census = pattern_words.drawable(of("census"))
    found = here.ask(ask.pulls, city_id, asked.by, asked.with_imputed, asked.level)
    pulls = pattern_words.drawable(pattern_words.less_null(found))
    return Measured(
        everything,
        pattern_words.drawable(everything),
        census,
        pattern_words.side_by_side(census, pulls),
        not found.empty,
        index_words.judged_of(here, city_id, asked.with_imputed, asked.level),
    )


@dataclass(frozen=True)
class _Part:
    forest: go.Figure | None
    forest_sentence: str
    forest_note: str
    scatter: go.Figure | None
    counts: pattern_words.Comparison
    scatter_sentence: str
    index: go.Figure | None
    index_sentence: str
    table: pd.DataFrame


def relation_section(here: OpenStudy, city: City, asked: Asked) -> None:
    """Draw a relation of the city, by class, beside what the network makes of it."""
    part = kept(_part, here, city.city_id, asked.relation, asked.level, asked.coefficient, asked.with_imputed)
    left, right = st.columns([54, 46], gap="medium")
    with left:
        st.header(title(asked), anchor=False)
        if part.forest is not None:
            alt = _("Forest plot: {relation}").format(relation=_(RELATIONS[asked.relation]))
            charts.draw(part.forest, "forest", alt, data=lambda: relation_table(here, [city], asked))
        frame.sentence(part.forest_sentence)
        frame.note(part.forest_note)
    with right:
        st.header(_("Does the network pull the way of the census?"), anchor=False)
        if part.scatter is not None:
            alt = _(_SCATTER_ALTS[asked.by])
            charts.draw(part.scatter, "scatter", alt, data=lambda: pulls_table(here, [city], asked))
        if part.counts.tied:
            _figures(part.counts)
        frame.sentence(part.scatter_sentence)
        if part.index is not None:
            alt = _("Index of {city} with interval and verdict, a row a null").format(city=city.name)
            charts.draw(part.index, "index", alt, data=lambda: index_table(here, [city], asked))
        if part.index_sentence:
            frame.sentence(part.index_sentence)
        frame.note(pull_note(asked, pattern_caveats.dates_caveat(city)))
    draw_table(_("The correlations as a table"), "correlations", part.table)


def relation_table(here: OpenStudy, cities: Sequence[City], asked: Asked) -> pd.DataFrame:
    """Return the figures of a forest plot of cities."""
    found = [(city, measured(here, city.city_id, asked).rows) for city in cities]
    return chart_tables.of_cities(
        found, lambda rows: chart_tables.relation(rows, asked.relation, asked.coefficient)
    )


def pulls_table(here: OpenStudy, cities: Sequence[City], asked: Asked) -> pd.DataFrame:
    """Return the figures of a scatter of relation (i) and pulls of cities."""
    found = [(city, measured(here, city.city_id, asked).pairs) for city in cities]
    return chart_tables.of_cities(
        found, lambda pairs: chart_tables.two_relations(pairs, "census_correlation", f"pull_by_{asked.by}")
    )


def index_table(here: OpenStudy, cities: Sequence[City], asked: Asked) -> pd.DataFrame:
    """Return the indices of cities with intervals and verdicts."""
    found = [(city, measured(here, city.city_id, asked).indices) for city in cities]
    return chart_tables.of_cities(found, chart_tables.indices)


def title(asked: Asked) -> str:
    """Return the heading over a forest plot."""
    return _("{relation}, by land-use class").format(relation=_(RELATIONS[asked.relation]))


def axis_title(asked: Asked) -> str:
    """Return what the coefficient of a forest plot is."""
    coefficient = _(COEFFICIENTS[asked.coefficient])
    if asked.relation == "activation":
        return _("{coefficient} correlation, 95 % interval; null taken off").format(coefficient=coefficient)
    return _("{coefficient} correlation, 95 % interval").format(coefficient=coefficient)


def pull_note(asked: Asked, dates: str) -> str:
    """Say how to read pulls and index."""
    return pattern_caveats.joined(
        (
            _("Shaded: same sign."),
            _(pattern_caveats.PULL_NOTE[asked.by]),
            dates,
            _(
                "The index is the correlation of the two across classes, weighted by effective cells, the "
                "pull's null taken off."
            ),
            _(index_words.VERDICT_RULE),
            _("Dotted: that half. Not being able to tell is not the same as disregard."),
        )
    )


def _part(
    here: OpenStudy, city_id: str, relation: str, level: str, coefficient: str, with_imputed: bool
) -> _Part:
    asked, city, ink = Asked(relation, level, coefficient, with_imputed), here.city(city_id), palette.inks()
    found = measured(here, city_id, asked)
    rows, pairs = found.rows, found.pairs
    counts = pattern_words.compared(pairs)
    reference = None if relation == "census" else found.census
    indices = found.indices.assign(city_id=city_id)
    return _Part(
        forest=forest.forest(rows, reference, axis_title(asked), ink) if len(rows) else None,
        forest_sentence=pattern_words.forest_sentence(relation, rows, found.census, city),
        forest_note=_reading(asked, found),
        scatter=forest.scatter(pairs, _("(i) land use and census"), _(BY_TITLES[asked.by]), ink)
        if len(pairs)
        else None,
        counts=counts,
        scatter_sentence=pattern_words.scatter_sentence(counts, city)
        if found.has_pulls
        else _(
            "This study was published by an earlier version, without the pull of its classes: run it again."
        ),
        index=index_chart.index_chart(indices, [city], palette.cities(1), ink)
        if found.has_pulls and indices.value.notna().any()
        else None,
        index_sentence=index_words.index_sentence(found.indices, city) if found.has_pulls else "",
        table=correlation_table(found.everything, relation),
    )


def _reading(asked: Asked, found: Measured) -> str:
    rows, everything = found.rows, found.everything
    pale = int((~forest.significant(rows)).sum())
    parts = [
        _(
            "Dot: coefficient, in the class's Urban Atlas colour; line: interval corrected for neighbours "
            "being alike."
        ),
        _("Grey tick: the census relation (i).") if asked.relation != "census" else "",
        _("Reliance: rank correlation with income lost when the class is painted over.")
        if rows.get("reliance", pd.Series(dtype=float)).notna().any()
        else "",
        _("Pale ({pale} of {total}): q above 0.05 after false-discovery control over the classes.").format(
            pale=number(pale), total=number(len(rows))
        ),
    ]  # fmt: skip
    if asked.relation == "activation":
        parts += [_activation_reading(everything)]
    if asked.relation == "occlusion":
        parts.append(
            _(
                "(iv) correlates what painting the class over does to z, less what masks of its shape moved "
                "within the cell do, with the predicted class where the class is present."
            )
        )
    if asked.relation in ("activation", "occlusion"):
        parts.append(
            _(
                "A class that says nothing is below 0 here: the richer the prediction, the more the rest of "
                "the cell outweighs it. Which way a class moves z is its pull, on the right; how much the "
                "ranking needs it, its reliance."
            )
        )
    parts.append(pattern_caveats.too_few(everything, "n_present"))
    return pattern_caveats.joined(parts)


def _activation_reading(everything: pd.DataFrame) -> str:
    null, other = (everything[f"null_{name}"].dropna() for name in ("torus", "other"))
    sizes = []
    if len(null):
        sizes.append(_("here {span}").format(span=pattern_words.span(null.min(), null.max())))
    if len(other):
        span = pattern_words.span(other.min(), other.max())
        sizes.append(_("by the map of a like cell {span}").format(span=span))
    said = _(
        "(iii) correlates the excess (mean evidence in the class less that of its cell) with the predicted "
        "class where the class is present; its null, the map moved on the torus inside the cell, is taken "
        "off value and interval{sizes}. Pale too where that interval holds 0, since q is of the coefficient "
        "as measured."
    )
    return said.format(sizes=f" ({listed(sizes)})" if sizes else "")


def _figures(counts: pattern_words.Comparison) -> None:
    def of(n: int, total: int) -> str:
        return _("{n} of {total}").format(n=number(n), total=number(total))

    tied = counts.tied
    figures.figures(
        [
            (_("Tied to income"), of(tied, counts.classes), _("classes, in the census, q ≤ 0.05")),
            (_("Pull agrees"), of(counts.same, tied), _("same sign, interval without 0")),
            (_("Pull opposes"), of(counts.opposite, tied), _("other sign, interval without 0")),
            (_("Cannot be told"), of(counts.undetermined, tied), _("no interval, or one with 0")),
        ]
    )
