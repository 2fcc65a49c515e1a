"""Reliance: a difference of rank correlations, with an interval that knows that neighbours are alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from core.statistics.lattice import Lattice
from core.statistics.reliance import reliance
from core.statistics.variogram import Variogram, simulate_fields

SIDE = 24
X, Y = np.arange(SIDE**2) % SIDE * 200, np.arange(SIDE**2) // SIDE * 200


def test_value_is_the_mean_over_folds_of_the_difference_of_spearmans() -> None:
    random = np.random.default_rng(1)
    n = len(X)
    income, z = random.lognormal(size=n), random.normal(size=n)
    z += np.log(income)
    fold = random.integers(0, 3, n)
    effects = pd.DataFrame({"a": random.normal(size=n), "b": 0.5 * np.log(income)})
    effects.loc[random.random(n) < 0.4, "a"] = np.nan
    found = reliance(income, z, effects, fold, X, Y).set_index("code")
    for code in effects:
        occluded = z - effects[code].fillna(0).to_numpy()
        expected = sum(
            (fold == f).mean()
            * (
                stats.spearmanr(z[fold == f], income[fold == f]).statistic
                - stats.spearmanr(occluded[fold == f], income[fold == f]).statistic
            )
            for f in range(3)
        )
        assert found.value[code] == pytest.approx(expected, abs=1e-12)
    assert found.low["b"] > 0
    assert found.n_present.to_dict() == {"a": int(effects.a.notna().sum()), "b": n}


def test_a_class_that_is_nowhere_or_changes_nothing_has_no_reliance() -> None:
    random = np.random.default_rng(2)
    income, z = random.normal(size=len(X)), random.normal(size=len(X))
    effects = pd.DataFrame({"absent": np.nan, "inert": np.zeros(len(X))})
    found = reliance(income, z, effects, np.zeros(len(X)), X, Y).set_index("code")
    assert (found.value == 0).all()
    assert found.low.isna().all()
    assert not found.enough.any()
    assert found.note.str.contains("changes no rank").all()


def test_the_interval_holds_zero_as_often_as_it_says_where_nothing_carries_income() -> None:
    """Income, z and effect are smooth fields that know nothing of each other, so the true reliance is 0."""
    random = np.random.default_rng(3)
    lattice = Lattice.of(X, Y, 200)
    model = Variogram("exponential", nugget=0.2, sill=0.8, scale=1.5)
    worlds = 200
    incomes, scores, smooth = (simulate_fields(lattice, model, worlds, random) for _ in range(3))
    fold = (X // 200 >= SIDE // 2).astype(int)
    present = np.where((X // 1000 + Y // 1000) % 2 == 0, 1.0, np.nan)  # the class stands in half of the town
    holds, naive = [], []
    for income, z, effect in zip(incomes, scores, smooth, strict=True):
        found = reliance(income, z, pd.DataFrame({"u": 0.5 * effect * present}), fold, X, Y).iloc[0]
        holds.append(found.low <= 0 <= found.high)
        naive.append(abs(found.value) <= (found.high - found.low) / 2 * np.sqrt(found.n_effective / found.n))
    assert 0.9 <= np.mean(holds) <= 0.985
    assert np.mean(naive) < np.mean(holds) - 0.05  # the correction is needed
