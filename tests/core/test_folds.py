"""Folds: no block or group is split, folds are balanced, the range that sizes blocks is the planted one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.folds import block_folds, city_folds, random_folds, square_blocks, variogram_range
from core.statistics.lattice import Lattice
from core.statistics.variogram import Variogram, simulate_fields
from data.errors import StudyError


def town(seed: int = 3, side: int = 30, filled: float = 0.85) -> tuple[np.ndarray, np.ndarray]:
    """Corners in metres of a square town with gaps, far from the origin as in EPSG:3035."""
    row, column = np.nonzero(np.random.default_rng(seed).random((side, side)) < filled)
    return 3_200_000 + column * 200, 2_900_000 + row * 200


def test_blocks_are_squares_that_hold_whole_cells() -> None:
    x, y = town()
    block = square_blocks(x, y, 1000)
    for number in np.unique(block):
        inside = block == number
        assert np.ptp(x[inside]) <= 800
        assert np.ptp(y[inside]) <= 800
    assert len(np.unique(block)) == 36


@pytest.mark.parametrize("seed", range(5))
def test_folds_are_balanced_and_no_block_is_split(seed: int) -> None:
    x, y = town()
    fold, block = block_folds(x, y, n_folds=5, block_m=1000, seed=seed)
    assert all(len(np.unique(fold[block == number])) == 1 for number in np.unique(block))
    cells = np.bincount(fold, minlength=5)
    largest_block = np.bincount(block).max()
    assert cells.max() - cells.min() <= largest_block
    assert cells.min() > 0.8 * len(x) / 5


def test_the_seed_decides() -> None:
    x, y = town()
    first, again, other = (block_folds(x, y, n_folds=5, block_m=1000, seed=s)[0] for s in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(1, 60))
def test_groups_stay_together_in_one_fold(seed: int, n_folds: int, n_groups: int) -> None:
    x, y = town(side=20)
    rng = np.random.default_rng(seed)
    groups = np.where(rng.random(len(x)) < 0.3, rng.integers(0, n_groups, len(x)), -1)
    fold, block = block_folds(x, y, n_folds=n_folds, block_m=800, groups=groups, seed=seed)
    for group in np.unique(groups[groups >= 0]):
        assert len(np.unique(fold[groups == group])) == 1
    assert all(len(np.unique(fold[block == number])) == 1 for number in np.unique(block))
    # Cells without a group stay where their square is.
    alone = groups < 0
    squares = square_blocks(x, y, 800)
    assert all(len(np.unique(block[alone & (squares == s)])) <= 1 for s in np.unique(squares))


@pytest.mark.parametrize("none", [None, float("nan"), "", -1])
def test_cells_without_a_group_are_free(none: object) -> None:
    x, y = town(side=12)
    groups = np.full(len(x), none, dtype=object)
    expected = block_folds(x, y, n_folds=3, block_m=800, seed=0)
    found = block_folds(x, y, n_folds=3, block_m=800, groups=groups, seed=0)
    assert np.array_equal(expected[0], found[0])


def test_a_group_goes_where_most_of_it_lives() -> None:
    x = np.arange(6) * 200
    fold, block = block_folds(
        x, np.zeros(6), n_folds=2, block_m=600, groups=["", "", "g", "g", "g", ""], seed=0
    )
    assert block.tolist() == [0, 0, 1, 1, 1, 1]
    assert fold[2] == fold[3] == fold[5] != fold[0]


def test_too_few_blocks_are_refused_with_a_remedy() -> None:
    x, y = town(side=10)
    with pytest.raises(StudyError, match=r"Blocks of 5000 m .* 1, fewer than its 5 folds.*smaller blocks"):
        block_folds(x, y, n_folds=5, block_m=5000, seed=0)
    with pytest.raises(StudyError, match="at least 2"):
        block_folds(x, y, n_folds=1, block_m=400, seed=0)


def test_random_folds_are_stratified() -> None:
    classes = np.random.default_rng(0).integers(1, 11, 1003)
    fold = random_folds(classes, 5, seed=0)
    for value in range(1, 11):
        share = np.bincount(fold[classes == value], minlength=5)
        assert share.max() - share.min() <= 1
    assert np.ptp(np.bincount(fold)) <= 1
    assert not np.array_equal(fold, random_folds(classes, 5, seed=1))


def test_each_city_is_a_fold() -> None:
    assert city_folds(["b", "a", "b", "c"]).tolist() == [1, 0, 1, 2]
    with pytest.raises(StudyError, match="two cities"):
        city_folds(["a", "a"])


@pytest.mark.parametrize(
    ("model", "metres"),
    [
        (Variogram("exponential", 0.0, 1.0, 1.0), 600),
        (Variogram("exponential", 0.3, 1.0, 2.0), 1200),
        (Variogram("spherical", 0.0, 1.0, 6.0), 973),
        (Variogram("gaussian", 0.5, 1.0, 3.0), 1039),
    ],
)
def test_the_range_of_a_planted_field_is_found(model: Variogram, metres: float) -> None:
    x, y = town(side=36)
    fields = simulate_fields(Lattice.of(x, y, 200), model, 30, np.random.default_rng(0))
    found = np.array([variogram_range(x, y, field, 200) for field in fields])
    assert 0.8 * metres < np.median(found) < 1.25 * metres
    assert np.mean((found > 0.6 * metres) & (found < 1.7 * metres)) >= 0.8


def test_noise_and_constants_have_no_range() -> None:
    x, y = town(side=36)
    rng = np.random.default_rng(0)
    found = [variogram_range(x, y, rng.normal(size=len(x)), 200) for _ in range(40)]
    assert np.median(found) == 0
    assert np.mean(np.array(found) <= 500) >= 0.9
    assert variogram_range(x, y, np.ones(len(x)), 200) == 0
    assert variogram_range(x[:5], y[:5], [1, 2, 3, 4, np.nan], 200) == 0
    assert variogram_range([], [], [], 200) == 0
