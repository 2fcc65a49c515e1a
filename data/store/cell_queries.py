"""What the page *Cell* asks of a publication; every function takes a DuckDB connection first and only
reads."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from data.grid import parse_cell_id

Connection = duckdb.DuckDBPyConnection

# Cells with a census class and an out-of-fold prediction, largest disagreement first; cells with imputed
# income after all others: their census class is itself an estimate.
_BY_DISAGREEMENT = """
    FROM cell c JOIN prediction p ON p.city_id = c.city_id AND p.cell_id = c.cell_id
    WHERE c.city_id = ? AND c.class IS NOT NULL AND p.out_of_fold
    ORDER BY c.imputed, abs(c.class::INTEGER - p.class::INTEGER) DESC, abs(c.class - p.expected_class) DESC,
    c.cell_id
"""


def one_cell(connection: Connection, city_id: str, cell_id: str) -> dict[str, Any] | None:
    """Return a cell with its prediction by name of column, None where the city has no such cell.

    Columns as of `queries.city_cells`: those of the prediction are None where none was made.
    """
    try:
        x, y = parse_cell_id(cell_id)
    except ValueError:
        return None
    # both sides are cut to the cell before they meet (a join over a large city takes a second), and numbers
    # are looked for before texts
    cursor = connection.execute(
        """
        SELECT c.cell_id, c.x, c.y, c.individuals, c.households, c.income, c.imputed, c.class, c.fold,
               c.valid_share, c.mapped_share, p.out_of_fold, p.class AS predicted, p.expected_class,
               p.entropy, p.spread, p.z, p.z_standard, p.probabilities
        FROM (FROM cell WHERE city_id = $city AND x = $x AND y = $y AND cell_id = $cell) c
        LEFT JOIN (FROM prediction WHERE city_id = $city AND cell_id = $cell) p ON true
        """,
        {"city": city_id, "cell": cell_id, "x": x, "y": y},
    )
    names = [column[0] for column in cursor.description or []]
    row = cursor.fetchone()
    return None if row is None else dict(zip(names, row, strict=True))


def cells_near(connection: Connection, city_id: str, x: int, y: int, reach: int) -> pd.DataFrame:
    """Return the cells whose lower-left corner lies within `reach` metres of (x, y), east and north.

    Columns: cell_id, x, y, class, predicted (NULL where there is none).
    """
    return connection.execute(
        """
        WITH near AS (
            SELECT cell_id, x, y, class FROM cell
            WHERE city_id = $city AND x BETWEEN $x - $reach AND $x + $reach
              AND y BETWEEN $y - $reach AND $y + $reach
        )
        SELECT n.cell_id, n.x, n.y, n.class, p.class AS predicted
        FROM near n LEFT JOIN (
            SELECT cell_id, class FROM prediction
            WHERE city_id = $city AND cell_id IN (SELECT cell_id FROM near)
        ) p ON p.cell_id = n.cell_id ORDER BY n.cell_id
        """,
        {"city": city_id, "x": x, "y": y, "reach": reach},
    ).df()


def named_cells(connection: Connection, city_id: str, cell_ids: tuple[str, ...]) -> pd.DataFrame:
    """Return some cells of a city in the order given: cell_id, x, y, class, imputed, predicted."""
    found = connection.execute(
        """
        SELECT c.cell_id, c.x, c.y, c.class, c.imputed, p.class AS predicted
        FROM (FROM cell WHERE city_id = $city AND list_contains($cells, cell_id)) c
        LEFT JOIN (FROM prediction WHERE city_id = $city AND list_contains($cells, cell_id)) p
        ON p.cell_id = c.cell_id
        """,
        {"city": city_id, "cells": list(cell_ids)},
    ).df()
    return found.set_index("cell_id").loc[[*cell_ids]].reset_index()


def class_counts(connection: Connection, city_id: str) -> NDArray[np.int64]:
    """Return how many cells of a city have census class 1 .. K, (K,)."""
    rows = connection.execute(
        """
        SELECT k, count(c.class) FROM range(1, (SELECT n_classes + 1 FROM study)) r(k)
        LEFT JOIN cell c ON c.class = k AND c.city_id = ? GROUP BY k ORDER BY k
        """,
        [city_id],
    ).fetchall()
    return np.array([row[1] for row in rows], dtype=np.int64)


def first_cell(connection: Connection, city_id: str) -> str | None:
    """Return the first id among a city's cells, None where it has none."""
    row = connection.execute("SELECT min(cell_id) FROM cell WHERE city_id = ?", [city_id]).fetchone()
    return None if row is None or row[0] is None else str(row[0])


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
    """Return the land use of a cell, largest area first, with what the `cam` map and occlusion say of it.

    Columns: code, name, colour, area_m2, share, ratio_rich, ratio_poor, contribution, excess (NULL without a
    map), occlusion (how far z falls when the class is painted over, beyond moved masks, in training standard
    deviations of z; NULL where it was not).
    """
    return connection.execute(
        """
        SELECT l.code, coalesce(k.name, l.code) AS name, coalesce(k.colour, '#888888') AS colour, l.area_m2,
        l.share, a.ratio_rich, a.ratio_poor, a.contribution, a.excess, o.effect - o.moved_effect AS occlusion
        FROM (FROM land_use WHERE city_id = $city AND cell_id = $cell) l
        LEFT JOIN land_use_class k ON k.code = l.code AND k.level = 'full'
        LEFT JOIN (FROM activation WHERE city_id = $city AND cell_id = $cell AND method = 'cam') a
        ON a.code = l.code
        LEFT JOIN (FROM occlusion WHERE city_id = $city AND cell_id = $cell) o ON o.code = l.code
        ORDER BY l.share DESC, l.code
        """,
        {"city": city_id, "cell": cell_id},
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


def land_use_areas(connection: Connection, city_id: str) -> pd.DataFrame:
    """Return the land-use classes of a city, largest area inside cells first: code, name, colour."""
    return connection.execute(
        """
        SELECT l.code, coalesce(k.name, l.code) AS name, coalesce(k.colour, '#888888') AS colour
        FROM (SELECT code, sum(area_m2) AS area FROM land_use WHERE city_id = ? GROUP BY code) l
        LEFT JOIN land_use_class k ON k.code = l.code AND k.level = 'full' ORDER BY l.area DESC, l.code
        """,
        [city_id],
    ).df()


def disagreement_order(connection: Connection, city_id: str) -> list[str]:
    """Return the ids of all cells with a census class and an out-of-fold prediction, largest disagreement
    first.

    Cells with imputed income come after all others: their census class is itself an estimate.
    """
    rows = connection.execute(f"SELECT c.cell_id {_BY_DISAGREEMENT}", [city_id]).fetchall()
    return [row[0] for row in rows]


def disagreement_corners(connection: Connection, city_id: str) -> NDArray[np.int32]:
    """Return the lower-left corners (n, 2) of the cells of `disagreement_order`, metres in the grid CRS.

    The ids of a large city take a hundred times the time to hand over and to search.
    """
    rows = connection.execute(f"SELECT c.x, c.y {_BY_DISAGREEMENT}", [city_id]).fetchnumpy()
    return np.column_stack([rows["x"], rows["y"]]).astype(np.int32)
