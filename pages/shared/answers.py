"""The answer to the question in a page's title, in a few sentences, before the charts that it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

import pandas as pd
import streamlit as st

from data.store import pattern_queries, queries, trust_queries
from data.store.queries import City
from pages.shared import city_words, index_words, notes, pattern_caveats, trust_words
from pages.shared.frame import tight
from pages.shared.index_words import NOTHING, each_verdict
from pages.shared.language import _, later, listed, number
from pages.shared.pattern_words import drawable, signed
from pages.shared.study import CanBeAsked

_WEAK = 0.5  # a rank correlation of a map with class occlusion under which it is only a hint
_LEADS = {
    "follows": later("Yes."),
    "disregards": later("No."),
    "cannot tell": later("It cannot be told."),
    NOTHING: later("Neither yes nor no: there is nothing to follow."),
}
_SAID = {
    "follows": later(
        "In {city} land-use classes pull the prediction the way they go with income in the census."
    ),
    "disregards": later(
        "In {city} land-use classes do not pull the prediction the way they go with income in the census."
    ),
    "cannot tell": later(
        "In {city} the intervals allow for both: that land-use classes pull the prediction the way they go "
        "with income in the census, and that they do not."
    ),
    NOTHING: later("In {city} the census ties no land-use class to income beyond chance."),
}


@dataclass(frozen=True)
class Answer:
    """What is said first and set off, and the sentences after it."""

    lead: str
    text: str


def draw(answer: Answer) -> None:
    """Write an answer under the title of a page."""
    st.html(
        f'<p class="carreau-answer"><b>{escape(answer.lead)}</b> {tight(escape(answer.text))}</p>',
    )


def on_land_use(here: CanBeAsked, city: City, with_imputed: bool) -> Answer:
    """Answer `of_patterns` from what is published of a city."""
    relied = drawable(here.ask(pattern_queries.reliance, city.city_id, with_imputed))
    return of_patterns(
        index_words.judged_of(here, city.city_id, with_imputed),
        relied[relied.low.notna()],
        here.ask(queries.agreement, city.city_id, with_imputed),
        city,
    )


def on_maps(here: CanBeAsked, city: City) -> Answer | None:
    """Answer `of_trust` from what is published of a city."""
    return of_trust(
        here.ask(trust_queries.map_agreements),
        here.ask(trust_queries.checks, city.city_id),
        here.ask(queries.agreement, city.city_id, False),
        city,
    )


def of_patterns(indices: pd.DataFrame, reliance: pd.DataFrame, measures: pd.DataFrame, city: City) -> Answer:
    """Answer whether the model looks at land use as the census does.

    Args:
        indices: of the city, all classes, as of `index_words.judged`.
        reliance: rows of `pattern_queries.reliance` that have an interval.
        measures: the city's agreement with the census.
        city: the city.
    """
    if pattern_caveats.chance_sentence(measures, city):
        lead = _("It reads no income here.")
        said = _(
            "In {city} the model ranks cells no better than chance, so whatever it looks at says nothing of "
            "incomes."
        )
        return Answer(lead, said.format(city=city.name))
    relied = trust_words.reliance_sentence(reliance, city) if len(reliance) else ""
    known = indices[indices.value.notna()]
    if known.empty:
        why = notes.said(indices.note.iloc[0]) if len(indices) else _("not published")
        said = _("For {city} there is no index: {why}.").format(city=city.name, why=why)
        return Answer(_("It cannot be told."), pattern_caveats.joined((said, relied)))
    verdicts = list(dict.fromkeys(known.verdict))
    if len(verdicts) == 1:
        lead, said = _(_LEADS[verdicts[0]]), _(_SAID[verdicts[0]]).format(city=city.name)
    else:
        lead = _("Not settled.")
        said = _("For {city} the indices differ: {each}.").format(city=city.name, each=each_verdict(known))
    return Answer(lead, pattern_caveats.joined((said, relied)))


def of_city(
    by_class: pd.DataFrame,
    by_district: pd.DataFrame,
    districts: Mapping[str, str],
    measures: pd.DataFrame,
    n_classes: int,
    city: City,
) -> Answer | None:
    """Answer where the model is wrong; None where no class has a mean.

    Args:
        by_class: group (census class), value (mean of expected less census class), low, high, n.
        by_district: as of `city_districts.by_district`, farthest first; empty without districts.
        districts: names by id.
        measures: the city's agreement with the census.
        n_classes: of the study.
        city: the city.
    """
    one, many = city_words.unit(n_classes), city_words.units(n_classes)
    sure = by_class[~((by_class.low <= 0) & (by_class.high >= 0))]
    if sure.empty:
        return None
    sure = sure.assign(k=sure.group.astype(int)).sort_values("value", key=abs, ascending=False)
    first = sure.iloc[0]
    other_way = sure[(sure.value > 0) != (first.value > 0)]
    shown = pd.concat([sure.head(1), other_way.head(1)])
    said = listed(
        [_way(_(_CENSUS).format(unit=one, k=row.k), row.value, many, row.n) for row in shown.itertuples()]
    )
    text = _("On average {means}.").format(means=said)
    if len(by_district) > 1:
        farthest = by_district.iloc[0]
        name = _("{district} (mean census {unit} {census})").format(
            district=districts.get(farthest.district_id, farthest.district_id),
            unit=one,
            census=number(farthest.census, 1),
        )
        text += " " + _("Of the districts, {mean}.").format(mean=_way(name, farthest.off, many, farthest.n))
    if pattern_caveats.chance_sentence(measures, city):
        return Answer(_("Everywhere: it ranks cells no better than chance."), text)
    ends = {1, n_classes} == set(shown.k)
    lead = _("Most at both ends.") if ends else _("Most in {unit} {k}.").format(unit=one, k=number(first.k))
    return Answer(lead, text)


_CENSUS = later("census {unit} {k}")


def _way(what: str, off: float, units: str, n: float) -> str:
    text = (
        _("{what} is predicted {by} {units} too rich ({n} cells)")
        if off > 0
        else _("{what} is predicted {by} {units} too poor ({n} cells)")
    )
    return text.format(what=what, by=number(abs(off), 1), units=units, n=number(n))


# by check: what is said of the maps that fail it
_FAILED = {
    "where": later("it does not point where painting over matters"),
    "weights": later("much of it is there without the trained weights"),
    "first": later("it does not find the evidence before every baseline"),
    "learned": later("shuffled labels give the same map"),
}


def of_trust(
    agreements: pd.DataFrame, checks: pd.DataFrame, measures: pd.DataFrame, city: City
) -> Answer | None:
    """Answer whether the maps of a city can be believed: how many checks each passes; None without checks.

    Args:
        agreements: agreement of maps with class occlusion, city_id, method, value, low.
        checks: rows of `trust_queries.checks` of the city.
        measures: the city's agreement with the census.
        city: the city.
    """
    results = {method: trust_words.passed(agreements, checks, city, method) for method in ("cam", "paper")}
    results = {method: found for method, found in results.items() if found}
    if not results:
        return None
    every = [held for found in results.values() for held in found.values()]
    lead = _("As far as checked, yes.") if all(every) else _("In part.") if any(every) else _("No.")
    parts = []
    for method, found in results.items():
        failed = [_(_FAILED[name]) for name, held in found.items() if not held]
        text = (
            _("{map} passes {n} of {total} checks: {failed}.")
            if failed
            else _("{map} passes all of {total} checks.")
        )
        parts.append(
            text.format(
                map=trust_words.method_name(method),
                n=number(len(found) - len(failed)),
                total=number(len(found)),
                failed=listed(failed),
            )
        )
    own = agreements[(agreements.city_id == city.city_id) & agreements.value.notna()]
    if len(own) and own.value.max() < _WEAK:
        parts.append(
            _(
                "At best {value} of 1 in agreement with painting classes over: take a map as a hint of where "
                "to look, and reliance for the answer."
            ).format(value=signed(own.value.max()))
        )
    if pattern_caveats.chance_sentence(measures, city):
        lead = _("Of a model that reads no income.")
        parts.append(
            _(
                "In {city} the model ranks cells no better than chance: the maps may show what it looks at, "
                "and that says nothing of incomes; nor does a reliance."
            ).format(city=city.name)
        )
    return Answer(lead, " ".join(parts))
