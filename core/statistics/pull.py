"""Pull of a land-use class: which way, and how far, what the network sees on it moves z.

Relations (iii) and (iv) say whether the network uses a class, not which way: a network whose z is a weighted
sum of area shares, z = sum w_u share_u, has excess w_u - z on class u and an effect w_u share_u less what
moved masks take, z share_u. Both correlate with z in ways that do not have the sign of w_u (in the generated
city `mix`, seed 1, across classes: 0.01 with relation (i) for such a network). Their means over area do.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.statistics.correlation import LEAST_CELLS
from core.statistics.interval import interval_of_sums

Floats = NDArray[np.float64]


def pull_terms(share: ArrayLike, amount: ArrayLike) -> Floats:
    """Terms (n, 5) of a class's pull, whose sums over cells go into ``pull_of_sums``.

    ``share`` (n,) of each cell's area, 0 where the class is absent; ``amount`` (n,): what the class adds to z
    in each cell beyond its area's worth (share times excess, or effect less that of moved masks), NaN where
    unknown. Terms: 1, share, share squared, share where the amount is known, amount.
    """
    a, s = np.asarray(amount, float), np.asarray(share, float)
    known = np.isfinite(a)
    return np.column_stack([np.ones(len(s)), s, s * s, np.where(known, s, 0.0), np.where(known, a, 0.0)])


def pull_of_sums(totals: Floats) -> Floats:
    """Pull (...) from sums (..., 5) of ``pull_terms``: deviation of the share, times amount by share.

    In the unit of the amounts (training standard deviations of z): the change of z that goes with one
    standard deviation more of the class in place of the rest of the same cells. NaN where the class is
    nowhere.

    >>> round(float(pull_of_sums(pull_terms([0.0, 0.5, 1.0], [np.nan, 0.2, 0.4]).sum(0))), 4)
    0.1633
    """
    n, s, ss, known, amount = np.moveaxis(totals, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        deviation = np.sqrt(np.maximum(ss / n - (s / n) ** 2, 0.0))
        return np.asarray(np.where(known > 0, deviation * amount / known, np.nan))


def class_pulls(
    shares: pd.DataFrame,
    amounts: pd.DataFrame,
    x: ArrayLike,
    y: ArrayLike,
    *,
    block_m: float | None = None,
    draws: int = 999,
    seed: int = 0,
) -> pd.DataFrame:
    """Pull of each class over a city, one row a code: code, value, low, high, n_present, enough, note.

    ``shares`` and ``amounts`` (n x codes) as in ``pull_terms``; ``x``, ``y`` (n,) corners in metres. 95 %
    interval by blocks (``interval.interval_of_sums``). Fewer than 30 cells with the class: no interval, and
    the note says so.
    """
    rows = []
    for code in amounts.columns:
        share, amount = shares[code].to_numpy(float), amounts[code].to_numpy(float)
        terms = pull_terms(share, amount)
        present = int(np.sum(np.isfinite(amount) & (share > 0)))
        row = {"code": code, "value": float(pull_of_sums(terms.sum(0))), "n_present": present}
        if present < LEAST_CELLS:
            note = f"too few cells ({present} of {LEAST_CELLS})"
            rows.append({**row, "low": np.nan, "high": np.nan, "enough": False, "note": note})
            continue
        found = interval_of_sums(terms, pull_of_sums, x, y, block_m=block_m, draws=draws, seed=seed)
        rows.append({**row, "low": found.low, "high": found.high, "enough": True, "note": found.note})
    return pd.DataFrame(rows, columns=["code", "value", "low", "high", "n_present", "enough", "note"])
