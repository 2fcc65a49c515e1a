"""Where like values stand together: local Moran's I of every cell, tested against chance."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.statistics.multiple import false_discovery
from core.statistics.spatial import local_moran

# With 999 draws no p value is below 0.002, and over 300,000 cells the false-discovery rate of a cluster of
# 1,000 cells would be 0.6 however strong it is. A hundred times as many take 0.2 s, whatever the city's size.
DRAWS = 99_999
_TIE = 1e-9  # sums of the same values in another order


class Clusters(NamedTuple):
    """Local Moran's I, what it is made of and its test; each field (n,), NaN for cells without neighbours."""

    value: NDArray[np.float64]
    standardised: NDArray[np.float64]  # the cell's value, standardised over all cells
    around: NDArray[np.float64]  # mean standardised value of its neighbours
    p_value: NDArray[np.float64]
    q_value: NDArray[np.float64]


def local_clusters(
    x: ArrayLike,
    y: ArrayLike,
    value: ArrayLike,
    *,
    draws: int = DRAWS,
    seed: int,
    cell_size: float = 200,
    neighbours: Literal["queen", "rook"] = "queen",
) -> Clusters:
    """Local Moran's I of each cell, its two-sided p value by conditional permutation, and its q value.

    ``x``, ``y`` (n,) corners in metres, ``value`` (n,) float. A cell keeps its value while its k neighbours
    are drawn from all other cells (Anselin 1995); p = 2 min(1 + draws at or above, 1 + draws at or below) /
    (1 + draws), at most 1; a cell whose own value is the mean has I = 0 in every draw, and p = 1.
    q: Benjamini and Hochberg (1995) over the cells; local statistics of neighbours depend on each other
    positively, under which it holds.

    >>> x, y = np.meshgrid(np.arange(12) * 200, np.arange(12) * 200)
    >>> hill = np.exp(-((x.ravel() - 600) ** 2 + (y.ravel() - 600) ** 2) / 300_000)
    >>> found = local_clusters(x.ravel(), y.ravel(), hill, seed=1)
    >>> bool(found.q_value[3 * 12 + 3] < 0.001)
    True
    """
    local = local_moran(x, y, value, cell_size, neighbours)
    p = np.full(len(local.value), np.nan)
    tested = np.flatnonzero(local.degree > 0)
    if len(tested):
        # cells without neighbours are drawn from as well: they have values like any other
        value = np.asarray(value, float)
        kept = np.flatnonzero(np.isfinite(value))
        z = (value[kept] - value[kept].mean()) / value[kept].std()
        p[kept] = _permutation_p(
            z, (local.around * local.degree)[kept], local.degree[kept], draws, np.random.default_rng(seed)
        )
    return Clusters(local.value, local.standardised, local.around, p, false_discovery(p, "bh"))


def _permutation_p(
    z: NDArray[np.float64],
    total: NDArray[np.float64],
    degree: NDArray[np.int64],
    draws: int,
    random: np.random.Generator,
) -> NDArray[np.float64]:
    """Two-sided p values (n,) of the neighbours' sums ``total`` (n,), NaN where ``degree`` (n,) is 0.

    All cells share the draws: a row of distinct cells in random order, of which a cell takes the first k that
    are not itself, which is a sample of k others without replacement. So the sums of one degree are the same
    for all cells but those drawn, and are sorted once. For z < 0 the order of I is that of the sums turned
    round, which a two-sided p value does not see.
    """
    most = int(degree.max())
    drawn = _distinct(len(z), most + 1, draws, random)  # (draws, most + 1)
    sums = np.cumsum(z[drawn], axis=1)
    p = np.full(len(z), np.nan)
    for k in range(1, most + 1):
        cells = np.flatnonzero(degree == k)
        if len(cells) == 0:
            continue
        base, seen = np.sort(sums[:, k - 1]), total[cells]
        above = draws - np.searchsorted(base, seen - _TIE, "left")
        below = np.searchsorted(base, seen + _TIE, "right")
        # where a cell was drawn as its own neighbour, the next of the row takes its place
        row, place = np.nonzero((degree == k)[drawn[:, :k]])
        own = drawn[row, place]
        wrong, right = sums[row, k - 1], sums[row, k] - z[own]
        at = np.searchsorted(cells, own)
        for counted, change in (
            (above, (right >= seen[at] - _TIE).astype(int) - (wrong >= seen[at] - _TIE)),
            (below, (right <= seen[at] + _TIE).astype(int) - (wrong <= seen[at] + _TIE)),
        ):
            counted += np.bincount(at, change, len(cells)).astype(counted.dtype)
        p[cells] = np.minimum(2 * (1 + np.minimum(above, below)) / (1 + draws), 1)
    p[(z == 0) & (degree > 0)] = 1.0
    return p


def _distinct(n: int, k: int, draws: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Draw ``k`` distinct numbers below ``n`` in random order, ``draws`` times: (draws, k)."""
    found = np.empty((draws, k), np.int64)
    for place in range(k):
        number = random.integers(0, n - place, draws)
        # the number-th of those not yet drawn: step over the drawn ones from the smallest up
        for before in np.sort(found[:, :place], axis=1).T:
            number += number >= before
        found[:, place] = number
    return found
