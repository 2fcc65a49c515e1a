"""How well out-of-fold predictions agree with the census, with intervals that know neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from core.statistics.correlation import kendall_error, with_interval
from core.statistics.interval import interval_of_sums
from core.statistics.lattice import Lattice
from core.statistics.measures import MEASURES, Measure, calibration, confusion_matrix
from core.statistics.null import city_numbers, null_band
from core.statistics.spatial import correlation_variance, size_of_variance

__all__ = [
    "COLUMNS",
    "MEASURES",
    "Measure",
    "agreement_table",
    "calibration",
    "confusion_matrix",
    "null_band",
]

COLUMNS = [
    "measure",
    "scope",
    "value",
    "low",
    "high",
    "null_low",
    "null_high",
    "n",
    "n_blocks",
    "n_effective",
    "note",
]
# Share of 200 simulated cities (1,103 cells, residual range 0.9 km, blocks of at least 1 km, rho 0.78) whose
# within-fold interval held the true value, nominal 0.95: to be printed beside the intervals.
MEASURED_COVERAGE = {
    "accuracy": 0.96,
    "mean_absolute_error": 0.93,
    "weighted_kappa": 0.90,
    "slope": 0.89,
    "moran": 0.91,
    "recall": 0.86,
    "kendall": 0.98,
    "spearman": 0.94,
    "pearson": 0.98,
}
_NAN = float("nan")
_NEEDED = ["x", "y", "fold", "true_class", "predicted_class", "expected_class", "income"]
_BOUNDS = {
    "accuracy": (0.0, 1.0),
    "within_one": (0.0, 1.0),
    "mean_absolute_error": (0.0, np.inf),
    "weighted_kappa": (-1.0, 1.0),
}
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def agreement_table(
    frame: pd.DataFrame,
    n_classes: int,
    *,
    block_m: float | None = None,
    draws: int = 999,
    seed: int = 0,
    cell_size: float = 200,
) -> pd.DataFrame:
    """Every measure of agreement, within folds (the headline) and pooled, with 95 % intervals.

    ``frame``: one row a cell with x, y (corner, metres), fold (int), true_class, predicted_class
    (1..n_classes), expected_class, income, and city when there are several. Rows that lack one of them, or
    with a negative fold, are left out. Returns the columns ``COLUMNS``; measures are the keys of
    ``MEASURES`` and recall_1 .. recall_K.

    ``within_fold`` is the mean over folds (of each city), weighted by cells: pooling folds biases
    correlations downward, since a fold's training mean is high where its test block is low. Correlations
    (kendall, spearman, pearson) have Fisher intervals with the effective size of the fold-wise ranks; the
    others a studentised bootstrap of blocks of ``block_m`` metres, or twice the variogram range of what
    each cell adds to the measure where that is more (or ``block_m`` is None). Fewer than 30 blocks give
    Student's interval by the variogram, or none (``interval.interval_of_sums``); n_blocks is 0 where none are
    drawn. ``null_low``, ``null_high`` (spearman): the 95 % band of the same rho when incomes are replaced by
    random fields of the same autocorrelation and the predictions stay.

    Raises ``ValueError`` naming a missing column.
    """
    lacking = [column for column in _NEEDED if column not in frame.columns]
    if lacking:
        raise ValueError(f"the frame lacks {', '.join(lacking)}")
    cells = frame.loc[frame[_NEEDED].notna().all(axis=1) & (frame["fold"] >= 0)].reset_index(drop=True)
    names = [*MEASURES, *(f"recall_{k}" for k in range(1, n_classes + 1))]
    if cells.empty:
        empty = [
            {"measure": m, "scope": s, "n": 0, "n_blocks": 0, "note": "no cells"}
            for m in names
            for s in ("within_fold", "pooled")
        ]
        return pd.DataFrame(empty).reindex(columns=COLUMNS)
    parts = _Parts(cells, n_classes, block_m, cell_size)
    nulls = null_band(cells, draws=draws, seed=seed, cell_size=cell_size)
    rows = []
    for name in names:
        for scope, group in (("within_fold", parts.group), ("pooled", np.zeros(len(cells), np.int64))):
            if name in ("kendall", "spearman", "pearson"):
                row = _correlation_row(parts, name, group)
            else:
                row = _bootstrap_row(parts, name, group, draws, seed)
            band = nulls[scope] if name == "spearman" else (_NAN, _NAN)
            note = "; ".join(dict.fromkeys(text for text in row.pop("note") if text))
            rows.append(
                {
                    "measure": name,
                    "scope": scope,
                    **row,
                    "null_low": band[0],
                    "null_high": band[1],
                    "n": len(cells),
                    "note": note,
                }
            )
    table = pd.DataFrame(rows).reindex(columns=COLUMNS)
    return table.fillna({"n_blocks": 0}).astype({"n_blocks": int})


class _Parts:
    """A city's (or study's) cells as plain vectors, with folds of each city, blocks and lattices."""

    def __init__(self, cells: pd.DataFrame, n_classes: int, block_m: float | None, cell_size: float) -> None:
        self.n_classes = n_classes
        self.x, self.y = cells["x"].to_numpy(float), cells["y"].to_numpy(float)
        self.true = cells["true_class"].to_numpy(float)
        self.predicted = cells["predicted_class"].to_numpy(float)
        self.expected = cells["expected_class"].to_numpy(float)
        self.income = cells["income"].to_numpy(float)
        self.city = city_numbers(cells)
        fold = np.unique(cells["fold"].to_numpy(), return_inverse=True)
        keys = self.city * len(fold[0]) + fold[1]
        used, self.group = np.unique(keys, return_inverse=True)
        many = self.city.max() > 0
        self.group_names = [
            f"fold {fold[0][k % len(fold[0])]}" + (f" of city {k // len(fold[0]) + 1}" if many else "")
            for k in used
        ]
        members = [np.flatnonzero(self.city == c) for c in range(self.city.max() + 1)]
        self.members = members
        self.lattices = [Lattice.of(self.x[m], self.y[m], cell_size) for m in members]
        self.residual = self.true - self.expected
        self.cell_size, self.block_m = cell_size, block_m

    def effective_size(self, a: Floats, b: Floats) -> float:
        """Effective size over all cities, whose cells tell nothing about each other's."""
        n = len(a)
        variance = sum(
            (len(m) / n) ** 2
            * np.nan_to_num(correlation_variance(lattice, a[m], b[m]), nan=1 / max(len(m), 1))
            for m, lattice in zip(self.members, self.lattices, strict=True)
        )
        return size_of_variance(float(variance), n)


