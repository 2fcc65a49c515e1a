"""What rank correlation chance gives: predictions as they are, incomes drawn anew."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from core.statistics.lattice import Lattice
from core.statistics.variogram import fit_variogram, normal_scores, simulate_fields

_NAN = float("nan")
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def city_numbers(cells: pd.DataFrame) -> Integers:
    """Number of each row's city (n,) int from 0 in sorted order; 0 throughout without a column ``city``."""
    if "city" not in cells.columns:
        return np.zeros(len(cells), np.int64)
    return np.unique(cells["city"].to_numpy(str), return_inverse=True)[1].astype(np.int64)


def null_band(
    cells: pd.DataFrame, *, draws: int = 999, seed: int = 0, cell_size: float = 200, level: float = 0.95
) -> dict[str, tuple[float, float]]:
    """Band of Spearman's rho between the fixed ``expected_class`` and random incomes, by scope.

    Incomes are stationary Gaussian fields on the same cells, with the variogram fitted to the normal scores
    of the city's incomes. Returns {"within_fold": (low, high), "pooled": (low, high)}; NaN where no rho is
    defined.
    """
    rhos = null_correlations(cells, draws=draws, seed=seed, cell_size=cell_size)
    tails = [(1 - level) / 2, (1 + level) / 2]
    return {
        scope: tuple(np.quantile(values, tails)) if np.isfinite(values).all() else (_NAN, _NAN)
        for scope, values in rhos.items()
    }


def null_correlations(
    cells: pd.DataFrame, *, draws: int, seed: int, cell_size: float = 200
) -> dict[str, Floats]:
    """The simulated rho behind ``null_band``: {"within_fold": (draws,), "pooled": (draws,)}."""
    city, expected = city_numbers(cells), cells["expected_class"].to_numpy(float)
    fold = np.unique(cells["fold"].to_numpy(), return_inverse=True)[1]
    x, y, income = (cells[c].to_numpy(float) for c in ("x", "y", "income"))
    members = [np.flatnonzero(city == c) for c in range(city.max() + 1)]
    models = []
    for m in members:
        lattice = Lattice.of(x[m], y[m], cell_size)
        models.append((m, lattice, fit_variogram(lattice, normal_scores(income[m]))))
    groups = {
        "within_fold": [
            np.flatnonzero((city == c) & (fold == f)) for c, f in sorted(set(zip(city, fold, strict=True)))
        ],
        "pooled": [np.arange(len(cells))],
    }
    rng = np.random.default_rng(seed)
    found: dict[str, list[Floats]] = {scope: [] for scope in groups}
    # A few draws at a time: 1,000 fields over 100,000 cells would take 0.8 GB.
    for start in range(0, draws, 50):
        fields = np.empty((min(50, draws - start), len(cells)))
        for m, lattice, model in models:
            fields[:, m] = simulate_fields(lattice, model, len(fields), rng)
        for scope, parts in groups.items():
            found[scope].append(_mean_rank_correlation(fields, expected, parts))
    return {scope: np.concatenate(values) if values else np.zeros(0) for scope, values in found.items()}


def _mean_rank_correlation(fields: Floats, expected: Floats, parts: list[Integers]) -> Floats:
    total, weight = np.zeros(len(fields)), 0
    for inside in parts:
        if len(inside) < 2 or np.ptp(expected[inside]) == 0:
            continue
        fixed = stats.rankdata(expected[inside])
        fixed = (fixed - fixed.mean()) / fixed.std()
        ranks = np.argsort(np.argsort(fields[:, inside], axis=1), axis=1)
        spread = np.sqrt((len(inside) ** 2 - 1) / 12)  # of the ranks 0 .. n-1
        total += ranks @ fixed / spread
        weight += len(inside)
    return total / weight if weight else np.full(len(fields), _NAN)
