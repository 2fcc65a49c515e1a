"""What newer publications say of places: clusters of errors, features, districts; empty for older ones.

Every function takes a DuckDB connection first and only reads.
"""

from __future__ import annotations

import duckdb
import pandas as pd

Connection = duckdb.DuckDBPyConnection


def local_moran(connection: Connection, city_id: str, includes_imputed: bool) -> pd.DataFrame:
    """Return the local Moran's I of a city's residuals: columns of table `local_moran` without the city."""
    return _rows(
        connection,
        "local_moran",
        ["cell_id", "value", "residual", "around", "p_value", "q_value"],
        "city_id = ? AND includes_imputed = ? ORDER BY cell_id",
        [city_id, includes_imputed],
    )


def has_local_moran(connection: Connection, city_id: str, includes_imputed: bool) -> bool:
    """Return whether `local_moran` has anything to say of a city."""
    rows = _rows(
        connection,
        "local_moran",
        ["cell_id"],
        "city_id = ? AND includes_imputed = ? LIMIT 1",
        [city_id, includes_imputed],
    )
    return not rows.empty


def districts(connection: Connection, city_id: str) -> pd.DataFrame:
    """Return the districts of a city by name: district_id, name."""
    return _rows(connection, "district", ["district_id", "name"], "city_id = ? ORDER BY name", [city_id])


def district_names(connection: Connection, city_id: str) -> dict[str, str]:
    """Return the names of a city's districts by id, in order of the names."""
    rows = districts(connection, city_id)
    return dict(zip(rows["district_id"].astype(str), rows["name"].astype(str), strict=True))


def cell_districts(connection: Connection, city_id: str) -> pd.DataFrame:
    """Return the district of each cell that lies in one: cell_id, district_id."""
    return _rows(
        connection, "cell_district", ["cell_id", "district_id"], "city_id = ? ORDER BY cell_id", [city_id]
    )


def similar_cells(connection: Connection, city_id: str, cell_id: str, limit: int) -> pd.DataFrame:
    """Return the cells nearest to a cell in the features of its out-of-fold network: cell_id, likeness.

    Likeness is the cosine of the features, -1 to 1, nearest first. Only cells of the same fold can be
    compared: another fold's network has other features. Empty for a cell without features.
    """
    columns = ["cell_id", "likeness"]
    if not has_table(connection, "cell_feature"):
        return pd.DataFrame({column: [] for column in columns})
    # the inner products in the store: handed over as lists, the features of a city take half a second
    return connection.execute(
        """
        WITH own AS (FROM cell_feature WHERE city_id = $city AND cell_id = $cell)
        SELECT f.cell_id, list_inner_product(f.feature, own.feature)::DOUBLE AS likeness
        FROM cell_feature f, own
        WHERE f.city_id = $city AND f.model_id = own.model_id AND f.cell_id <> $cell
        ORDER BY likeness DESC, f.cell_id LIMIT $limit
        """,
        {"city": city_id, "cell": cell_id, "limit": limit},
    ).df()


def has_table(connection: Connection, table: str) -> bool:
    """Return whether a publication has a table that those made before it do not."""
    known = connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = ?", [table]).fetchone()
    return known is not None


def _rows(
    connection: Connection, table: str, columns: list[str], where: str, values: list[object]
) -> pd.DataFrame:
    """Return rows of a table that publications made before it do not have."""
    if not has_table(connection, table):
        return pd.DataFrame({column: [] for column in columns})
    return connection.execute(f"SELECT {', '.join(columns)} FROM {table} WHERE {where}", values).df()  # noqa: S608
