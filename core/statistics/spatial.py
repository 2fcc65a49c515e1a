"""How much independent information neighbouring cells hold, and how alike neighbours are."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from core.statistics.lattice import Lattice


class Moran(NamedTuple):
    """Moran's I and its two-sided p value."""

    value: float
    p_value: float


def correlation_variance(lattice: Lattice, a: ArrayLike, b: ArrayLike) -> float:
    """Variance of the correlation of two unrelated fields with the autocorrelation that ``a`` and ``b`` show.

    ``a``, ``b`` (n,) float without NaN, in the lattice's order. NaN for a constant vector.

    Formula: sum over distance classes k of N_k C_a(k) C_b(k) / (n^2 C_a(0) C_b(0)), with N_k ordered pairs
    and C the mean centred product (Clifford, Richardson and Hemon 1989, Biometrics 45, 123-134).
    """
    a, b = np.asarray(a, float), np.asarray(b, float)
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    first, second = lattice.autocovariances(a), lattice.autocovariances(b)
    used = lattice.pairs > 0
    total = np.sum(lattice.pairs[used] * first[used] * second[used])
    return float(total / (lattice.n**2 * first[0] * second[0]))


def effective_size(x: ArrayLike, y: ArrayLike, a: ArrayLike, b: ArrayLike, cell_size: float = 200) -> float:
    """Number M of independent cells that would make the correlation of ``a`` and ``b`` as variable as it is.

    ``x``, ``y`` (n,) corners in metres on a grid of ``cell_size`` metres; ``a``, ``b`` (n,) float, pairs
    with a NaN are left out. 2 <= M <= n; NaN when fewer than 3 cells are left or a vector is constant.

    Formula: M = 1 + 1 / var r, capped at n (Clifford, Richardson and Hemon 1989; Dutilleul 1993), with
    distance classes one cell wide: Sturges' few wide classes hide the short range where the autocorrelation
    is.

    >>> x, y = np.meshgrid(np.arange(20) * 200, np.arange(20) * 200)
    >>> smooth = np.sin(x.ravel() / 1300) + np.cos(y.ravel() / 1500)
    >>> 2 <= effective_size(x.ravel(), y.ravel(), smooth, smooth) < 60
    True
    """
    x, y, a, b = (np.asarray(v, float) for v in (x, y, a, b))
    kept = np.isfinite(a) & np.isfinite(b)
    if kept.sum() < 3:
        return float("nan")
    return size_of_variance(
        correlation_variance(Lattice.of(x[kept], y[kept], cell_size), a[kept], b[kept]), int(kept.sum())
    )


def size_of_variance(variance: float, n: int) -> float:
    """Effective size 1 + 1 / variance, capped at ``n``; an estimate of zero or less gives ``n``."""
    if not np.isfinite(variance):
        return float("nan")
    if variance <= 1 / max(n - 1, 1):
        return float(n)
    return float(max(1 + 1 / variance, 2.0))


