"""The 200 m census grid: cell ids, cells inside an outline, and which grid a place belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry

CELL_SIZE = 200
LAEA = "EPSG:3035"

# The INSPIRE notation: CRS, resolution, then the lower-left corner in metres, north before east.
_CELL_ID = re.compile(r"^CRS(\d+)RES(\d+)mN(-?\d+)E(-?\d+)$")

# EPSG's own area of use of 3035, as (west, south, east, north) in degrees.
EUROPE = (-35.58, 24.6, 44.83, 84.73)


def parse_cell_id(cell_id: str) -> tuple[int, int]:
    """Lower-left corner (x east, y north), metres in the CRS that the id names.

    Raises ValueError where the text is no cell id.

    >>> parse_cell_id("CRS3035RES200mN2029800E4253000")
    (4253000, 2029800)
    """
    match = _CELL_ID.match(cell_id)
    if match is None:
        raise ValueError(f"{cell_id!r} is not a cell id such as CRS3035RES200mN2029800E4253000")
    return int(match[4]), int(match[3])


def cell_id_crs(cell_id: str) -> str:
    """CRS that a cell id names.

    >>> cell_id_crs("CRS32614RES200mN3344200E617200")
    'EPSG:32614'
    """
    match = _CELL_ID.match(cell_id)
    if match is None:
        raise ValueError(f"{cell_id!r} is not a cell id such as CRS3035RES200mN2029800E4253000")
    return f"EPSG:{match[1]}"


def format_cell_id(x: float, y: float, crs: str = LAEA, size: int = CELL_SIZE) -> str:
    """Cell id of the cell whose lower-left corner is (x east, y north), metres in `crs`.

    >>> format_cell_id(4253000, 2029800)
    'CRS3035RES200mN2029800E4253000'
    >>> format_cell_id(617200, 3344200, "EPSG:32614")
    'CRS32614RES200mN3344200E617200'
    """
    return f"CRS{_epsg_code(crs)}RES{size}mN{int(y)}E{int(x)}"


def parse_cell_ids(cell_ids: Iterable[str]) -> pd.DataFrame:
    """Parse many cell ids: a frame with columns epsg, size, x, y (Int64, <NA> where the text is no cell id).

    >>> parse_cell_ids(["CRS3035RES200mN2029800E4253000", "?"]).x.tolist()
    [4253000, <NA>]
    """
    texts = pd.Series(list(cell_ids), dtype="str")
    parts = texts.str.extract(_CELL_ID.pattern)
    numbers = parts.apply(pd.to_numeric, errors="coerce").astype("Int64")
    numbers.columns = ["epsg", "size", "y", "x"]
    return numbers[["epsg", "size", "x", "y"]]


def format_cell_ids(
    x: ArrayLike, y: ArrayLike, crs: str = LAEA, size: int = CELL_SIZE
) -> NDArray[np.object_]:
    """Cell ids of many cells; x and y (n,) lower-left corners in metres; object array (n,) of str.

    >>> format_cell_ids([4253000], [2029800]).tolist()
    ['CRS3035RES200mN2029800E4253000']
    """
    code = _epsg_code(crs)
    corners = zip(
        np.asarray(x).astype(np.int64).tolist(), np.asarray(y).astype(np.int64).tolist(), strict=True
    )
    return np.array([f"CRS{code}RES{size}mN{north}E{east}" for east, north in corners], dtype=object)


def _epsg_code(crs: str) -> str:
    authority, _, code = crs.partition(":")
    if authority.upper() != "EPSG" or not code.isdigit():
        raise ValueError(f"{crs!r} is not an EPSG code such as {LAEA}")
    return code


@dataclass(frozen=True)
class Grid:
    """Square cells whose lower-left corners are the multiples of `size` metres in `crs`.

    >>> from shapely import box
    >>> Grid("EPSG:3035").cells_within(box(90, 0, 650, 400)).cell_id.tolist()[:2]
    ['CRS3035RES200mN0E200', 'CRS3035RES200mN0E400']
    """

    crs: str = LAEA
    size: int = CELL_SIZE

    def __post_init__(self) -> None:
        _epsg_code(self.crs)
        if self.size <= 0:
            raise ValueError(f"cell size {self.size} m is not positive")

    def cell_of(self, x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Lower-left corners of the cells that hold the points (x, y), metres in `crs`."""
        column = np.floor(np.asarray(x, dtype=float) / self.size).astype(np.int64)
        row = np.floor(np.asarray(y, dtype=float) / self.size).astype(np.int64)
        return column * self.size, row * self.size

    def cells_within(self, geometry: BaseGeometry, whole: bool = True) -> pd.DataFrame:
        """Cells that belong to an outline given in `crs`: columns cell_id, x, y; from south-west, row by row.

        With `whole`, cells wholly covered, to a millimetre (coordinates that went through a transformation
        are not exact); else those whose centre lies in the outline, which is how cells are given to cities.
        """
        if geometry.is_empty:
            return self.frame([], [])
        west, south, east, north = geometry.bounds
        column, row = np.meshgrid(
            np.arange(np.floor(west / self.size), np.ceil(east / self.size), dtype=np.int64),
            np.arange(np.floor(south / self.size), np.ceil(north / self.size), dtype=np.int64),
        )
        x, y = column.ravel() * self.size, row.ravel() * self.size
        if whole:
            outline = shapely.buffer(geometry, 1e-3, join_style="mitre")
            shapely.prepare(outline)
            inside = shapely.covers(outline, self.polygons(x, y))
        else:
            shapely.prepare(geometry)
            inside = shapely.intersects_xy(geometry, x + self.size / 2, y + self.size / 2)
        return self.frame(x[inside], y[inside])

    def frame(self, x: ArrayLike, y: ArrayLike) -> pd.DataFrame:
        """Frame with columns cell_id, x, y of the cells whose lower-left corners are given."""
        x, y = np.asarray(x, dtype=np.int64), np.asarray(y, dtype=np.int64)
        ids = pd.Series(format_cell_ids(x, y, self.crs, self.size), dtype="str")
        return pd.DataFrame({"cell_id": ids, "x": x, "y": y})

    def polygons(self, x: ArrayLike, y: ArrayLike) -> NDArray[np.object_]:
        """Squares (n,) of shapely polygons, metres in `crs`, from lower-left corners (n,)."""
        x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
        return np.atleast_1d(shapely.box(x, y, x + self.size, y + self.size))


