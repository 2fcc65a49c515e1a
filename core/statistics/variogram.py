"""The range over which a field resembles itself, and random fields that share it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft, stats

from core.statistics.lattice import Lattice

# A smaller structured share of the variance is noise: in white noise on 1,000 cells one field in ten would
# else get a range of kilometres.
LEAST_STRUCTURE = 0.05

# Correlation by distance over range parameter, and the multiple of the parameter where 95 % of the sill is
# reached.
_SHAPES = {
    "exponential": (lambda t: np.exp(-t), 3.0),
    "spherical": (lambda t: np.where(t < 1, 1 - 1.5 * t + 0.5 * t**3, 0.0), 0.811),
    "gaussian": (lambda t: np.exp(-(t**2)), 1.731),
}


@dataclass(frozen=True)
class Variogram:
    """Fitted model: ``nugget`` and ``sill`` (structured variance), ``scale`` in cells, ``shape``.

    ``range_cells``: distance at which 95 % of the structured variance is reached; 0 without structure.
    """

    shape: str
    nugget: float
    sill: float
    scale: float

    @property
    def range_cells(self) -> float:
        """Practical range in cells."""
        return self.scale * _SHAPES[self.shape][1] if self.sill > 0 else 0.0

    def correlation(self, distance: ArrayLike) -> NDArray[np.float64]:
        """Autocorrelation at ``distance`` (cells, any shape); 1 at distance 0, the nugget missing beyond."""
        distance = np.asarray(distance, float)
        total = self.nugget + self.sill
        if total <= 0:
            return np.where(distance == 0, 1.0, 0.0)
        structured = self.sill * _SHAPES[self.shape][0](distance / self.scale) / total
        return np.where(distance == 0, 1.0, structured)


def fit_variogram(lattice: Lattice, value: ArrayLike) -> Variogram:
    """Fit nugget, sill and scale of three classical shapes to the empirical variogram; the closest one wins.

    ``value`` (n,) float without NaN. Distance classes one cell wide up to half the longer side of the frame
    (the pairs beyond lie at the frame's ends), weighted by pairs over squared distance, so that short lags
    decide (Cressie 1985, Journal of the International Association for Mathematical Geology 17, 563-586).
    """
    value = np.asarray(value, float)
    variance = float(np.var(value)) if len(value) else 0.0
    flat = Variogram("exponential", variance, 0.0, 1.0)
    if len(value) < 10 or variance == 0:
        return flat
    lag = np.arange(len(lattice.pairs))
    # Few pairs make a wild class: 30 is the usual least number (Journel and Huijbregts 1978).
    used = (lag >= 1) & (lag <= max(3, max(lattice.shape) // 2)) & (lattice.pairs >= 60)
    if used.sum() < 3:
        return flat
    semivariance = lattice.semivariances(value)[used]
    distance = lag[used].astype(float)
    weight = lattice.pairs[used] / distance**2
    level = np.sum(weight * semivariance) / np.sum(weight)
    # Without structure the extra parameters still gain a little; they must gain more than chance does.
    best, least = flat, 0.8 * float(np.sum(weight * (semivariance - level) ** 2))
    for shape, (curve, reach) in _SHAPES.items():
        scales = np.geomspace(0.5, distance.max(), 60) / reach
        curves = 1 - curve(distance[None, :] / scales[:, None])  # (scales, lags)
        misfit, nugget, sill = _non_negative_fit(curves, semivariance, weight)
        at = int(np.argmin(misfit))
        if misfit[at] < least and sill[at] > LEAST_STRUCTURE * (nugget[at] + sill[at]):
            best = Variogram(shape, float(nugget[at]), float(sill[at]), float(scales[at]))
            least = float(misfit[at])
    return best


def _non_negative_fit(
    curves: NDArray[np.float64], target: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Best target = nugget + sill * curve a row of ``curves`` (s, lags): misfit, nugget, sill, each (s,).

    The free optimum of the weighted squares where neither is negative, else the curve alone.
    """
    one, first, square = weight.sum(), curves @ weight, curves**2 @ weight
    flat, cross = weight @ target, curves @ (weight * target)
    with np.errstate(invalid="ignore", divide="ignore"):
        sill = (one * cross - first * flat) / (one * square - first**2)
        nugget = (flat - sill * first) / one
        alone = cross / square
    free = np.isfinite(sill) & (sill >= 0) & (nugget >= 0)
    sill, nugget = np.where(free, sill, np.nan_to_num(alone)), np.where(free, nugget, 0.0)
    misfit = (target - nugget[:, None] - sill[:, None] * curves) ** 2 @ weight
    return misfit, nugget, sill


def simulate_fields(
    lattice: Lattice, variogram: Variogram, draws: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Stationary Gaussian fields (draws, n), mean 0 and variance 1, with the variogram's autocorrelation.

    Circulant embedding on a torus that holds the frame and the range beside it (Dietrich and Newsam 1997,
    SIAM Journal on Scientific Computing 18, 1088-1107); what little negative spectrum remains is cut.
    """
    margin = int(np.ceil(2 * variogram.range_cells))
    rows, columns = (fft.next_fast_len(min(2 * side, side + margin) + 1) for side in lattice.shape)
    down = np.minimum(np.arange(rows), rows - np.arange(rows))
    across = np.minimum(np.arange(columns), columns - np.arange(columns))
    covariance = variogram.correlation(np.hypot(down[:, None], across[None, :]))
    spectrum = np.maximum(fft.fft2(covariance).real, 0)
    amplitude = np.sqrt(spectrum / spectrum.mean() / (rows * columns))
    fields = np.empty((draws, lattice.n))
    for start in range(0, draws, 2):  # real and imaginary part are two independent fields
        noise = rng.standard_normal((rows, columns)) + 1j * rng.standard_normal((rows, columns))
        both = fft.fft2(amplitude * noise)[lattice.row, lattice.column]
        fields[start] = both.real
        if start + 1 < draws:
            fields[start + 1] = both.imag
    return fields


def normal_scores(value: ArrayLike) -> NDArray[np.float64]:
    """Standard normal quantiles of the ranks of ``value`` (n,): rank / (n + 1), ties at their mean rank."""
    ranks = stats.rankdata(np.asarray(value, float))
    return np.asarray(stats.norm.ppf(ranks / (len(ranks) + 1)))
