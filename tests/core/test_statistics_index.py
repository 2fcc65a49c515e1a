"""The index, on cities where the network is made to follow land use, or to disregard it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from core.statistics.index import follow_index, verdict

SIDE, CODES = 30, [f"c{number}" for number in range(9)]
X, Y = np.arange(SIDE**2) % SIDE * 200, np.arange(SIDE**2) // SIDE * 200
EFFECT = np.linspace(-1, 1, len(CODES))


def town(follows: bool, seed: int) -> dict:
    """Shares with planted income effects; a network that weighs them so, or as it likes."""
    random = np.random.default_rng(seed)
    n = SIDE**2
    shares = pd.DataFrame(random.dirichlet(np.full(len(CODES), 0.5), n), columns=CODES)
    income = stats.zscore(shares.to_numpy()) @ EFFECT / 2 + random.normal(size=n)
    weights = EFFECT if follows else random.permutation(np.tile([-0.5, 0.5, 0.0], 3))
    z = shares.to_numpy() @ weights
    # what a class adds beyond its area's worth, see core.statistics.pull
    amounts = shares * (weights - z[:, None] + random.normal(size=(n, len(CODES))))
    nulls = [shares * random.normal(size=amounts.shape) for _ in range(3)]
    return {
        "shares": shares,
        "amounts": amounts.where(shares > 0.02),
        "nulls": [null.where(shares > 0.02) for null in nulls],
        "true_class": pd.Series(np.ceil(stats.rankdata(income) / n * 10)),
        "weights": pd.Series(300.0, CODES),
        "x": X,
        "y": Y,
    }


def test_value_is_the_weighted_correlation_of_relation_i_with_pulls_less_their_null() -> None:
    made = town(follows=True, seed=1)
    made["weights"] = pd.Series(np.arange(1.0, 10.0) * 40, CODES)

    def pulls(frame: pd.DataFrame) -> np.ndarray:
        area = made["shares"].where(frame.notna()).sum()
        return (frame.sum() / area * made["shares"].std(ddof=0)).to_numpy()

    first = np.array([stats.spearmanr(made["shares"][c], made["true_class"]).statistic for c in CODES])
    second = pulls(made["amounts"]) - np.mean([pulls(frame) for frame in made["nulls"]], axis=0)
    covariance = np.cov(first, second, aweights=made["weights"], ddof=0)
    expected = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    found = follow_index(**made, block_m=800, reference=None, draws=200)
    assert found.value == pytest.approx(expected, abs=1e-9)
    assert found.verdict == "cannot tell"  # without a reference


def test_a_network_that_follows_and_one_that_does_not() -> None:
    for seed in range(3):
        follows = follow_index(**town(True, seed), block_m=800, reference=0.9, draws=300)
        assert follows.low > 0.5
        assert follows.verdict == "follows"
        random = follow_index(**town(False, seed), block_m=800, reference=0.9, draws=300)
        assert random.verdict != "follows"
        assert random.low < random.value < random.high


def test_the_interval_covers_as_it_says() -> None:
    """Against the value that a town of forty times the cells would give."""
    holds = 0
    made = [follow_index(**town(True, seed), block_m=400, reference=None, draws=200) for seed in range(40)]
    truth = np.tanh(np.mean([np.arctanh(one.value) for one in made]))
    holds = np.mean([one.low <= truth <= one.high for one in made])
    assert holds >= 0.875  # 95 % less two standard errors of 40 trials


def test_few_classes_or_blocks_give_no_verdict() -> None:
    made = town(True, 0)
    few = follow_index(**{**made, "weights": made["weights"].iloc[:5]}, block_m=800, reference=0.9)
    assert np.isnan(few.value)
    assert few.note == "too few classes (5 of 6)"
    small = {k: (v.iloc[:60] if hasattr(v, "iloc") and k != "weights" else v) for k, v in made.items()}
    small |= {"nulls": [n.iloc[:60] for n in made["nulls"]], "x": X[:60], "y": Y[:60]}
    found = follow_index(**small, block_m=4000, reference=0.9)
    assert "too few blocks" in found.note
    assert found.verdict == "cannot tell"


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.5, 0.9, "follows"),
        (0.1, 0.9, "cannot tell"),
        (-0.9, 0.39, "disregards"),
        (-0.9, 0.41, "cannot tell"),
    ],
)
def test_verdicts(low: float, high: float, said: str) -> None:
    assert verdict(low, high, 0.8) == said
    assert verdict(np.nan, np.nan, 0.8) == "cannot tell"
