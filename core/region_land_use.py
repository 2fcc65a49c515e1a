"""A region's land use as a picture, for a map: the polygons that the reader brought may fill a gigabyte."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from data.coverage import LandUseIndex
from data.grid import Grid
from data.landuse_classes import class_colour

_LONGEST_SIDE = 1500  # pixels; a PNG of flat colours stays under some 100 kB
_MOST_PER_CELL = 20


def draw_land_use(
    path: Path, land_use: LandUseIndex, cells: pd.DataFrame, grid: Grid, extent: tuple[int, int, int, int]
) -> None:
    """Write a PNG of land use over the cells, each class in its colour, clear where there is none, north up.

    ``cells``: x, y (lower-left corners); ``extent``: west, south, east, north of the picture; metres in the
    CRS of ``grid`` and of ``land_use``. A cell is 1 to 20 pixels wide.
    """
    from rasterio.features import rasterize
    from rasterio.transform import from_origin

    west, south, east, north = extent
    rows, columns = (north - south) // grid.size, (east - west) // grid.size
    px = max(1, min(_MOST_PER_CELL, _LONGEST_SIDE // max(rows, columns)))
    numbers = rasterize(
        zip(land_use.geometry, land_use.slots + 1, strict=True),
        out_shape=(rows * px, columns * px),
        transform=from_origin(west, north, grid.size / px, grid.size / px),
        dtype="int32",
    )
    shown = np.zeros((rows, columns), bool)
    shown[(north - cells.y.to_numpy()) // grid.size - 1, (cells.x.to_numpy() - west) // grid.size] = True
    numbers *= shown.repeat(px, axis=0).repeat(px, axis=1)
    table = np.zeros((len(land_use.classes) + 1, 4), np.uint8)
    for slot, code in enumerate(land_use.classes):
        table[slot + 1] = [*bytes.fromhex(class_colour(code).removeprefix("#")), 255]
    Image.fromarray(table[numbers]).save(path, optimize=True)
