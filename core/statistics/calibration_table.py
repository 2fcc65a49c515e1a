"""Does the model mean what it says? Stated against observed frequency in bins, with intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.folds import square_blocks
from core.statistics.bootstrap import Interval, bootstrap_sums, ratio_of_sums
from core.statistics.many_blocks import mean_over_blocks
from core.statistics.measures import calibration

BINS = 10
_SAME = 1e-7  # an error that small: the same share in every block, of which there is no interval
COLUMNS = ["bin", "probability", "frequency", "low", "high", "n"]


def calibration_table(
    probabilities: ArrayLike,
    true: ArrayLike,
    x: ArrayLike,
    y: ArrayLike,
    *,
    block_m: float,
    draws: int,
    seed: int,
    quick: bool = False,
) -> pd.DataFrame:
    """Stated against observed frequency over all pairs of cell and class, in bins, with 95 % intervals.

    ``probabilities`` (n, K) rows adding up to 1, ``true`` (n,) classes 1..K, ``x``, ``y`` (n,) corners in
    metres. Returns bin (from 0), probability (mean stated), frequency (observed), low, high, n (pairs), one
    row a bin that holds anything. Intervals by the studentised bootstrap of square blocks of ``block_m``
    metres. With ``quick``, for a page: blocks without a pair of the bin are left out, and where 300 hold
    some, the interval is that of `many_blocks.mean_over_blocks` for the linearised ratio, without
    resampling.
    """
    stated, classes = np.asarray(probabilities, float), np.asarray(true).astype(np.int64)
    if stated.size == 0:
        return pd.DataFrame({name: [] for name in COLUMNS})
    table = calibration(stated, classes, BINS)
    table["bin"] = np.rint(table.low * BINS).astype(int)
    table = table.rename(columns={"predicted": "probability", "observed": "frequency"})
    block = square_blocks(x, y, block_m)
    counted = _sums_of_blocks(stated, classes, block)
    first = np.unique(block, return_index=True)[1]
    east, north = (np.asarray(at, float)[first] for at in (x, y))
    # any corner of a block stands for it: the corner of the first block is that of the smallest cell
    column = (east - np.asarray(x, float).min()) // block_m
    row = (north - np.asarray(y, float).min()) // block_m
    for place, number in enumerate(table.bin):
        sums = counted[:, number]
        found = (
            _quickly(sums, column, row, draws, seed)
            if quick
            else bootstrap_sums(
                sums,
                ratio_of_sums,
                draws=draws,
                seed=seed,
                strata=np.zeros(len(sums), np.int64),
                bounds=(0, 1),
            )
        )
        table.loc[place, ["low", "high"]] = found.low, found.high
    return table[COLUMNS]


def _sums_of_blocks(
    stated: NDArray[np.float64], classes: NDArray[np.int64], block: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return how many pairs of each block and bin were right, and how many there are: (B, BINS, 2)."""
    n_blocks = int(block.max()) + 1
    inside = np.minimum((stated * BINS).astype(np.int64), BINS - 1) + BINS * block[:, None]
    right = inside[np.arange(len(classes)), classes - 1]
    return (
        np.stack([np.bincount(keys.ravel(), minlength=n_blocks * BINS) for keys in (right, inside)], axis=1)
        .reshape(n_blocks, BINS, 2)
        .astype(float)
    )


def _quickly(
    sums: NDArray[np.float64],
    column: NDArray[np.float64],
    row: NDArray[np.float64],
    draws: int,
    seed: int,
) -> Interval:
    """Interval of the ratio of ``sums`` (B, 2) of blocks in ``column`` and ``row`` (B,) of their lattice."""
    held = sums[:, 1] > 0
    right, pairs = sums[held].T
    share = right.sum() / pairs.sum()
    # whose mean is the ratio, and whose spread what each block adds to it
    linear = share + (right - share * pairs) / pairs.mean()
    found = mean_over_blocks(linear, column[held], row[held], 1.0, (0.0, 1.0))
    if found is not None and found.standard_error > _SAME:
        return found
    return bootstrap_sums(
        sums[held],
        ratio_of_sums,
        draws=draws,
        seed=seed,
        strata=np.zeros(len(right), np.int64),
        bounds=(0, 1),
    )