def grid_for(lon: float, lat: float) -> Grid:
    """Grid of a place given in degrees (WGS 84): EPSG:3035 in its area of use, else the local UTM zone.

    Beyond UTM's 84 N and 80 S the polar stereographic grids EPSG:32661 and EPSG:32761.

    >>> grid_for(5.37, 43.3).crs, grid_for(-97.78, 30.22).crs, grid_for(115.16, -8.58).crs
    ('EPSG:3035', 'EPSG:32614', 'EPSG:32750')
    """
    if not (np.isfinite(lon) and np.isfinite(lat) and abs(lat) <= 90):
        raise ValueError(f"({lon}, {lat}) is not a place on earth")
    lon = (lon + 180) % 360 - 180
    west, south, east, north = EUROPE
    if west <= lon <= east and south <= lat <= north:
        return Grid(LAEA)
    if lat > 84:
        return Grid("EPSG:32661")
    if lat < -80:
        return Grid("EPSG:32761")
    zone = int((lon + 180) // 6) + 1
    return Grid(f"EPSG:{32600 + zone if lat >= 0 else 32700 + zone}")


def grid_for_bounds(bounds: tuple[float, float, float, float], crs: str | pyproj.CRS) -> Grid:
    """Grid of the centre of bounds (left, bottom, right, top) given in `crs`.

    >>> grid_for_bounds((617100, 3344100, 617400, 3344400), "EPSG:26914").crs
    'EPSG:32614'
    """
    left, bottom, right, top = bounds
    to_degrees = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    lon, lat = to_degrees.transform((left + right) / 2, (bottom + top) / 2)
    return grid_for(lon, lat)
