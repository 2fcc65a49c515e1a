"""Local Moran's I tested against every possible neighbourhood, under the null and with a planted cluster."""

from __future__ import annotations

import time
from itertools import combinations

import numpy as np
import pytest

from core.statistics.clusters import _distinct, local_clusters
from core.statistics.multiple import false_discovery
from core.statistics.spatial import local_morans_i


def square(side: int) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.meshgrid(np.arange(side) * 200.0, np.arange(side) * 200.0)
    return x.ravel(), y.ravel()


def exact_p(x: np.ndarray, y: np.ndarray, value: np.ndarray, cell: int) -> float:
    """Two-sided p value over all choices of as many neighbours among the other cells."""
    z = (value - value.mean()) / value.std()
    near = np.flatnonzero(np.maximum(abs(x - x[cell]), abs(y - y[cell])) == 200)
    others = np.delete(np.arange(len(z)), cell)
    local = np.array([z[cell] * z[list(few)].mean() for few in combinations(others, len(near))])
    observed = z[cell] * z[near].mean()
    tail = min(np.mean(local >= observed - 1e-9), np.mean(local <= observed + 1e-9))
    return float(min(2 * tail, 1))


@pytest.mark.parametrize("side", [3, 4])
def test_p_values_are_those_of_all_neighbourhoods(side: int) -> None:
    x, y = square(side)
    value = np.random.default_rng(side).exponential(size=len(x)).round(1)  # ties among the sums, too
    found = local_clusters(x, y, value, draws=40_000, seed=1)
    expected = [exact_p(x, y, value, cell) for cell in range(len(x))]
    np.testing.assert_allclose(found.p_value, expected, atol=0.015)
    np.testing.assert_allclose(found.value, local_morans_i(x, y, value))
    np.testing.assert_allclose(found.q_value, false_discovery(found.p_value, "bh"))


def test_in_three_cells_the_middle_one_has_no_other_neighbours() -> None:
    """With as many neighbours as other cells, every draw is the neighbourhood itself."""
    found = local_clusters([0, 200, 400], [0, 0, 0], [1.0, 2.0, 4.0], draws=999, seed=1)
    assert found.p_value[1] == 1
    # an end has one neighbour: with chance 1/2 it is that one, the larger or smaller of the two
    np.testing.assert_allclose(found.p_value[[0, 2]], 1, atol=0.1)


def test_p_is_uniform_where_nothing_clusters() -> None:
    x, y = square(30)
    shares = []
    for seed in range(40):
        value = np.random.default_rng(seed).normal(size=len(x))
        found = local_clusters(x, y, value, draws=999, seed=seed)
        shares.append([(found.p_value < level).mean() for level in (0.05, 0.2, 0.5)])
        assert (found.q_value < 0.05).mean() < 0.01
    for share, level in zip(np.mean(shares, axis=0), (0.05, 0.2, 0.5), strict=True):
        assert share == pytest.approx(level, abs=0.005 + 0.03 * level)


def test_a_planted_cluster_is_found_and_little_else() -> None:
    x, y = square(40)
    inside = (x < 1600) & (y >= 3000) & (y < 4600)  # 8 x 8 cells predicted two deviations too rich
    value = np.random.default_rng(5).normal(size=len(x)) + 2.5 * inside
    found = local_clusters(x, y, value, seed=1)
    clear = (found.q_value < 0.05) & (found.around > 0)
    heart = (x >= 200) & (x < 1400) & (y >= 3200) & (y < 4400)
    assert clear[heart].mean() > 0.9
    far = ~((x < 1800) & (y >= 2800) & (y < 4800))
    assert (found.q_value[far] < 0.05).mean() < 0.01
    assert (found.standardised[inside].mean(), found.around[heart].mean()) > (1, 1)


def test_missing_values_and_lonely_cells_are_left_out_and_seeds_count() -> None:
    x, y = square(8)
    value = np.random.default_rng(1).normal(size=64)
    value[10] = np.nan
    x, y, value = np.append(x, 9_000), np.append(y, 9_000), np.append(value, 3.0)
    found = local_clusters(x, y, value, draws=999, seed=1)
    gone = np.isin(np.arange(65), [10, 64])
    for field in found:
        assert (np.isnan(field) == gone).all()
    again, other = (local_clusters(x, y, value, draws=999, seed=seed) for seed in (1, 2))
    np.testing.assert_array_equal(found.p_value, again.p_value)
    assert not np.array_equal(found.p_value, other.p_value, equal_nan=True)
    constant = local_clusters(x, y, np.ones(65), draws=999, seed=1)
    assert all(np.isnan(field).all() for field in constant)
    assert len(local_clusters([], [], [], seed=1).p_value) == 0


def test_a_cell_at_the_mean_is_no_cluster() -> None:
    x, y = square(3)
    value = np.array([1.0, 1, 1, 1, 0, 1, -2, -2, -1])  # mean 0 in the middle
    assert local_clusters(x, y, value, draws=999, seed=1).p_value[4] == 1


def test_draws_are_distinct_and_even() -> None:
    drawn = _distinct(6, 4, 60_000, np.random.default_rng(0))
    assert all(len(set(row)) == 4 for row in drawn[:500])
    for place in range(4):
        np.testing.assert_allclose(np.bincount(drawn[:, place], minlength=6) / 60_000, 1 / 6, atol=0.01)
    pairs = np.bincount(drawn[:, 0] * 6 + drawn[:, 3], minlength=36).reshape(6, 6) / 60_000
    np.testing.assert_allclose(pairs[~np.eye(6, dtype=bool)], 1 / 30, atol=0.005)


def test_a_city_of_three_hundred_thousand_cells_takes_seconds() -> None:
    x, y = square(550)
    value = np.random.default_rng(0).normal(size=len(x))
    start = time.perf_counter()
    found = local_clusters(x, y, value, seed=1)
    assert time.perf_counter() - start < 10  # 0.7 s measured; a loop over cells would take an hour
    assert np.isfinite(found.p_value).all()
