"""Land use: Urban Atlas 2012 and 2018 with their boundary, change layers, and any polygons with a class."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from data.errors import InputError
from data.grid import LAEA
from data.landuse_classes import (
    CLASSES,
    NOT_CLASSIFIED,
    LandUseClass,
    Level,
    class_colour,
    class_name,
    level_code,
)
from data.vector_files import (
    check_vector_file,
    is_polygon_layer,
    layer_info,
    list_layers,
    read_layer,
    year_in,
)

__all__ = [
    "CLASSES", "NOT_CLASSIFIED", "LandUse", "LandUseClass", "Level", "class_colour", "class_name",
    "level_code", "read_boundary", "read_land_use",
]  # fmt: skip

_YEAR_COLUMN = re.compile(r"^code_?(\d{4})$", re.IGNORECASE)
# Tried in this order on layers that are not Urban Atlas's.
_GENERIC_COLUMNS = ("code", "class_code", "code_ua", "class", "land_use", "landuse", "lu_code", "fclass")
_NAME_COLUMNS = ("class_{year}", "item{year}", "item_{year}")
_OUTLINE_LAYER = re.compile(r"boundary|urban_?core|outline", re.IGNORECASE)


@dataclass(frozen=True)
class LandUse:
    """Land use of one place.

    polygons: code str (five characters in Urban Atlas), geometry (valid, two dimensions) in EPSG:3035 or the
    CRS asked for; boundary in the same CRS: the city's outline, None where no layer gives one; year of the
    land use; names: code -> name, official where known, else the file's.
    """

    polygons: gpd.GeoDataFrame
    boundary: BaseGeometry | None
    year: int | None
    path: Path
    names: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def read_land_use(
    path: str | Path,
    *,
    code_column: str | None = None,
    boundary: str | Path | BaseGeometry | None = None,
    year: int | None = None,
    layer: str | None = None,
    crs: str = LAEA,
) -> LandUse:
    """Read land-use polygons from a shapefile or GeoPackage.

    `code_column`: the column of classes where the file is not Urban Atlas's. `boundary`: outline as a file or
    a geometry in `crs`; by default the boundary layer of the GeoPackage, or `*_Boundary.shp` beside the
    shapefile. `year`: which of a change layer's two dates (default the later one). Raises InputError:
    unreadable or truncated file, no CRS or a wrong one, no polygons, no column of classes, no such layer or
    year.
    """
    path = Path(path)
    check_vector_file(path)
    if path.suffix.lower() == ".csv":
        raise InputError(path, "is a table without polygons", "Bring land use as shapefile or GeoPackage.")
    areal = [name for name, kind in list_layers(path).items() if is_polygon_layer(kind)]
    layers = {name: layer_info(path, name) for name in areal}
    if not layers:
        raise InputError(path, "has no polygon layer", "Bring land use as polygons.")
    chosen, column, column_year = _choose(path, layers, code_column, year, layer)
    if layers[chosen]["features"] == 0:
        raise InputError(path, f"layer {chosen} is empty", "Export it again with its polygons.")
    fields = [str(name) for name in layers[chosen]["fields"]]
    name_column = _name_column(fields, column_year)
    frame = read_layer(path, chosen, [column, *([name_column] if name_column else [])])
    warnings = []
    dates = {int(match[1]) for match in map(_YEAR_COLUMN.match, fields) if match}
    if len(dates) > 1:
        warnings.append(
            f"{path.name}: is a change layer ({', '.join(map(str, sorted(dates)))}), which holds only "
            f"polygons that changed; {column_year} is read. Bring the full layer for the land use of a city."
        )
    polygons = _clean(path, frame, column, crs, warnings)
    names = _names(polygons.code.unique().tolist(), frame, column, name_column)
    outline = _find_boundary(path, layers, chosen, boundary, crs)
    vintage = column_year or year_in(path.name, {2006, 2012, 2018, 2021})
    return LandUse(polygons, outline, vintage, path, names, tuple(warnings))


def class_columns(path: str | Path) -> list[str]:
    """Return the columns of a file's polygon layers that may hold classes: text and whole numbers.

    Raises ``InputError`` for a file that cannot be read.
    """
    path = Path(path)
    check_vector_file(path)
    found: dict[str, None] = {}
    for name, kind in list_layers(path).items():
        if is_polygon_layer(kind):
            info = layer_info(path, name)
            for column, dtype in zip(info["fields"], info["dtypes"], strict=True):
                if str(dtype).startswith(("object", "str", "int")):
                    found[str(column)] = None
    return list(found)


def _choose(
    path: Path, layers: dict[str, dict], code_column: str | None, year: int | None, layer: str | None
) -> tuple[str, str, int | None]:
    """Layer, its column of classes, and the year that the column's name says."""
    if layer is not None:
        if layer not in layers:
            raise InputError(path, f"has no polygon layer {layer}", f"Layers: {', '.join(layers)}.")
        layers = {layer: layers[layer]}
    found: list[tuple[str, str, int | None]] = []
    for name, info in layers.items():
        choice = _class_column([str(column) for column in info["fields"]], code_column, year)
        if choice is not None and not (len(layers) > 1 and _OUTLINE_LAYER.search(name)):
            found.append((name, *choice))
    if not found:
        columns = sorted({str(column) for info in layers.values() for column in info["fields"]})
        wanted = code_column or (f"code_{year}" if year else "CODE2012, code_2018 or the like")
        raise InputError(
            path, f"has no column {wanted}", f"Name the column of classes; columns: {', '.join(columns)}."
        )
    dated = [choice for choice in found if choice[2] is not None] or found
    if len(dated) > 1:
        listed = ", ".join(choice[0] for choice in dated)
        raise InputError(path, f"has several land-use layers ({listed})", "Name the layer to read.")
    return dated[0]


