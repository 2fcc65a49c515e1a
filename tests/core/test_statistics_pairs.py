"""Pairs of classes, against a direct count over cells."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.statistics.pairs import class_pairs


@pytest.mark.parametrize("polarity", ["poor", "rich"])
def test_pairs_equal_a_direct_count(polarity: str) -> None:
    random = np.random.default_rng(5)
    n, codes = 400, ["A", "B", "C"]
    present = pd.DataFrame(random.random((n, 3)) < [0.9, 0.5, 0.05], columns=codes)
    ratios = pd.DataFrame(random.exponential(size=(n, 3)), columns=codes).where(present)
    ratios.iloc[random.choice(n, 40, replace=False), 0] = np.nan  # cells without activation
    predicted = pd.Series(random.integers(1, 11, n))
    true = pd.Series(random.integers(1, 11, n).astype(float)).mask(random.random(n) < 0.1)
    found = class_pairs(ratios, present, predicted, true, 10, polarity).set_index(["code", "with_code"])
    extreme = (lambda c: c <= 4) if polarity == "poor" else (lambda c: c >= 7)
    for a in codes:
        alone = ratios.loc[extreme(predicted) & present[a], a].mean()
        base = extreme(true[present[a] & true.notna()]).mean()
        for b in codes:
            both = present[a] & present[b]
            values = ratios.loc[extreme(predicted) & both, a].dropna()
            row = found.loc[(a, b)]
            assert row.n == len(values)
            known = true[both & true.notna()]
            assert row.n_income == len(known)
            if len(values) >= 30:
                assert row.co_activation == pytest.approx(values.mean())
                assert row.gain == pytest.approx(values.mean() / alone)
            else:
                assert np.isnan([row.co_activation, row.gain]).all()
            if len(known) >= 30:
                assert row.probability == pytest.approx(extreme(known).mean())
                assert row.income_gain == pytest.approx(extreme(known).mean() / base)
            else:
                assert np.isnan([row.probability, row.income_gain]).all()
    assert found.gain["A", "A"] == pytest.approx(1)
    assert found.n["C", "C"] < 30
