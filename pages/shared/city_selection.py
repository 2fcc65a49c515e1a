"""The selection on the page City: what sets it, what is said of it, and the figures of its cells."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st

from core.statistics.bootstrap import Interval, ratio_of_sums
from core.statistics.interval import interval_of_sums
from pages.shared import charts, city_words, figures, frame, state
from pages.shared.language import _, number, plural
from pages.shared.selection import NAME, Selection

_TURN = "selection.turn"  # a chart forgets what was selected on it when its key changes


def selection() -> Selection:
    """Return the selection of the address."""
    return Selection.of(st.query_params.get(NAME))


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


def _clear() -> None:
    _put(Selection())


def bar(selected: Selection, cells: pd.DataFrame, unit: str, take_away: Callable[[], None]) -> None:
    """Say what is selected and offer to show everything again, else how to select; then `take_away`."""
    with st.container(horizontal=True, vertical_alignment="center", key="selection"):
        if selected:
            text = plural("Shown: <b>{what}</b>; {n} cell.", "Shown: <b>{what}</b>; {n} cells.", len(cells))
            what = frame.escape(selected.words(unit))
            frame.note(text.format(what=what, n=number(len(cells))), width="content")
            st.button(_("Show all"), on_click=_clear, key="selection.clear", icon=":material/close:")
        else:
            frame.note(
                _(
                    "Pick cells out: hold Shift and drag a rectangle on a map (or press R at two corners), "
                    "click in the confusion matrix, drag over the histogram of differences."
                )
            )
        take_away()


def selected_figures(
    selected: Selection, cells: pd.DataFrame, n_classes: int, block_m: float | None, size: int
) -> None:
    """Draw what can be said of selected cells: how many, whom, and how far the prediction is off.

    ``cells``: rows of `queries.city_cells` with a census class and an out-of-fold prediction.
    """
    one = city_words.unit(n_classes)
    census = cells["class"].to_numpy(float)
    expected = cells["expected_class"].to_numpy(float)
    near = np.abs(cells["predicted"].to_numpy(float) - census) <= 1
    off = _mean_with_interval(expected - census, cells, block_m, size)
    within = _mean_with_interval(100.0 * near, cells, block_m, size, (0.0, 100.0))
    by_error = _("what they were picked by") if selected.by_error else ""
    people = cells["individuals"].sum()
    figures.figures(
        [
            (
                _("Cells selected"),
                number(len(cells)),
                plural("{n} person", "{n} people", people).format(n=number(people)),
            ),
            (
                _("Mean census {unit}").format(unit=one),
                city_words.number(census.mean()),
                f"{_span(census)}",
            ),
            (
                _("Mean expected {unit}").format(unit=one),
                city_words.number(expected.mean()),
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


def _span(census: np.ndarray) -> str:
    low, high = int(census.min()), int(census.max())
    if low == high:
        return _("all {value}").format(value=low)
    return _("from {low} to {high}").format(low=low, high=high)


def _mean_with_interval(
    values: np.ndarray,
    cells: pd.DataFrame,
    block_m: float | None,
    size: int,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> tuple[str, str]:
    found = _mean(values, cells, block_m, size, bounds)
    digits = 0 if bounds[1] == 100.0 else 2
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
    """Return the mean of values (n,) of cells, with its interval."""
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
