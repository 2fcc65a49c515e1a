"""Pairs on the grid, effective size and Moran's I against the double loops that define them."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.folds import variogram_range
from core.statistics.lattice import Lattice
from core.statistics.spatial import effective_size, local_morans_i, morans_i
from core.statistics.variogram import Variogram, fit_variogram, normal_scores, simulate_fields


def scattered(seed: int, side: int = 9, filled: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    row, column = np.nonzero(np.random.default_rng(seed).random((side, side + 3)) < filled)
    return column * 200.0, row * 200.0


def by_loops(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Distance class of every ordered pair (n, n)."""
    distance = np.hypot(x[:, None] - x[None], y[:, None] - y[None]) / 200
    return np.rint(distance).astype(int)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_fourier_sums_are_the_sums_over_pairs(seed: int) -> None:
    x, y = scattered(seed)
    value = np.random.default_rng(seed).normal(5, 2, len(x))
    lattice, classes = Lattice.of(x, y, 200), by_loops(x, y)
    for k in range(classes.max() + 1):
        pairs = classes == k
        assert lattice.pairs[k] == pairs.sum()
        assert lattice.products(value)[k] == pytest.approx(np.sum(np.outer(value, value)[pairs]), abs=1e-6)
        if pairs.sum():
            half = np.mean((value[:, None] - value[None])[pairs] ** 2) / 2
            assert lattice.semivariances(value)[k] == pytest.approx(half, abs=1e-8)


def test_effective_size_is_the_clifford_formula() -> None:
    x, y = scattered(1, side=12)
    rng = np.random.default_rng(1)
    a = np.sin(x / 500) + 0.3 * rng.normal(size=len(x))
    b = np.cos(y / 400) + np.sin(x / 700) + 0.3 * rng.normal(size=len(x))
    classes, n = by_loops(x, y), len(x)
    u, v = a - a.mean(), b - b.mean()
    total = 0.0
    for k in range(classes.max() + 1):
        pairs = classes == k
        if pairs.sum():
            total += pairs.sum() * np.outer(u, u)[pairs].mean() * np.outer(v, v)[pairs].mean()
    variance = total / (n**2 * u.var() * v.var())
    assert effective_size(x, y, a, b, 200) == pytest.approx(1 + 1 / variance, rel=1e-9)
    assert effective_size(x, y, a, b, 200) < 0.6 * n


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 50), st.floats(-5, 5))
def test_effective_size_is_bounded_symmetric_and_free_of_order_and_scale(
    seed: int, scale: float, shift: float
) -> None:
    x, y = scattered(seed)
    rng = np.random.default_rng(seed)
    a, b = np.cumsum(rng.normal(size=len(x))), rng.normal(size=len(x))
    size = effective_size(x, y, a, b, 200)
    order = rng.permutation(len(x))
    assert 2 <= size <= len(x)
    assert effective_size(x, y, b, a, 200) == pytest.approx(size, rel=1e-6)
    assert effective_size(x[order], y[order], a[order], b[order], 200) == pytest.approx(size, rel=1e-6)
    assert effective_size(x + 1e6, y + 2e6, shift + scale * a, -b, 200) == pytest.approx(size, rel=1e-5)


def test_white_noise_is_worth_about_its_cells() -> None:
    x, y = (v.ravel() * 200 for v in np.meshgrid(np.arange(25), np.arange(20)))
    rng = np.random.default_rng(0)
    sizes = [effective_size(x, y, rng.normal(size=500), rng.normal(size=500)) for _ in range(20)]
    assert np.mean(sizes) > 440


def test_effective_size_without_enough_is_nan() -> None:
    assert np.isnan(effective_size([0, 200], [0, 0], [1, 2], [2, 1]))
    assert np.isnan(effective_size([0, 200, 400], [0, 0, 0], [1, 1, 1], [2, 1, 3]))
    assert np.isnan(effective_size([], [], [], []))


def test_effective_size_is_quick_at_a_hundred_thousand_cells() -> None:
    x, y = (v.ravel() * 200 for v in np.meshgrid(np.arange(320), np.arange(320)))
    a = np.random.default_rng(0).normal(size=len(x))
    start = time.perf_counter()
    effective_size(x, y, a, a[::-1])
    assert time.perf_counter() - start < 5  # 0.13 s measured; n squared would take minutes


def test_a_frame_too_large_is_refused() -> None:
    with pytest.raises(ValueError, match="each city"):
        effective_size([0, 2e6, 200], [0, 2e6, 0], [1, 2, 3], [1, 3, 2])


