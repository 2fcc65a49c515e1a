"""The cells of a city as its maps need them: by corner, not by id.

To compare and to hand over 300,000 ids as text takes longer than all the rest. So rows are joined by hash of
the id (64 bits do not clash) and a cell is known by x and y, its lower-left corner in metres of the grid CRS.
Every function takes a DuckDB connection first and only reads.
"""

from __future__ import annotations

import duckdb
import pandas as pd

from data.store import place_queries
from data.store.place_queries import has_table

Connection = duckdb.DuckDBPyConnection


def map_cells(connection: Connection, city_id: str) -> pd.DataFrame:
    """Return `queries.city_cells` without the id, south to north and west to east."""
    return connection.execute(
        """
        SELECT c.x, c.y, c.individuals, c.households, c.income, c.imputed, c.class, c.fold, c.valid_share,
        c.mapped_share, p.out_of_fold, p.class AS predicted, p.expected_class, p.entropy, p.spread, p.z,
        p.z_standard
        FROM (SELECT *, hash(cell_id) AS id FROM cell WHERE city_id = $1) c
        LEFT JOIN (SELECT *, hash(cell_id) AS id FROM prediction WHERE city_id = $1) p ON p.id = c.id
        ORDER BY c.y, c.x
        """,
        [city_id],
    ).df()


def district_of_cells(connection: Connection, city_id: str) -> pd.Series:
    """Return the district's id of each row of `map_cells`, in its order, as a category; NULL outside all."""
    ids = sorted(place_queries.districts(connection, city_id)["district_id"])
    if not ids:
        n = connection.execute("SELECT count(*) FROM cell WHERE city_id = ?", [city_id]).fetchall()[0][0]
        return pd.Series(pd.Categorical.from_codes([-1] * n, []))
    found = connection.execute(
        """
        SELECT coalesce(d.number, 0) - 1 AS code
        FROM (SELECT x, y, hash(cell_id) AS id FROM cell WHERE city_id = $1) c
        LEFT JOIN (
            SELECT hash(cell_id) AS id, list_position($2, district_id) AS number
            FROM cell_district WHERE city_id = $1
        ) d ON d.id = c.id
        ORDER BY c.y, c.x
        """,
        [city_id, ids],
    ).fetchnumpy()
    return pd.Series(pd.Categorical.from_codes(found["code"], ids))


def local_moran_by_corner(connection: Connection, city_id: str, includes_imputed: bool) -> pd.DataFrame:
    """Return the local Moran's I of a city's residuals, south to north and west to east: x, y, residual,
    around, q_value; empty where it was not published."""
    columns = ["x", "y", "residual", "around", "q_value"]
    if not has_table(connection, "local_moran"):
        return pd.DataFrame({column: [] for column in columns})
    return connection.execute(
        """
        SELECT c.x, c.y, m.residual, m.around, m.q_value
        FROM (SELECT *, hash(cell_id) AS id FROM local_moran WHERE city_id = $1 AND includes_imputed = $2) m
        JOIN (SELECT x, y, hash(cell_id) AS id FROM cell WHERE city_id = $1) c ON c.id = m.id
        ORDER BY c.y, c.x
        """,
        [city_id, includes_imputed],
    ).df()


def main_land_use(connection: Connection, city_id: str) -> pd.DataFrame:
    """Return the class that takes most of each cell of a city, of equals the last by code: x, y, code."""
    return connection.execute(
        """
        SELECT c.x, c.y, l.most.code AS code
        FROM (
            SELECT hash(cell_id) AS id, max({'share': share, 'code': code}) AS most
            FROM land_use WHERE city_id = $1 GROUP BY id
        ) l
        JOIN (SELECT x, y, hash(cell_id) AS id FROM cell WHERE city_id = $1) c USING (id)
        """,
        [city_id],
    ).df()
