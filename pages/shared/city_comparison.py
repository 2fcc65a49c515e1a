"""Two cities side by side on the page City, under their maps: classes, figures, charts."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from data.store import pattern_queries
from pages.shared import city_agreement, city_charts, city_words, frame
from pages.shared.city_view import View
from pages.shared.language import _, number
from pages.shared.plain_text import plain


def comparison(view: View, other: View) -> None:
    """Draw what the classes of two cities mean, their figures with intervals, confusion, calibration."""
    frame.sentence(scale_sentence(view, other))
    for one in (view, other):
        st.header(plain(one.city.name), anchor=False)
        frame.data_line(one.here, one.city)
        city_agreement.answer(one)
        city_charts.agreement(one)
    frame.note(
        _(
            "Large: mean of the values inside each fold, with its 95 % interval. Two intervals that overlap "
            "do not tell which city is predicted better. Selections, lists and errors by group are shown of "
            "one city at a time."
        )
    )
    for column, one in zip(st.columns(2, gap="medium"), (view, other), strict=True):
        with column:
            st.markdown(f"**{plain(one.city.name)}**")
            # files are named by these keys, after the first city
            city_charts.confusion(one, key=f"confusion-{one.city.city_id}")
            city_charts.calibration(one, key=f"calibration-{one.city.city_id}")


def scale_sentence(view: View, other: View) -> str:
    """Say whether a class is the same income in both cities, with the ends of the poorest and the richest."""
    units, one = city_words.units(view.n_classes), city_words.unit(view.n_classes)
    if view.here.row.label_scope == "study":
        return _(
            "The {units} are cut over all cities of the study together: the same {unit} is the same income "
            "in both cities."
        ).format(units=units, unit=one)
    first, second = (
        limits(one.here.ask(pattern_queries.thresholds, one.city.city_id)) for one in (view, other)
    )
    text = _(
        "The {units} are cut inside each city: the same {unit} is another income in the other city, and "
        "colours cannot be compared as incomes."
    ).format(units=units, unit=one)
    if first is None or second is None:
        return text
    ends = _(
        "The poorest {unit} ends at {first_low} € a year in {first} and at {second_low} € in {second}; the "
        "richest begins at {first_high} € and at {second_high} €."
    ).format(
        unit=one,
        first=view.city.name,
        second=other.city.name,
        first_low=number(first[0]),
        second_low=number(second[0]),
        first_high=number(first[1]),
        second_high=number(second[1]),
    )
    return f"{text} {ends}"


def limits(thresholds: pd.DataFrame) -> tuple[float, float] | None:
    """Return where the poorest class ends and the richest begins, of `pattern_queries.thresholds`.

    >>> limits(pd.DataFrame({"k": [0, 1, 2, 3], "with_imputed": [5.0, 10, 20, 90]}))
    (10.0, 20.0)
    """
    if len(thresholds) < 3:
        return None
    ends = thresholds.sort_values("k")["with_imputed"].to_numpy(float)
    return float(ends[1]), float(ends[-2])
