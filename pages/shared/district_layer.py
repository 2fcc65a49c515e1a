"""Districts on a map: their borders between cells, and what the tooltip calls them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from pages.shared.rasters import Raster


@dataclass(frozen=True)
class Districts:
    """Districts of a map: raster (height, width) of numbers from 1, 0 outside all; their names by number less
    one; borders as lines (x, y, x, y), metres from the raster's centre."""

    numbers: NDArray[np.uint16]
    names: list[str]
    borders: list[list[float]]


def of_cells(
    raster: Raster, x: ArrayLike, y: ArrayLike, district: pd.Series, names: Mapping[str, str]
) -> Districts:
    """Return the districts of cells by their lower-left corners (n,), metres in the grid CRS.

    ``district``: ids as a category, NULL outside all; ``names`` by id.
    """
    numbers = np.zeros((raster.height, raster.width), np.uint16)
    numbers[raster.pixel(x, y)] = district.cat.codes.to_numpy(np.int64) + 1
    called = [names.get(str(one), str(one)) for one in district.cat.categories]
    return Districts(numbers, called, borders(numbers, raster.size))


def borders(numbers: NDArray[np.uint16], size: int) -> list[list[float]]:
    """Return the lines between cells of two districts, each as long as it is straight: (x, y, x, y), metres
    from the middle of the raster (row 0 in the north), cells of `size` metres.

    Where a district meets what is in none there is no line: that is where the city ends.

    >>> borders(np.uint16([[1, 2], [1, 2], [1, 1]]), 200)
    [[0.0, 300.0, 0.0, -100.0], [0.0, -100.0, 200.0, -100.0]]
    """
    height, width = numbers.shape
    west, north = -width * size / 2, height * size / 2
    # edges between columns run from north to south, those between rows from west to east
    upright = [
        [west + at * size, north - start * size, west + at * size, north - end * size]
        for at, start, end in _runs(_apart(numbers[:, :-1], numbers[:, 1:]).T)
    ]
    level = [
        [west + start * size, north - at * size, west + end * size, north - at * size]
        for at, start, end in _runs(_apart(numbers[:-1], numbers[1:]))
    ]
    return upright + level


def _apart(one: NDArray[np.uint16], other: NDArray[np.uint16]) -> NDArray[np.bool_]:
    return (one != other) & (one > 0) & (other > 0)


def _runs(edges: NDArray[np.bool_]) -> list[tuple[int, int, int]]:
    """Return the runs of True along each row (m, n): which edge it lies on (row + 1), start, end."""
    steps = np.diff(np.pad(edges, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    starts, ends = np.nonzero(steps == 1), np.nonzero(steps == -1)
    return [(int(row) + 1, int(a), int(b)) for row, a, b in zip(starts[0], starts[1], ends[1], strict=True)]
