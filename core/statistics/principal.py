"""Main axes of many vectors, found by passes over portions: memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Below this share of the largest variance an axis holds the rounding of half-precision features.
LEAST_VARIANCE = 1e-6


class Axes(NamedTuple):
    """Mean (c,), unit axes (c, k) from the widest down, and the variance along each (k,)."""

    mean: NDArray[np.float64]
    axes: NDArray[np.float64]
    variance: NDArray[np.float64]


def principal_axes(portions: Callable[[], Iterable[ArrayLike]], most: int) -> Axes:
    """Main axes of the rows of all portions (n, c): eigenvectors of their covariance, at most ``most``.

    ``portions`` is called twice and yields arrays (m, c) of any length: first for the mean, then for the sum
    of centred products, so that large means cost no digits. Memory: a portion and (c, c). Each axis points so
    that its largest component (the first of equals) is positive. Axes of less than a millionth of the largest
    variance are left out; fewer than two rows, or equal ones, have none. ``ValueError`` without portions.

    >>> rows = np.array([[0.0, 1], [3, 5], [-3, -3]])
    >>> principal_axes(lambda: [rows[:1], rows[1:]], 1).axes.round(1).T.tolist()
    [[0.6, 0.8]]
    """
    n, total = 0, None
    for portion in portions():
        rows = np.asarray(portion, float)
        n += len(rows)
        total = rows.sum(0) + (0 if total is None else total)
    if total is None or n == 0:
        raise ValueError("there are no rows to find axes of")
    mean = total / n
    products = np.zeros((len(mean), len(mean)))
    for portion in portions():
        centred = np.asarray(portion, float) - mean
        products += centred.T @ centred
    variance, axes = np.linalg.eigh(products / max(n - 1, 1))
    variance, axes = variance[::-1][:most], axes[:, ::-1][:, :most]
    kept = variance > max(LEAST_VARIANCE * variance[0], 1e-30)
    variance, axes = variance[kept], axes[:, kept]
    largest = np.take_along_axis(axes, np.argmax(np.abs(axes), axis=0)[None], axis=0)[0]
    return Axes(mean, axes * np.sign(largest), variance)


def directions(rows: ArrayLike, found: Axes) -> NDArray[np.float32]:
    """Rows (n, c) centred, turned to the axes and scaled to length 1: (n, k) float32; NaN at the mean itself.

    The inner product of two is the cosine of the angle at which they leave the mean.
    """
    turned = (np.asarray(rows, float) - found.mean) @ found.axes
    length = np.linalg.norm(turned, axis=1, keepdims=True)
    least = 1e-6 * np.sqrt(found.variance.sum())  # less than rounding: no direction
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(length > least, turned / length, np.nan).astype(np.float32)
