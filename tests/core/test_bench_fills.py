"""The report of `bench fills` on effects made by hand; `bench fills` itself looks at photographs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.bench.fills import report
from models.occlusion import FILLS


@pytest.fixture(scope="module")
def found():
    """400 cells with one class that carries income; `blur` sees it whole, every other fill sees noise."""
    random = np.random.default_rng(5)
    n = 400
    income = random.normal(size=n)
    z = income + 0.3 * random.normal(size=n)
    cells = pd.DataFrame(
        {
            "cell_id": np.arange(n).astype(str),
            "x": np.arange(n) % 20 * 200,
            "y": np.arange(n) // 20 * 200,
            "income": income,
            "fold": np.arange(n) % 2,
        }
    )
    rows = pd.DataFrame({"cell_id": cells.cell_id, "code": "11220", "z": z, "exact": 0.9 * income})
    for fill in FILLS:
        rows[fill] = rows.exact if fill == "blur" else 0.5 * random.normal(size=n)
    return report(rows, cells)


def test_the_fill_closest_to_the_counterfactual_is_best(found):
    assert found["best"] == "blur"
    assert found["fills"]["blur"] == {
        "rank_agreement": 1.0,
        "rms_difference": 0.0,
        "reliance_difference": 0.0,
    }
    assert all(abs(found["fills"][fill]["rank_agreement"]) < 0.2 for fill in FILLS if fill != "blur")
    assert all(found["fills"][fill]["rms_difference"] > 0.8 for fill in FILLS if fill != "blur")


def test_reliance_is_told_by_class_and_fill(found):
    exact, blind = found["reliance"]["exact"]["11220"], found["reliance"]["city_mean"]["11220"]
    assert exact["low"] > 0.5 and found["reliance"]["blur"]["11220"] == exact
    # noise costs a little rank correlation, and nothing like what the class carries
    assert 0 <= blind["value"] < 0.3 * exact["value"]
