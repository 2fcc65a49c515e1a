"""Two cities side by side on the page City: the same map of both, and their figures in two rows."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from data.store import pattern_queries
from data.store.queries import City
from pages.shared import city_charts, city_maps, city_words, frame, state
from pages.shared.city_view import View
from pages.shared.language import _, number
from pages.shared.plain_text import plain, warn
from pages.shared.selection import NAME as SELECTION
from pages.shared.study import OpenStudy

NAME = "beside"  # in the address


def chosen(here: OpenStudy, city: City) -> City | None:
    """Return the second city of the address, None where there is none or it is the first."""
    asked = st.query_params.get(NAME)
    found = asked is not None and asked in _others(here, city)
    return here.city(str(asked)) if found else None


def say_wrong(here: OpenStudy, city: City) -> None:
    """Say that the address asks for a second city that cannot be shown, where it does."""
    others = _others(here, city)
    asked = state.wrong_choice(NAME, ["", city.city_id, *others])
    if asked and others:
        warn(
            _("The address asks for “{wrong}” beside {city}. Choose one of {names}.").format(
                wrong=asked, city=city.name, names=", ".join(here.city(one).name for one in others)
            )
        )


def control(here: OpenStudy, city: City) -> None:
    """Draw the select of the second city, keyed as it stands in the address."""
    others = _others(here, city)
    if not others:
        return
    second = chosen(here, city)
    st.session_state[NAME] = second.city_id if second else ""
    st.selectbox(
        _("City beside"),
        ["", *others],
        format_func=lambda city_id: here.city(city_id).name if city_id else _("One city"),
        key=NAME,
        on_change=_change,
        label_visibility="collapsed",
        help=_("A second city to compare with"),
    )


def _others(here: OpenStudy, city: City) -> list[str]:
    return [one.city_id for one in here.cities if one.city_id != city.city_id]


def _change() -> None:
    """Selections are of one city: forget them."""
    state.put(SELECTION, None)
    state.put(NAME, st.session_state[NAME] or None)


def compare(view: View, other: View) -> None:
    """Draw two cities: maps, what their classes mean, figures with intervals, confusion, calibration."""
    city_maps.beside(view, other)
    frame.sentence(scale_sentence(view, other))
    for one in (view, other):
        st.subheader(plain(one.city.name), anchor=False)
        frame.data_line(one.here, one.city)
        city_charts.agreement(one)
    frame.note(
        _(
            "Large: mean of the values inside each fold, with its 95 % interval. Two intervals that overlap "
            "do not tell which city is predicted better. Selections, lists and errors by group are shown of "
            "one city at a time."
        )
    )
    for column, one, key in zip(st.columns(2, gap="medium"), (view, other), ("a", "b"), strict=True):
        with column:
            st.markdown(f"**{plain(one.city.name)}**")
            city_charts.confusion(one, key=f"confusion-{key}")
            city_charts.calibration(one, key=f"calibration-{key}")


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
