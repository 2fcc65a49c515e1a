"""A city's photographs as one small picture: every colour at its place, little read, faults named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyproj
import pytest
import rasterio
from rasterio.transform import from_origin

from data import photograph_overview
from data.errors import InputError
from data.photograph_overview import overview

WEST, NORTH = 60_000, 6_830_000  # Lambert-93, in the sea


def _tile(path: Path, west: float, side: int = 500, overviews: bool = False) -> None:
    """One metre a pixel: red grows to the east, green to the south, over the whole of both tiles."""
    column, row = np.meshgrid(np.arange(side) + west - WEST, np.arange(side))
    pixels = np.stack([column // 8, row // 4, np.full_like(row, 90)]).astype(np.uint8)
    profile = {"driver": "GTiff", "width": side, "height": side, "count": 3, "dtype": "uint8"}
    place = {"crs": "EPSG:2154", "transform": from_origin(west, NORTH, 1, 1), "photometric": "RGB"}
    with rasterio.open(path, "w", **profile, **place, tiled=True, blockxsize=256, blockysize=256) as file:
        file.write(pixels)
        if overviews:
            file.build_overviews([4, 16], rasterio.enums.Resampling.average)


@pytest.fixture
def tiles(tmp_path: Path) -> Path:
    for number, west in enumerate((WEST, WEST + 500)):
        _tile(tmp_path / f"tile{number}.tif", west)
    return tmp_path


def test_every_colour_is_at_its_place(tiles: Path) -> None:
    to_grid = pyproj.Transformer.from_crs("EPSG:2154", "EPSG:3035", always_xy=True)
    middle = to_grid.transform(WEST + 500, NORTH - 250)
    west, north, pixel = middle[0] - 700, middle[1] + 500, 10.0
    rgb, valid = overview(tiles, "EPSG:3035", west, north, pixel, (100, 140))
    row, column = np.indices((100, 140))
    back = to_grid.transform(
        west + (column + 0.5) * pixel,
        north - (row + 0.5) * pixel,
        direction=pyproj.enums.TransformDirection.INVERSE,
    )
    east, south = back[0] - WEST, NORTH - back[1]
    # a pixel of 10 m off the edge: the photograph there, or nothing
    inside = (east > 12) & (east < 988) & (south > 12) & (south < 488)
    outside = (east < -12) | (east > 1012) | (south < -12) | (south > 512)
    assert valid[inside].all() and not valid[outside].any() and inside.sum() > 4000
    assert np.abs(rgb[inside, 0] - east[inside] / 8).max() < 2.5
    assert np.abs(rgb[inside, 1] - south[inside] / 4).max() < 4.5
    assert (rgb[inside, 2] == 90).all()


def test_too_much_to_decode_is_refused_unless_there_are_reduced_copies(
    tiles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photograph_overview, "MOST_PIXELS", 100_000)
    x, y = pyproj.Transformer.from_crs("EPSG:2154", "EPSG:3035", always_xy=True).transform(WEST, NORTH)
    with pytest.raises(InputError, match="gdaladdo"):
        overview(tiles, "EPSG:3035", x - 200, y + 200, 20, (60, 80))
    (tmp_path / "reduced").mkdir()
    _tile(tmp_path / "reduced" / "tile.tif", WEST, overviews=True)
    _, valid = overview(tmp_path / "reduced", "EPSG:3035", x - 200, y + 200, 20, (60, 80))
    assert 500 < valid.sum() < 700  # 500 m squared at 20 m


def test_no_photograph_and_too_many(tiles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="does not exist"):
        overview(tiles / "nowhere", "EPSG:3035", 0, 0, 10, (5, 5))
    _, valid = overview(tiles, "EPSG:3035", 4_000_000, 3_000_000, 10, (5, 5))
    assert not valid.any()
    monkeypatch.setattr(photograph_overview, "MOST_FILES", 1)
    with pytest.raises(InputError, match="more than 1 photographs"):
        overview(tiles, "EPSG:3035", 0, 0, 10, (5, 5))
