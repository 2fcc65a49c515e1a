"""How pixels of a photograph become pixels of a cell: reduction steps, windows, interpolation, validity."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from rasterio.windows import Window
from shapely.geometry.base import BaseGeometry

from data.photograph import Photograph


def step(resolution: float, wanted: float) -> int:
    """Largest power of two of file pixels that still fits in a pixel wanted: overviews and JPEG 2000 come in
    such.

    >>> step(0.2, 200 / 128), step(1.0, 200 / 128), step(2.0, 200 / 128)
    (4, 1, 1)
    """
    reduced = 1
    while resolution * reduced * 2 <= wanted * 1.02:  # map scales differ by a few in a thousand
        reduced *= 2
    return reduced


def supersample(resolution: float, wanted: float) -> int:
    """Samples along a pixel's side: two where a (reduced) file pixel is much smaller than the pixel wanted.

    >>> supersample(1.0, 200 / 128), supersample(1.0, 1.0), supersample(0.2, 0.5)
    (2, 1, 1)
    """
    return 2 if wanted > 1.27 * step(resolution, wanted) * resolution else 1


def window(tile: Photograph, column: NDArray, row: NDArray, reduced: int) -> Window | None:
    """File pixels that the places need and two more around, on multiples of `reduced`; None outside."""
    margin = 2 * reduced
    left = max(0, int(np.floor((column.min() - margin) / reduced)) * reduced)
    top = max(0, int(np.floor((row.min() - margin) / reduced)) * reduced)
    right = min(tile.width, int(np.ceil((column.max() + margin) / reduced)) * reduced)
    bottom = min(tile.height, int(np.ceil((row.max() + margin) / reduced)) * reduced)
    if right <= left or bottom <= top:
        return None
    return Window(left, top, right - left, bottom - top)


@dataclass(frozen=True)
class Part:
    """Pixels of a tile: rgb (h, w, 3), valid share (h, w) or None for all, offset, scale in file pixels.

    Colours are uint8 where all pixels are valid, else float32 and multiplied by the valid share.
    """

    image: NDArray[np.uint8] | NDArray[np.float32]
    mask: NDArray[np.float32] | None
    offset: tuple[float, float]
    scale: tuple[float, float]
    tile_size: tuple[int, int]

    def sample(
        self, column: NDArray[np.float64], row: NDArray[np.float64], pixels: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32] | None]:
        """Bilinear colours (pixels, pixels, 3) of a square, and their valid shares or None where all are
        valid.

        column, row: places (file pixels) of a lattice over the square, edges included.
        """
        hat = _between(len(column), pixels)
        # file places count from pixel edges, cv2's from the centre of the first pixel
        map_x = hat @ ((column - self.offset[0]) / self.scale[0] - 0.5).astype(np.float32) @ hat.T
        map_y = hat @ ((row - self.offset[1]) / self.scale[1] - 0.5).astype(np.float32) @ hat.T
        width, height = self.tile_size
        valid = None
        if column.min() < 0 or row.min() < 0 or column.max() > width or row.max() > height:
            wide = hat.astype(np.float64)
            exact_column, exact_row = wide @ column @ wide.T, wide @ row @ wide.T
            inside = (exact_column >= 0) & (exact_column <= width) & (exact_row >= 0) & (exact_row <= height)
            valid = None if inside.all() else inside.astype(np.float32)
        if self.mask is None:
            return _remap(self.image, map_x, map_y), valid
        share = _remap(self.mask, map_x, map_y)
        share[share < 1e-3] = 0  # interpolation's rounding: no colour can be divided out of it
        weighted = _remap(self.image, map_x, map_y)
        colour = np.clip(np.rint(weighted / np.maximum(share, 1e-6)[..., None]), 0, 255).astype(np.uint8)
        return colour, share if valid is None else share * valid


@lru_cache(maxsize=16)
def _between(knots: int, pixels: int) -> NDArray[np.float32]:
    """Weights (pixels, knots) of lattice points at pixel centres: interpolation as a matrix product."""
    at = (np.arange(pixels) + 0.5) / pixels * (knots - 1)
    cell = np.minimum(at.astype(int), knots - 2)
    hat = np.zeros((pixels, knots), dtype=np.float32)
    hat[np.arange(pixels), cell] = 1 - (at - cell)
    hat[np.arange(pixels), cell + 1] = at - cell
    return hat


def _remap(values: NDArray, map_x: NDArray[np.float32], map_y: NDArray[np.float32]) -> NDArray:
    return cv2.remap(values, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def shrink(
    colour: NDArray[np.uint8], valid: NDArray[np.float32] | None, factor: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32] | None]:
    """Mean over factor x factor samples; colours weighed by validity (None: all valid)."""
    if factor == 1:
        return colour, valid
    size = (colour.shape[1] // factor, colour.shape[0] // factor)
    if valid is None:
        mean: NDArray[Any] = cv2.resize(colour, size, interpolation=cv2.INTER_AREA)
        return mean, None
    share: NDArray[Any] = cv2.resize(valid, size, interpolation=cv2.INTER_AREA)
    weighted = cv2.resize(colour.astype(np.float32) * valid[..., None], size, interpolation=cv2.INTER_AREA)
    means = np.rint(weighted / np.maximum(share, 1e-6)[..., None])
    return np.clip(means, 0, 255).astype(np.uint8), share


def fill(image: NDArray[np.uint8], valid: NDArray[np.float32]) -> tuple[NDArray[np.uint8], float]:
    """Valid share, and empty pixels given the mean colour of the others (a black wedge is itself a cue)."""
    share = min(1.0, float(valid.mean(dtype=np.float64)))
    empty = valid <= 0
    if empty.any() and not empty.all():
        image = image.copy()
        image[empty] = np.rint(image[~empty].mean(axis=0)).astype(np.uint8)
    return image, share


def cells_between(
    west: float, south: float, east: float, north: float, size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lower-left corners of the cells of a grid that touch bounds in metres."""
    columns = np.arange(np.floor(west / size), np.ceil(east / size), dtype=np.int64) * size
    rows = np.arange(np.floor(south / size), np.ceil(north / size), dtype=np.int64) * size
    x, y = np.meshgrid(columns, rows)
    return x.ravel(), y.ravel()


def outline_polygon(outline: NDArray[np.float64], source: pyproj.CRS, target: pyproj.CRS) -> BaseGeometry:
    """Outline (n, 2) as a polygon in `target`, empty where that CRS cannot hold it."""
    if source == target:
        return shapely.make_valid(shapely.Polygon(outline))
    transformer = pyproj.Transformer.from_crs(source, target, always_xy=True)
    points = np.stack(transformer.transform(outline[:, 0], outline[:, 1]), axis=1)
    return shapely.make_valid(shapely.Polygon(points)) if np.isfinite(points).all() else shapely.Polygon()
