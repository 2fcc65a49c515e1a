"""The rate of rejection over generated worlds: counted rightly, and failing when it should."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from core.bench.nothing import failures, measure_nothing, rates, rejections
from data.errors import SettingsError

CORNER = np.column_stack([np.arange(400) % 20 * 200, np.arange(400) // 20 * 200])


def test_a_class_that_carries_income_is_rejected_and_a_rare_one_is_not_tested() -> None:
    random = np.random.default_rng(0)
    rank = (random.permutation(400) + 0.5) / 400
    shares = pd.DataFrame({"tied": rank, "rare": np.where(np.arange(400) < 20, 0.5, 0.0)})
    found = rejections(shares, rank, CORNER)
    assert found.to_dict("records") == [{"naive": True, "corrected": True}]


def test_unrelated_classes_are_rejected_at_the_nominal_rate() -> None:
    random = np.random.default_rng(1)
    worlds = [
        rejections(pd.DataFrame(random.random((400, 8))), (random.permutation(400) + 0.5) / 400, CORNER)
        for _ in range(40)
    ]
    found = rates(worlds)
    assert found["tests"] == 320
    assert found["low"] <= 0.05 <= found["high"]
    each = [world.corrected.mean() for world in worlds]
    low, high = stats.t.interval(0.95, 39, np.mean(each), stats.sem(each))
    assert (found["low"], found["high"]) == pytest.approx((max(low, 0), high), abs=1e-4)


def test_failures() -> None:
    good = {"corrected": 0.04, "low": 0.02, "high": 0.06}
    assert failures({"as_generated": good, "drawn_anew": good}) == []
    many = {"corrected": 0.12, "low": 0.08, "high": 0.16}
    few = {"corrected": 0.01, "low": 0.0, "high": 0.02}
    assert failures({"as_generated": few, "drawn_anew": good}) == []
    assert len(failures({"as_generated": many, "drawn_anew": few})) == 2
    assert len(failures({"as_generated": few, "drawn_anew": many})) == 1


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(SettingsError, match="unknown size 'huge': choose among tiny"):
        measure_nothing(size="huge")
    with pytest.raises(SettingsError, match="at least 2"):
        measure_nothing(worlds=1)
