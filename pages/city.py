"""City: where is the model wrong?"""

from __future__ import annotations

import streamlit as st

from data.store.queries import City
from pages.shared import city_beside, city_maps, city_words, frame, linked_selection, state, take_away
from pages.shared.city_view import View
from pages.shared.language import _
from pages.shared.selection import Selection
from pages.shared.study import OpenStudy


def page() -> None:
    here = frame.open_study()
    city = frame.chosen_city(here)
    other, quintiles, with_imputed = _controls(here, city)
    frame.say_wrong_city(here, city)
    if other is not None:
        shown = [View(Selection(), quintiles, with_imputed, here, one) for one in (city, other)]
        _two_cities(*shown)
    else:
        city_beside.say_wrong(here, city)
        view = View(linked_selection.selection(), quintiles, with_imputed, here, city)
        n_shown = 5 if quintiles else view.n_classes
        view = view.only(linked_selection.known(view.selected, view.districts, n_shown))
        linked_selection.say_wrong(view.selected)
        frame.data_line(here, city)
        _one_city(view, n_shown)
    frame.footer(here)


def _one_city(view: View, n_shown: int) -> None:
    city_maps.pair(view)
    unit = city_words.unit(n_shown)
    chosen = view.cells[view.mask] if view.selected else view.cells
    linked_selection.bar(
        view,
        unit,
        _(
            "Pick cells out: drag a rectangle on a map with Shift (or press R at two corners), click in the "
            "confusion matrix, drag over the differences."
        ),
        lambda: take_away.cells_menu(
            view.here, view.city, chosen, lambda: view.handed_out, linked_selection.said(view, unit)
        ),
    )
    # loaded here, a second once a server: the browser has the maps to draw meanwhile
    from pages.shared import city_agreement

    city_agreement.agreement(view)


def _two_cities(view: View, other: View) -> None:
    city_maps.beside(view, other)
    from pages.shared import city_comparison  # as above

    city_comparison.comparison(view, other)


def _controls(here: OpenStudy, city: City) -> tuple[City | None, bool, bool]:
    """Draw the title line; return (the city beside, show quintiles, include imputed cells)."""
    has_quintiles = here.row.n_classes == 10
    other = city_beside.chosen(here, city)
    if other is None:
        title = _("Where is the model wrong in {city}?").format(city=city.name)
    else:
        title = _("{city} beside {other}").format(city=city.name, other=other.name)
    place, second, classes, imputed = frame.title_line(title, [15, 15, 16, 18])
    with place:
        frame.city_control(here)
    with second:
        city_beside.control(here, city)
    quintiles = False
    with classes:
        if has_quintiles:
            quintiles = frame.quintiles_control(
                linked_selection.on_classes,
                _(
                    "Quintiles pair the deciles on the maps and in the confusion matrix; the figures stay on "
                    "deciles."
                ),
            )
    with imputed:
        with_imputed = state.switch("imputed")
        st.toggle(
            _("Imputed cells"),
            key="imputed",
            on_change=state.remember,
            args=("imputed",),
            help=_(
                "Their income was imputed by the statistical office for secrecy. Always hatched on the maps; "
                "left out of the figures, charts and list unless this is on."
            ),
        )
    return other, quintiles, with_imputed


# Streamlit runs a page as __main__; anything else only imports it.
if __name__ == "__main__":
    page()
