"""What several cities say together, class by class, with what bounds it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from data.store.queries import City, StudyRow
from pages.shared.class_names import short_name
from pages.shared.forest import significant
from pages.shared.language import _, listed, number, plural
from pages.shared.pattern_words import signed, span


def same_sign(rows: pd.DataFrame) -> tuple[int, int]:
    """Return in how many classes told from zero in two cities or more, and in how many of them, signs agree.

    `rows`: city_id, code, value, low, high, q_value; classes with enough cells only.
    """
    sure = rows[significant(rows)]
    signs = np.sign(sure.value).groupby(sure.code).agg(["size", "nunique"])
    told = signs[signs["size"] >= 2]
    return len(told), int((told["nunique"] == 1).sum())


def farthest_apart(rows: pd.DataFrame) -> tuple[pd.Series, pd.Series] | None:
    """Return the two rows of one class whose intervals leave the widest gap; None where all touch."""
    best, widest = None, 0.0
    for _code, part in rows[rows.low.notna() & rows.high.notna()].groupby("code"):
        for a, b in combinations(range(len(part)), 2):
            lower, upper = sorted((part.iloc[a], part.iloc[b]), key=lambda row: float(row.value))
            gap = float(upper.low - lower.high)
            if gap > widest:
                best, widest = (upper, lower), gap
    return best


def compare_sentence(rows: pd.DataFrame, cities: Sequence[City]) -> str:
    """Say whether cities agree in the sign of their classes, and where they are farthest apart."""
    missing = [city.name for city in cities if not (rows.city_id == city.city_id).any()]
    parts = []
    if missing:
        parts.append(
            _("Without a class with enough cells, and not drawn: {cities}.").format(cities=listed(missing))
        )
    told, same = same_sign(rows)
    if told:
        parts.append(
            plural(
                "{n} class is told from 0 in two or more of these cities; where it is, {same} of {n} has the "
                "same sign in all of them.",
                "{n} classes are told from 0 in two or more of these cities; of them, {same} have the same "
                "sign wherever they are told.",
                told,
            ).format(n=number(told), same=number(same))
        )
    else:
        parts.append(_("No class is told from 0 in two of these cities, so their signs cannot be compared."))
    apart = farthest_apart(rows)
    if apart is None:
        parts.append(_("In no class do the intervals of two cities lie apart."))
        return " ".join(parts)
    names = {city.city_id: city.name for city in cities}
    upper, lower = apart
    text = _(
        "Farthest apart: {name}, {above} in {upper} ({above_span}) and {below} in {lower} ({below_span})."
    )
    parts.append(
        text.format(
            name=short_name(str(upper.code), str(upper["name"])).lower(),
            above=signed(upper.value),
            upper=names[upper.city_id],
            above_span=span(upper.low, upper.high),
            below=signed(lower.value),
            lower=names[lower.city_id],
            below_span=span(lower.low, lower.high),
        )
    )
    return " ".join(parts)


def compare_caveat(study: StudyRow) -> str:
    """Say what a comparison of cities may not be taken for."""
    scale = (
        _(
            "Income classes are cut inside each city from its own incomes: a coefficient compares cells of "
            "one city, and says nothing of which city is richer."
        )
        if study.label_scope == "city"
        else _("Income classes are the same for all cities; a coefficient still compares cells of one city.")
    )
    return (
        scale
        + " "
        + _(
            "Dates differ from city to city where the table says so. A class has one name everywhere, not "
            "one look: what is built in it differs. Intervals that lie apart were looked for among many "
            "classes, and ones that overlap do not show that two cities are alike."
        )
    )
