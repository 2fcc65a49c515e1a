"""Merged classes: the same figures as if the polygons had been merged before."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.statistics.landuse import class_quantities
from core.statistics.levels import LEVELS, activation_at, land_use_at
from data.landuse_classes import class_table, level_code

CODES = ["11100", "11210", "12220", "12230", "31000", "32000"]


def rows_of(cell_id: str, evidence: np.ndarray, coverage: np.ndarray, codes: list[str]) -> pd.DataFrame:
    frame = class_quantities(evidence, coverage).to_frame(codes)
    return frame.assign(cell_id=cell_id, method="cam")


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), level=st.sampled_from(LEVELS), absent=st.integers(0, 3))
def test_levels_equal_merging_the_coverage_first(seed: int, level: object, absent: int) -> None:
    random = np.random.default_rng(seed)
    coverage = random.dirichlet(np.ones(len(CODES) + 1), (5, 7)).transpose(2, 0, 1)[:-1]  # a rest is unmapped
    coverage[random.choice(len(CODES), absent, replace=False)] = 0
    evidence = random.normal(size=(5, 7))
    full = rows_of("a", evidence, coverage, CODES)
    merged = sorted({level_code(code, level) for code in CODES})
    together = np.stack(
        [sum(c for c, k in zip(coverage, CODES, strict=True) if level_code(k, level) == m) for m in merged]
    )
    expected = rows_of("a", evidence, together, merged).set_index("code")
    shares = full[["cell_id", "code", "share"]]
    found = activation_at(full.drop(columns=["area", "share"]), shares, level).set_index("code")
    assert set(found.index) == set(expected.index)
    for name in (
        "sum_rich",
        "sum_poor",
        "share_rich",
        "share_poor",
        "ratio_rich",
        "ratio_poor",
        "contribution",
        "excess",
    ):
        np.testing.assert_allclose(
            found[name], expected[name].reindex(found.index), rtol=1e-9, atol=1e-12, err_msg=name
        )
    areas = land_use_at(shares, level).set_index("code").share
    np.testing.assert_allclose(areas.reindex(expected.index), expected["share"], rtol=1e-12)


def test_draws_of_a_null_are_averaged_by_area_and_missing_activation_stays_missing() -> None:
    rows = pd.DataFrame(
        {
            "method": "paper",
            "cell_id": "a",
            "code": ["31000", "32000", "11100"],
            "share_rich": [np.nan, np.nan, np.nan],
            "ratio_rich": [np.nan, np.nan, np.nan],
            "draw_0": [1.0, 4.0, 9.0],
        }
    )
    shares = pd.DataFrame({"cell_id": "a", "code": ["31000", "32000", "11100"], "share": [0.2, 0.1, 0.7]})
    found = activation_at(rows, shares, "paper").set_index("code")
    assert found.draw_0["Forests and natural vegetation"] == pytest.approx((0.2 * 1 + 0.1 * 4) / 0.3)
    assert found[["share_rich", "ratio_rich"]].isna().all(axis=None)


def test_the_legend_has_every_level_and_its_parents() -> None:
    legend = pd.concat([class_table(CODES, level) for level in LEVELS])
    assert not legend.duplicated(["level", "code"]).any()
    assert set(legend.level) == {"full", "2", "1", "paper"}
    parents = legend[legend.level == "full"].parent
    assert set(parents) <= set(legend[legend.level == "2"].code)
    assert set(legend[legend.level == "2"].parent) <= set(legend[legend.level == "1"].code)
    assert set(legend[legend.level == "paper"].parent) <= {
        "urban fabric", "functional", "infrastructure", "nature", "no use",
    }  # fmt: skip
