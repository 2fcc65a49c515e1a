"""Pull: worked by hand, of a network whose weights are known, and beside relation (iv), which has no sign."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from core.statistics.pull import class_pulls, pull_of_sums, pull_terms

SIDE = 30
X, Y = np.arange(SIDE**2) % SIDE * 200, np.arange(SIDE**2) // SIDE * 200
WEIGHTS = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])


def linear_network(seed: int) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """Shares, occlusion effects beyond those of moved masks, and z, of z = sum of weight times share."""
    shares = np.random.default_rng(seed).dirichlet(np.full(5, 0.4), SIDE**2)
    z = shares @ WEIGHTS
    # painted in a colour worth w: the class loses share (weight - w), a moved mask of its shape share (z - w)
    return pd.DataFrame(shares), pd.DataFrame(shares * (WEIGHTS - z[:, None])), z


def test_by_hand() -> None:
    share, amount = [0.0, 0.5, 1.0, 0.5], [np.nan, 0.1, 0.4, np.nan]
    # deviation of the share: sqrt(0.375 - 0.25); amounts 0.5 over shares 1.5
    expected = np.sqrt(0.125) * 0.5 / 1.5
    assert pull_of_sums(pull_terms(share, amount).sum(0)) == pytest.approx(expected)
    nowhere = pull_terms([0.0, 0.0], [np.nan, np.nan]).sum(0)
    assert np.isnan(pull_of_sums(nowhere))


def test_pull_has_the_sign_and_order_of_the_weights_and_relation_iv_has_not() -> None:
    shares, amounts, z = linear_network(0)
    found = class_pulls(shares, amounts, X, Y, draws=200)
    assert stats.spearmanr(found.value, WEIGHTS).statistic == pytest.approx(1)
    assert np.sign(found.value[[0, 1, 3, 4]]).tolist() == [-1, -1, 1, 1]
    told = found[(found.low > 0) | (found.high < 0)]
    assert set(told["code"]) == {0, 1, 3, 4}
    relation = [stats.spearmanr(amounts[code], z).statistic for code in shares]
    assert relation[0] > 0  # the class that speaks for poverty most
    assert relation[2] < -0.5  # the one that says nothing


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 10))
def test_scale_and_order_of_cells(seed: int, factor: float) -> None:
    random = np.random.default_rng(seed)
    share = random.random(40) * (random.random(40) < 0.6)
    amount = np.where(share > 0, random.normal(size=40), np.nan)
    one = pull_of_sums(pull_terms(share, amount).sum(0))
    order = random.permutation(40)
    assert pull_of_sums(pull_terms(share[order], amount[order]).sum(0)) == pytest.approx(one, nan_ok=True)
    assert pull_of_sums(pull_terms(share, amount * factor).sum(0)) == pytest.approx(one * factor, nan_ok=True)
    # shares in other units: what goes with one deviation of the share stays
    assert pull_of_sums(pull_terms(share * 7, amount).sum(0)) == pytest.approx(one, nan_ok=True)


def test_few_cells_have_no_interval() -> None:
    shares, amounts, _ = linear_network(1)
    shares.loc[29:, 3], amounts.loc[29:, 3] = 0.0, np.nan
    found = class_pulls(shares, amounts, X, Y, draws=100).set_index("code")
    assert not found.enough[3]
    assert found.note[3] == "too few cells (29 of 30)"
    assert np.isnan(found.low[3])
    assert found.enough[[0, 1, 2, 4]].all()