def _correlation_row(parts: _Parts, name: str, group: Integers) -> dict:
    inputs = {"kendall": (parts.true, parts.predicted)}.get(name, (parts.income, parts.expected))
    a, b = np.zeros(len(group)), np.zeros(len(group))
    total = weight = error = 0.0
    notes, used = [], np.zeros(len(group), bool)
    for number in range(group.max() + 1):
        inside = np.flatnonzero(group == number)
        first, second = inputs[0][inside], inputs[1][inside]
        value = MEASURES[name].function(first, second)
        if not np.isfinite(value):
            if group.max() > 0:
                notes.append(f"{parts.group_names[number]} left out: constant or a single cell")
            continue
        used[inside] = True
        total, weight = total + len(inside) * value, weight + len(inside)
        if name != "pearson":
            first, second = stats.rankdata(first), stats.rankdata(second)
        if name == "kendall":
            error += (len(inside) * kendall_error(inputs[0][inside], inputs[1][inside])) ** 2
        a[inside] = (first - first.mean()) / first.std()
        b[inside] = (second - second.mean()) / second.std()
    if weight == 0:
        return {"value": _NAN, "low": _NAN, "high": _NAN, "n_effective": _NAN, "note": ["constant", *notes]}
    # Cells of a left-out fold are 0 in both vectors; their share must not count as information.
    effective = parts.effective_size(a, b) * weight / len(group)
    found = with_interval(
        total / weight,
        int(weight),
        effective,
        kendall_error=float(np.sqrt(error)) / weight if name == "kendall" else None,
    )
    return {
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "n_effective": found.n_effective,
        "note": [found.note, *notes],
    }


Statistic = Callable[[Floats], Floats]


