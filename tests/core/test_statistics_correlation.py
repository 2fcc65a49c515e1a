"""Corrected correlations: reference values, agreement of test and interval, and honest rejection rates."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from core.statistics.correlation import (
    COEFFICIENTS,
    correlate,
    correlate_classes,
    kendall_error,
    with_interval,
)
from core.statistics.lattice import Lattice
from core.statistics.multiple import false_discovery
from core.statistics.variogram import Variogram, simulate_fields

X, Y = (v.ravel() * 200 for v in np.meshgrid(np.arange(25), np.arange(20)))


def fields(scale: float, draws: int, seed: int = 0) -> np.ndarray:
    model = Variogram("exponential", 0.0, 1.0, scale)
    return simulate_fields(Lattice.of(X, Y, 200), model, draws, np.random.default_rng(seed))


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
def test_values_and_naive_tests_are_those_of_scipy(coefficient: str) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(1, 11, 500), rng.integers(0, 4, 500)
    reference = {"spearman": stats.spearmanr, "pearson": stats.pearsonr, "kendall": stats.kendalltau}
    expected = reference[coefficient](a, b)
    found = correlate(a, b, X, Y, coefficient)
    assert found.value == pytest.approx(expected.statistic)
    # Fisher's z against Student's t: the same to the second digit at this size; Kendall's is the same test.
    assert found.p_naive == pytest.approx(expected.pvalue, abs=1e-9 if coefficient == "kendall" else 0.01)
    assert found.n == 500


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_kendalls_error_is_the_tie_corrected_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 5, 40), rng.integers(0, 3, 40)
    expected = stats.kendalltau(a, b, method="asymptotic")
    z = expected.statistic / kendall_error(a, b)
    assert 2 * stats.norm.sf(abs(z)) == pytest.approx(expected.pvalue, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(-0.99, 0.99), st.integers(5, 500), st.floats(0.05, 1.0), st.sampled_from(["fisher", "kendall"])
)
def test_the_interval_holds_zero_exactly_when_the_test_accepts(
    value: float, n: int, share: float, kind: str
) -> None:
    error = np.sqrt(2 * (2 * n + 5) / (9 * n * (n - 1))) if kind == "kendall" else None
    found = with_interval(value, n, max(share * n, 3.5), kendall_error=error)
    if abs(found.p_value - 0.05) < 1e-9:
        return
    assert (found.low <= 0 <= found.high) == (found.p_value >= 0.05)
    assert -1 <= found.low <= value <= found.high <= 1


@pytest.mark.parametrize("scale", [1.0, 3.0])
@pytest.mark.parametrize("coefficient", COEFFICIENTS)
def test_unrelated_fields_are_rejected_at_the_nominal_rate(coefficient: str, scale: float) -> None:
    both = fields(scale, 600, seed=1)
    if coefficient == "kendall":
        both = np.floor(2 * both)  # ties, as classes have them
    found = [correlate(a, b, X, Y, coefficient) for a, b in zip(both[:300], both[300:], strict=True)]
    corrected = np.mean([f.p_value < 0.05 for f in found])
    naive = np.mean([f.p_naive < 0.05 for f in found])
    # 300 draws: 5 % give 2 to 9 % by chance; the naive test rejects 13 to 50 %.
    assert 0.015 <= corrected <= 0.09
    assert naive > 0.095
    assert naive > corrected + 0.04


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
def test_intervals_cover_a_planted_correlation(coefficient: str) -> None:
    common, first, second = np.split(fields(1.5, 600, seed=2), 3)
    rho = 0.5
    a, b = np.sqrt(rho) * common + np.sqrt(1 - rho) * first, np.sqrt(rho) * common + np.sqrt(1 - rho) * second
    truth = {
        "pearson": rho,
        "spearman": 6 / np.pi * np.arcsin(rho / 2),
        "kendall": 2 / np.pi * np.arcsin(rho),
    }
    found = [correlate(u, v, X, Y, coefficient) for u, v in zip(a, b, strict=True)]
    covered = np.mean([f.low <= truth[coefficient] <= f.high for f in found])
    assert covered >= 0.9


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(COEFFICIENTS))
def test_correlation_is_symmetric_and_free_of_the_order_of_cells(seed: int, coefficient: str) -> None:
    rng = np.random.default_rng(seed)
    a = rng.normal(size=500) + X / 2000
    b = rng.normal(size=500) + X / 3000
    order = rng.permutation(500)
    found = correlate(a, b, X, Y, coefficient)
    for other in (
        correlate(b, a, X, Y, coefficient),
        correlate(a[order], b[order], X[order], Y[order], coefficient),
    ):
        assert other.value == pytest.approx(found.value)
        assert other.n_effective == pytest.approx(found.n_effective, rel=1e-6)
        assert other.p_value == pytest.approx(found.p_value, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
@pytest.mark.parametrize(
    ("a", "b", "note"),
    [
        ([], [], "fewer than 4"),
        ([1.0], [2.0], "fewer than 4"),
        ([1, 2, np.nan, 4, 5], [1, np.nan, 2, np.nan, 3], "fewer than 4"),
        ([1, 1, 1, 1, 1], [1, 2, 3, 4, 5], "constant"),
        ([1, 2, 3, 4, 5], [np.nan] * 5, "fewer than 4"),
    ],
)
def test_too_little_gives_nan_and_a_note(a: list, b: list, note: str, coefficient: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = correlate(a, b, np.arange(len(a)) * 200, np.zeros(len(a)), coefficient)
    assert np.isnan([found.value, found.low, found.high, found.p_value]).all()
    assert note in found.note


def test_a_gradient_worth_three_cells_has_no_test() -> None:
    x = np.arange(40) * 200
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = correlate(x, x + np.sin(x), x, np.zeros(40))
        perfect = correlate(x % 1400, 2 * (x % 1400), x, np.zeros(40), "pearson")
    assert found.n_effective <= 3
    assert np.isnan(found.p_value)
    assert "no test" in found.note
    assert found.p_naive < 1e-6
    assert perfect.low == pytest.approx(1)
    assert "perfect" in perfect.note


def test_an_unknown_coefficient_is_refused() -> None:
    with pytest.raises(ValueError, match="spearman, pearson, kendall"):
        correlate([1], [1], [0], [0], "cosine")  # type: ignore[arg-type]


def test_classes_are_correlated_one_by_one() -> None:
    rng = np.random.default_rng(0)
    income = rng.normal(size=500)
    shares = pd.DataFrame(
        {
            "11100": np.clip(0.3 * income + rng.normal(size=500), 0, None),
            "12100": np.clip(rng.normal(size=500), 0, None),
            "14100": np.where(np.arange(500) < 20, rng.random(500), np.nan),  # excess where present
            "50000": 0.0,
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = correlate_classes(shares, income, X, Y).set_index("code")
    alone = correlate(shares["11100"], income, X, Y)
    assert table.loc["11100", "value"] == pytest.approx(alone.value)
    assert table.loc["11100", "p_value"] == pytest.approx(alone.p_value)
    assert table["n"].tolist() == [500, 500, 20, 500]
    assert table["n_present"].tolist() == [
        int((shares["11100"] > 0).sum()),
        int((shares["12100"] > 0).sum()),
        20,
        0,
    ]
    assert table["enough"].tolist() == [True, True, False, False]
    # Only classes with enough cells are tests of the family.
    expected = false_discovery(table["p_value"].to_numpy()[:2])
    assert table["q_value"].to_numpy()[:2] == pytest.approx(expected)
    assert table["q_value"].isna().tolist() == [False, False, True, True]
    assert table.loc["11100", "q_value"] < 0.01
    assert "constant" in table.loc["50000", "note"]


def test_no_classes_make_an_empty_table() -> None:
    table = correlate_classes(pd.DataFrame(index=range(500)), np.ones(500), X, Y)
    assert len(table) == 0
    assert {"code", "value", "q_value", "enough", "n_present"} <= set(table.columns)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), max_size=30), st.sampled_from(["by", "bh"])
)
def test_false_discovery_is_scipys_without_the_nans(p: list[float], method: str) -> None:
    values = np.array(p, float)
    tested = ~np.isnan(values)
    q = false_discovery(values, method)
    assert np.isnan(q[~tested]).all()
    if tested.any():
        assert q[tested] == pytest.approx(stats.false_discovery_control(values[tested], method=method))


def test_false_discovery_refuses_what_is_no_p_value() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        false_discovery([0.5, 1.5])
    with pytest.raises(ValueError, match="'by' or 'bh'"):
        false_discovery([0.5], method="holm")  # type: ignore[arg-type]
