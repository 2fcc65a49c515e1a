"""Orthophotos, one or many tiles, read cell by cell on the census grid.

A block of cells is read once, at about the resolution asked for; then each pixel of a cell looks up its place
in it. Over one cell the way from the grid to the photograph's CRS is affine to 0.1 mm, so places are computed
on a coarse lattice and interpolated.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import numpy as np
import pandas as pd
import pyproj
import rasterio
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry

from data.errors import InputError
from data.grid import Grid, grid_for_bounds
from data.imagery_info import ImageryInfo, describe_mosaic
from data.photograph import MAX_PIXELS, Photograph, describe, gdal_environment, open_dataset, reading
from data.photograph_pixels import estimate_levels, read_part
from data.reading import Levels, Reading
from data.sampling import Part, cells_between, fill, outline_polygon, shrink, step, supersample, window
from data.tile_index import list_photographs

# Handles kept open; each holds decoder state.
_OPEN_FILES = 16

# Longest side of what is read at once, in (reduced) file pixels: 48 MB of colours.
_READ_PIXELS = 4096

# Longest side of a window read at full resolution to judge nodata.
_NODATA_PIXELS = 4096

# Distance of the lattice points between which places in the photograph are interpolated.
_LATTICE_M = 100.0

# METHOD 2: a cell with more than 1 % empty pixels is dropped.
MIN_VALID_SHARE = 0.99

_VALID_PIXELS = 32  # resolution of the valid share when cells are listed

__all__ = ["ImageryInfo", "Mosaic", "no_cell_error", "open_imagery"]


def open_imagery(path: str | Path, *, max_pixels: int = MAX_PIXELS, how: Reading | None = None) -> Mosaic:
    """Open a photograph, a folder of tiles, or a `dalles` index; raises InputError with the remedy.

    Each tile's pixel type, colour bands, CRS and completeness are looked at here; pixels are read later.
    ``how``: what a person says of the photographs. Levels "auto" are estimated from all tiles together where
    they are not of 8 bits; `Mosaic.levels` tells them.
    """
    tiles = [describe(tile, max_pixels=max_pixels, how=how) for tile in list_photographs(Path(path))]
    if how is not None and how.levels == "auto" and any(tile.dtype != "uint8" for tile in tiles):
        levels = estimate_levels(tiles)
        tiles = [replace(tile, levels=levels) for tile in tiles]
    return Mosaic(Path(path), tiles)


class Mosaic:
    """Photographs read as one picture; where tiles overlap, the first one (by file name) with a valid pixel
    counts.

    A context manager. Handles are opened when needed and are not thread-safe: one Mosaic a thread or process;
    it pickles as its path and tiles, without handles.
    """

    def __init__(self, path: Path, tiles: list[Photograph]) -> None:
        self.path = path
        self.tiles = tiles
        self._check_alike()
        self._handles: OrderedDict[int, rasterio.DatasetReader] = OrderedDict()
        self._outlines: dict[str, tuple[NDArray[np.object_], shapely.STRtree]] = {}
        self._transformers: dict[tuple[str, str], pyproj.Transformer] = {}

    def __enter__(self) -> Mosaic:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __getstate__(self) -> dict:
        return {"path": self.path, "tiles": self.tiles}

    def __setstate__(self, state: dict) -> None:
        self.__init__(state["path"], state["tiles"])  # type: ignore[misc]

    def close(self) -> None:
        """Close all handles; the mosaic can be read again, it then opens them anew."""
        for handle in self._handles.values():
            handle.close()
        self._handles.clear()

    def _check_alike(self) -> None:
        first = self.tiles[0]
        for tile in self.tiles[1:]:
            if abs(tile.resolution_m / first.resolution_m - 1) > 0.01:
                raise InputError(
                    self.path,
                    f"mixes resolutions: {first.path.name} has {first.resolution_m:.3g} m pixels, "
                    f"{tile.path.name} {tile.resolution_m:.3g} m",
                    "Bring tiles of one resolution: a network sees a coarser tile as another kind of town.",
                )

    @property
    def levels(self) -> Levels | None:
        """Values that become grey levels 0 and 255; None where 8-bit values are taken as they are."""
        return self.tiles[0].levels

    @property
    def info(self) -> ImageryInfo:
        """What the photographs are."""
        return describe_mosaic(self.path, self.tiles)

    def grid(self) -> Grid:
        """The grid of the photographs' place: EPSG:3035 in Europe, else the local UTM zone."""
        first = self.tiles[0]
        boxes = np.array([tile.bounds for tile in self.tiles if tile.crs == first.crs])
        left, bottom = boxes[:, :2].min(axis=0)
        right, top = boxes[:, 2:].max(axis=0)
        return grid_for_bounds((left, bottom, right, top), first.crs)

    def footprint(self, crs: str) -> BaseGeometry:
        """Outline of all tiles in `crs`, empty borders included."""
        return shapely.union_all(self._tile_outlines(crs)[0])

    @property
    def may_have_empty_pixels(self) -> bool:
        """Whether a tile marks pixels as empty (alpha, mask, nodata, clear colours of a palette)."""
        return any(tile.masked != "none" or tile.palette for tile in self.tiles)

    def cells(
        self, grid: Grid, min_valid: float = MIN_VALID_SHARE, *, judge_pixels: bool = True
    ) -> pd.DataFrame:
        """Cells with a valid share of at least `min_valid`: columns cell_id, x, y, valid (float).

        Valid shares come from the tiles' outlines, and where a tile marks empty pixels from the mask at
        32 x 32 points a cell, which may mean to decode every tile: not with ``judge_pixels`` False.
        `read_cells` gives the share at the resolution it reads.
        """
        footprint = self.footprint(grid.crs)
        shapely.prepare(footprint)
        west, south, east, north = footprint.bounds
        frame = grid.frame(*cells_between(west, south, east, north, grid.size))
        squares = grid.polygons(frame.x, frame.y)
        near = shapely.intersects(footprint, squares)
        frame, squares = frame[near].reset_index(drop=True), squares[near]
        share = np.ones(len(frame))
        edge = ~shapely.contains_properly(footprint, squares)
        share[edge] = shapely.area(shapely.intersection(footprint, squares[edge])) / grid.size**2
        frame["valid"] = share
        frame = frame[frame.valid >= min_valid - 1e-9].reset_index(drop=True)
        if judge_pixels and self.may_have_empty_pixels and len(frame):
            valid = np.zeros(len(frame))
            for indexes, _, shares in self.read_cells(grid, frame.x, frame.y, _VALID_PIXELS):
                valid[indexes] = shares
            frame["valid"] = valid
            frame = frame[frame.valid >= min_valid - 1e-9].reset_index(drop=True)
        return frame

    def read_cell(self, grid: Grid, x: float, y: float, pixels: int) -> tuple[NDArray[np.uint8], float]:
        """One cell: rgb uint8 (pixels, pixels, 3), row 0 in the north, and its valid share, 0 to 1.

        Empty pixels hold the mean colour of the valid ones. The same pixels as `read_cells` gives. Raises
        InputError where a tile cannot be decoded.
        """
        return self._sample(grid, x, y, pixels, {}, (x, y, grid.size))

    def read_cells(
        self,
        grid: Grid,
        xs: ArrayLike,
        ys: ArrayLike,
        pixels: int,
        progress: Callable[[int], object] | None = None,
        block: int = 8,
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.float64]]]:
        """Many cells, block by block (at most `block` x `block` cells read at once).

        Yields indexes into xs (m,), rgb uint8 (m, pixels, pixels, 3) with row 0 in the north, and valid
        shares (m,); blocks run from south-west row by row, so cells come in another order than asked for.
        `progress` is called with m after each block. Raises InputError where a tile cannot be decoded.
        """
        x, y = np.asarray(xs, dtype=np.int64), np.asarray(ys, dtype=np.int64)
        reach = self._block_side(grid, pixels, block) * grid.size
        order = np.lexsort((x, y, x // reach, y // reach))
        keys = np.stack([y // reach, x // reach])[:, order]
        borders = np.flatnonzero(np.any(np.diff(keys, axis=1) != 0, axis=0)) + 1
        for indexes in np.split(order, borders):
            if len(indexes) == 0:
                continue
            west, south = int(x[indexes].min()), int(y[indexes].min())
            span = max(int(x[indexes].max()) - west, int(y[indexes].max()) - south) + grid.size
            parts: dict[int, Part | None] = {}
            images = np.empty((len(indexes), pixels, pixels, 3), dtype=np.uint8)
            shares = np.empty(len(indexes))
            for position, index in enumerate(indexes):
                images[position], shares[position] = self._sample(
                    grid, int(x[index]), int(y[index]), pixels, parts, (west, south, span)
                )
            yield indexes, images, shares
            if progress is not None:
                progress(len(indexes))

    def read_into(
        self,
        images: NDArray[np.uint8],
        grid: Grid,
        xs: ArrayLike,
        ys: ArrayLike,
        progress: Callable[[int], object] | None = None,
    ) -> NDArray[np.float32]:
        """Fill images (n, px, px, 3) uint8, which may be a memory map, in the cells' order.

        Returns valid shares (n,). The rest is as in `read_cells`.
        """
        valid = np.zeros(len(images), np.float32)
        for index, rgb, share in self.read_cells(grid, xs, ys, images.shape[1], progress):
            images[index], valid[index] = rgb, share
        return valid

    def _block_side(self, grid: Grid, pixels: int, block: int) -> int:
        """Cells along a block's side, so that what is read at once stays within bounds of memory."""
        finest = min(tile.resolution_m for tile in self.tiles)
        fits = _READ_PIXELS * finest * step(finest, grid.size / pixels) / grid.size
        if any(tile.reads_in_full for tile in self.tiles):
            fits = min(fits, _NODATA_PIXELS * finest / grid.size)
        return max(1, min(block, int(fits)))

    def _sample(
        self,
        grid: Grid,
        x: float,
        y: float,
        pixels: int,
        parts: dict[int, Part | None],
        area: tuple[float, float, float],
    ) -> tuple[NDArray[np.uint8], float]:
        """One cell from the parts read for `area` (x, y, side), which are read when first needed."""
        outlines, tree = self._tile_outlines(grid.crs)
        square = shapely.box(x, y, x + grid.size, y + grid.size)
        image = np.zeros((pixels, pixels, 3), dtype=np.float32)
        weight = np.zeros((pixels, pixels), dtype=np.float32)
        for index in sorted(map(int, tree.query(square, predicate="intersects"))):
            if index not in parts:
                parts[index] = self._read_part(index, grid, area, grid.size / pixels)
            part = parts[index]
            if part is None or shapely.intersection(outlines[index], square).area == 0:
                continue
            finer = supersample(self.tiles[index].resolution_m, grid.size / pixels)
            column, row = self._lattice(self.tiles[index], grid, x, y, grid.size)
            colour, valid = part.sample(column, row, pixels * finer)
            colour, valid = shrink(colour, valid, finer)
            if valid is None and not weight.any():
                return colour, 1.0
            # the first tile fills a pixel; a later one only what is left of it, as at a shared edge
            share = (1 - weight) if valid is None else np.minimum(valid, 1 - weight)
            image += colour * share[..., None]
            weight += share
            if weight.min() >= 1:
                break
        filled = np.rint(image / np.maximum(weight, 1e-6)[..., None])
        return fill(np.clip(filled, 0, 255).astype(np.uint8), weight)

    def _read_part(
        self, index: int, grid: Grid, area: tuple[float, float, float], wanted: float
    ) -> Part | None:
        tile = self.tiles[index]
        column, row = self._lattice(tile, grid, *area)
        reduced = step(tile.resolution_m, wanted)
        needed = window(tile, column, row, reduced)
        if needed is None:
            return None
        with gdal_environment(), reading(tile.path):
            image, mask, scale = read_part(self._handle(index), tile, needed, reduced)
        if mask is not None and mask.min() >= 1:
            mask = None
        if mask is not None:
            # colours weighed by validity, once a block: else those of empty pixels bleed over the border
            colours = image.astype(np.float32) * mask[..., None]
            offset = (needed.col_off, needed.row_off)
            return Part(colours, mask, offset, scale, (tile.width, tile.height))
        return Part(image, mask, (needed.col_off, needed.row_off), scale, (tile.width, tile.height))

    def _lattice(
        self, tile: Photograph, grid: Grid, x: float, y: float, size: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Column and row in the tile of a lattice over a square, (knots, knots), row 0 in the north."""
        knots = max(2, int(np.ceil(size / _LATTICE_M)) + 1)
        along = np.linspace(0, size, knots)
        east, north = np.meshgrid(x + along, y + size - along)
        transformer = self._transformer(grid.crs, tile.crs)
        tile_x, tile_y = transformer.transform(east.ravel(), north.ravel())
        column, row = ~tile.transform @ (np.asarray(tile_x), np.asarray(tile_y))
        if not (np.isfinite(column).all() and np.isfinite(row).all()):
            raise InputError(
                tile.path, "lies outside the area that its CRS can hold", "Give it its right CRS."
            )
        return column.reshape(knots, knots), row.reshape(knots, knots)

    def _transformer(self, source: str, target: pyproj.CRS) -> pyproj.Transformer:
        key = (source, target.srs)
        if key not in self._transformers:
            self._transformers[key] = pyproj.Transformer.from_crs(source, target, always_xy=True)
        return self._transformers[key]

    def _tile_outlines(self, crs: str) -> tuple[NDArray[np.object_], shapely.STRtree]:
        if crs not in self._outlines:
            target = pyproj.CRS(crs)
            outlines = np.array(
                [outline_polygon(tile.outline(), tile.crs, target) for tile in self.tiles], dtype=object
            )
            self._outlines[crs] = outlines, shapely.STRtree(outlines)
        return self._outlines[crs]

    def _handle(self, index: int) -> rasterio.DatasetReader:
        if index in self._handles:
            self._handles.move_to_end(index)
            return self._handles[index]
        if len(self._handles) >= _OPEN_FILES:
            self._handles.popitem(last=False)[1].close()
        self._handles[index] = open_dataset(self.tiles[index].path)
        return self._handles[index]


def no_cell_error(mosaic: Mosaic, grid: Grid, min_valid: float = MIN_VALID_SHARE) -> InputError:
    """Why photographs hold no whole cell: too small, beside the grid's lines, or too many empty pixels."""
    west, south, east, north = mosaic.footprint(grid.crs).bounds
    wide, high = east - west, north - south
    if len(mosaic.tiles) == 1:  # its own sides: the bounds of a turned outline are larger
        tile = mosaic.tiles[0]
        wide, high = tile.width * tile.resolution_m, tile.height * tile.resolution_m
    # a square of 2 sqrt(2) cells holds a whole cell however it is turned and wherever it lies
    side = 3 * grid.size
    larger = f"Bring a larger photograph: {side} x {side} m without gaps always holds a whole cell."
    if min(wide, high) < grid.size:
        fault = f"covers {wide:.0f} x {high:.0f} m, too small for a {grid.size} m cell"
        return InputError(mosaic.path, fault, larger)
    best = mosaic.cells(grid, min_valid=0.0).valid.max()
    return InputError(
        mosaic.path,
        f"covers no whole cell of the {grid.size} m grid ({grid.crs}): the best is covered to {best:.0%}, "
        f"{min_valid:.0%} are needed",
        larger,
    )
