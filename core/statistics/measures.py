"""Measures of agreement between true and predicted income classes, each a function of plain vectors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from core.statistics.correlation import pearson as _pearson
from core.statistics.spatial import morans_i

_NAN = float("nan")


@dataclass(frozen=True)
class Measure:
    """A measure of agreement: ``function`` of a frame's columns ``inputs``, and which way is better."""

    function: Callable[..., float]
    inputs: tuple[str, ...]
    description: str
    better: Literal["higher", "lower", "one", "zero"]


def accuracy(true: ArrayLike, predicted: ArrayLike) -> float:
    """Share of cells whose predicted class is the true one; NaN without cells.

    >>> accuracy([1, 2, 3, 4], [1, 2, 4, 4])
    0.75
    """
    return _mean(np.asarray(true) == np.asarray(predicted))


def within_one(true: ArrayLike, predicted: ArrayLike) -> float:
    """Share of cells whose predicted class lies at most one class off; NaN without cells."""
    return _mean(np.abs(np.asarray(true, float) - np.asarray(predicted, float)) <= 1)


def mean_absolute_error(true: ArrayLike, predicted: ArrayLike) -> float:
    """Mean number of classes between predicted and true class; NaN without cells."""
    return _mean(np.abs(np.asarray(true, float) - np.asarray(predicted, float)))


def weighted_kappa(true: ArrayLike, predicted: ArrayLike) -> float:
    """Cohen's kappa with quadratic weights (Cohen 1968): 1 - mean squared difference / the same by chance.

    By chance: var t + var p + (mean t - mean p)^2. NaN when both vectors are the same constant.

    >>> weighted_kappa([1, 2, 3], [1, 2, 3]), weighted_kappa([1, 2, 3], [3, 2, 1])
    (1.0, -1.0)
    """
    t, p = np.asarray(true, float), np.asarray(predicted, float)
    if len(t) == 0:
        return _NAN
    chance = t.var() + p.var() + (t.mean() - p.mean()) ** 2
    return float(1 - np.mean((t - p) ** 2) / chance) if chance > 0 else _NAN


def kendall(true: ArrayLike, predicted: ArrayLike) -> float:
    """Kendall's tau-b of predicted with true class; NaN for a constant vector."""
    t, p = np.asarray(true), np.asarray(predicted)
    if len(t) < 2 or np.ptp(t) == 0 or np.ptp(p) == 0:
        return _NAN
    return float(stats.kendalltau(t, p).statistic)


def spearman(income: ArrayLike, expected: ArrayLike) -> float:
    """Spearman's rho of expected class with income; NaN for a constant vector."""
    a, b = np.asarray(income, float), np.asarray(expected, float)
    return _pearson(stats.rankdata(a), stats.rankdata(b)) if len(a) else _NAN


def pearson(income: ArrayLike, expected: ArrayLike) -> float:
    """Pearson's r of expected class with income; NaN for a constant vector."""
    return _pearson(np.asarray(income, float), np.asarray(expected, float))


def slope(true: ArrayLike, predicted: ArrayLike) -> float:
    """Least-squares slope of predicted on true class: below 1, predictions shrink to the middle.

    >>> slope([1, 2, 3, 4], [2, 2.5, 3, 3.5])
    0.5
    """
    t, p = np.asarray(true, float), np.asarray(predicted, float)
    if len(t) < 2 or np.ptp(t) == 0:
        return _NAN
    return float(np.mean((t - t.mean()) * (p - p.mean())) / t.var())


def moran(x: ArrayLike, y: ArrayLike, true: ArrayLike, expected: ArrayLike, cell_size: float = 200) -> float:
    """Moran's I (queen) of the residuals, true class minus expected class."""
    return morans_i(x, y, np.asarray(true, float) - np.asarray(expected, float), cell_size).value


def recall(true: ArrayLike, predicted: ArrayLike, n_classes: int) -> NDArray[np.float64]:
    """Share of each true class 1..K predicted as such (K,); NaN for a class without cells.

    >>> recall([1, 1, 2], [1, 2, 2], 3).tolist()
    [0.5, 1.0, nan]
    """
    table = confusion_matrix(true, predicted, n_classes).astype(float)
    with np.errstate(invalid="ignore"):
        return np.diag(table) / table.sum(axis=1)


