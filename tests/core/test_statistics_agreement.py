"""Agreement: every measure against scikit-learn and SciPy, the table's scopes, notes, and the null band."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from core.folds import block_folds
from core.statistics import measures
from core.statistics.agreement import COLUMNS, MEASURES, agreement_table
from core.statistics.bootstrap import block_bootstrap, ratio_of_sums
from core.statistics.calibration_table import calibration_table
from core.statistics.lattice import Lattice
from core.statistics.measures import calibration, confusion_matrix, recall
from core.statistics.null import null_band, null_correlations
from core.statistics.variogram import Variogram, simulate_fields


def city(strength: float, seed: int = 0, side: int = 30, n_classes: int = 10, east: int = 0) -> pd.DataFrame:
    """A generated city: income and a prediction that shares ``strength`` of it, in five block folds."""
    row, column = np.nonzero(np.random.default_rng(3).random((side, side)) < 0.9)
    x, y = column * 200 + east, row * 200
    model = Variogram("exponential", 0.4, 0.6, 1.2)
    income, noise = simulate_fields(Lattice.of(x, y, 200), model, 2, np.random.default_rng(seed))
    score = strength * income + np.sqrt(1 - strength**2) * noise
    thresholds = np.quantile(income, np.arange(1, n_classes) / n_classes)
    expected = 1 + (n_classes - 1) / (1 + np.exp(-1.2 * score))
    return pd.DataFrame(
        {
            "cell_id": np.arange(len(x)),
            "x": x,
            "y": y,
            "fold": block_folds(x, y, n_folds=5, block_m=1200, seed=0)[0],
            "true_class": np.searchsorted(thresholds, income, side="right") + 1,
            "predicted_class": np.rint(expected).astype(int),
            "expected_class": expected,
            "income": 20_000 * np.exp(0.2 * income),
        }
    )


def row(table: pd.DataFrame, measure: str, scope: str = "within_fold") -> pd.Series:
    return table.set_index(["measure", "scope"]).loc[(measure, scope)]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 10), st.integers(4, 80))
def test_measures_are_those_of_the_reference_libraries(seed: int, n_classes: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    true = rng.integers(1, n_classes + 1, n)
    predicted = np.clip(true + rng.integers(-2, 3, n), 1, n_classes)
    assert measures.accuracy(true, predicted) == pytest.approx(metrics.accuracy_score(true, predicted))
    assert measures.mean_absolute_error(true, predicted) == pytest.approx(
        metrics.mean_absolute_error(true, predicted)
    )
    labels = np.arange(1, n_classes + 1)
    expected = metrics.confusion_matrix(true, predicted, labels=labels)
    assert np.array_equal(confusion_matrix(true, predicted, n_classes), expected)
    if np.ptp(true) and np.ptp(predicted):
        kappa = metrics.cohen_kappa_score(true, predicted, weights="quadratic", labels=labels)
        assert measures.weighted_kappa(true, predicted) == pytest.approx(kappa)
        assert measures.kendall(true, predicted) == pytest.approx(stats.kendalltau(true, predicted).statistic)
        assert measures.spearman(true, predicted) == pytest.approx(stats.spearmanr(true, predicted).statistic)
        assert measures.pearson(true, predicted) == pytest.approx(stats.pearsonr(true, predicted).statistic)
        assert measures.slope(true, predicted) == pytest.approx(stats.linregress(true, predicted).slope)
    got = recall(true, predicted, n_classes)
    for value in range(1, n_classes + 1):
        if (true == value).any():
            assert got[value - 1] == pytest.approx((predicted[true == value] == value).mean())
        else:
            assert np.isnan(got[value - 1])


def test_hand_worked_three_by_three() -> None:
    true, predicted = [1, 1, 2, 2, 3, 3, 3, 1, 2], [1, 2, 2, 3, 3, 3, 1, 1, 2]
    assert confusion_matrix(true, predicted, 3).tolist() == [[2, 1, 0], [0, 2, 1], [1, 0, 2]]
    assert measures.accuracy(true, predicted) == pytest.approx(6 / 9)
    assert measures.within_one(true, predicted) == pytest.approx(8 / 9)
    assert measures.mean_absolute_error(true, predicted) == pytest.approx(4 / 9)
    # Squared differences: 6 in all; by chance 2/3 + 2/3 a cell, margins being equal.
    assert measures.weighted_kappa(true, predicted) == pytest.approx(1 - (6 / 9) / (4 / 3))
    with pytest.raises(ValueError, match="between 1 and 3"):
        confusion_matrix([0], [1], 3)


def test_every_measure_survives_nothing_and_constants() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for measure in MEASURES.values():
            nothing = [np.array([])] * len(measure.inputs)
            assert np.isnan(measure.function(*nothing))
            assert measure.description
        for name in ("weighted_kappa", "kendall", "spearman", "pearson", "slope"):
            assert np.isnan(MEASURES[name].function(np.ones(5), np.ones(5)))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 12))
def test_calibration_counts_every_probability(seed: int, bins: int) -> None:
    rng = np.random.default_rng(seed)
    probability = rng.dirichlet(np.ones(5), 60)
    true = rng.integers(1, 6, 60)
    table = calibration(probability, true, bins)
    assert table["n"].sum() == 300
    assert np.sum(table["predicted"] * table["n"]) == pytest.approx(60)
    assert np.sum(table["observed"] * table["n"]) == pytest.approx(60)
    assert (table["predicted"] >= table["low"] - 1e-12).all()
    assert (table["predicted"] <= table["high"] + 1e-12).all()


def test_a_calibrated_forecast_lies_on_the_diagonal() -> None:
    rng = np.random.default_rng(0)
    probability = rng.dirichlet([1, 1, 1], 20_000)
    true = (rng.random((20_000, 1)) > probability.cumsum(axis=1)).sum(axis=1) + 1
    table = calibration(probability, true)
    assert np.abs(table["predicted"] - table["observed"]).max() < 0.03
    assert len(calibration(np.zeros((0, 3)), [])) == 0
    assert calibration_table(np.zeros((0, 3)), [], [], [], block_m=200, draws=9, seed=0).empty


def test_bins_have_the_intervals_of_their_blocks_and_a_page_gets_them_without_resampling() -> None:
    rng = np.random.default_rng(3)
    x, y = (np.ravel(at) * 200 for at in np.meshgrid(np.arange(120), np.arange(80)))
    sure = 0.25 + 0.5 * (np.sin(x / 1500) * np.cos(y / 1500) > 0)  # likeness of neighbours
    stated = np.column_stack([sure, (1 - sure) / 2, (1 - sure) / 2])
    true = (rng.random((len(x), 1)) > stated.cumsum(axis=1)).sum(axis=1) + 1
    table = calibration_table(stated, true, x, y, block_m=800, draws=999, seed=5)
    assert table.bin.tolist() == [1, 2, 3, 7]
    inside = np.floor(stated * 10) == 2  # one class of the cells that state 0.25
    right = (true == 1) & inside[:, 0]
    counted = np.column_stack([right, inside.sum(axis=1)])
    block = x // 800 + 1000 * (y // 800)
    one = block_bootstrap(counted, ratio_of_sums, block, draws=999, seed=5, bounds=(0, 1))
    row = table.set_index("bin").loc[2]
    assert (row.n, row.frequency) == (inside.sum(), pytest.approx(right.sum() / inside.sum()))
    assert (row.low, row.high) == pytest.approx((one.low, one.high))
    quick = calibration_table(stated, true, x, y, block_m=800, draws=499, seed=5, quick=True)
    pd.testing.assert_frame_equal(quick.drop(columns=["low", "high"]), table.drop(columns=["low", "high"]))
    np.testing.assert_allclose(quick.high - quick.low, table.high - table.low, rtol=0.25)
    np.testing.assert_allclose(quick.low, table.low, atol=0.004)


@pytest.fixture(scope="module")
def strong() -> tuple[pd.DataFrame, pd.DataFrame]:
    frame = city(0.85)
    return frame, agreement_table(frame, 10, block_m=1000, draws=299, seed=0)


def test_within_fold_is_the_weighted_mean_and_pooled_the_whole(
    strong: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    frame, table = strong
    assert list(table.columns) == COLUMNS
    assert set(table["measure"]) == {*MEASURES, *(f"recall_{k}" for k in range(1, 11))}
    for name, measure in MEASURES.items():
        folds = [part for _, part in frame.groupby("fold")]
        values = [measure.function(*(part[c].to_numpy(float) for c in measure.inputs)) for part in folds]
        expected = np.average(values, weights=[len(part) for part in folds])
        assert row(table, name)["value"] == pytest.approx(expected), name
        whole = measure.function(*(frame[c].to_numpy(float) for c in measure.inputs))
        assert row(table, name, "pooled")["value"] == pytest.approx(whole), name
    recalls = recall(frame["true_class"], frame["predicted_class"], 10)
    assert [row(table, f"recall_{k}", "pooled")["value"] for k in range(1, 11)] == pytest.approx(
        list(recalls)
    )
    assert (table["n"] == len(frame)).all()


def test_intervals_hold_the_value_and_the_band_lies_below_a_strong_prediction(
    strong: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    _, table = strong
    given_ones = table[table["low"].notna()]
    assert ((given_ones["low"] <= given_ones["value"]) & (given_ones["value"] <= given_ones["high"])).all()
    assert len(given_ones) > len(table) / 2
    for name in ("spearman", "kendall", "pearson"):
        assert row(table, name)["low"] > row(table, name)["value"] - 0.1
    rho = row(table, "spearman")
    assert -0.2 < rho["null_low"] < 0 < rho["null_high"] < 0.2 < rho["low"]
    missing = table[table["low"].isna()]
    assert (missing["note"] != "").all()
    assert table[table["measure"] != "spearman"]["null_low"].isna().all()


def test_the_order_of_rows_does_not_matter(strong: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    frame, table = strong
    again = agreement_table(frame.sample(frac=1, random_state=0), 10, block_m=1000, draws=299, seed=0)
    pd.testing.assert_frame_equal(
        again.drop(columns=["null_low", "null_high"]),
        table.drop(columns=["null_low", "null_high"]),
        rtol=1e-6,
    )


def test_pooling_folds_biases_what_within_fold_does_not() -> None:
    """A model that only learned the mean of its training cells: -1 pooled over folds, nothing within them."""
    frames = []
    for seed in range(8):
        frame = city(0.0, seed)
        mean = frame["income"].groupby(frame["fold"]).transform("mean")
        total, n = frame["income"].sum(), len(frame)
        count = frame.groupby("fold")["income"].transform("size")
        # Mean income of the cells outside the fold, and a little unrelated noise.
        outside = (total - mean * count) / (n - count)
        noise = np.random.default_rng(seed).normal(0, outside.std(), n)
        frame["expected_class"] = 5 + (outside + noise - outside.mean()) / outside.std()
        table = agreement_table(frame, 10, block_m=1000, draws=49)
        frames.append((row(table, "spearman")["value"], row(table, "spearman", "pooled")["value"]))
    within, pooled = np.mean(frames, axis=0)
    assert abs(within) < 0.03
    assert pooled < within - 0.04


def test_faults_are_said() -> None:
    frame = city(0.5, side=16)
    first = frame["fold"] == 0
    frame.loc[first, "expected_class"] = 5.0
    frame.loc[first & (frame["true_class"] == 10), "true_class"] = 9
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = agreement_table(frame, 10, block_m=1000, draws=49)
    assert "fold 0 left out" in row(table, "spearman")["note"]
    assert "fold 0 left out" not in row(table, "spearman", "pooled")["note"]
    assert "fold 0 lacks class" in row(table, "weighted_kappa")["note"]
    assert "10" in row(table, "weighted_kappa")["note"]
    assert "fold 0 left out" in row(table, "recall_10")["note"]
    assert "too few blocks" in row(table, "accuracy")["note"]
    assert "interval by the variogram" in row(table, "accuracy")["note"]
    assert row(table, "accuracy")["low"] < row(table, "accuracy")["value"] < row(table, "accuracy")["high"]
    assert np.isfinite(row(table, "spearman")["low"])


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5])
def test_tiny_frames_give_nan_without_a_warning(n: int) -> None:
    frame = city(0.5, side=14).head(n)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = agreement_table(frame, 10, draws=19)
    assert len(table) == 2 * (len(MEASURES) + 10)
    assert (table["n"] == n).all()
    bootstrapped = ~table["measure"].isin(["spearman", "pearson", "kendall"])
    assert table.loc[bootstrapped | (n < 4), "low"].isna().all()
    assert (table.loc[table["low"].isna(), "note"] != "").all()


def test_constant_predictions_give_nan_without_a_warning() -> None:
    frame = city(0.5).assign(predicted_class=5, expected_class=5.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = agreement_table(frame, 10, draws=49)
    for name in ("kendall", "spearman", "pearson"):
        assert np.isnan(row(table, name)["value"])
        assert "constant" in row(table, name)["note"]
    assert row(table, "weighted_kappa")["value"] == pytest.approx(0)


def test_rows_without_a_value_or_fold_are_left_out() -> None:
    frame = city(0.5)
    frame.loc[0, "income"] = np.nan
    frame.loc[1, "fold"] = -1
    assert (agreement_table(frame, 10, draws=19)["n"] == len(frame) - 2).all()
    with pytest.raises(ValueError, match="lacks fold, income"):
        agreement_table(frame.drop(columns=["fold", "income"]), 10)


def test_a_study_weighs_its_cities_and_distant_ones_are_no_trouble() -> None:
    one, two = city(0.8, 0, side=20), city(0.8, 1, side=24, east=9_000_000)
    study = pd.concat([one.assign(city="Ys"), two.assign(city="Kêr-Is")])
    table = agreement_table(study, 10, block_m=1000, draws=99)
    alone = [agreement_table(part, 10, block_m=1000, draws=99) for part in (one, two)]
    for name in ("spearman", "weighted_kappa", "moran"):
        expected = np.average([row(part, name)["value"] for part in alone], weights=[len(one), len(two)])
        assert row(table, name)["value"] == pytest.approx(expected), name
    rho, parts = row(table, "spearman"), [row(part, "spearman") for part in alone]
    assert rho["high"] - rho["low"] < min(part["high"] - part["low"] for part in parts)
    assert rho["n_effective"] == pytest.approx(sum(part["n_effective"] for part in parts), rel=0.1)


def test_unrelated_predictions_lie_in_the_band_and_the_interval_holds_zero() -> None:
    inside = covered = 0
    for seed in range(40):
        frame = city(0.0, seed, side=24)
        low, high = null_band(frame, draws=150, seed=seed)["within_fold"]
        values = [
            (stats.spearmanr(part["expected_class"], part["income"]).statistic, len(part))
            for _, part in frame.groupby("fold")
        ]
        rho = np.average([v for v, _ in values], weights=[n for _, n in values])
        inside += low <= rho <= high
        table = agreement_table(frame, 10, draws=9) if seed < 10 else None
        covered += table is not None and row(table, "spearman")["low"] <= 0 <= row(table, "spearman")["high"]
    assert inside >= 35  # 95 % of 40 is 38; fewer than 35 has a chance of 1 %
    assert covered >= 8


def test_the_band_is_that_of_its_own_fields() -> None:
    frame = city(0.5)
    fresh = null_correlations(frame, draws=400, seed=9)["within_fold"]
    low, high = null_band(frame, draws=999, seed=1)["within_fold"]
    assert np.mean((low <= fresh) & (fresh <= high)) == pytest.approx(0.95, abs=0.03)
    smooth = frame.assign(income=np.sin(frame["x"] / 900) + np.cos(frame["y"] / 1100))
    wide = null_band(smooth, draws=200, seed=1)["pooled"]
    narrow = null_band(frame, draws=200, seed=1)["pooled"]
    assert wide[1] - wide[0] > 1.2 * (narrow[1] - narrow[0])
