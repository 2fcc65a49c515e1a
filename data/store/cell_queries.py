"""What the page *Cell* asks of a publication; every function takes a DuckDB connection first and only
reads."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

Connection = duckdb.DuckDBPyConnection


def probabilities(connection: Connection, city_id: str, cell_id: str) -> NDArray[np.float64] | None:
    """Return the class distribution of a cell (K,), None where it was not predicted."""
    row = connection.execute(
        "SELECT probabilities FROM prediction WHERE city_id = ? AND cell_id = ?", [city_id, cell_id]
    ).fetchone()
    return None if row is None else np.asarray(row[0], dtype=float)


def evidence_map(connection: Connection, city_id: str, cell_id: str) -> NDArray[np.float32] | None:
    """Return the signed evidence map of a cell (h, w), row 0 north, in training standard deviations of z;
    None without."""
    row = connection.execute(
        """
        SELECT height, width, map_values FROM activation_map
        WHERE city_id = ? AND cell_id = ? AND method = 'cam'
        """,
        [city_id, cell_id],
    ).fetchone()
    if row is None:
        return None
    return np.frombuffer(row[2], dtype="<f2").astype(np.float32).reshape(row[0], row[1])


def evidence_reach(connection: Connection, city_id: str) -> float:
    """Return the 95th percentile of the absolute evidence over up to 500 cells of a city; 1.0 without maps.

    One scale for all cells of a city, so that two cells can be compared by eye.
    """
    rows = connection.execute(
        """
        SELECT map_values FROM activation_map WHERE city_id = ? AND method = 'cam' ORDER BY hash(cell_id)
        LIMIT 500
        """,
        [city_id],
    ).fetchall()
    if not rows:
        return 1.0
    values = np.concatenate([np.frombuffer(row[0], dtype="<f2") for row in rows]).astype(float)
    return float(max(np.quantile(np.abs(values), 0.95), 1e-6))


def land_use_of_cell(connection: Connection, city_id: str, cell_id: str) -> pd.DataFrame:
    """Return the land use of a cell, largest area first, with what the `cam` map says of it.

    Columns: code, name, colour, area_m2, share, ratio_rich, ratio_poor, contribution, excess (NULL without a
    map).
    """
    return connection.execute(
        """
        SELECT l.code, coalesce(k.name, l.code) AS name, coalesce(k.colour, '#888888') AS colour, l.area_m2,
        l.share, a.ratio_rich, a.ratio_poor, a.contribution, a.excess
        FROM land_use l
        LEFT JOIN land_use_class k ON k.code = l.code AND k.level = 'full'
        LEFT JOIN activation a ON a.city_id = l.city_id AND a.method = 'cam' AND a.code = l.code
                              AND a.cell_id = l.cell_id
        WHERE l.city_id = ? AND l.cell_id = ? ORDER BY l.share DESC, l.code
        """,
        [city_id, cell_id],
    ).df()


def polygons_in_square(connection: Connection, city_id: str, x: int, y: int, size: int) -> pd.DataFrame:
    """Return the land-use polygons inside a square of `size` metres at (x, y), clipped to it.

    Columns: code, name, colour, geometry (shapely, metres in the grid CRS); small leftovers under 1 m2 are
    dropped.
    """
    rows = connection.execute(
        """
        SELECT p.code, coalesce(k.name, p.code) AS name, coalesce(k.colour, '#888888') AS colour, p.geometry
        FROM land_use_polygon p LEFT JOIN land_use_class k ON k.code = p.code AND k.level = 'full'
        WHERE p.city_id = ? AND p.x_min < ? AND p.x_max > ? AND p.y_min < ? AND p.y_max > ?
        """,
        [city_id, x + size, x, y + size, y],
    ).df()
    clipped = shapely.intersection(
        shapely.from_wkb([bytes(wkb) for wkb in rows["geometry"]]), shapely.box(x, y, x + size, y + size)
    )
    rows["geometry"] = clipped
    return rows[shapely.area(clipped) >= 1].reset_index(drop=True)


def land_use_polygons(connection: Connection, city_id: str) -> pd.DataFrame:
    """Return all land-use polygons of a city: code, name, colour, geometry (WKB, metres in the grid CRS)."""
    return connection.execute(
        """
        SELECT p.code, coalesce(k.name, p.code) AS name, coalesce(k.colour, '#888888') AS colour, p.geometry
        FROM land_use_polygon p LEFT JOIN land_use_class k ON k.code = p.code AND k.level = 'full'
        WHERE p.city_id = ? ORDER BY p.code, p.x_min, p.y_min
        """,
        [city_id],
    ).df()


def disagreement_order(connection: Connection, city_id: str) -> list[str]:
    """Return the ids of all cells with a census class and an out-of-fold prediction, largest disagreement
    first.

    Cells with imputed income come after all others: their census class is itself an estimate.
    """
    rows = connection.execute(
        """
        SELECT c.cell_id FROM cell c JOIN prediction p ON p.city_id = c.city_id AND p.cell_id = c.cell_id
        WHERE c.city_id = ? AND c.class IS NOT NULL AND p.out_of_fold
        ORDER BY c.imputed, abs(c.class::INTEGER - p.class::INTEGER) DESC, abs(c.class - p.expected_class)
        DESC, c.cell_id
        """,
        [city_id],
    ).fetchall()
    return [row[0] for row in rows]
