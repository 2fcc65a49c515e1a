"""The answer to the question in a page's title, in a few sentences, before the charts that it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import pandas as pd
import streamlit as st

from data.store.queries import City
from pages.shared import notes, pattern_caveats, trust_words
from pages.shared.frame import tight
from pages.shared.index_words import NOTHING, each_verdict
from pages.shared.language import _, later, listed, number
from pages.shared.pattern_words import signed

_WEAK = 0.5  # a rank correlation of a map with class occlusion under which it is only a hint
_LEADS = {
    "follows": later("Yes."),
    "disregards": later("No."),
    "cannot tell": later("It cannot be told."),
    NOTHING: later("There is nothing to follow."),
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


# by check: what is said of the maps that fail it
_FAILED = {
    "where": later("it does not point where painting over matters"),
    "weights": later("much of it is there without the trained weights"),
    "first": later("it does not find the evidence before every baseline"),
    "learned": later("shuffled labels give the same map"),
}


def of_trust(agreements: pd.DataFrame, checks: pd.DataFrame, city: City) -> Answer | None:
    """Answer whether the maps of a city can be believed: how many checks each passes; None without checks.

    Args:
        agreements: agreement of maps with class occlusion, city_id, method, value, low.
        checks: rows of `trust_queries.checks` of the city.
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
    return Answer(lead, " ".join(parts))
