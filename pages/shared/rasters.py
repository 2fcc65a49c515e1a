"""Cells as pictures: one pixel a cell, row 0 in the north, imputed cells hatched."""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Raster:
    """Where cells lie on a picture: west and north edge in metres of the grid CRS, cell size in metres,
    pixels."""

    west: int
    north: int
    size: int
    width: int
    height: int

    @staticmethod
    def around(x: ArrayLike, y: ArrayLike, size: int) -> Raster:
        """Return the smallest raster that holds the cells whose lower-left corners (n,) are given, in
        metres."""
        x, y = np.asarray(x), np.asarray(y)
        west, north = int(x.min()), int(y.max()) + size
        return Raster(west, north, size, int(x.max() - west) // size + 1, int(north - y.min()) // size)

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the raster, metres in the grid CRS."""
        return self.west + self.width * self.size / 2, self.north - self.height * self.size / 2

    def pixel(self, x: ArrayLike, y: ArrayLike) -> tuple[Integers, Integers]:
        """Return (row, column) of cells by their lower-left corners; row 0 is the northernmost.

        >>> row, column = Raster.around([0, 400], [0, 200], 200).pixel([400], [0])
        >>> row.tolist(), column.tolist()
        ([1], [2])
        """
        column = (np.asarray(x, dtype=np.int64) - self.west) // self.size
        row = (self.north - np.asarray(y, dtype=np.int64)) // self.size - 1
        return row, column

    def spread(self, x: ArrayLike, y: ArrayLike, values: ArrayLike, fill: int = 0) -> NDArray[np.uint8]:
        """Return values (n,) as a raster (height, width) of uint8; `fill` where there is no cell."""
        picture = np.full((self.height, self.width), fill, dtype=np.uint8)
        picture[self.pixel(x, y)] = np.asarray(values)
        return picture


def colour_bitmap(
    raster: Raster,
    x: ArrayLike,
    y: ArrayLike,
    steps: ArrayLike,
    table: NDArray[np.uint8],
    missing: tuple[int, int, int],
    faded: ArrayLike = False,
    alpha: int = 46,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return a picture of numbers (height, width) and their colours (n, 4), RGBA: step k of a cell in the
    colour table[k], -1 in `missing`, none clear.

    `steps` (n,) are integers from -1 to len(table) - 1, at most 126; cells that are `faded` (n,) have `alpha`
    of 255.
    """
    shown = np.vstack([[missing], table]).astype(np.uint8)
    solid = np.column_stack([shown, np.full(len(shown), 255, np.uint8)])
    pale = np.column_stack([shown, np.full(len(shown), alpha, np.uint8)])
    colours = np.vstack([np.zeros((1, 4), np.uint8), solid, pale])
    numbers = np.asarray(steps, dtype=np.int64) + 2 + len(shown) * np.asarray(faded, dtype=np.int64)
    return raster.spread(x, y, numbers), colours


def hatch_lines(
    raster: Raster, x: ArrayLike, y: ArrayLike, hatched: ArrayLike, pixels: int = 16
) -> NDArray[np.bool_]:
    """Return a picture (height, width) of diagonal lines over the hatched cells, `pixels` a cell (fewer for
    wide cities).

    Lines rise to the right and meet at the edges of neighbouring cells, so that a hatched area reads as one.
    """
    # 2048 px: a map as wide as a large screen has a pixel for each of its own; beyond 4096 px, the texture
    # that every WebGL 2 device must be able to take, fewer pixels a cell
    widest = max(raster.width, raster.height)
    pixels = max(4, min(pixels, 2048 // widest) // 4 * 4)
    pixels = max(1, min(pixels, 4096 // widest))
    mask = raster.spread(x, y, np.asarray(hatched, dtype=np.uint8)).astype(bool)
    row, column = np.indices((pixels, pixels))
    period = max(min(4, pixels), pixels // 2)
    line = (row + column) % period < max(1, period // 4)
    drawn = mask[:, None, :, None] & line[None, :, None, :]
    return drawn.reshape(raster.height * pixels, raster.width * pixels)


def lines_as_data_url(lines: NDArray[np.bool_], colour: tuple[int, int, int]) -> str:
    """Return lines (height, width) in a colour, clear between them, as the data URL of a PNG of one bit a
    pixel."""
    picture = Image.fromarray(lines.astype(np.uint8), mode="P")
    picture.putpalette([0, 0, 0, *colour])
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", bits=1, compress_level=3, transparency=bytes([0, 255]))
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def numbers_as_data_url(numbers: NDArray[np.uint8], colours: NDArray[np.uint8]) -> str:
    """Return a picture (height, width) of numbers of colours (n, 4), RGBA, as the data URL of a PNG."""
    picture = Image.fromarray(numbers, mode="P")
    picture.putpalette(colours[:, :3].tobytes())
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", transparency=colours[:, 3].tobytes())
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def as_data_url(picture: NDArray[np.uint8]) -> str:
    """Return a picture (height, width, 3 or 4) of uint8 as the data URL of a PNG."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG", optimize=picture.size < 400_000)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def packed(planes: Sequence[NDArray[np.uint8]]) -> str:
    """Return rasters of bytes, one after the other and row by row, deflated (zlib), in base64."""
    content = b"".join(np.ascontiguousarray(plane).tobytes() for plane in planes)
    return base64.b64encode(zlib.compress(content, 6)).decode("ascii")


def paired(classes: ArrayLike, n_classes: int) -> NDArray[np.float64]:
    """Return quintiles by pairing deciles (1 and 2 to 1, ...); NaN stays; only for ten classes.

    >>> paired([1, 2, 3, 10, float("nan")], 10).tolist()
    [1.0, 1.0, 2.0, 5.0, nan]
    """
    if n_classes != 10:
        raise ValueError(f"quintiles come from ten classes, not {n_classes}")
    return np.ceil(np.asarray(classes, dtype=float) / 2)
