"""Intervals for functions of sums over cells: a studentised bootstrap of square blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEAST_BLOCKS = 30
_NAN = float("nan")

Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval, standard error, number of blocks and what to know about it."""

    value: float
    low: float
    high: float
    standard_error: float
    n_blocks: int
    note: str = ""


def ratio_of_sums(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """First sum over the second: totals (..., 2) to (...); NaN where the second is 0.

    >>> float(ratio_of_sums(np.array([3.0, 4.0])))
    0.75
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(totals[..., 1] != 0, totals[..., 0] / totals[..., 1], np.nan)


def block_bootstrap(
    columns: ArrayLike,
    statistic: Statistic,
    blocks: ArrayLike,
    *,
    draws: int = 999,
    seed: int = 0,
    strata: ArrayLike | None = None,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    level: float = 0.95,
) -> Interval:
    """Value and studentised block-bootstrap interval of ``statistic`` of the column sums.

    ``columns`` (n, m) float per cell; ``statistic`` maps sums (..., m) to (...) and does not change when
    all sums are doubled (means, ratios, kappa ...); ``blocks`` (n,) block ids; ``strata`` (n,) city of each
    cell: blocks are drawn within their city. Fewer than 30 blocks: NaN interval and the note "too few
    blocks".

    Formula: draw blocks with replacement, t* = (T* - T) / se*, interval T - t*_(1-a/2) se, T - t*_(a/2) se
    (Davison and Hinkley 1997, Bootstrap Methods, 5.2), with infinitesimal-jackknife standard errors over
    blocks, cut to ``bounds``. Rows with a NaN are left out.

    >>> hits = np.tile([1.0, 0.0, 1.0, 1.0], 60)
    >>> found = block_bootstrap(np.column_stack([hits, np.ones(240)]), ratio_of_sums, np.arange(240) // 5)
    >>> found.value, found.n_blocks, found.low < 0.75 < found.high
    (0.75, 48, True)
    """
    columns = np.asarray(columns, float)
    kept = np.isfinite(columns).all(axis=1)
    if not kept.any():
        return Interval(_NAN, _NAN, _NAN, _NAN, 0, "no cells")
    stratum = np.zeros(len(columns), np.int64)
    if strata is not None:
        stratum = np.unique(np.asarray(strata), return_inverse=True)[1].astype(np.int64)
    block = np.unique(np.asarray(blocks), return_inverse=True)[1].astype(np.int64)
    key = (stratum * (block.max() + 1) + block)[kept]
    unit, first, of_cell = np.unique(key, return_index=True, return_inverse=True)
    sums = np.stack([np.bincount(of_cell, c, len(unit)) for c in columns[kept].T], axis=1).astype(float)
    return bootstrap_sums(
        sums, statistic, draws=draws, seed=seed, strata=stratum[kept][first], bounds=bounds, level=level
    )


def bootstrap_sums(
    sums: NDArray[np.float64],
    statistic: Statistic,
    *,
    draws: int,
    seed: int,
    strata: NDArray[np.int64],
    bounds: tuple[float, float] = (-np.inf, np.inf),
    level: float = 0.95,
) -> Interval:
    """As ``block_bootstrap``, for sums already taken over blocks: ``sums`` (B, m), ``strata`` (B,) int."""
    n_blocks = len(sums)
    total = sums.sum(axis=0)
    value = float(statistic(total))
    if not np.isfinite(value):
        return Interval(_NAN, _NAN, _NAN, _NAN, n_blocks, "not defined for these cells")
    if n_blocks < LEAST_BLOCKS:
        return Interval(value, _NAN, _NAN, _NAN, n_blocks, f"too few blocks ({n_blocks} of {LEAST_BLOCKS})")
    everything = np.ones((1, n_blocks))
    error = float(_errors(sums, statistic, everything, strata)[0])
    if not error > 1e-7 * max(abs(value), 1.0):  # the slopes are numerical
        return Interval(value, _NAN, _NAN, 0.0, n_blocks, "the same in every block: no interval")
    rng = np.random.default_rng(seed)
    weights = np.zeros((draws, n_blocks))
    for number in np.unique(strata):
        members = np.flatnonzero(strata == number)
        weights[:, members] = rng.multinomial(len(members), np.full(len(members), 1 / len(members)), draws)
    values = statistic(weights @ sums)
    # Gradients take draws x m x m numbers: a slice of the draws at a time.
    slices = np.array_split(weights, max(1, int(draws * sums.shape[1] ** 2 / 2_000_000)))
    errors = np.concatenate([_errors(sums, statistic, part, strata) for part in slices])
    usable = np.isfinite(values) & (errors > 0)
    if usable.sum() < 0.9 * draws:
        return Interval(value, _NAN, _NAN, error, n_blocks, "undefined in too many bootstrap draws")
    studentised = (values[usable] - value) / errors[usable]
    lower, upper = np.quantile(studentised, [(1 - level) / 2, (1 + level) / 2])
    low, high = np.clip([value - upper * error, value - lower * error], *bounds)
    return Interval(value, float(low), float(high), error, n_blocks)


def _errors(
    sums: NDArray[np.float64],
    statistic: Statistic,
    weights: NDArray[np.float64],
    strata: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Infinitesimal-jackknife standard error of the statistic for each row of block weights (draws, B)."""
    influence = _slopes(weights @ sums, statistic, np.abs(sums).mean(axis=0)) @ sums.T  # (draws, B)
    variance = np.zeros(len(weights))
    for number in np.unique(strata):
        members = strata == number
        count = members.sum()
        if count < 2:
            continue
        weight, part = weights[:, members], influence[:, members]
        mean = (weight * part).sum(axis=1, keepdims=True) / count
        variance += (weight * (part - mean) ** 2).sum(axis=1) * count / (count - 1)
    return np.sqrt(variance)


def _slopes(
    totals: NDArray[np.float64], statistic: Statistic, scale: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Gradient (draws, m) of the statistic at ``totals`` (draws, m), by central differences."""
    step = 1e-4 * np.maximum(scale, 1e-12)
    with np.errstate(invalid="ignore", divide="ignore"):
        above, below = (
            statistic(totals[:, None, :] + np.diag(step)),
            statistic(totals[:, None, :] - np.diag(step)),
        )
    return (above - below) / (2 * step)


def influences(columns: NDArray[np.float64], statistic: Statistic) -> NDArray[np.float64]:
    """What each cell adds to ``statistic`` of the sums of ``columns`` (n, m), to first order: (n,), times n.

    For a mean this is the value less the mean. Its variogram range says how large blocks have to be.
    """
    slopes = _slopes(columns.sum(axis=0)[None], statistic, np.abs(columns).mean(axis=0) + 1e-9)[0]
    return len(columns) * np.nan_to_num(columns @ np.nan_to_num(slopes))
