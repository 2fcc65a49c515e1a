"""Small photographs on the census grid, in the sea; made without torch, which takes much memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin

WEST, NORTH = 3_200_000, 2_500_000  # a corner of the grid, in the sea


def random_blocks(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Picture (3, height, width) uint8 of blocks of random colour, 10 pixels wide."""
    coarse = np.random.default_rng(seed).integers(0, 256, (3, -(-height // 10), -(-width // 10)), np.uint8)
    return coarse.repeat(10, axis=1).repeat(10, axis=2)[:, :height, :width]


def write_photograph(
    path: Path,
    columns: float = 3,
    rows: float = 2,
    *,
    pixels: np.ndarray | None = None,
    resolution: float = 2.0,
    shift: float = 0.0,
    **profile: object,
) -> Path:
    """Write a GeoTIFF over columns x rows cells of the grid, its corner `shift` metres east of the grid's."""
    height, width = round(rows * 200 / resolution), round(columns * 200 / resolution)
    options = {
        "driver": "GTiff",
        "count": 3,
        "dtype": "uint8",
        "height": height,
        "width": width,
        "crs": "EPSG:3035",
        "transform": from_origin(WEST + shift, NORTH, resolution, resolution),
        "photometric": "RGB",
        **profile,
    }
    with rasterio.open(path, "w", **options) as file:
        file.write(random_blocks(height, width) if pixels is None else pixels)
    return path
