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
    one; their `borders`."""

    numbers: NDArray[np.uint16]
    names: list[str]
    borders: NDArray[np.int16]


def of_cells(
    raster: Raster, x: ArrayLike, y: ArrayLike, district: pd.Series, names: Mapping[str, str]
) -> Districts:
    """Return the districts of cells by their lower-left corners (n,), metres in the grid CRS.

    ``district``: ids as a category, NULL outside all; ``names`` by id.
    """
    numbers = np.zeros((raster.height, raster.width), np.uint16)
    numbers[raster.pixel(x, y)] = district.cat.codes.to_numpy(np.int64) + 1
    called = [names.get(str(one), str(one)) for one in district.cat.categories]
    return Districts(numbers, called, borders(numbers))


def borders(numbers: NDArray[np.uint16]) -> NDArray[np.int16]:
    """Return the lines between cells of two districts, each as long as it is straight: (m, 4) of column, row,
    column, row, counted in cells from the north-west corner of the raster.

    Where a district meets what is in none there is no line: that is where the city ends.

    >>> borders(np.uint16([[1, 2], [1, 2], [1, 1]])).tolist()
    [[1, 0, 1, 2], [1, 2, 2, 2]]
    """
    # edges between columns run from north to south, those between rows from west to east
    column, start, end = _runs(_apart(numbers[:, :-1], numbers[:, 1:]).T)
    upright = np.stack([column, start, column, end], axis=1)
    row, start, end = _runs(_apart(numbers[:-1], numbers[1:]))
    return np.concatenate([upright, np.stack([start, row, end, row], axis=1)]).astype(np.int16)


def _apart(one: NDArray[np.uint16], other: NDArray[np.uint16]) -> NDArray[np.bool_]:
    return (one != other) & (one > 0) & (other > 0)


def _runs(edges: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the runs of True along each row (m, n): the edge that they lie on (row + 1), start and end, each
    (k,)."""
    steps = np.diff(np.pad(edges, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    row, start = np.nonzero(steps == 1)
    return row + 1, start, np.nonzero(steps == -1)[1]
