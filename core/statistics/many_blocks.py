"""The interval of a mean over very many cells, without resampling: what a page can afford."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.statistics.bootstrap import Interval

# so many blocks that the mean of their sums is normal; fewer need `interval.interval_of_sums`
ENOUGH_BLOCKS = 300
_NORMAL = 1.959964


def mean_over_blocks(
    values: ArrayLike,
    x: ArrayLike,
    y: ArrayLike,
    side_m: float,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Interval | None:
    """Return the mean of ``values`` (n,) at cells ``x``, ``y`` (n,) with its 95 % interval; None where fewer
    than 300 square blocks of ``side_m`` metres hold cells.

    Formula: u_b the sum over block b of (value - mean) / n; variance sum_b u_b sum_(b' = b or next to it)
    u_b', the uniform kernel of Conley (1999, J. Econometrics 92), so that cells on two sides of a border
    count as alike, at least sum_b u_b^2 B / (B - 1); mean -+ 1.96 standard errors, cut to ``bounds``.
    ``side_m`` is to be at least the range of the values' likeness. Measured in 200 simulated fields (54,000
    cells, smoothed over 0.8 km, blocks of 1.6 km): the interval held the true mean in 96 %, its standard
    error 1.02 times the spread of the means.
    """
    kept = np.asarray(values, float)
    if not len(kept):
        return None
    east, north = np.asarray(x, float), np.asarray(y, float)
    column = ((east - east.min()) // side_m).astype(np.int64)
    row = ((north - north.min()) // side_m).astype(np.int64)
    shape = (int(row.max()) + 1, int(column.max()) + 1)
    place = row * shape[1] + column
    n_blocks = int(np.count_nonzero(np.bincount(place, minlength=shape[0] * shape[1])))
    if n_blocks < ENOUGH_BLOCKS:
        return None
    mean = float(kept.mean())
    sums = np.bincount(place, (kept - mean) / len(kept), shape[0] * shape[1])
    influence = sums.astype(np.float64).reshape(shape)
    alone = float((influence**2).sum()) * n_blocks / (n_blocks - 1)
    error = float(np.sqrt(max(alone, float((influence * _around(influence)).sum()))))
    low, high = np.clip([mean - _NORMAL * error, mean + _NORMAL * error], *bounds)
    return Interval(mean, float(low), float(high), error, n_blocks, f"blocks of {side_m:g} m")


def _around(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of each block and its eight neighbours."""
    padded = np.pad(sums, 1)
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    total: NDArray[np.float64] = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
    return total
