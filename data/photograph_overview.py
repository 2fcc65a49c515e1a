"""Photographs of a city as one small picture on the grid: reduced copies are read, never every pixel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyproj
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.transform import Affine, from_origin
from rasterio.warp import reproject, transform_bounds
from rasterio.windows import Window

from data.errors import InputError
from data.imagery import open_imagery
from data.photograph import Photograph, gdal_environment, open_dataset, reading
from data.reading import stretch
from data.sampling import outline_polygon
from data.tile_index import list_photographs

# A département is some 300 tiles of 5 km; headers of more would take minutes.
MOST_FILES = 2000
# What is decoded in all, in (reduced) file pixels: some ten seconds.
MOST_PIXELS = 400_000_000


def overview(
    path: str | Path, crs: str, west: float, north: float, pixel_m: float, shape: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return a picture of a rectangle of the grid: rgb (height, width, 3), row 0 in the north, and which
    pixels (height, width) are photographed.

    ``west``, ``north``: the corner in metres of ``crs``; ``pixel_m``: side of a pixel in metres; ``shape``:
    height and width. Where tiles overlap the first by name counts. Raises InputError where a photograph is
    missing or unreadable, and where too much would have to be decoded.
    """
    path = Path(path)
    if len(list_photographs(path)) > MOST_FILES:
        raise InputError(
            path, f"holds more than {MOST_FILES:,} photographs", "Name a folder with those of the city alone."
        )
    target = shapely.box(west, north - shape[0] * pixel_m, west + shape[1] * pixel_m, north)
    with open_imagery(path) as mosaic:
        tiles = [tile for tile in mosaic.tiles if _outline(tile, crs).intersects(target)]
    rgb, valid = np.zeros((*shape, 3), np.uint8), np.zeros(shape, bool)
    transform = from_origin(west, north, pixel_m, pixel_m)
    left = float(MOST_PIXELS)
    for tile in tiles:
        with gdal_environment(), reading(tile.path), open_dataset(tile.path) as dataset:
            wanted = _window(tile, CRS.from_user_input(crs), target.bounds)
            if wanted is None:
                continue
            left -= _decoded(dataset, wanted, pixel_m / tile.resolution_m)
            if left < 0:
                raise InputError(
                    path,
                    "has no reduced copies (overviews) inside, and is too large to be read whole",
                    "Add them: gdaladdo -r average FILE.tif 4 16 64",
                )
            colours, known, scale = _reduced(dataset, tile, wanted, pixel_m / tile.resolution_m)
        source = tile.transform @ Affine.translation(wanted.col_off, wanted.row_off) @ Affine.scale(*scale)
        _paste(rgb, valid, colours, known, source, tile.crs, transform, crs)
    return rgb, valid


def _outline(tile: Photograph, crs: str) -> shapely.Geometry:
    return outline_polygon(tile.outline(), tile.crs, pyproj.CRS(crs))


def _window(tile: Photograph, crs: CRS, bounds: tuple[float, ...]) -> Window | None:
    """Return the part of a tile that bounds in `crs` need, whole pixels; None where they miss it."""
    west, south, east, north = transform_bounds(crs, CRS.from_wkt(tile.crs.to_wkt()), *bounds)
    x, y = np.array([west, east, east, west]), np.array([north, north, south, south])
    column, row = ~tile.transform @ (x, y)
    left, top = max(0, int(np.floor(column.min()))), max(0, int(np.floor(row.min())))
    right, bottom = min(tile.width, int(np.ceil(column.max()))), min(tile.height, int(np.ceil(row.max())))
    return Window(left, top, right - left, bottom - top) if right > left and bottom > top else None


def _decoded(dataset: rasterio.DatasetReader, window: Window, reduction: float) -> float:
    """Return how many pixels of the file or of its reduced copies a reduced read decodes."""
    factor = max([1, *(f for f in dataset.overviews(1) if f <= reduction)])
    return float(window.width * window.height / factor**2)


def _reduced(
    dataset: rasterio.DatasetReader, tile: Photograph, window: Window, reduction: float
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], tuple[float, float]]:
    """Return colours (3, h, w), validity 0 or 255 (h, w), and file pixels that one of these is wide and
    high."""
    height, width = (max(1, round(side / max(reduction, 1))) for side in (window.height, window.width))
    scale = (window.width / width, window.height / height)
    # empty pixels and palettes are judged one by one: a mean of theirs is no colour
    how = Resampling.nearest if tile.reads_in_full else Resampling.average
    if tile.palette:
        numbers = dataset.read(1, window=window, out_shape=(height, width), resampling=how)
        table = np.zeros((256, 4), np.uint8)
        for number, colour in dataset.colormap(1).items():
            table[number] = colour
        shown = table[numbers].transpose(2, 0, 1)
        return shown[:3], np.where(shown[3] > 0, 255, 0).astype(np.uint8), scale
    indexes = list(tile.rgb)
    colours = dataset.read(indexes, window=window, out_shape=(3, height, width), resampling=how)
    known = np.full((height, width), 255, np.uint8)
    if tile.masked == "alpha":
        known = dataset.read_masks(indexes[0], window=window, out_shape=(height, width))
    elif tile.masked == "nodata":
        empty = np.array([dataset.nodatavals[band - 1] for band in indexes], float)[:, None, None]
        known = np.where((colours != empty).any(axis=0), 255, 0).astype(np.uint8)
    if tile.levels is not None:
        colours = stretch(colours, tile.levels)
    return colours.astype(np.uint8), np.where(known > 127, 255, 0).astype(np.uint8), scale


def _paste(
    rgb: NDArray[np.uint8],
    valid: NDArray[np.bool_],
    colours: NDArray[np.uint8],
    known: NDArray[np.uint8],
    source: Affine,
    source_crs: pyproj.CRS,
    transform: Affine,
    crs: str,
) -> None:
    """Warp a tile onto the picture where nothing is yet."""
    height, width = known.shape
    corners_x, corners_y = source @ (np.array([0, width, width, 0]), np.array([0, 0, height, height]))
    from_crs, to_crs = CRS.from_wkt(source_crs.to_wkt()), CRS.from_user_input(crs)
    west, south, east, north = transform_bounds(
        from_crs, to_crs, corners_x.min(), corners_y.min(), corners_x.max(), corners_y.max()
    )
    columns, rows = ~transform @ (np.array([west, east]), np.array([north, south]))
    left, top = max(0, int(columns[0]) - 1), max(0, int(rows[0]) - 1)
    right, bottom = min(rgb.shape[1], int(columns[1]) + 2), min(rgb.shape[0], int(rows[1]) + 2)
    if right <= left or bottom <= top:
        return
    warped = np.zeros((4, bottom - top, right - left), np.uint8)
    reproject(
        np.concatenate([colours, known[None]]),
        warped,
        src_transform=source,
        src_crs=from_crs,
        dst_transform=transform @ Affine.translation(left, top),
        dst_crs=to_crs,
        resampling=Resampling.bilinear,
    )
    place = (slice(top, bottom), slice(left, right))
    new = (warped[3] > 127) & ~valid[place]
    rgb[place][new] = warped[:3].transpose(1, 2, 0)[new]
    valid[place] |= new