def morans_i(
    x: ArrayLike,
    y: ArrayLike,
    value: ArrayLike,
    cell_size: float = 200,
    neighbours: Literal["queen", "rook"] = "queen",
) -> Moran:
    """Moran's I of ``value`` over touching cells, and its two-sided p value under randomisation.

    ``x``, ``y`` (n,) metres, ``value`` (n,) float; NaN values are left out. (NaN, NaN) for fewer than 4
    cells, a constant value or no two cells that touch.

    Formula: I = n / S0 * sum_ij w_ij z_i z_j / sum_i z_i^2, w_ij = 1 for neighbours; moments by Cliff and Ord
    (1981, Spatial Processes, p. 21 and 46).

    >>> x, y = np.meshgrid(np.arange(4) * 200, np.arange(4) * 200)
    >>> chequered = (x.ravel() + y.ravel()) // 200 % 2
    >>> round(morans_i(x.ravel(), y.ravel(), chequered, neighbours="rook").value, 9)
    -1.0
    """
    x, y, value = (np.asarray(v, float) for v in (x, y, value))
    kept = np.isfinite(value)
    n = int(kept.sum())
    if n < 4 or np.ptp(value[kept]) == 0:
        return Moran(float("nan"), float("nan"))
    i, j = _neighbours(Lattice.of(x[kept], y[kept], cell_size), neighbours)
    if len(i) == 0:
        return Moran(float("nan"), float("nan"))
    z = value[kept] - value[kept].mean()
    s0 = 2.0 * len(i)
    observed = n / s0 * 2 * np.sum(z[i] * z[j]) / np.sum(z**2)

    degree = np.bincount(i, minlength=n) + np.bincount(j, minlength=n)
    s1 = 2 * s0  # 1/2 sum (w_ij + w_ji)^2 with symmetric 0/1 weights
    s2 = float(np.sum((2 * degree) ** 2))
    expected = -1 / (n - 1)
    kurtosis = np.mean(z**4) / np.mean(z**2) ** 2
    second = (
        n * ((n**2 - 3 * n + 3) * s1 - n * s2 + 3 * s0**2)
        - kurtosis * ((n**2 - n) * s1 - 2 * n * s2 + 6 * s0**2)
    ) / ((n - 1) * (n - 2) * (n - 3) * s0**2)
    variance = second - expected**2
    if variance <= 0:
        return Moran(float(observed), float("nan"))
    return Moran(float(observed), float(2 * stats.norm.sf(abs(observed - expected) / np.sqrt(variance))))


class LocalMoran(NamedTuple):
    """Local Moran's I of cells; each field (n,), NaN (0) where the value is NaN or no neighbour has one."""

    value: NDArray[np.float64]  # standardised value times its neighbours' mean
    standardised: NDArray[np.float64]
    around: NDArray[np.float64]  # mean standardised value of the neighbours
    degree: NDArray[np.int64]  # neighbours with a value


def local_moran(
    x: ArrayLike,
    y: ArrayLike,
    value: ArrayLike,
    cell_size: float = 200,
    neighbours: Literal["queen", "rook"] = "queen",
) -> LocalMoran:
    """Local Moran's I of every cell with what it is made of (Anselin 1995).

    ``x``, ``y`` (n,) corners in metres, ``value`` (n,) float; a constant value gives NaN throughout.
    """
    x, y, value = (np.asarray(v, float) for v in (x, y, value))
    n = len(value)
    found = LocalMoran(np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan), np.zeros(n, np.int64))
    kept = np.flatnonzero(np.isfinite(value))
    if len(kept) < 2 or np.ptp(value[kept]) == 0:
        return found
    z = (value[kept] - value[kept].mean()) / value[kept].std()
    i, j = _neighbours(Lattice.of(x[kept], y[kept], cell_size), neighbours)
    degree = np.bincount(i, minlength=len(z)) + np.bincount(j, minlength=len(z))
    around = np.bincount(i, z[j], minlength=len(z)) + np.bincount(j, z[i], minlength=len(z))
    touching = degree > 0
    place = kept[touching]
    found.degree[place] = degree[touching]
    found.standardised[place] = z[touching]
    found.around[place] = around[touching] / degree[touching]
    found.value[place] = found.standardised[place] * found.around[place]
    return found


def local_morans_i(
    x: ArrayLike,
    y: ArrayLike,
    value: ArrayLike,
    cell_size: float = 200,
    neighbours: Literal["queen", "rook"] = "queen",
) -> NDArray[np.float64]:
    """Local Moran's I of every cell (n,): standardised value times its neighbours' mean (Anselin 1995).

    NaN where the value is NaN or the cell has no neighbour with a value.
    """
    return local_moran(x, y, value, cell_size, neighbours).value


def _neighbours(
    lattice: Lattice, kind: Literal["queen", "rook"]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return lattice.neighbours if kind == "queen" else lattice.rook()
