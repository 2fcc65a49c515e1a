"""Activation by land-use class: hand-worked maps, sums that add up, and estimators on planted cities."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.statistics.classes import class_activation, class_income, extreme_classes
from core.statistics.landuse import class_quantities, land_use_sums, pair_quantities

# A 3 x 3 cell: class A is the west column, B the middle one with a quarter of its south pixel; the east
# column is unmapped.
COVERAGE = np.array(
    [
        [[1, 0, 0], [1, 0, 0], [1, 0, 0]],
        [[0, 1, 0], [0, 1, 0], [0, 0.25, 0]],
    ],
    float,
)
EVIDENCE = np.array([[4, -2, 1], [0, 2, 1], [2, 4, -3]], float)


def test_hand_worked_sums() -> None:
    found = land_use_sums(EVIDENCE, COVERAGE, pixel_area=100.0)
    assert found.area.tolist() == [300, 225]
    assert found.positive.tolist() == [6, 3]  # B: 2 + 4 / 4
    assert found.negative.tolist() == [0, 2]
    assert found.maximum.tolist() == [4, 2]  # the 4 lies in a pixel that B covers by a quarter
    assert found.minimum.tolist() == [0, -2]


def test_hand_worked_quantities() -> None:
    found = class_quantities(EVIDENCE, COVERAGE)
    assert found.share == pytest.approx([3 / 5.25, 2.25 / 5.25])
    assert found.share_rich == pytest.approx([6 / 9, 3 / 9])
    assert found.ratio_rich == pytest.approx([6 / 9 * 5.25 / 3, 3 / 9 * 5.25 / 2.25])
    assert found.ratio_poor == pytest.approx([0, 5.25 / 2.25])
    assert found.contribution == pytest.approx([6 / 9, 1 / 9])
    assert found.mean_evidence == pytest.approx(1)
    assert found.excess == pytest.approx([2 - 1, 1 / 2.25 - 1])
    assert found.unmapped_contribution == pytest.approx((0.75 * 4 - 1) / 9)
    table = found.to_frame(["A", "B"])
    assert table["code"].tolist() == ["A", "B"]
    assert table["ratio_poor"].tolist() == found.ratio_poor.tolist()


@settings(max_examples=80, deadline=None)
@given(
    arrays(float, (5, 4), elements=st.floats(-1e3, 1e3)),
    arrays(float, (3, 5, 4), elements=st.floats(0, 1)),
)
def test_contributions_add_up_and_ratios_average_to_one(evidence: np.ndarray, coverage: np.ndarray) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = class_quantities(evidence, coverage)
    total = found.contribution.sum() + found.unmapped_contribution
    assert total == pytest.approx(evidence.mean(), abs=1e-9 * max(1, np.abs(evidence).max()))
    for ratio, total_sum in ((found.ratio_rich, found.sum_rich), (found.ratio_poor, found.sum_poor)):
        present = found.share > 0
        assert np.isnan(ratio[~present]).all()
        if total_sum.sum() > 1e-9:
            # Shares of activation over mapped land use add up to one.
            assert np.sum(ratio[present] * found.share[present]) == pytest.approx(1)
        assert np.nanmin(ratio, initial=0) >= 0


@settings(max_examples=40, deadline=None)
@given(arrays(float, (4, 4), elements=st.floats(-5, 5)), st.integers(0, 1000))
def test_classes_may_come_in_any_order_and_cells_in_batches(evidence: np.ndarray, seed: int) -> None:
    coverage = np.random.default_rng(seed).dirichlet([1, 1, 1, 1], (4, 4)).transpose(2, 0, 1)[:3]
    one, turned = class_quantities(evidence, coverage), class_quantities(evidence, coverage[::-1])
    assert turned.excess[::-1] == pytest.approx(one.excess, nan_ok=True)
    assert turned.ratio_rich[::-1] == pytest.approx(one.ratio_rich, nan_ok=True)
    several = class_quantities(np.stack([evidence, -evidence]), coverage)
    assert several.contribution[0] == pytest.approx(one.contribution)
    assert several.ratio_poor[1] == pytest.approx(one.ratio_rich, nan_ok=True)
    assert several.excess[1] == pytest.approx(-one.excess, nan_ok=True)


def test_overlapping_land_use_splits_the_pixel() -> None:
    found = land_use_sums([[6.0]], [[[1.0]], [[1.0]]], pixel_area=10)
    assert found.area.tolist() == [5, 5]
    assert found.positive.tolist() == [3, 3]


def test_nothing_mapped_and_no_activation() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        empty = class_quantities(EVIDENCE, np.zeros((0, 3, 3)))
        unmapped = class_quantities(EVIDENCE, np.zeros((2, 3, 3)))
        silent = class_quantities(np.zeros((3, 3)), COVERAGE)
    assert empty.contribution.shape == (0,)
    assert empty.unmapped_contribution == pytest.approx(1)
    assert np.isnan(unmapped.ratio_rich).all()
    assert np.isnan(unmapped.excess).all()
    assert unmapped.contribution.tolist() == [0, 0]
    assert len(unmapped.to_frame(["A", "B"])) == 0
    assert np.isnan(silent.ratio_rich).all()
    assert silent.excess.tolist() == [0, 0]


def test_a_pair_of_maps_has_ratios_only() -> None:
    found = pair_quantities(np.maximum(EVIDENCE, 0), np.maximum(-EVIDENCE, 0), COVERAGE)
    signed = class_quantities(EVIDENCE, COVERAGE)
    assert found.ratio_rich == pytest.approx(signed.ratio_rich)
    assert found.ratio_poor == pytest.approx(signed.ratio_poor)
    assert found.maximum_poor == pytest.approx(signed.maximum_poor)
    assert np.isnan(found.contribution).all()
    assert np.isnan(found.excess).all()
    with pytest.raises(ValueError, match="no negative"):
        pair_quantities(EVIDENCE, EVIDENCE, COVERAGE)
    with pytest.raises(ValueError, match="pixels"):
        class_quantities(np.zeros((2, 2)), COVERAGE)


def test_the_lowest_and_highest_forty_percent() -> None:
    classes = pd.Series(range(1, 6))
    assert extreme_classes(classes, 5, "poor").tolist() == [True, True, False, False, False]
    assert extreme_classes(classes, 5, "rich").tolist() == [False, False, False, True, True]
    assert extreme_classes(pd.Series([1, 2, 3, 4]), 4, "poor").tolist() == [True, False, False, False]
    assert extreme_classes(pd.Series([np.nan, 1]), 10, "poor").tolist() == [False, True]
    with pytest.raises(ValueError, match="'poor' or 'rich'"):
        extreme_classes(classes, 5, "middle")  # type: ignore[arg-type]


def planted_city(seed: int = 0) -> pd.DataFrame:
    """40 x 40 cells; in rich ones A gets twice its area's activation, B the rest; C lies in 20 cells only."""
    rng = np.random.default_rng(seed)
    rows = []
    for cell in range(1600):
        share = rng.uniform(0.005, 0.3)
        level = rng.gamma(5, 1.0)
        predicted = int(rng.integers(1, 11))
        pull = 2.0 * rng.lognormal(0, 0.2) if predicted > 6 else 1.0
        place = {"cell_id": cell, "x": cell % 40 * 200, "y": cell // 40 * 200, "predicted_class": predicted}
        activation = {"A": min(pull * share, 0.99)}
        activation["B"] = 1 - activation["A"]
        for code, of_area in (("A", share), ("B", 1 - share)):
            part = activation[code]
            rows.append(
                {
                    **place,
                    "code": code,
                    "share": of_area,
                    "sum_rich": level * part,
                    "ratio_rich": part / of_area,
                }
            )
        if cell < 20:
            rows.append({**place, "code": "C", "share": 0.0001, "sum_rich": 0.0, "ratio_rich": 0.0})
    table = pd.DataFrame(rows)
    table["true_class"] = table["predicted_class"].astype(float)
    return table


def test_activation_by_class_finds_the_planted_ratio() -> None:
    city = planted_city()
    table = class_activation(city, "rich", 10, block_m=800, draws=199).set_index(["code", "estimator"])
    rich = city[(city["predicted_class"] > 6) & (city["code"] == "A")]
    mean = table.loc[("A", "mean")]
    assert mean["value"] == pytest.approx(rich["ratio_rich"].mean())
    assert mean["standard_error"] == pytest.approx(rich["ratio_rich"].std() / np.sqrt(len(rich)))
    assert mean["n"] == len(rich)
    assert mean["enough"]
    large = rich[rich["share"] >= 0.01]
    total = city.groupby("cell_id")["sum_rich"].sum()[large["cell_id"]]
    pooled = table.loc[("A", "pooled")]
    assert pooled["n"] == len(large) < len(rich)
    assert pooled["value"] == pytest.approx(large["sum_rich"].sum() / total.sum() / large["share"].mean())
    for estimator in ("mean", "pooled"):
        row = table.loc[("A", estimator)]
        assert row["low"] < row["value"] < row["high"]
        assert row["low"] < 2.04 < row["high"]
        assert row["high"] - row["low"] < 0.2
    few = table.loc[("C", "mean")]
    assert not few["enough"]
    assert np.isnan(few["low"])
    assert "too few cells" in few["note"]


def test_no_such_cells_is_said_not_raised() -> None:
    city = planted_city().assign(predicted_class=5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = class_activation(city, "rich", 10, draws=99)
    assert (table["n"] == 0).all()
    assert table["value"].isna().all()
    assert table["note"].str.contains("too few").all()
    with pytest.raises(ValueError, match="lacks sum_poor"):
        class_activation(city.assign(ratio_poor=1.0), "poor", 10)


def test_income_where_a_class_is_present() -> None:
    city = planted_city()
    city.loc[city["code"] == "A", "share"] = np.where(
        city.loc[city["code"] == "A", "true_class"] > 8, 0.1, 0.0
    )
    city.loc[city.index[:3], "true_class"] = np.nan
    table = class_income(city, 10, block_m=800, draws=199).set_index(["code", "polarity"])
    assert table.loc[("A", "rich"), "probability"] == 1
    assert np.isnan(table.loc[("A", "rich"), "low"])  # no variation between blocks: no interval
    everywhere = city[(city["code"] == "B") & city["true_class"].notna()]
    row = table.loc[("B", "poor")]
    assert row["n"] == len(everywhere)
    assert row["probability"] == pytest.approx((everywhere["true_class"] <= 4).mean())
    assert row["low"] < 0.4 < row["high"]
    assert 0.02 < row["high"] - row["low"] < 0.12
