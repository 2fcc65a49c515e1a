"""Reliance: what rank correlation with income is lost when a land-use class is painted over."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from core.statistics.correlation import LEAST_CELLS, LEAST_EFFECTIVE, correlate_on
from core.statistics.lattice import Lattice
from core.statistics.multiple import false_discovery

Floats = NDArray[np.float64]
_NAN = float("nan")
RELIANCE_COLUMNS = (
    "code",
    "value",
    "low",
    "high",
    "p_value",
    "q_value",
    "n",
    "n_present",
    "n_effective",
    "enough",
    "note",
)


def reliance(
    income: ArrayLike,
    z: ArrayLike,
    effects: pd.DataFrame,
    fold: ArrayLike,
    x: ArrayLike,
    y: ArrayLike,
    *,
    cell_size: float = 200,
) -> pd.DataFrame:
    """Reliance on each land-use class of one city, with 95 % intervals.

    ``income``, ``z`` (n,) and ``fold`` (n,) of the cells with corners ``x``, ``y`` in metres; ``effects`` one
    column a code, z minus z with the class painted over, NaN where the class is absent. Columns: code, value,
    low, high, p_value, q_value (Benjamini-Yekutieli over the codes with enough), n, n_present, n_effective,
    enough (30 cells with the class, effective size 10), note.

    Formula (METHOD 6): the cell-weighted mean over folds of Spearman(z, income) - Spearman(z occluded,
    income). With ranks standardised within folds, u of income, v of z, w of z occluded, this is
    mean(u (v - w)) = r(u, v - w) sd(v - w): the interval is that of the correlation r, with the effective
    sample size of u and v - w (see ``correlation.correlate``), times that standard deviation.

    >>> random = np.random.default_rng(0); n = 400; x = np.arange(n) % 20 * 200; y = np.arange(n) // 20 * 200
    >>> income = random.normal(size=n); rest = random.normal(size=n)
    >>> effects = pd.DataFrame({"seen": 2 * income, "unseen": 0.1 * random.normal(size=n)})
    >>> found = reliance(income, 2 * income + rest, effects, np.arange(n) % 2, x, y).set_index("code")
    >>> bool(found.value["seen"] > 0.7), bool(found.low["unseen"] < 0 < found.high["unseen"])
    (True, True)
    """
    income, z = np.asarray(income, float), np.asarray(z, float)
    members = [np.flatnonzero(np.asarray(fold) == one) for one in np.unique(np.asarray(fold))]
    wealth, seen = _within(income, members), _within(z, members)
    lattice = Lattice.of(x, y, cell_size)
    rows = []
    for code in effects.columns:
        effect = effects[code].to_numpy(float)
        present = np.isfinite(effect)
        lost = seen - _within(z - np.where(present, effect, 0.0), members)
        rows.append({"code": code, **_of_class(lattice, wealth, lost), "n_present": int(present.sum())})
    table = pd.DataFrame(rows, columns=[c for c in RELIANCE_COLUMNS if c not in ("q_value", "enough")])
    table["enough"] = (table["n_present"] >= LEAST_CELLS) & (table["n_effective"] >= LEAST_EFFECTIVE)
    table["q_value"] = false_discovery(table["p_value"].where(table["enough"]).to_numpy(float), "by")
    return table[list(RELIANCE_COLUMNS)]


def _within(values: Floats, members: list[NDArray[np.int64]]) -> Floats:
    """Ranks standardised to mean 0 and variance 1 within each fold; zeros in a fold without variation."""
    found = np.zeros(len(values))
    for fold in members:
        ranks = stats.rankdata(values[fold])
        deviation = ranks.std()
        if deviation > 0:
            found[fold] = (ranks - ranks.mean()) / deviation
    return found


def _of_class(lattice: Lattice, wealth: Floats, lost: Floats) -> dict[str, float | int | str]:
    n = len(wealth)
    spread = float(lost.std())
    if n < 4 or spread < 1e-12 or wealth.std() < 1e-12:
        value = 0.0 if n and wealth.std() >= 1e-12 else _NAN
        note = "painting it over changes no rank" if value == 0.0 else "no correlation can be computed"
        return _row(value, _NAN, _NAN, _NAN, n, _NAN, note)
    found = correlate_on(lattice, wealth, lost, "pearson")
    # The correlation's scale: folds without variation and rounding leave sd(wealth) just under 1.
    scale = spread * float(wealth.std())
    return _row(
        found.value * scale,
        found.low * scale,
        found.high * scale,
        found.p_value,
        n,
        found.n_effective,
        found.note,
    )


def _row(
    value: float, low: float, high: float, p_value: float, n: int, n_effective: float, note: str
) -> dict[str, float | int | str]:
    return {
        "value": value,
        "low": low,
        "high": high,
        "p_value": p_value,
        "n": n,
        "n_effective": n_effective,
        "note": note,
    }
