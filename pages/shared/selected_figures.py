"""The figures of selected cells, and means over cells with their intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.statistics.bootstrap import Interval, ratio_of_sums
from core.statistics.interval import interval_of_sums
from core.statistics.many_blocks import mean_over_blocks
from pages.shared import city_words, figures, frame
from pages.shared.cells_view import CellsView
from pages.shared.language import _, number, plural

_MANY, _WIDE = 3000, 30_000  # cells; cells that the rectangle around them could hold


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


def _figures_of(view: CellsView) -> _Figures | None:
    cells = view.compared
    if cells.empty:
        return None
    census = cells["class"].to_numpy(float)
    expected = cells["expected_class"].to_numpy(float)
    near = np.abs(cells["predicted"].to_numpy(float) - census) <= 1
    return _Figures(
        len(cells),
        float(cells["individuals"].sum(min_count=1)),
        float(census.mean()),
        int(census.min()),
        int(census.max()),
        float(expected.mean()),
        _mean(expected - census, cells, view.block_m, view.size),
        _mean(100.0 * near, cells, view.block_m, view.size, (0.0, 100.0)),
    )


def selected_figures(view: CellsView, counted: str, expected: str, by: str) -> bool:
    """Draw what can be said of the selected cells that can be compared with the census; return whether there
    are any.

    ``counted`` and ``expected``: what their number and the mean of their expected classes is called; ``by``:
    by whom the latter is.
    """
    found = view.on_classes.kept(_figures_of)
    if found is None:
        frame.sentence(_("No cell that can be compared with the census is selected."))
        return False
    one = city_words.unit(view.n_classes)
    off, within = _with_interval(found.off, 2), _with_interval(found.near, 0)
    by_error = _("what they were picked by") if view.selected.by_error else ""
    people = ""
    if np.isfinite(found.people):  # of a reader's census they are seldom known
        people = plural("{n} person", "{n} people", found.people).format(n=number(found.people))
    figures.figures(
        [
            (counted, number(found.n), people),
            (
                _("Mean census {unit}").format(unit=one),
                city_words.number(found.census),
                _span(found.lowest, found.highest),
            ),
            (expected, city_words.number(found.expected), by),
            (_("Mean difference"), off[0], by_error or off[1]),
            (_("Within one {unit}").format(unit=one), within[0] + "\u202f%", by_error or within[1]),
        ]
    )
    return True


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
        side = float(max(np.ceil(block_m / size), 1) * size)
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
