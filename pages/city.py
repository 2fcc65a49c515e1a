"""City: where is the model wrong?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from data.store.queries import City
from pages.shared import (
    city_beside,
    city_charts,
    city_errors,
    city_maps,
    city_words,
    frame,
    linked_selection,
    selected_figures,
    state,
    take_away,
)
from pages.shared.city_view import View
from pages.shared.language import _, number
from pages.shared.selection import Selection
from pages.shared.study import OpenStudy

LISTED = 8


def page() -> None:
    here = frame.open_study()
    city = frame.chosen_city(here)
    other, quintiles, with_imputed = _controls(here, city)
    frame.say_wrong_city(here, city)
    if other is not None:
        shown = [View(Selection(), quintiles, with_imputed, here, one) for one in (city, other)]
        city_beside.compare(*shown)
    else:
        city_beside.say_wrong(here, city)
        frame.data_line(here, city)
        _one_city(View(linked_selection.selection(), quintiles, with_imputed, here, city))
    frame.footer(here)


def _one_city(view: View) -> None:
    view = view.only(linked_selection.known(view.selected, view.districts))
    city_maps.pair(view)
    unit = city_words.unit(5 if view.quintiles else view.n_classes)
    chosen = view.cells[view.mask] if view.selected else view.cells
    linked_selection.bar(
        view,
        unit,
        _(
            "Pick cells out: hold Shift and drag a rectangle on a map (or press R at two corners), click in "
            "the confusion matrix, drag over the histogram of differences."
        ),
        lambda: take_away.cells_menu(view.here, view.city, chosen, linked_selection.said(view, unit)),
    )
    _figures(view)
    left, middle, right = st.columns([1, 1, 1.15], gap="medium")
    with left:
        city_charts.confusion(view, linked_selection.on_confusion)
    with middle:
        city_charts.calibration(view)
    with right:
        _disagreements(view)
    city_errors.errors(view)


def _controls(here: OpenStudy, city: City) -> tuple[City | None, bool, bool]:
    """Draw the title line; return (the city beside, show quintiles, include imputed cells)."""
    has_quintiles = here.row.n_classes == 10
    other = city_beside.chosen(here, city)
    if other is None:
        title = _("Where is the model wrong in {city}?").format(city=city.name)
    else:
        title = _("{city} beside {other}").format(city=city.name, other=other.name)
    place, second, classes, imputed = frame.title_line(title, [13, 14, 16, 19])
    with place:
        frame.city_control(here)
    with second:
        city_beside.control(here, city)
    quintiles = False
    with classes:
        if has_quintiles:
            quintiles = frame.quintiles_control(
                _(
                    "Quintiles pair the deciles on the maps and in the confusion matrix; the figures stay on "
                    "deciles."
                )
            )
    with imputed:
        with_imputed = state.switch("imputed")
        st.toggle(
            _("Include imputed cells"),
            key="imputed",
            on_change=state.remember,
            args=("imputed",),
            help=_(
                "Their income was imputed by the statistical office for secrecy. Always hatched on the maps; "
                "left out of the figures, charts and list unless this is on."
            ),
        )
    return other, quintiles, with_imputed


def _figures(view: View) -> None:
    if view.selected:
        _selected_figures(view)
        return
    n = city_charts.agreement(view)
    if n:
        frame.note(_basis(n, view.with_imputed, view.n_classes, view.quintiles))


def _selected_figures(view: View) -> None:
    one = city_words.unit(view.n_classes)
    drawn = selected_figures.selected_figures(
        view, _("Cells selected"), _("Mean expected {unit}").format(unit=one), _("by the model")
    )
    if not drawn:
        return
    if view.selected.by_error:
        frame.note(
            _(
                "Of cells picked by their own error no correlation is given, and calibration leaves the "
                "error aside: they would say nothing of the model."
            )
        )
    else:
        frame.note(
            _(
                "Of a selection no correlation is given: within a narrow range of incomes it would say "
                "nothing of the model. Calibration is that of the selected cells."
            )
        )


def _basis(n: int, with_imputed: bool, n_classes: int, quintiles: bool) -> str:
    """Say which cells the figures are of, and what they are."""
    if with_imputed:
        text = _(
            "{n} cells, imputed cells included; large: mean of the values inside each fold, with its 95 % "
            "interval; the figures are on {units}"
        )
    else:
        text = _(
            "{n} cells, imputed cells left out; large: mean of the values inside each fold, with its 95 % "
            "interval; the figures are on {units}"
        )
    text = text.format(n=number(n), units=city_words.units(n_classes))
    return (_("{figures}, maps and confusion matrix on quintiles.") if quintiles else "{figures}.").format(
        figures=text
    )


def _disagreements(view: View) -> None:
    st.header(_("Largest disagreements"), anchor=False)
    rows = view.kept(_largest)
    shown = pd.DataFrame(
        {
            _("Cell"): [frame.short_id(cell_id) for cell_id in view.ids(rows)],
            _("Census"): rows["class"],
            _("Predicted"): rows["predicted"],
            _("People"): rows["individuals"],
        }
    )
    event = st.dataframe(
        shown,
        hide_index=True,
        key="disagreements",
        on_select="rerun",
        selection_mode="single-row",
        height=300,
        column_config={
            _("Census"): st.column_config.NumberColumn(width=62),
            _("Predicted"): st.column_config.NumberColumn(width=76),
            _("People"): st.column_config.NumberColumn(width=60, format="%d"),
        },
        alt=_("Cells whose prediction is farthest from the census"),
    )
    chosen = event["selection"]["rows"]
    if chosen:
        cell_id = view.ids(rows)[chosen[0]]
        st.switch_page("pages/cell.py", query_params=state.address(cell=cell_id, city=view.city.city_id))
    frame.sentence(city_words.disagreement_sentence(rows, view.n_classes))


def _largest(view: View) -> pd.DataFrame:
    return city_errors.largest(view.compared, LISTED)


# Streamlit runs a page as __main__; anything else only imports it.
if __name__ == "__main__":
    page()