def _class_column(
    fields: list[str], code_column: str | None, year: int | None
) -> tuple[str, int | None] | None:
    by_lower = {column.lower(): column for column in fields}
    if code_column is not None:
        column = by_lower.get(code_column.lower())
        match = _YEAR_COLUMN.match(code_column)
        return None if column is None else (column, int(match[1]) if match else year)
    dated = {int(match[1]): column for column in fields if (match := _YEAR_COLUMN.match(column))}
    if year is not None and dated:
        return (dated[year], year) if year in dated else None
    if dated:
        latest = max(dated)
        return dated[latest], latest
    for name in _GENERIC_COLUMNS:
        if name in by_lower:
            return by_lower[name], year
    return None


def _name_column(fields: list[str], year: int | None) -> str | None:
    by_lower = {column.lower(): column for column in fields}
    for pattern in _NAME_COLUMNS if year is not None else ():
        if (name := pattern.format(year=year)) in by_lower:
            return by_lower[name]
    return None


def _names(codes: list[str], frame: gpd.GeoDataFrame, column: str, name_column: str | None) -> dict[str, str]:
    """Name of every code: the official one, else the file's, else the code."""
    given: dict[str, str] = {}
    if name_column is not None:
        named = frame[[column, name_column]].dropna().drop_duplicates(column)
        given = {
            code: str(name) for code, name in zip(_codes(named[column]), named[name_column], strict=True)
        }
    return {code: CLASSES[code].name if code in CLASSES else given.get(code, code) for code in codes}


def _codes(values: pd.Series) -> list[str]:
    """Codes as text; a code stored as a number (11100.0) reads as its digits."""
    if pd.api.types.is_numeric_dtype(values):
        return [str(int(value)) if float(value).is_integer() else str(value) for value in values]
    return [str(value).strip() for value in values]


