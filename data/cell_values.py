"""Values on any polygons, laid over cells: the census of a region, whatever grid it came on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from data.census import census_columns, read_census
from data.errors import InputError
from data.grid import Grid
from data.vector_files import check_vector_file, layer_info, list_layers, read_layer

# A cell that less of it is covered than this has no value: most of it is not known.
LEAST_COVERED = 0.5
# Columns that number or measure the polygons themselves.
_NO_VALUES = ("fid", "id", "objectid", "gid", "ogc_fid", "shape_area", "shape_leng", "shape_length", "area")


@dataclass(frozen=True)
class CellValues:
    """Values of cells (n,): float, NaN where there is none; which are imputed; the column they came from;
    their people and households where the file counts them."""

    values: NDArray[np.float64]
    imputed: NDArray[np.bool_]
    column: str
    warnings: tuple[str, ...] = ()
    individuals: NDArray[np.float64] | None = None
    households: NDArray[np.float64] | None = None


def value_columns(path: str | Path) -> list[str]:
    """Return the columns that may hold values: numeric ones of polygon layers; for INSEE's files the income.

    Raises ``InputError`` for a file that cannot be read.
    """
    path = Path(path)
    check_vector_file(path)
    if _is_official(path):
        return [_INCOME]
    layer = _polygon_layer(path)
    info = layer_info(path, layer)
    kinds = zip(info["fields"], info["dtypes"], strict=True)
    return [
        str(name)
        for name, kind in kinds
        if str(kind).startswith(("int", "uint", "float")) and str(name).lower() not in _NO_VALUES
    ]


def read_cell_values(
    path: str | Path, grid: Grid, cells: pd.DataFrame, column: str | None = None
) -> CellValues:
    """Read the values of cells from polygons with a column of numbers, or from an INSEE Filosofi file.

    A cell's value is the mean over the polygons in it, weighed by area: right for what does not grow with
    area (income a head, a share, a density). Cells covered to less than half have none. Filosofi files are
    matched by cell, income as in a study (METHOD 3), imputed cells marked.

    Args:
        path: GeoPackage, shapefile or, for Filosofi, CSV.
        grid: grid of the cells.
        cells: columns cell_id, x, y (lower-left corner, metres in the grid's CRS).
        column: which column; the only numeric one when left out.

    Raises:
        InputError: an unreadable file, no such column, several to choose from, no CRS, or no cell covered.
    """
    path = Path(path)
    check_vector_file(path)
    if _is_official(path):
        found = _of_census(path, grid, cells)
    else:
        found = _of_polygons(path, grid, cells, _column(path, column))
    if not np.isfinite(found.values).any():
        raise InputError(path, "gives no value for any cell", "Check that both show the same place.")
    return found


_INCOME = "income (Ind_snv / Ind)"


def _is_official(path: Path) -> bool:
    if path.suffix.lower() == ".csv":
        return True
    fields = [str(name) for layer in list_layers(path) for name in layer_info(path, layer)["fields"]]
    return {"cell_id", "snv", "individuals"} <= set(census_columns(fields))


def _of_census(path: Path, grid: Grid, cells: pd.DataFrame) -> CellValues:
    corners = shapely.multipoints(np.stack([cells.x, cells.y], axis=1) + grid.size / 2)
    census = read_census(path, where=shapely.envelope(corners).buffer(1))
    if census.crs != grid.crs:
        raise InputError(
            path, f"has cells of {census.crs}, the photograph's grid is {grid.crs}", "Bring it as polygons."
        )
    rows = census.cells.set_index("cell_id").reindex(cells.cell_id)
    imputed = rows.imputed.fillna(False).to_numpy(bool)
    counted = (rows[name].to_numpy(float) for name in ("individuals", "households"))
    return CellValues(rows.income.to_numpy(float), imputed, _INCOME, census.warnings, *counted)


def _polygon_layer(path: Path) -> str:
    layers = [name for name, kind in list_layers(path).items() if kind is None or "Polygon" in kind]
    if not layers:
        raise InputError(path, "has no polygon layer", "Bring values on polygons, such as grid squares.")
    if len(layers) > 1:
        raise InputError(path, f"has several polygon layers ({', '.join(layers)})", "Bring one of them.")
    return layers[0]


def _column(path: Path, column: str | None) -> str:
    columns = value_columns(path)
    if column is None and len(columns) == 1:
        return columns[0]
    if column not in columns:
        fault = "has several columns of numbers" if column is None else f"has no column of numbers {column}"
        if not columns:
            fault = "has no column of numbers"
        raise InputError(path, fault, f"Name the column of values; columns: {', '.join(columns) or 'none'}.")
    return column


def _of_polygons(path: Path, grid: Grid, cells: pd.DataFrame, column: str) -> CellValues:
    layer = _polygon_layer(path)
    crs = layer_info(path, layer)["crs"]
    if crs is None:
        raise InputError(path, "has no CRS (coordinate system)", "Give it one in a GIS.")
    squares = grid.polygons(cells.x, cells.y)
    around = gpd.GeoSeries([shapely.box(*shapely.total_bounds(squares))], crs=grid.crs)
    # the edges of a turned rectangle bulge: a margin of one cell
    near = around.segmentize(1000).to_crs(crs).buffer(0).total_bounds
    margin = 0.01 * max(near[2] - near[0], near[3] - near[1])
    box = (near[0] - margin, near[1] - margin, near[2] + margin, near[3] + margin)
    frame = read_layer(path, layer, [column], bbox=box)
    frame = frame[frame.geometry.notna() & np.isfinite(pd.to_numeric(frame[column], errors="coerce"))]
    if frame.empty:
        return CellValues(np.full(len(cells), np.nan), np.zeros(len(cells), bool), column)
    shapes = shapely.make_valid(frame.to_crs(grid.crs).geometry.to_numpy())
    given = frame[column].to_numpy(float)
    cell, polygon = shapely.STRtree(shapes).query(squares, predicate="intersects")
    area = shapely.area(shapely.intersection(squares[cell], shapes[polygon]))
    covered = np.bincount(cell, area, minlength=len(cells))
    total = np.bincount(cell, area * given[polygon], minlength=len(cells))
    warnings = []
    if (covered > 1.01 * grid.size**2).any():
        warnings.append(f"{path.name}: polygons overlap; where they do, the mean of both is taken.")
    known = covered >= LEAST_COVERED * grid.size**2
    values = np.where(known, total / np.maximum(covered, 1e-9), np.nan)
    return CellValues(values, np.zeros(len(cells), bool), column, tuple(warnings))
