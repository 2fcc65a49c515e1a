"""The linked selection of a city or a result: what sets it in the address, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.shared import charts, frame, picked_by_numbers, state
from pages.shared.cells_view import CellsView
from pages.shared.language import _, number, plural
from pages.shared.plain_text import warn
from pages.shared.selection import NAME, Selection

_DISTRICT = "selection.district"
_TURN = "selection.turn"  # a chart forgets what was selected on it when its key changes


def selection() -> Selection:
    """Return the selection of the address."""
    return Selection.of(st.query_params.get(NAME))


def known(selected: Selection, districts: dict[str, str], n_shown: int) -> Selection:
    """Return the selection without a district that the city does not have, or a cell that the confusion
    matrix of so many classes does not."""
    selected = selected.within(n_shown)
    return selected if selected.district in districts else selected.only(district=None)


def say_wrong(shown: Selection) -> None:
    """Say that the address asks for a selection of which nothing, or not all, means something here."""
    asked = st.query_params.get(NAME)
    if not asked or (shown and shown == Selection.of(asked)):
        return
    text = (
        _("The address asks for the selection “{wrong}”, of which only “{shown}” means something here.")
        if shown
        else _("The address asks for the selection “{wrong}”, which means nothing here. All cells are shown.")
    )
    warn(text.format(wrong=asked, shown=shown.text()))


def on_classes() -> None:
    """Deciles or quintiles were chosen: what was picked in the confusion matrix goes with them."""
    state.remember("classes")
    paired = selection().paired(st.session_state["classes"] == "quintiles")
    if paired != selection():
        _put(paired)


def chart_key(name: str) -> str:
    """Return the key of a chart that selects; another one after the selection was cleared elsewhere."""
    turn = st.session_state.get(_TURN, 0)
    return f"{name}-{turn}" if turn else name


def _put(selected: Selection) -> None:
    state.put(NAME, selected.text())
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1


def on_confusion() -> None:
    """A cell of the confusion matrix was clicked: select its cells, or those no longer at a second click."""
    points = charts.chosen_points(chart_key("confusion"))
    chosen = (int(points[0]["y"]), int(points[0]["x"])) if points else None
    _put(selection().only(confusion=None if chosen == selection().confusion else chosen))


def on_differences() -> None:
    """A range of the histogram of differences was brushed, or a bar clicked."""
    values = [int(point["x"]) for point in charts.chosen_points(chart_key("differences"))]
    _put(selection().only(difference=(min(values), max(values)) if values else None))


def on_predicted() -> None:
    """A range of the histogram of predicted classes was brushed, or a bar clicked."""
    values = [int(point["x"]) for point in charts.chosen_points(chart_key("predicted"))]
    _put(selection().only(predicted=(min(values), max(values)) if values else None))


def on_rectangle(west: int, south: int, east: int, north: int) -> None:
    """A rectangle was drawn on a map."""
    _put(selection().only(rectangle=(west, south, east, north)))


def _on_district() -> None:
    """A district was chosen, or all of them."""
    _put(selection().only(district=st.session_state[_DISTRICT] or None))


def choose_district(district: str) -> None:
    """A district was chosen in a list, or let go at a second choice: draw the page with it."""
    _put(selection().only(district=None if district == selection().district else district))
    st.rerun()


def _clear() -> None:
    _put(Selection())


def bar(view: CellsView, unit: str, how: str, take_away: Callable[[], None]) -> None:
    """Say what is selected and offer to show everything again, else `how` to select; then the districts, and
    `take_away`."""
    with st.container(horizontal=True, vertical_alignment="center", key="selection"):
        if view.selected:
            n = view.n_selected
            what = frame.escape(said(view, unit))
            text = plural(
                "Shown: <b>{what}</b>; {n} cell compared.", "Shown: <b>{what}</b>; {n} cells compared.", n
            )
            frame.note(text.format(what=what, n=number(n)), width="content")
            st.button(_("Show all"), on_click=_clear, key="selection.clear", icon=":material/close:")
        else:
            frame.note(how)
        if view.districts:
            _district_control(view)
        picked_by_numbers.control(view, unit, _put)
        take_away()


def said(view: CellsView, unit: str) -> str:
    """Say what is selected, in words; empty where nothing is."""
    return view.selected.words(unit, view.districts.get(view.selected.district or "", ""))


def _district_control(view: CellsView) -> None:
    st.session_state[_DISTRICT] = view.selected.district or ""
    st.selectbox(
        _("District"),
        ["", *view.districts],
        format_func=lambda name: view.districts[name] if name else _("All districts"),
        key=_DISTRICT,
        on_change=_on_district,
        label_visibility="collapsed",
        width=180,
    )


def _n_compared(view: CellsView) -> int:
    return len(view.compared)