def _bootstrap_row(parts: _Parts, name: str, group: Integers, draws: int, seed: int) -> dict:
    columns, statistic = _sums(parts, name, group)
    n_groups, width = int(group.max()) + 1, columns.shape[1]
    spread = np.zeros((len(group), n_groups, width))
    spread[np.arange(len(group)), group] = columns

    def mean_over_folds(totals: Floats) -> Floats:
        by_fold = totals.reshape(*totals.shape[:-1], n_groups, width)
        values = statistic(by_fold)
        weights = np.where(np.isfinite(values), by_fold[..., 0], 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.sum(weights * np.nan_to_num(values), axis=-1) / weights.sum(axis=-1)

    found = interval_of_sums(
        spread.reshape(len(group), -1),
        mean_over_folds,
        parts.x,
        parts.y,
        block_m=parts.block_m,
        city=parts.city,
        lattices=parts.lattices,
        cell_size=parts.cell_size,
        draws=draws,
        seed=seed,
        bounds=(0.0, 1.0) if name.startswith("recall") else _BOUNDS.get(name, (-np.inf, np.inf)),
    )
    notes = [found.note]
    if n_groups > 1:
        notes += list(_fold_faults(parts, name, group, statistic(spread.sum(axis=0))))
    return {
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "n_blocks": found.n_blocks,
        "note": notes,
    }


def _fold_faults(parts: _Parts, name: str, group: Integers, values: Floats) -> Iterable[str]:
    for number, label in enumerate(parts.group_names):
        if not np.isfinite(values[number]):
            yield f"{label} left out: not defined there"
        if name == "weighted_kappa":
            present = np.unique(parts.true[group == number])
            lacking = sorted(set(range(1, parts.n_classes + 1)) - set(present.astype(int)))
            if lacking:
                yield f"{label} lacks class {', '.join(map(str, lacking))}"


def _sums(parts: _Parts, name: str, group: Integers) -> tuple[Floats, Statistic]:
    """Columns (n, q) whose sums over a fold give the measure, the first a count, and how they give it."""
    t, p = parts.true, parts.predicted
    one = np.ones(len(t))
    if name == "accuracy":
        return np.column_stack([one, t == p]), _mean_of_second
    if name == "within_one":
        return np.column_stack([one, np.abs(t - p) <= 1]), _mean_of_second
    if name == "mean_absolute_error":
        return np.column_stack([one, np.abs(t - p)]), _mean_of_second
    if name.startswith("recall_"):
        of_class = t == int(name.removeprefix("recall_"))
        return np.column_stack([one, of_class, of_class & (t == p)]), _third_over_second
    if name == "moran":
        return _moran_columns(parts, group), _moran_of_sums
    moments = np.column_stack([one, t, p, t * t, p * p, t * p])
    return moments, _kappa_of_moments if name == "weighted_kappa" else _slope_of_moments


def _mean_of_second(s: Floats) -> Floats:
    return _over(s[..., 1], s[..., 0])


def _third_over_second(s: Floats) -> Floats:
    return _over(s[..., 2], s[..., 1])


def _over(above: Floats, below: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(below > 1e-12, above / below, np.nan)


def _kappa_of_moments(s: Floats) -> Floats:
    n, t, p, tt, pp, tp = np.moveaxis(s, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        chance = (tt + pp) / n - 2 * (t / n) * (p / n)
        return 1 - _over((tt + pp - 2 * tp) / n, chance)


def _slope_of_moments(s: Floats) -> Floats:
    n, t, p, tt, _, tp = np.moveaxis(s, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return _over(tp / n - (t / n) * (p / n), tt / n - (t / n) ** 2)


def _moran_columns(parts: _Parts, group: Integers) -> Floats:
    """Cells, neighbours, residual times the neighbours' sum, squared residual, fold by fold."""
    count = np.bincount(group)
    z = parts.residual - (np.bincount(group, parts.residual) / count)[group]
    degree, around = np.zeros(len(z)), np.zeros(len(z))
    for members, lattice in zip(parts.members, parts.lattices, strict=True):
        i, j = (members[k] for k in lattice.neighbours)
        same = group[i] == group[j]
        i, j = i[same], j[same]
        degree += np.bincount(i, minlength=len(z)) + np.bincount(j, minlength=len(z))
        around += np.bincount(i, z[j], len(z)) + np.bincount(j, z[i], len(z))
    return np.column_stack([np.ones(len(z)), degree, z * around, z * z])


def _moran_of_sums(s: Floats) -> Floats:
    n, degree, product, square = np.moveaxis(s, -1, 0)
    return _over(n, degree) * _over(product, square)
