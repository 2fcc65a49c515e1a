"""Are the colours of a photograph those that the networks learned from?

Season, sun, sensor and processing change the colours of a whole photograph; a network that learned from
others may then see another town. Six numbers a cell are compared with those of the training cells.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

COLOURS = ["red", "green", "blue", "red_sd", "green_sd", "blue_sd"]

FEWEST = 20  # training cells: from fewer no covariance of six columns comes
USUAL = 0.99  # share of the training cells whose distance counts as usual
_ONE_COLOUR = 2  # grey levels that a band of a cell spans at most to be one colour
_RIM = 16  # of a cell's side, one part at each edge
_BLOCK = 256  # cells at a time: 150 MB of float32 at 128 px


def cell_colours(images: NDArray[np.uint8]) -> pd.DataFrame:
    """Return mean and standard deviation of each band over each cell.

    ``images``: (n, H, W, 3) uint8 RGB, which may be a memory map. Columns `COLOURS`, float32, in grey levels,
    0 to 255.

    >>> halves = np.zeros((1, 2, 2, 3), np.uint8)
    >>> halves[0, :, 0, 0] = 200
    >>> cell_colours(halves).iloc[0].tolist()
    [100.0, 0.0, 0.0, 100.0, 0.0, 0.0]
    """
    rows = np.empty((len(images), 6), np.float32)
    for start in range(0, len(images), _BLOCK):
        pixels = np.asarray(images[start : start + _BLOCK], np.float32)  # (b, H, W, 3)
        rows[start : start + _BLOCK, :3] = pixels.mean((1, 2))
        rows[start : start + _BLOCK, 3:] = pixels.std((1, 2))
    return pd.DataFrame(rows, columns=COLOURS)


def of_one_colour(images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which cells (n,) show one colour throughout: there is nothing to predict from.

    ``images``: (n, H, W, 3) uint8 RGB. The margin of a mosaic that was filled, a cloud cut out. A band may
    span two grey levels, which compression leaves in a sheet of one colour; noise of a camera spans more,
    also when a cell is read small. The rim does not count: resampling blends the neighbours into it.

    >>> grey = np.full((1, 4, 4, 3), 90, np.uint8)
    >>> of_one_colour(np.concatenate([grey, grey + np.uint8([[[0], [1], [3], [1]]])])).tolist()
    [True, False]
    """
    alike = np.empty(len(images), bool)
    side = images.shape[1]
    inside = slice(side // _RIM, side - side // _RIM)
    for start in range(0, len(images), _BLOCK):
        span = np.ptp(np.asarray(images[start : start + _BLOCK, inside, inside]), axis=(1, 2))  # (b, 3)
        alike[start : start + _BLOCK] = (span <= _ONE_COLOUR).all(axis=1)
    return alike


def colour_distance(cells: pd.DataFrame, training: pd.DataFrame) -> NDArray[np.float64]:
    """Return how far the colours of cells (n,) are from the training cells, in usual distances.

    The Mahalanobis distance d = sqrt((c - m)' S^-1 (c - m)) with mean m and covariance S of the training
    cells' six `COLOURS` (P. C. Mahalanobis, 1936), divided by the distance that 99 % of the training cells do
    not exceed: 1 is as far as training cells are at most, 5 is five times as far.

    Raises ``ValueError`` for fewer than 20 training cells.
    """
    if len(training) < FEWEST:
        raise ValueError(f"colours of {len(training)} training cells; {FEWEST} or more are needed")
    known = training[COLOURS].to_numpy(float)
    middle = known.mean(axis=0)
    # one grey level on the diagonal: photographs stored in whole grey levels say no more than that
    covariance = np.cov(known, rowvar=False) + np.eye(6)
    inverse = np.linalg.inv(covariance)

    def distance(colours: NDArray[np.float64]) -> NDArray[np.float64]:
        away = colours - middle
        return np.sqrt(np.einsum("ij,jk,ik->i", away, inverse, away))

    usual = max(1.0, float(np.quantile(distance(known), USUAL)))  # 1: a grey level, should all be alike
    return distance(cells[COLOURS].to_numpy(float)) / usual
