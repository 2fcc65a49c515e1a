"""Does the network follow the correlations of land use with income? One index a city, with a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from core.folds import square_blocks
from core.statistics.bootstrap import LEAST_BLOCKS
from core.statistics.correlation import correlation_of_sums, rank_terms
from core.statistics.pull import pull_of_sums, pull_terms

Floats = NDArray[np.float64]
Verdict = Literal["follows", "disregards", "cannot tell"]

LEAST_CLASSES = 6
# Index of generated `mix` cities, where land use alone carries income: mean over seeds 1 to 3 of
# data/recovery.json (0.82, 0.52, 0.74 by activation; 0.64, 0.62, 0.52 by occlusion).
MIX_REFERENCE: dict[str, float] = {"activation": 0.69, "occlusion": 0.59}
_NAN = float("nan")


@dataclass(frozen=True)
class Index:
    """The index of a city: correlation across classes, 95 % interval, verdict, classes and blocks used."""

    value: float
    low: float
    high: float
    verdict: Verdict
    n_classes: int
    n_blocks: int
    note: str = ""


def follow_index(
    shares: pd.DataFrame,
    amounts: pd.DataFrame,
    nulls: list[pd.DataFrame],
    true_class: ArrayLike,
    weights: pd.Series,
    x: ArrayLike,
    y: ArrayLike,
    *,
    block_m: float,
    reference: float | None,
    fraction: float = 0.5,
    draws: int = 999,
    seed: int = 0,
) -> Index:
    """Weighted Pearson correlation, across land-use classes, of (i) with the classes' pull minus its null.

    One row a cell of one city in every frame. ``shares`` (n x codes): area shares, 0 where absent;
    ``amounts`` (n x codes): share times excess, or occlusion effect minus that of moved masks, NaN where
    absent; ``nulls``: draws of the null of the same shape (none: no null is taken off); ``true_class`` (n,),
    all known; ``weights``: effective sample size of the classes that take part, by code. (i) is the Spearman
    correlation of share with true class; for the pull see ``pull``, also for why it is not relation (iii) or
    (iv) itself that stands here. Fewer than six classes: no index, and the note says so.

    Interval: cells are drawn in square blocks of ``block_m`` metres (halved until there are 30), all
    correlations, pulls and nulls computed anew from each draw with the ranks of the whole city; normal on the
    atanh scale with the deviation of the draws, because noise from resampling would pull the draws themselves
    toward 0. Verdict by ``verdict``, against ``fraction`` of ``reference``.
    """
    codes = [code for code in weights.index if code in shares and code in amounts]
    if len(codes) < LEAST_CLASSES:
        note = f"too few classes ({len(codes)} of {LEAST_CLASSES})"
        return Index(_NAN, _NAN, _NAN, "cannot tell", len(codes), 0, note)
    weight = weights[codes].to_numpy(float)
    block, side = _blocks(x, y, block_m)
    n_blocks = int(block.max()) + 1
    share = shares[codes].to_numpy(float).T  # (k, n)
    first = _block_sums([rank_terms(of_class, true_class) for of_class in share], block)  # (B, k, 6)
    second = [
        _block_sums(
            [pull_terms(*pair) for pair in zip(share, frame[codes].to_numpy(float).T, strict=True)], block
        )
        for frame in (amounts, *nulls)
    ]  # each (B, k, 5)

    def index(multiplicity: Floats) -> Floats:
        land_use = correlation_of_sums(np.tensordot(multiplicity, first, axes=1))  # (draws, k)
        found, *by_chance = (pull_of_sums(np.tensordot(multiplicity, sums, axes=1)) for sums in second)
        null = np.mean(by_chance, axis=0) if by_chance else 0.0
        return _weighted_pearson(land_use, found - null, weight)

    value = float(index(np.ones((1, n_blocks)))[0])
    if n_blocks < LEAST_BLOCKS or not np.isfinite(value):
        note = f"too few blocks ({n_blocks} of {LEAST_BLOCKS})" if np.isfinite(value) else "not defined"
        return Index(value, _NAN, _NAN, "cannot tell", len(codes), n_blocks, note)
    drawn = np.random.default_rng(seed).multinomial(n_blocks, np.full(n_blocks, 1 / n_blocks), draws)
    scattered = index(drawn.astype(float))
    usable = np.isfinite(scattered)
    if usable.mean() < 0.9:
        note = "undefined in too many bootstrap draws"
        return Index(value, _NAN, _NAN, "cannot tell", len(codes), n_blocks, note)
    bound = 1 - 1e-9
    error = float(np.arctanh(np.clip(scattered[usable], -bound, bound)).std(ddof=1))
    centre, half = float(np.arctanh(np.clip(value, -bound, bound))), stats.norm.ppf(0.975) * error
    low, high = float(np.tanh(centre - half)), float(np.tanh(centre + half))
    return Index(
        value,
        low,
        high,
        verdict(low, high, reference, fraction),
        len(codes),
        n_blocks,
        f"blocks of {side:.0f} m"
        + ("" if side >= block_m else f", smaller than twice the range ({block_m:.0f} m)"),
    )


def verdict(low: float, high: float, reference: float | None, fraction: float = 0.5) -> Verdict:
    """Say what an index from ``low`` to ``high`` means beside ``reference``, that of a `mix` city.

    *follows*: the whole interval lies above 0 and above ``fraction`` of the reference; *disregards*: its
    upper end lies below that; else *cannot tell*, as without a reference or interval.

    >>> verdict(0.7, 0.9, 0.8), verdict(-0.5, 0.3, 0.8), verdict(-0.5, 0.6, 0.8), verdict(-0.5, 0.3, None)
    ('follows', 'disregards', 'cannot tell', 'cannot tell')
    """
    if reference is None or not (np.isfinite(low) and np.isfinite(high)):
        return "cannot tell"
    threshold = fraction * reference
    if low > max(threshold, 0.0):
        return "follows"
    return "disregards" if high < threshold else "cannot tell"


def _blocks(x: ArrayLike, y: ArrayLike, block_m: float) -> tuple[NDArray[np.int64], float]:
    """Blocks (n,) numbered from 0 and their side: ``block_m``, or so much smaller that there are 30."""
    side = max(float(block_m), 200.0)
    while True:
        number = np.unique(square_blocks(x, y, side), return_inverse=True)[1].astype(np.int64)
        if number.max() + 1 >= LEAST_BLOCKS or side <= 400:
            return number, side
        side = max(200.0 * np.floor(side * 0.8 / 200), 400.0)


def _block_sums(terms: list[Floats], block: NDArray[np.int64]) -> Floats:
    """Sums over blocks (B, k, m) of the terms (n, m) of each of k classes."""
    n_blocks = int(block.max()) + 1
    by_class = [np.stack([np.bincount(block, part, n_blocks) for part in of.T], axis=-1) for of in terms]
    return np.stack(by_class, axis=1)


def _weighted_pearson(first: Floats, second: Floats, weight: Floats) -> Floats:
    """Pearson correlation over the last axis with weights (k,); classes undefined in a draw are left out."""
    known = np.isfinite(first) & np.isfinite(second)
    w = np.where(known, weight, 0.0)
    w = w / w.sum(axis=-1, keepdims=True)
    first, second = np.where(known, first, 0.0), np.where(known, second, 0.0)
    a = first - (w * first).sum(axis=-1, keepdims=True)
    b = second - (w * second).sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(
            (w * a * b).sum(axis=-1) / np.sqrt((w * a * a).sum(axis=-1) * (w * b * b).sum(axis=-1))
        )