def confusion_matrix(true: ArrayLike, predicted: ArrayLike, n_classes: int) -> NDArray[np.int64]:
    """Cells by true class (rows) and predicted class (columns), (K, K) int; classes are 1..K.

    Raises ``ValueError`` for a class outside 1..K.

    >>> confusion_matrix([1, 2, 2], [1, 1, 2], 2).tolist()
    [[1, 0], [1, 1]]
    """
    t, p = np.asarray(true).astype(np.int64), np.asarray(predicted).astype(np.int64)
    for classes in (t, p):
        if len(classes) and (classes.min() < 1 or classes.max() > n_classes):
            raise ValueError(f"classes lie between 1 and {n_classes}, not {classes.min()} to {classes.max()}")
    return np.bincount((t - 1) * n_classes + p - 1, minlength=n_classes**2).reshape(n_classes, n_classes)


def calibration(probabilities: ArrayLike, true: ArrayLike, bins: int = 10) -> pd.DataFrame:
    """Predicted probability against observed frequency, all classes together, in equal-width bins.

    ``probabilities`` (n, K) rows adding up to 1, ``true`` (n,) classes 1..K. Returns one row a bin that
    holds anything: low, high, predicted (mean probability), observed (frequency), n. The expected
    calibration error is the n-weighted mean of \\|predicted - observed\\|.

    >>> calibration([[0.9, 0.1], [0.9, 0.1]], [1, 2], bins=2)[["predicted", "observed", "n"]].values.tolist()
    [[0.1, 0.5, 2.0], [0.9, 0.5, 2.0]]
    """
    probability = np.asarray(probabilities, float)
    if probability.size == 0:
        return pd.DataFrame(columns=["low", "high", "predicted", "observed", "n"])
    which = np.minimum((probability * bins).astype(np.int64), bins - 1)
    hit = which[np.arange(len(which)), np.asarray(true).astype(np.int64) - 1]
    n = np.bincount(which.ravel(), minlength=bins)
    filled = n > 0
    return pd.DataFrame(
        {
            "low": (np.arange(bins) / bins)[filled],
            "high": ((np.arange(bins) + 1) / bins)[filled],
            "predicted": np.bincount(which.ravel(), probability.ravel(), bins)[filled] / n[filled],
            "observed": np.bincount(hit, minlength=bins)[filled] / n[filled],
            "n": n[filled],
        }
    )


def _mean(values: ArrayLike) -> float:
    values = np.asarray(values, float)
    return float(values.mean()) if values.size else _NAN


_CLASSES = ("true_class", "predicted_class")
_INCOME = ("income", "expected_class")

MEASURES: dict[str, Measure] = {
    "accuracy": Measure(accuracy, _CLASSES, "Share of cells in their true class", "higher"),
    "within_one": Measure(within_one, _CLASSES, "Share of cells at most one class off", "higher"),
    "mean_absolute_error": Measure(
        mean_absolute_error, _CLASSES, "Mean distance from the true class, in classes", "lower"
    ),
    "weighted_kappa": Measure(
        weighted_kappa, _CLASSES, "Agreement beyond chance, quadratic weights (Cohen's kappa)", "higher"
    ),
    "kendall": Measure(kendall, _CLASSES, "Rank agreement of the classes (Kendall's tau-b)", "higher"),
    "spearman": Measure(
        spearman, _INCOME, "Rank correlation of expected class with income (Spearman's rho)", "higher"
    ),
    "pearson": Measure(pearson, _INCOME, "Correlation of expected class with income (Pearson's r)", "higher"),
    "slope": Measure(
        slope, _CLASSES, "Slope of predicted on true class; below 1, predictions shrink to the middle", "one"
    ),
    "moran": Measure(
        moran,
        ("x", "y", "true_class", "expected_class"),
        "Likeness of neighbouring residuals (Moran's I); 0, none",
        "zero",
    ),
}
