"""Opening of vector files and tables: known formats only, whole, with a clear word where they are not."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from data.errors import InputError
from data.geoparquet import PARQUET_SUFFIXES, check_parquet, parquet_info, read_parquet_layer

VECTOR_SUFFIXES = {".shp", ".gpkg", *PARQUET_SUFFIXES}
ARCHIVE_SUFFIXES = {".zip", ".7z", ".gz", ".tar", ".rar", ".tgz"}

_TRUNCATED = "ends before its last record (truncated)"
_AGAIN = "Copy or download it again."


def check_vector_file(path: Path) -> None:
    """Refuse what is absent, empty, an archive, of another format than its name says, or truncated.

    The first bytes are compared with the name because GDAL would otherwise guess a format from the content,
    and some formats (VRT, GeoJSON with links) make it open other files. Raises InputError.
    """
    if not path.exists():
        raise InputError(path, "does not exist", "Check the path.")
    if not path.is_file():
        raise InputError(path, "is not a file", "Name a .shp, .gpkg or .csv file.")
    suffix = path.suffix.lower()
    if suffix in ARCHIVE_SUFFIXES:
        raise InputError(path, "is an archive", "Unpack it and name the file inside.")
    if path.stat().st_size == 0:
        raise InputError(path, "is empty (0 bytes)", _AGAIN)
    if suffix == ".gpkg":
        _check_geopackage(path)
    elif suffix == ".shp":
        _check_shapefile(path)
    elif suffix in PARQUET_SUFFIXES:
        check_parquet(path)
    elif suffix != ".csv":
        raise InputError(
            path,
            f"has the unknown suffix {suffix or '(none)'!r}",
            "Bring a .shp, .gpkg, .parquet or .csv file.",
        )


def _check_geopackage(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(100)
    if not head.startswith(b"SQLite format 3\x00"):
        raise InputError(path, "is not a GeoPackage", "Export it as GeoPackage again.")
    if len(head) < 100:
        raise InputError(path, _TRUNCATED, _AGAIN)
    # SQLite header: page size (1 stands for 65,536), change counter, pages, and the counter the page count is
    # for
    page_size = struct.unpack(">H", head[16:18])[0]
    page_size = 65536 if page_size == 1 else page_size
    change_counter, pages = struct.unpack(">II", head[24:32])
    valid_for = struct.unpack(">I", head[92:96])[0]
    if change_counter == valid_for and path.stat().st_size < pages * page_size:
        raise InputError(path, _TRUNCATED, _AGAIN)


def _check_shapefile(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(100)
    if len(head) < 100 or struct.unpack(">i", head[:4])[0] != 9994:
        raise InputError(path, "is not a shapefile", "Export it as shapefile or GeoPackage again.")
    if path.stat().st_size < 2 * struct.unpack(">i", head[24:28])[0]:
        raise InputError(path, _TRUNCATED, _AGAIN)
    for suffix in (".dbf", ".shx"):
        sibling = find_sibling(path, suffix)
        if sibling is None:
            raise InputError(path, f"has no {suffix} file beside it", "Keep a shapefile's files together.")
        if suffix == ".dbf":
            with sibling.open("rb") as file:
                table = file.read(32)
            if len(table) < 32:
                raise InputError(sibling, _TRUNCATED, _AGAIN)
            records, header, length = struct.unpack("<IHH", table[4:12])
            if sibling.stat().st_size < header + records * length:
                raise InputError(sibling, _TRUNCATED, _AGAIN)


def find_sibling(path: Path, suffix: str) -> Path | None:
    """File with the same stem and this suffix in either case, or None."""
    for candidate in (path.with_suffix(suffix), path.with_suffix(suffix.upper())):
        if candidate.is_file():
            return candidate
    return None


def list_layers(path: Path) -> dict[str, str | None]:
    """Layer name -> geometry type (None for a plain table); raises InputError where it is unreadable."""
    if path.suffix.lower() in PARQUET_SUFFIXES:
        return {path.stem: parquet_info(path)["geometry_type"]}
    try:
        return {str(name): kind for name, kind in pyogrio.list_layers(path)}
    except (DataSourceError, DataLayerError) as error:
        raise InputError(path, f"cannot be read ({first_line(error)})", _AGAIN) from error


def is_polygon_layer(kind: str | None) -> bool:
    """Say whether a layer of this geometry type may hold polygons."""
    return kind is not None and ("Polygon" in kind or kind in ("Unknown", "GeometryCollection"))


def layer_info(path: Path, layer: str | None = None) -> dict[str, Any]:
    """Fields, geometry type, feature count and CRS of a layer; raises InputError where it is unreadable."""
    if path.suffix.lower() in PARQUET_SUFFIXES:
        return parquet_info(path)
    try:
        return dict(pyogrio.read_info(path, layer=layer, force_feature_count=True))
    except (DataSourceError, DataLayerError) as error:
        raise InputError(path, f"cannot be read ({first_line(error)})", _AGAIN) from error


def read_layer(
    path: Path,
    layer: str | None = None,
    columns: list[str] | None = None,
    bbox: tuple[float, float, float, float] | None = None,
    read_geometry: bool = True,
) -> gpd.GeoDataFrame:
    """One layer as a frame; `bbox` in its CRS; raises InputError where records are missing or unreadable."""
    if path.suffix.lower() in PARQUET_SUFFIXES:
        return read_parquet_layer(path, columns, bbox)
    info = layer_info(path, layer)
    try:
        frame = pyogrio.read_dataframe(
            path, layer=layer, columns=columns, bbox=bbox, read_geometry=read_geometry, use_arrow=False
        )
    except (
        DataSourceError,
        DataLayerError,
        ValueError,
        UnicodeDecodeError,
        shapely.errors.ShapelyError,  # shapes that are none, such as rings that do not close
    ) as error:
        raise InputError(path, f"cannot be read ({first_line(error)})", _AGAIN) from error
    if bbox is None and len(frame) < info["features"]:
        raise InputError(path, f"gives {len(frame)} of its {info['features']:d} records", _AGAIN)
    return frame


def first_line(error: BaseException) -> str:
    """First line of an error's text, short enough for one sentence."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:160]


def year_in(name: str, choices: set[int]) -> int | None:
    """The one of `choices` that stands in a file name, or None.

    >>> year_in("Filosofi2019_carreaux_200m", {2019, 2021})
    2019
    """
    found = {year for year in choices if str(year) in name}
    return found.pop() if len(found) == 1 else None


def json_number(value: float) -> float | None:
    """A float for JSON: None where it is not finite."""
    return float(value) if np.isfinite(value) else None
