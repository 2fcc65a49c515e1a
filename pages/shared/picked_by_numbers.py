"""A selection named by its numbers: for who cannot click a chart, and for ranges that are hard to hit."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.shared import frame
from pages.shared.cells_view import CellsView
from pages.shared.language import _
from pages.shared.selection import Selection

_CENSUS, _PREDICTED = "picked.census", "picked.predicted"
_DIFFERENCE, _OWN = "picked.difference", "picked.own"
_ANY = 0


def control(view: CellsView, unit: str, put: Callable[[Selection], None]) -> None:
    """Draw a menu in which the parts of the selection that charts set are chosen by number.

    ``unit``: what a class is called as shown; ``put`` takes the selection that was asked for.
    """
    n_shown = 5 if view.quintiles else view.n_classes
    reach = view.n_classes - 1
    selected = view.selected
    asked = {
        _CENSUS: selected.confusion[0] if selected.confusion else _ANY,
        _PREDICTED: selected.confusion[1] if selected.confusion else _ANY,
        _DIFFERENCE: _inside(selected.difference, -reach, reach),
        _OWN: _inside(selected.predicted, 1, view.n_classes),
    }
    st.session_state.update(asked)  # the address decides, whatever was left in the menu
    with (
        st.popover(_("By numbers"), icon=":material/pin:", help=_("Pick cells out without a chart")),
        st.form("picked", border=False, enter_to_submit=True),
    ):
        if view.has_errors:
            classes = [_ANY, *range(1, n_shown + 1)]

            def named(k: int) -> str:
                return str(k) if k else _("any")

            left, right = st.columns(2)
            left.selectbox(_("Census {unit}").format(unit=unit), classes, format_func=named, key=_CENSUS)
            right.selectbox(
                _("Predicted {unit}").format(unit=unit), classes, format_func=named, key=_PREDICTED
            )
            frame.note(_("Both together pick a cell of the confusion matrix."))
            st.slider(_("Predicted less census class"), -reach, reach, key=_DIFFERENCE)
        if view.has_own_classes:
            st.slider(_("Predicted class"), 1, view.n_classes, key=_OWN)
        st.form_submit_button(_("Pick out"), on_click=lambda: put(_asked(view)), type="primary")


def _inside(part: tuple[int, int] | None, low: int, high: int) -> tuple[int, int]:
    first, last = part or (low, high)
    return min(max(first, low), high), min(max(last, low), high)


def _asked(view: CellsView) -> Selection:
    """Return the selection that the menu asks for; both classes make a cell of the confusion matrix."""
    state, reach = st.session_state, view.n_classes - 1
    census, predicted = state.get(_CENSUS, _ANY), state.get(_PREDICTED, _ANY)
    difference, own = state.get(_DIFFERENCE), state.get(_OWN)
    return view.selected.only(
        confusion=(census, predicted) if census and predicted else None,
        difference=None if difference in (None, (-reach, reach)) else difference,
        predicted=None if own in (None, (1, view.n_classes)) else own,
    )
