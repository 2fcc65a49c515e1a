"""GeoParquet files as vector layers: one layer a file, read with the same words as the others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj
import shapely

from data.errors import InputError

PARQUET_SUFFIXES = {".parquet", ".geoparquet"}
_MAGIC = b"PAR1"
# What a layer may unpack to, by its own word; more is no layer of one city.
_MOST_BYTES = 4 * 1024**3
_CRS84 = "OGC:CRS84"  # of a file that names none (GeoParquet 1.1)


def check_parquet(path: Path) -> None:
    """Refuse a file that is not Parquet from its first to its last bytes; raises InputError."""
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(-min(4, path.stat().st_size), 2)
        if head != _MAGIC:
            raise InputError(path, "is not a Parquet file", "Export it as GeoParquet again.")
        if file.read(4) != _MAGIC or path.stat().st_size < 12:
            raise InputError(path, "ends before its last record (truncated)", "Copy or download it again.")


def parquet_info(path: Path) -> dict[str, Any]:
    """Return fields, dtypes, geometry_type, features and crs (None where undefined), as pyogrio names them.

    Raises InputError for an unreadable file, for one without geometry, and for more than 4 GB unpacked.
    """
    with _reading(path):
        file = pq.ParquetFile(path)
        groups = range(file.metadata.num_row_groups)
        if sum(file.metadata.row_group(group).total_byte_size for group in groups) > _MOST_BYTES:
            raise InputError(path, "unpacks to more than 4 GB", "Bring the layer of one city.")
        schema = file.schema_arrow
        geo = json.loads((schema.metadata or {}).get(b"geo", b"null"))
        if not isinstance(geo, dict) or geo.get("primary_column") not in schema.names:
            raise InputError(path, "has no geometry (GeoParquet)", "Export it as GeoParquet from a GIS.")
        column = geo["columns"][geo["primary_column"]]
        others = [field for field in schema if field.name not in geo["columns"] and field.name != "bbox"]
        crs = column.get("crs", _CRS84)
        kinds = column.get("geometry_types") or ["Unknown"]
        return {
            "fields": [field.name for field in others],
            "dtypes": [_dtype(field.type) for field in others],
            "geometry_type": next((kind for kind in kinds if "Polygon" in kind), kinds[0]),
            "features": file.metadata.num_rows,
            "crs": None if crs is None else pyproj.CRS.from_user_input(crs).to_string(),
        }


def _dtype(kind: pa.DataType) -> str:
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "float64"
    if pa.types.is_integer(kind):
        return "int64"
    return "bool" if pa.types.is_boolean(kind) else "object"


def read_parquet_layer(
    path: Path, columns: list[str] | None = None, bbox: tuple[float, float, float, float] | None = None
) -> gpd.GeoDataFrame:
    """Read the layer; ``bbox`` in its CRS keeps what touches it. Raises InputError like `parquet_info`."""
    info = parquet_info(path)
    with _reading(path):
        geo = json.loads(pq.ParquetFile(path).schema_arrow.metadata[b"geo"])
        geometry = str(geo["primary_column"])
        wanted = [*(info["fields"] if columns is None else columns), geometry]
        frame = gpd.read_parquet(path, columns=wanted)
        for column in frame.select_dtypes(["string", "object"]).columns.drop(geometry, errors="ignore"):
            frame[column].tolist()  # texts are decoded late: damage is to be found here
        frame = frame if geometry == "geometry" else frame.rename_geometry("geometry")
        if bbox is not None:
            near = shapely.intersects(shapely.box(*bbox), frame.geometry.to_numpy())
            frame = frame[near]
        return frame.reset_index(drop=True)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn what the reader says of a damaged file into an InputError."""
    try:
        yield
    except (
        pa.ArrowException,
        OSError,
        ValueError,  # JSON and Unicode are among them
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
        shapely.errors.ShapelyError,
        pyproj.exceptions.ProjError,
    ) as error:
        text = (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
        raise InputError(path, f"cannot be read ({text})", "Copy or download it again.") from error
