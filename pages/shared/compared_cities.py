"""Which cities stand beside the chosen one: the control, and `with=<city_id>,<city_id>` in the address."""

from __future__ import annotations

import streamlit as st

from data.store.queries import City
from pages.shared import state
from pages.shared.language import _, listed, number
from pages.shared.plain_text import plain, warn
from pages.shared.study import OpenStudy

NAME = "with"
MOST = 4


def compared_cities(here: OpenStudy, chosen: City) -> list[City]:
    """Return the cities of the address beside the chosen one, at most four; call before `control`.

    Cities that the study does not have or that have no land use are left out, and the page says so.
    """
    possible = [city for city in here.cities if city.has_land_use and city.city_id != chosen.city_id]
    asked = list(dict.fromkeys(part for part in st.query_params.get(NAME, "").split(",") if part))
    by_id = {city.city_id: city for city in possible}
    found = [by_id[city_id] for city_id in asked if city_id in by_id]
    wrong = [city_id for city_id in asked if city_id not in by_id and city_id != chosen.city_id]
    if wrong:
        warn(
            _(
                "The address asks to compare with {wrong}, which this study does not have with land use. "
                "Left out."
            ).format(wrong=listed([f"“{city_id}”" for city_id in wrong]))
        )
    if len(found) > MOST:
        warn(
            _("The address asks to compare with {n} cities; shown are the first {most}.").format(
                n=number(len(found)), most=number(MOST)
            )
        )
    st.session_state[NAME] = [city.city_id for city in found[:MOST]]
    return found[:MOST]


def control(here: OpenStudy, chosen: City) -> None:
    """Draw the choice of cities to compare with; the address follows. Nothing where there is no other."""
    names = {
        city.city_id: city.name
        for city in here.cities
        if city.has_land_use and city.city_id != chosen.city_id
    }
    if not names:
        return
    st.multiselect(
        _("Compare with"),
        list(names),
        format_func=names.__getitem__,
        key=NAME,
        max_selections=MOST,
        placeholder=_("no other city"),
        on_change=_remember,
        width=330,
        help=_(
            "Up to four other cities: their correlations stand beside those of {city}, and their indices "
            "below one another."
        ).format(city=plain(chosen.name)),
    )


def _remember() -> None:
    state.put(NAME, ",".join(st.session_state[NAME]) or None)
