"""The second city that the page City shows beside the first: its place in the address, its control."""

from __future__ import annotations

import streamlit as st

from data.store.queries import City
from pages.shared import state
from pages.shared.language import _
from pages.shared.plain_text import warn
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
