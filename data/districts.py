"""Districts of a city (communes, wards, quarters): any polygons with an id, laid over census cells."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray

from data.errors import InputError
from data.grid import LAEA
from data.landuse import in_crs, polygonal
from data.vector_files import check_vector_file, is_polygon_layer, layer_info, list_layers, read_layer


@dataclass(frozen=True)
class Districts:
    """Districts sorted by id: district_id str, name str, geometry (valid, in the CRS asked for)."""

    polygons: gpd.GeoDataFrame
    path: Path
    source_crs: str
    warnings: tuple[str, ...] = ()


def read_districts(
    path: str | Path,
    *,
    id_column: str,
    name_column: str | None = None,
    layer: str | None = None,
    near: tuple[float, float, float, float] | None = None,
    crs: str = LAEA,
) -> Districts:
    """Read districts from a shapefile, GeoPackage or GeoParquet file.

    ``id_column`` tells districts apart, rows of one id being parts of one district; ``name_column`` names
    them (default: the id). Letters' case in column names does not count. ``near``: bounds in ``crs``, beyond
    which a layer of a whole country is not read. Rows without an id or an area are left out, with a warning.

    Raises InputError: unreadable file, no CRS or a wrong one, no polygons, no such column or layer, several
    layers that have the columns, one id under two names.
    """
    path = Path(path)
    check_vector_file(path)
    if path.suffix.lower() == ".csv":
        raise InputError(path, "is a table without polygons", "Bring districts as polygons.")
    chosen, columns = _choose(path, id_column, name_column, layer)
    source_crs = layer_info(path, chosen)["crs"]
    if source_crs is None:
        raise InputError(path, "has no CRS", "Assign the CRS it was drawn in.")
    bbox = None if near is None else _bounds_in(near, crs, source_crs)
    frame = read_layer(path, chosen, list(dict.fromkeys(columns.values())), bbox)
    if len(frame) == 0:
        remedy = "Check its CRS, or bring the file of this city."
        raise InputError(path, "has no district near the city", remedy)
    warnings: list[str] = []
    polygons = _clean(path, frame, columns, crs, warnings)
    return Districts(polygons, path, str(source_crs), tuple(warnings))


def cells_in_districts(
    districts: Districts, x: ArrayLike, y: ArrayLike, size: float = 200
) -> tuple[NDArray[np.object_], int]:
    """District (n,) that holds the centre of each cell, None in no district, and how many lie in several.

    ``x``, ``y`` (n,) lower-left corners in metres, in the districts' CRS, ``size`` the side of a cell. Where
    districts overlap, the first by id has the cell; a centre on a border likewise.
    """
    centres = shapely.points(np.asarray(x, float) + size / 2, np.asarray(y, float) + size / 2)
    # polygons ask for points, not points for polygons: only who asks is prepared, and outlines are long
    shapes = districts.polygons.geometry.to_numpy()
    place, cell = shapely.STRtree(centres).query(shapes, predicate="intersects")
    order = np.lexsort((place, cell))
    cell, place = cell[order], place[order]
    first = np.diff(cell, prepend=-1) > 0
    found = np.full(len(centres), None, object)
    found[cell[first]] = districts.polygons.district_id.to_numpy(object)[place[first]]
    return found, len(np.unique(cell[~first]))


def overlap_warning(path: Path, several: int) -> str:
    """Say that cells lie in several districts, and which they were given to."""
    return f"{path.name}: districts overlap; {several} cells lie in several and count to the first by id."


def _choose(
    path: Path, id_column: str, name_column: str | None, layer: str | None
) -> tuple[str, dict[str, str]]:
    """Layer, and the names of its columns of ids and names as the file spells them."""
    kinds = list_layers(path)
    if layer is not None and layer not in kinds:
        raise InputError(path, f"has no layer {layer}", f"Layers: {', '.join(kinds)}.")
    layers = [name for name, kind in kinds.items() if layer in (None, name) and is_polygon_layer(kind)]
    if not layers:
        raise InputError(path, "has no polygon layer", "Bring districts as polygons.")
    wanted = {"district_id": id_column, "name": name_column or id_column}
    found: dict[str, dict[str, str]] = {}
    known: dict[str, None] = {}
    for name in layers:
        fields = [str(field) for field in layer_info(path, name)["fields"]]
        known.update(dict.fromkeys(fields))
        spelt = {field.lower(): field for field in fields} | {field: field for field in fields}
        columns = {key: spelt.get(column, spelt.get(column.lower())) for key, column in wanted.items()}
        if None not in columns.values():
            found[name] = {key: str(column) for key, column in columns.items()}
    if not found:
        lower = {field.lower() for field in known}
        missing = next((column for column in wanted.values() if column.lower() not in lower), None)
        fault = "has no layer with both " + " and ".join(wanted.values())
        raise InputError(
            path,
            fault if missing is None else f"has no column {missing}",
            f"Name the columns of ids and names; columns: {', '.join(known)}.",
        )
    if len(found) > 1:
        raise InputError(path, f"has several layers with {id_column} ({', '.join(found)})", "Name the layer.")
    return next(iter(found.items()))


def _bounds_in(
    bounds: tuple[float, float, float, float], crs: str, other: str
) -> tuple[float, float, float, float] | None:
    """Bounds in another CRS, edges followed; None where it cannot hold them."""
    edge = shapely.segmentize(shapely.box(*bounds), max(bounds[2] - bounds[0], bounds[3] - bounds[1], 1) / 20)
    west, south, east, north = gpd.GeoSeries([edge], crs=crs).to_crs(other).total_bounds.tolist()
    return (west, south, east, north) if np.isfinite([west, south, east, north]).all() else None


def _clean(
    path: Path, frame: gpd.GeoDataFrame, columns: dict[str, str], crs: str, warnings: list[str]
) -> gpd.GeoDataFrame:
    """One valid multipolygon a district, in ``crs``, sorted by id."""
    drawn = frame.geometry.notna() & ~frame.geometry.is_empty
    ids = _texts(frame[columns["district_id"]])
    kept = (drawn & (ids != "")).to_numpy()
    if not kept.any():
        raise InputError(
            path, f"has no polygon with a value of {columns['district_id']}", "Name the column of ids."
        )
    if not kept.all():
        warnings.append(f"{path.name}: {int((~kept).sum())} rows without an id or a polygon are left out.")
    shapes = polygonal(shapely.force_2d(in_crs(path, frame.geometry[kept], crs).to_numpy()))
    names = _texts(frame[columns["name"]])[kept].replace("", None)
    table = gpd.GeoDataFrame(
        {"district_id": ids[kept].to_numpy(), "name": names.to_numpy()},
        geometry=gpd.GeoSeries(shapes, crs=crs),
        crs=crs,
    )
    per_id = table.groupby("district_id").name.nunique()
    if (per_id > 1).any():
        twice = per_id.index[per_id > 1][0]
        named = ", ".join(sorted(table.name[table.district_id == twice].unique())[:3])
        raise InputError(
            path,
            f"gives the id {twice} to several districts ({named})",
            f"Name a column that tells districts apart in place of {columns['district_id']}.",
        )
    if table.district_id.duplicated().any():
        table = table.dissolve("district_id").reset_index()
    table["name"] = table.name.fillna(table.district_id)
    areal = table.geometry.area > 0
    if not areal.any():
        raise InputError(path, "has no polygon with an area", "Bring districts as polygons.")
    return table[areal].sort_values("district_id", ignore_index=True)


def _texts(values: pd.Series) -> pd.Series:
    """Values as trimmed text, empty where missing; 75101.0 reads as 75101."""
    if pd.api.types.is_numeric_dtype(values):
        texts = [
            "" if pd.isna(v) else str(int(v)) if float(v).is_integer() else str(v) for v in values.tolist()
        ]
    else:
        texts = ["" if pd.isna(v) else str(v).strip() for v in values.tolist()]
    return pd.Series(texts, index=values.index, dtype=object)
