"""The pixels of a photograph: windows read at about the resolution asked for, empty pixels left out."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.windows import Window

from data.errors import InputError
from data.photograph import Photograph, gdal_environment, open_dataset, reading
from data.reading import Levels, stretch

# What `estimate_levels` looks at: windows a photograph and in all, and their side in pixels.
_WINDOWS_EACH, _WINDOWS_IN_ALL, _WINDOW_PX = 16, 96, 256
_TAILS = (2.0, 98.0)  # percentiles that become 0 and 255: what GIS programs stretch by


def read_part(
    dataset: rasterio.DatasetReader, photograph: Photograph, window: Window, step: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32] | None, tuple[float, float]]:
    """Pixels of a window averaged by about `step`: rgb uint8 (h, w, 3), the valid share (h, w) or None where
    every pixel is valid, and how many file pixels one of these is wide and high.

    Averages leave empty pixels out. Nodata is judged at full resolution and a pixel is empty only if *all*
    bands hold it: GDAL's own averaging drops each band by itself, which tints saturated white roofs under
    nodata 255.
    """
    height, width = math.ceil(window.height / step), math.ceil(window.width / step)
    if photograph.reads_in_full:
        return *_average(*_full(dataset, photograph, window), step), (step, step)
    indexes = list(photograph.rgb)
    shape = (height, width)
    rgb = dataset.read(indexes, window=window, out_shape=(3, *shape), resampling=Resampling.average)
    if photograph.levels is not None:
        rgb = stretch(rgb, photograph.levels)
    image: NDArray[Any] = cv2.merge(list(rgb))  # faster than a transposed copy
    scale = (window.width / width, window.height / height)
    if photograph.masked == "none":
        return image, None, scale
    mask = dataset.read_masks(indexes[0], window=window, out_shape=shape, resampling=Resampling.average)
    return image, mask.astype(np.float32) / 255, scale


def _full(
    dataset: rasterio.DatasetReader, photograph: Photograph, window: Window
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Read a window pixel by pixel: rgb uint8 (h, w, 3), and which pixels are not empty, 0 or 1 (h, w)."""
    if photograph.palette:
        numbers = dataset.read(1, window=window)
        colours = np.zeros((256, 4), np.uint8)
        for number, colour in dataset.colormap(1).items():
            colours[number] = colour
        shown = colours[numbers]  # (h, w, 4)
        valid = shown[..., 3] > 0
        if dataset.nodatavals[0] is not None:
            valid &= numbers != dataset.nodatavals[0]
        return np.ascontiguousarray(shown[..., :3]), valid.astype(np.float32)
    indexes = list(photograph.rgb)
    full = dataset.read(indexes, window=window)
    nodata = np.array([dataset.nodatavals[band - 1] for band in indexes], dtype=float)[:, None, None]
    valid = np.any(full != nodata, axis=0).astype(np.float32)
    if photograph.levels is not None:
        full = stretch(full, photograph.levels)
    return full.transpose(1, 2, 0), valid


def _average(
    image: NDArray[np.uint8], valid: NDArray[np.float32], step: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Means of the valid pixels over blocks of step x step (the last may be smaller), and valid shares."""
    if step == 1:
        return np.ascontiguousarray(image), valid
    rows, columns = np.arange(0, image.shape[0], step), np.arange(0, image.shape[1], step)
    weighted = image.astype(np.float32) * valid[..., None]
    sums = np.add.reduceat(np.add.reduceat(weighted, rows, axis=0), columns, axis=1)
    counts = np.add.reduceat(np.add.reduceat(valid, rows, axis=0), columns, axis=1)
    sizes = np.outer(np.diff([*rows, image.shape[0]]), np.diff([*columns, image.shape[1]]))
    means = np.rint(sums / np.maximum(counts, 1)[..., None])
    return means.astype(np.uint8), (counts / sizes).astype(np.float32)


def estimate_levels(tiles: list[Photograph]) -> Levels:
    """Return the 2nd and 98th percentile of the values of photographs, all bands and tiles together.

    One pair for all bands: a stretch of each band by itself would turn every picture grey in the mean, and
    with it the colours that the network reads. Seen are up to 16 windows of 256 x 256 pixels a tile, 96 in
    all, on a lattice; empty pixels are left out. Raises InputError where there are no two different values.
    """
    each = max(1, min(_WINDOWS_EACH, _WINDOWS_IN_ALL // len(tiles)))
    seen = [_sample(tile, each) for tile in tiles[:: max(1, len(tiles) // _WINDOWS_IN_ALL)]]
    values = np.concatenate(seen)
    if len(values) == 0 or values.min() == values.max():
        raise InputError(
            tiles[0].path,
            "shows one value only wherever it was looked at",
            "Give the values that are black and white yourself.",
        )
    low, high = np.percentile(values, _TAILS)
    return (float(low), float(high)) if low < high else (float(values.min()), float(values.max()))


def _sample(tile: Photograph, windows: int) -> NDArray[Any]:
    """Values of the colour bands in windows on a lattice, empty pixels left out."""
    side = math.ceil(math.sqrt(windows))
    found = []
    with gdal_environment(), reading(tile.path), open_dataset(tile.path) as dataset:
        for row in range(side):
            for column in range(side):
                left = int((column + 0.5) / side * tile.width) - _WINDOW_PX // 2
                top = int((row + 0.5) / side * tile.height) - _WINDOW_PX // 2
                window = Window(max(0, left), max(0, top), _WINDOW_PX, _WINDOW_PX)
                window = window.intersection(Window(0, 0, tile.width, tile.height))
                values = dataset.read(list(tile.rgb), window=window)  # (3, h, w)
                valid = dataset.read_masks(tile.rgb[0], window=window) > 0
                found.append(values[:, valid].ravel())
    return np.concatenate(found)