def _clean(
    path: Path, frame: gpd.GeoDataFrame, column: str, crs: str, warnings: list[str]
) -> gpd.GeoDataFrame:
    """Valid two-dimensional polygons with a class, in `crs`."""
    if frame.crs is None:
        raise InputError(path, "has no CRS", f"Assign the CRS it was drawn in ({LAEA} for Urban Atlas).")
    kept = frame[frame[column].notna() & frame.geometry.notna() & ~frame.geometry.is_empty]
    codes = np.array(_codes(kept[column]), dtype=object)
    unclassified = np.isin(codes, list(NOT_CLASSIFIED)) | (codes == "")
    if unclassified.any():
        warnings.append(
            f"{path.name}: {int(unclassified.sum())} polygons are not classified "
            f"({', '.join(sorted(NOT_CLASSIFIED))}); they count as unmapped."
        )
    kept, codes = kept[~unclassified], codes[~unclassified]
    if len(kept) == 0:
        raise InputError(path, "has no polygon with a class", "Check the column of classes.")
    geometry = polygonal(shapely.force_2d(in_crs(path, kept.geometry, crs).to_numpy()))
    areal = ~shapely.is_empty(geometry)
    if not areal.any():
        raise InputError(path, "has no polygon with an area", "Bring land use as polygons.")
    return gpd.GeoDataFrame(
        {"code": pd.Series(codes[areal], dtype="str")},
        geometry=gpd.GeoSeries(geometry[areal], crs=crs),
        crs=crs,
    )


def in_crs(path: Path, geometry: gpd.GeoSeries, crs: str) -> gpd.GeoSeries:
    """Geometry in `crs`; raises InputError where its declared CRS cannot hold its coordinates."""
    if geometry.crs.equals(crs):
        return geometry
    projected = geometry.to_crs(crs)
    if not np.isfinite(projected.total_bounds).all():
        raise InputError(
            path, f"has coordinates that its CRS ({geometry.crs.name}) cannot hold", "Assign its right CRS."
        )
    return projected


def polygonal(geometry: np.ndarray) -> np.ndarray:
    """Valid polygons or multipolygons; crossing rings are repaired, lines and points left by it dropped."""
    geometry = geometry.copy()
    broken = ~shapely.is_valid(geometry)
    geometry[broken] = shapely.make_valid(geometry[broken])
    mixed = ~np.isin(shapely.get_type_id(geometry), (3, 6))
    for index in np.flatnonzero(mixed):
        parts = shapely.get_parts(geometry[index])
        parts = shapely.get_parts(parts[np.isin(shapely.get_type_id(parts), (3, 6))])
        geometry[index] = shapely.union_all(parts) if len(parts) else shapely.Polygon()
    return geometry


def _find_boundary(
    path: Path, layers: dict[str, dict], chosen: str, given: str | Path | BaseGeometry | None, crs: str
) -> BaseGeometry | None:
    if isinstance(given, BaseGeometry):
        return given
    if given is not None:
        return read_boundary(given, crs=crs)
    for name in layers:
        if name != chosen and re.search("boundary", name, re.IGNORECASE):
            return read_boundary(path, layer=name, crs=crs)
    if path.suffix.lower() == ".shp":
        wanted = f"{path.stem}_boundary.shp".lower()
        for sibling in sorted(path.parent.iterdir()):
            if sibling.name.lower() == wanted:
                return read_boundary(sibling, crs=crs)
    return None


def read_boundary(path: str | Path, *, layer: str | None = None, crs: str = LAEA) -> BaseGeometry:
    """Outline of a city: union of a layer's polygons, in `crs`; raises InputError like `read_land_use`."""
    path = Path(path)
    check_vector_file(path)
    frame = read_layer(path, layer, columns=[])
    if not isinstance(frame, gpd.GeoDataFrame) or frame.geometry.isna().all():
        raise InputError(path, "has no outline", "Bring the boundary as polygons.")
    if frame.crs is None:
        raise InputError(path, "has no CRS", f"Assign the CRS it was drawn in ({LAEA} for Urban Atlas).")
    drawn = frame.geometry[frame.geometry.notna()]
    outline = shapely.union_all(polygonal(shapely.force_2d(in_crs(path, drawn, crs).to_numpy())))
    if outline.area == 0:
        raise InputError(path, "has no outline with an area", "Bring the boundary as polygons.")
    return outline
