"""Means over very many cells: the formula by brute force, and against the bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from core.statistics.bootstrap import ratio_of_sums
from core.statistics.interval import interval_of_sums
from core.statistics.many_blocks import mean_over_blocks


def _field(side: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.normal(size=(side, side)), 1.6)
    values = (smooth / smooth.std() + rng.normal(0, 0.7, (side, side)) + 2).ravel()
    row, column = np.divmod(np.arange(side * side), side)
    kept = rng.random(side * side) < 0.8
    return values[kept], 4000 + 200 * column[kept], 200 * row[kept]


def test_error_counts_every_pair_of_cells_in_blocks_that_touch() -> None:
    values, x, y = _field(60, 0)
    found = mean_over_blocks(values, x, y, 600)
    assert found is not None
    block = np.column_stack([(x - 4000) // 600, y // 600])
    off = (values - values.mean()) / len(values)
    near = np.abs(block[:, None] - block[None]).max(axis=2) <= 1
    assert found.standard_error == pytest.approx(np.sqrt(off @ near @ off))
    assert found.value == pytest.approx(values.mean())
    assert found.high - found.value == pytest.approx(1.959964 * found.standard_error)
    assert found.n_blocks == 400


def test_it_agrees_with_the_bootstrap() -> None:
    values, x, y = _field(150, 1)
    found = mean_over_blocks(values, x, y, 1600)
    columns = np.column_stack([values, np.ones(len(values))])
    slow = interval_of_sums(columns, ratio_of_sums, x, y, block_m=1600, draws=199)
    assert found is not None
    assert found.standard_error == pytest.approx(slow.standard_error, rel=0.15)


def test_few_blocks_are_left_to_the_bootstrap_and_bounds_hold() -> None:
    values, x, y = _field(30, 2)
    assert mean_over_blocks(values, x, y, 1600) is None
    assert mean_over_blocks([], [], [], 1600) is None
    high = mean_over_blocks(values, x, y, 200, bounds=(0.0, float(values.mean())))
    assert high is not None and high.high == high.value
