"""What newer publications say of places: clusters of errors, features, districts; empty for older ones.

Every function takes a DuckDB connection first and only reads.
"""

from __future__ import annotations

import duckdb
import numpy as np
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
    rows = _rows(
        connection,
        "cell_feature",
        ["cell_id", "feature"],
        "city_id = ? AND model_id = (SELECT model_id FROM cell_feature WHERE city_id = ? AND cell_id = ?)",
        [city_id, city_id, cell_id],
    )
    if rows.empty:
        return pd.DataFrame({"cell_id": [], "likeness": []})
    features = np.stack([np.asarray(feature, dtype=float) for feature in rows["feature"]])
    own = features[rows["cell_id"].to_numpy() == cell_id][0]
    rows = rows.assign(likeness=features @ own).drop(columns="feature")
    others = rows[rows["cell_id"] != cell_id]
    return (
        others.sort_values(["likeness", "cell_id"], ascending=[False, True])
        .head(limit)
        .reset_index(drop=True)
    )


def _rows(
    connection: Connection, table: str, columns: list[str], where: str, values: list[object]
) -> pd.DataFrame:
    """Return rows of a table that publications made before it do not have."""
    known = connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = ?", [table]).fetchone()
    if known is None:
        return pd.DataFrame({column: [] for column in columns})
    return connection.execute(f"SELECT {', '.join(columns)} FROM {table} WHERE {where}", values).df()  # noqa: S608