@pytest.mark.parametrize("kind", ["queen", "rook"])
def test_morans_i_is_its_definition(kind: str) -> None:
    x, y = scattered(5)
    value = np.random.default_rng(0).normal(size=len(x)) + x / 800
    across, down = np.abs(x[:, None] - x[None]), np.abs(y[:, None] - y[None])
    w = (np.maximum(across, down) == 200) if kind == "queen" else (across + down == 200)
    z = value - value.mean()
    expected = len(x) / w.sum() * (z @ w @ z) / (z @ z)
    assert morans_i(x, y, value, 200, kind).value == pytest.approx(expected)

    local = local_morans_i(x, y, value, 200, kind)
    degree = w.sum(axis=1)
    touching = degree > 0
    around = (w @ z)[touching] / degree[touching]
    assert local[touching] == pytest.approx(z[touching] * around / z.var())
    assert np.isnan(local[~touching]).all()


def test_morans_moments_are_those_of_all_permutations() -> None:
    x, y = (v.ravel() * 200 for v in np.meshgrid(np.arange(6), np.arange(5)))
    rng = np.random.default_rng(2)
    value = rng.exponential(size=30)
    shuffled = np.array([morans_i(x, y, rng.permutation(value), 200).value for _ in range(3000)])
    observed = morans_i(x, y, value, 200)
    # The p value is that of a normal with the mean and variance of the permutations.
    z = (observed.value - shuffled.mean()) / shuffled.std()
    from scipy.stats import norm

    assert shuffled.mean() == pytest.approx(-1 / 29, abs=0.01)
    assert observed.p_value == pytest.approx(2 * norm.sf(abs(z)), abs=0.03)


def test_morans_i_without_enough_is_nan() -> None:
    for value in ([1, 2, 3], [1, 1, 1, 1], [np.nan] * 4):
        x = np.arange(len(value)) * 200
        assert np.isnan(morans_i(x, x * 0, value, 200)).all()
    apart = np.arange(5) * 1000
    assert np.isnan(morans_i(apart, apart * 0, [1, 2, 3, 4, 5], 200)).all()
    assert np.isnan(local_morans_i([], [], [], 200)).all()


def test_rows_do_not_touch_around_the_edge() -> None:
    x, y = (v.ravel() * 200 for v in np.meshgrid(np.arange(4), np.arange(3)))
    i, j = Lattice.of(x, y, 200).neighbours
    assert len(i) == 3 * 3 + 2 * 4 + 2 * 2 * 3  # sides along rows, along columns, and corners
    assert np.max(np.abs(x[i] - x[j])) == 200


def test_simulated_fields_have_the_autocorrelation_asked_for() -> None:
    x, y = (v.ravel() * 200 for v in np.meshgrid(np.arange(24), np.arange(24)))
    lattice = Lattice.of(x, y, 200)
    model = Variogram("exponential", 0.25, 0.75, 2.0)
    fields = simulate_fields(lattice, model, 601, np.random.default_rng(0))
    assert fields.shape == (601, 576)
    assert fields.var() == pytest.approx(1, abs=0.05)
    for step, cells in ((1, 1), (3, 3)):
        pairs = (fields.reshape(-1, 24, 24)[:, :, step:] * fields.reshape(-1, 24, 24)[:, :, :-step]).mean()
        assert pairs == pytest.approx(float(model.correlation(cells)), abs=0.05)
    # The last of an odd number of draws is a field like the others.
    assert 0.2 < fields[-1].var() < 3


def test_fitted_variogram_has_the_planted_nugget() -> None:
    x, y = (v.ravel() * 200 for v in np.meshgrid(np.arange(40), np.arange(40)))
    lattice = Lattice.of(x, y, 200)
    model = Variogram("exponential", 0.5, 0.5, 1.5)
    fields = simulate_fields(lattice, model, 20, np.random.default_rng(1))
    at_one = [float(fit_variogram(lattice, normal_scores(field)).correlation(1.0)) for field in fields]
    assert np.mean(at_one) == pytest.approx(float(model.correlation(1.0)), abs=0.06)


def test_income_of_a_real_city_is_worth_far_fewer_cells(real_dir: Path) -> None:
    table = pd.read_csv(real_dir / "filosofi" / "Filosofi2015_carreaux_200m_bordeaux.csv")
    place = table["IdINSPIRE"].str.extract(r"N(\d+)E(\d+)").astype(float)
    income = (table["Ind_snv"] / table["Ind"]).to_numpy(float)
    size = effective_size(place[1], place[0], income, income, 200)
    found = morans_i(place[1], place[0], income, 200)
    assert len(table) == 6735
    assert 10 < size < 0.2 * len(table)
    assert found.value > 0.3
    assert found.p_value < 1e-6
    assert 600 < variogram_range(place[1], place[0], income, 200) < 20_000
