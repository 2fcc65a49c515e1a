"""Intervals of quantities over a city's cells, with blocks sized by the quantity's own range."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from core.folds import square_blocks
from core.statistics.bootstrap import LEAST_BLOCKS, Interval, block_bootstrap, influences
from core.statistics.lattice import Lattice
from core.statistics.variogram import fit_variogram

Floats = NDArray[np.float64]


def interval_of_sums(
    columns: ArrayLike,
    statistic: Callable[[Floats], Floats],
    x: ArrayLike,
    y: ArrayLike,
    *,
    block_m: float | None = None,
    city: ArrayLike | None = None,
    lattices: Sequence[Lattice] | None = None,
    cell_size: float = 200,
    draws: int = 999,
    seed: int = 0,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Interval:
    """Value and 95 % interval of ``statistic`` of the sums of ``columns`` (n, m), cells at ``x``, ``y`` (n,).

    The studentised block bootstrap of ``bootstrap.block_bootstrap`` with square blocks of twice the
    variogram range of what each cell adds to the statistic (its influence), at least ``block_m``; ``city``
    (n,) cities are resampled within themselves. Blocks drawn one by one forget that cells on two sides of a
    border are alike, so the interval is widened, where that is more, to the standard error by the fitted
    variogram: sqrt(sum_k N_k C(k)) / n. Fewer than 30 blocks: NaN interval and a note. ``lattices``: of the
    cities in their sorted order, when known. Rows with a NaN are left out, which ``lattices`` forbids.

    Measured coverage of nominal 95 % (200 simulated cities of 1,103 cells, residual range 0.9 km, blocks of
    at least 1 km): accuracy 96 %, mean absolute error 93 %, weighted kappa 90 %, slope 89 %, Moran's I 91
    %, recall of one class 86 %; without the widening 94, 90, 86, 85, 85 and 81-85 %. Student's interval, in
    200 simulated fields each on 700 cells: 92-95 % where the effective size is about 60 or more, 83-88 % at
    about 23, 74 % at about 11, which is why 30 is asked for.
    """
    sums, east, north = np.asarray(columns, float), np.asarray(x, float), np.asarray(y, float)
    kept = np.isfinite(sums).all(axis=1)
    number = np.zeros(len(sums), np.int64)
    if city is not None and len(sums):
        number = np.unique(np.asarray(city), return_inverse=True)[1].astype(np.int64)
    sums, east, north, number = sums[kept], east[kept], north[kept], number[kept]
    if len(sums) == 0:
        return block_bootstrap(sums, statistic, number)
    influence = influences(sums, statistic)
    members = [np.flatnonzero(number == c) for c in np.unique(number)]
    if lattices is None:
        lattices = [Lattice.of(east[m], north[m], cell_size) for m in members]
    reach = variance = 0.0
    for m, lattice in zip(members, lattices, strict=True):
        model = fit_variogram(lattice, influence[m])
        reach = max(reach, model.range_cells)
        covariances = (model.nugget + model.sill) * model.correlation(np.arange(len(lattice.pairs)))
        variance += float(np.sum(lattice.pairs * covariances)) / len(sums) ** 2
    side = float(np.ceil(max((block_m or 0) / cell_size, 2 * reach, 1) - 1e-9) * cell_size)
    block = np.zeros(len(sums), np.int64)
    for m in members:
        block[m] = square_blocks(east[m], north[m], side) + block.max() + 1
    found = block_bootstrap(sums, statistic, block, strata=number, draws=draws, seed=seed, bounds=bounds)
    error = float(np.sqrt(max(variance, 0.0)))
    if np.isfinite(found.value) and found.n_blocks < LEAST_BLOCKS and error > 0:
        effective = float(influence.var()) / error**2
        return _by_variogram(found, error, effective, bounds)
    return _widened(found, error, side, bounds)


def _by_variogram(found: Interval, error: float, effective: float, bounds: tuple[float, float]) -> Interval:
    """Student's interval for a value whose cells are worth ``effective`` independent ones; none under 30."""
    worth = f"cells worth {effective:.0f} independent ones"
    if effective < LEAST_BLOCKS:
        return replace(found, note=f"{found.note}; {worth}")
    half = float(stats.t.ppf(0.975, effective - 1)) * error
    low, high = (float(end) for end in np.clip([found.value - half, found.value + half], *bounds))
    note = f"{found.note}: interval by the variogram, {worth}"
    return replace(found, low=low, high=high, standard_error=error, note=note)


def _widened(found: Interval, error: float, side: float, bounds: tuple[float, float]) -> Interval:
    note = "; ".join(text for text in (found.note, f"blocks of {side:g} m") if text)
    if not found.standard_error > 0 or error <= found.standard_error:
        return replace(found, note=note)
    factor = error / found.standard_error
    low = found.value - (found.value - found.low) * factor
    high = found.value + (found.high - found.value) * factor
    low, high = (float(end) for end in np.clip([low, high], *bounds))
    return replace(found, low=low, high=high, standard_error=error, note=note)
