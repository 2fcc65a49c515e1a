"""Block bootstrap: known standard errors, honest coverage on autocorrelated cells, and refusals."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import stats

from core.statistics.bootstrap import block_bootstrap, influences, ratio_of_sums
from core.statistics.interval import interval_of_sums
from core.statistics.lattice import Lattice
from core.statistics.variogram import Variogram, simulate_fields

X, Y = (v.ravel() * 200 for v in np.meshgrid(np.arange(36), np.arange(30)))


def with_ones(value: np.ndarray) -> np.ndarray:
    return np.column_stack([value, np.ones(len(value))])


def test_independent_cells_get_the_textbook_interval() -> None:
    value = np.random.default_rng(0).normal(3, 2, 2000)
    found = block_bootstrap(with_ones(value), ratio_of_sums, np.arange(2000), draws=1999)
    error = value.std(ddof=1) / np.sqrt(2000)
    assert found.value == pytest.approx(value.mean())
    assert found.standard_error == pytest.approx(error, rel=1e-3)
    assert found.low == pytest.approx(value.mean() - 1.96 * error, abs=0.15 * error)
    assert found.high == pytest.approx(value.mean() + 1.96 * error, abs=0.15 * error)
    assert found.n_blocks == 2000


def test_studentising_follows_the_skew() -> None:
    value = np.random.default_rng(1).exponential(size=120)
    found = block_bootstrap(with_ones(value), ratio_of_sums, np.arange(120), draws=1999)
    # A mean of skewed values is pulled down together with its error: the upper arm is the longer one.
    assert found.high - found.value > 1.15 * (found.value - found.low)


def test_influences_are_first_order_contributions() -> None:
    rng = np.random.default_rng(2)
    value = rng.normal(size=50)
    assert influences(with_ones(value), ratio_of_sums) == pytest.approx(value - value.mean(), abs=1e-6)
    columns = np.column_stack([rng.normal(5, 1, 50), rng.normal(2, 0.1, 50)])
    ratio = columns[:, 0].sum() / columns[:, 1].sum()
    expected = (columns[:, 0] - ratio * columns[:, 1]) / columns[:, 1].mean()
    assert influences(columns, ratio_of_sums) == pytest.approx(expected, abs=1e-6)


def test_cities_are_resampled_within_themselves() -> None:
    rng = np.random.default_rng(3)
    city = np.repeat([0, 1], 200)
    value = rng.normal(size=400) + 100 * city
    block = np.tile(np.arange(200), 2)  # the same numbers in both cities are different blocks
    found = block_bootstrap(with_ones(value), ratio_of_sums, block, strata=city)
    assert found.n_blocks == 400
    within = np.sqrt(sum(value[city == c].var(ddof=1) / 200 for c in (0, 1))) / 2
    assert found.standard_error == pytest.approx(within, rel=0.01)
    assert found.high - found.low < 1


def test_the_seed_decides_and_order_does_not() -> None:
    rng = np.random.default_rng(4)
    value, block, order = rng.normal(size=300), np.arange(300) // 6, rng.permutation(300)
    first = block_bootstrap(with_ones(value), ratio_of_sums, block, seed=1)
    assert first == block_bootstrap(with_ones(value), ratio_of_sums, block, seed=1)
    assert first.low != block_bootstrap(with_ones(value), ratio_of_sums, block, seed=2).low
    moved = block_bootstrap(with_ones(value[order]), ratio_of_sums, block[order], seed=1)
    assert (moved.value, moved.low, moved.high) == pytest.approx((first.value, first.low, first.high))


def test_little_gives_nan_and_a_note() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        few = block_bootstrap(with_ones(np.arange(29.0)), ratio_of_sums, np.arange(29))
        none = block_bootstrap(np.zeros((0, 2)), ratio_of_sums, [])
        missing = block_bootstrap(np.full((40, 2), np.nan), ratio_of_sums, np.arange(40))
        same = block_bootstrap(with_ones(np.ones(40)), ratio_of_sums, np.arange(40))
        undefined = block_bootstrap(np.zeros((40, 2)), ratio_of_sums, np.arange(40))
        no_cells = interval_of_sums(np.zeros((0, 2)), ratio_of_sums, [], [])
        rare = block_bootstrap(
            np.column_stack([np.eye(1, 60)[0], np.eye(1, 60)[0]]), ratio_of_sums, np.arange(60)
        )
    assert few.value == 14
    assert np.isnan(few.low)
    assert "too few blocks (29 of 30)" in few.note
    assert np.isnan(none.value)
    assert none.note == missing.note == no_cells.note == "no cells"
    assert same.value == 1
    assert np.isnan(same.low)
    assert "same in every block" in same.note
    assert np.isnan(undefined.value)
    assert np.isnan(rare.low)


def test_bounds_are_kept() -> None:
    hits = np.zeros(200)
    hits[:3] = 1
    found = block_bootstrap(with_ones(hits), ratio_of_sums, np.arange(200), bounds=(0, 1))
    assert 0 <= found.low < 0.015 < found.high


def test_rows_with_a_gap_are_left_out() -> None:
    value = np.r_[np.arange(40.0), np.nan]
    assert block_bootstrap(with_ones(value), ratio_of_sums, np.arange(41)).value == 19.5


def test_the_mean_of_an_autocorrelated_field_is_covered() -> None:
    model = Variogram("exponential", 0.3, 0.7, 1.0)
    fields = simulate_fields(Lattice.of(X, Y, 200), model, 200, np.random.default_rng(5))
    naive, ours, given = 0, 0, 0
    for field in fields:
        found = interval_of_sums(with_ones(field), ratio_of_sums, X, Y, block_m=800, draws=199)
        naive += abs(field.mean()) <= 1.96 * field.std() / np.sqrt(len(field))
        if np.isfinite(found.low):
            given += 1
            ours += found.low <= 0 <= found.high
    assert given >= 120
    assert ours / given >= 0.88  # nominal 95 %
    assert naive / 200 < 0.75


def test_blocks_grow_with_the_range() -> None:
    lattice = Lattice.of(X, Y, 200)
    rng = np.random.default_rng(6)
    noise, smooth = (
        rng.normal(size=len(X)),
        simulate_fields(lattice, Variogram("gaussian", 0, 1, 4), 1, rng)[0],
    )
    rough = interval_of_sums(with_ones(noise), ratio_of_sums, X, Y, block_m=600)
    long = interval_of_sums(with_ones(smooth), ratio_of_sums, X, Y, block_m=600)
    assert rough.n_blocks == 120
    assert "blocks of 600 m" in rough.note
    assert "too few blocks" in long.note
    assert np.isnan(long.low)


def test_few_blocks_give_students_interval_where_the_cells_are_worth_enough() -> None:
    noise = np.random.default_rng(8).normal(size=len(X))
    found = interval_of_sums(with_ones(noise), ratio_of_sums, X, Y, block_m=3000)
    assert found.n_blocks < 30
    assert "interval by the variogram" in found.note
    assert found.standard_error == pytest.approx(noise.std() / np.sqrt(len(X)), rel=0.35)
    half = stats.t.ppf(0.975, noise.var() / found.standard_error**2 - 1) * found.standard_error
    assert found.high - found.value == pytest.approx(half, rel=1e-6)
    assert interval_of_sums(
        with_ones(noise > 3), ratio_of_sums, X, Y, block_m=3000, bounds=(0, 1)
    ).low >= 0  # fmt: skip


def test_students_interval_covers_an_autocorrelated_mean() -> None:
    model = Variogram("exponential", 0.5, 0.5, 1.0)
    fields = simulate_fields(Lattice.of(X, Y, 200), model, 200, np.random.default_rng(9))
    found = [interval_of_sums(with_ones(field), ratio_of_sums, X, Y, block_m=3000) for field in fields]
    given = [one for one in found if np.isfinite(one.low)]
    assert len(given) >= 150
    assert np.mean([one.low <= 0 <= one.high for one in given]) >= 0.9  # nominal 95 %
