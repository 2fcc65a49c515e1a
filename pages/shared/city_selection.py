"""The selection on the page City: what sets it, what is said of it, and the figures of its cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from core.statistics.bootstrap import Interval, ratio_of_sums
from core.statistics.interval import interval_of_sums
from core.statistics.many_blocks import mean_over_blocks
from pages.shared import charts, city_words, figures, frame, state
from pages.shared.city_view import View
from pages.shared.language import _, number, plural
from pages.shared.selection import NAME, Selection

_DISTRICT = "selection.district"
_MANY, _WIDE = 3000, 30_000  # cells; cells that the rectangle around them could hold
_TURN = "selection.turn"  # a chart forgets what was selected on it when its key changes


def selection() -> Selection:
    """Return the selection of the address."""
    return Selection.of(st.query_params.get(NAME))


def known(selected: Selection, districts: dict[str, str]) -> Selection:
    """Return the selection without a district that the city does not have."""
    return selected if selected.district in districts else selected.only(district=None)


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


def on_rectangle(west: int, south: int, east: int, north: int) -> None:
    """A rectangle was drawn on a map."""
    _put(selection().only(rectangle=(west, south, east, north)))


def _on_district() -> None:
    """A district was chosen, or all of them."""
    _put(selection().only(district=st.session_state[_DISTRICT] or None))


def _clear() -> None:
    _put(Selection())


def bar(view: View, unit: str, take_away: Callable[[], None]) -> None:
    """Say what is selected and offer to show everything again, else how to select; then the districts of the
    city, and `take_away`."""
    with st.container(horizontal=True, vertical_alignment="center", key="selection"):
        if view.selected:
            n = view.kept(_n_compared)
            what = frame.escape(said(view, unit))
            text = plural("Shown: <b>{what}</b>; {n} cell.", "Shown: <b>{what}</b>; {n} cells.", n)
            frame.note(text.format(what=what, n=number(n)), width="content")
            st.button(_("Show all"), on_click=_clear, key="selection.clear", icon=":material/close:")
        else:
            frame.note(
                _(
                    "Pick cells out: hold Shift and drag a rectangle on a map (or press R at two corners), "
                    "click in the confusion matrix, drag over the histogram of differences."
                )
            )
        if view.districts:
            _district_control(view)
        take_away()


def said(view: View, unit: str) -> str:
    """Say what is selected, in words; empty where nothing is."""
    return view.selected.words(unit, view.districts.get(view.selected.district or "", ""))


def _district_control(view: View) -> None:
    st.session_state[_DISTRICT] = view.selected.district or ""
    st.selectbox(
        _("District"),
        ["", *view.districts],
        format_func=lambda name: view.districts[name] if name else _("All districts"),
        key=_DISTRICT,
        on_change=_on_district,
        label_visibility="collapsed",
        width=220,
    )


def _n_compared(view: View) -> int:
    return len(view.compared)


@dataclass(frozen=True)
class _Figures:
    """What can be said of selected cells: how many, whom, census and expected class, how far off."""

    n: int
    people: float
    census: float
    lowest: int
    highest: int
    expected: float
    off: Interval
    near: Interval


def _figures_of(view: View) -> _Figures | None:
    cells = view.compared
    if cells.empty:
        return None
    census = cells["class"].to_numpy(float)
    expected = cells["expected_class"].to_numpy(float)
    near = np.abs(cells["predicted"].to_numpy(float) - census) <= 1
    return _Figures(
        len(cells),
        float(cells["individuals"].sum()),
        float(census.mean()),
        int(census.min()),
        int(census.max()),
        float(expected.mean()),
        _mean(expected - census, cells, view.block_m, view.size),
        _mean(100.0 * near, cells, view.block_m, view.size, (0.0, 100.0)),
    )


def selected_figures(view: View) -> None:
    """Draw what can be said of the selected cells that have a census class and an out-of-fold prediction."""
    found = view.on_classes.kept(_figures_of)
    if found is None:
        frame.sentence(_("No cell that can be compared with the census is selected."))
        return
    one = city_words.unit(view.n_classes)
    off, within = _with_interval(found.off, 2), _with_interval(found.near, 0)
    by_error = _("what they were picked by") if view.selected.by_error else ""
    figures.figures(
        [
            (
                _("Cells selected"),
                number(found.n),
                plural("{n} person", "{n} people", found.people).format(n=number(found.people)),
            ),
            (
                _("Mean census {unit}").format(unit=one),
                city_words.number(found.census),
                _span(found.lowest, found.highest),
            ),
            (
                _("Mean expected {unit}").format(unit=one),
                city_words.number(found.expected),
                _("by the model"),
            ),
            (_("Mean difference"), off[0], by_error or off[1]),
            (_("Within one {unit}").format(unit=one), within[0] + "\u202f%", by_error or within[1]),
        ]
    )
    frame.note(
        _(
            "Of a selection no correlation is given: picked by its own error, or within a narrow range of "
            "incomes, it would say nothing of the model. Calibration stays that of the whole city."
        )
    )


def _span(low: int, high: int) -> str:
    if low == high:
        return _("all {value}").format(value=low)
    return _("from {low} to {high}").format(low=low, high=high)


def _with_interval(found: Interval, digits: int) -> tuple[str, str]:
    value = city_words.number(found.value, digits)
    if not np.isfinite(found.low):
        return value, _("no interval: too few independent cells")
    return value, city_words.between(found.low, found.high, digits)


def _mean(
    values: np.ndarray,
    cells: pd.DataFrame,
    block_m: float | None,
    size: int,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Interval:
    """Return the mean of values (n,) of cells, with its interval: without resampling for a large city, where
    the range of the residuals is known, since resampling would take seconds a figure."""
    if block_m is not None and (len(values) >= _MANY or _frame(cells, size) > _WIDE):
        side = float(np.ceil(block_m / size) * size)
        found = mean_over_blocks(values, cells["x"], cells["y"], side, bounds)
        if found is not None:
            return found
    return interval_of_sums(
        np.column_stack([values, np.ones(len(values))]),
        ratio_of_sums,
        cells["x"],
        cells["y"],
        block_m=block_m,
        cell_size=size,
        draws=499,
        bounds=bounds,
    )


def _frame(cells: pd.DataFrame, size: int) -> float:
    """Return how many cells the rectangle around some cells could hold: what a variogram costs."""
    return float((np.ptp(cells["x"]) / size + 1) * (np.ptp(cells["y"]) / size + 1))


def by_group(cells: pd.DataFrame, groups: pd.Series, block_m: float | None, size: int) -> pd.DataFrame:
    """Return mean of expected less census class by group, with 95 % intervals: group, value, low, high, n.

    ``groups``: a label a cell, in order of its categories; groups under 30 cells are left out.
    """
    off = cells["expected_class"].to_numpy(float) - cells["class"].to_numpy(float)
    rows = []
    for label in groups.cat.categories:
        inside = (groups == label).to_numpy()
        if inside.sum() < 30:
            continue
        found = _mean(off[inside], cells[inside], block_m, size)
        rows.append((str(label), found.value, found.low, found.high, int(inside.sum())))
    return pd.DataFrame(rows, columns=["group", "value", "low", "high", "n"])
