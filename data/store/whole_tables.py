"""Whole tables of a city, to be taken away: as published, with the descriptions of their columns."""

from __future__ import annotations

import io

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

Connection = duckdb.DuckDBPyConnection

# Tables about land-use classes get the name of the class beside its code.
_WITH_CLASS = {
    "correlation",
    "class_pull",
    "class_activation",
    "class_income",
    "class_pair",
    "reliance",
    "land_use",
}
_NO_LEVEL = {"reliance", "land_use"}  # tables of full codes only


def of_city(connection: Connection, table: str, city_id: str) -> pd.DataFrame:
    """Return the rows of a table of a city in the order published; without rows where an older one has none.

    Tables about land-use classes have a column `class_name` after the code. Checks of networks
    (`trust_check`) are those of the networks that speak about the city.
    """
    if not connection.execute("FROM duckdb_tables() WHERE table_name = ?", [table]).fetchall():
        return pd.DataFrame()
    named = '"' + table.replace('"', '""') + '"'
    if table == "trust_check":
        query = f"SELECT t.* FROM {named} t JOIN model m USING (model_id) WHERE m.city_id IS NULL OR m.city_id = ?"  # noqa: S608, E501
    elif table in _WITH_CLASS:
        level = "'full'" if table in _NO_LEVEL else "t.level"
        query = f"""
            SELECT t.*, k.name AS class_name FROM {named} t
            LEFT JOIN land_use_class k ON k.code = t.code AND k.level = {level} WHERE t.city_id = ?
            """  # noqa: S608
    else:
        query = f"SELECT * FROM {named} WHERE city_id = ?"  # noqa: S608
    frame = connection.execute(query, [city_id]).df()
    if "class_name" in frame:
        frame.insert(frame.columns.get_loc("code") + 1, "class_name", frame.pop("class_name"))
    return frame


def households(connection: Connection, city_id: str) -> float:
    """Return how many households the cells of a city hold together."""
    row = connection.execute(
        "SELECT coalesce(sum(households), 0) FROM cell WHERE city_id = ?", [city_id]
    ).fetchone()
    return float(row[0]) if row else 0.0


def described(connection: Connection, table: str) -> dict[str, str]:
    """Return what each column of a table is, in English, as the publication says."""
    rows = connection.execute(
        "SELECT column_name, comment FROM duckdb_columns() WHERE table_name = ? AND NOT internal", [table]
    ).fetchall()
    return {name: comment or "" for name, comment in rows} | {
        "class_name": "Official English name of the land-use class."
    }


def as_parquet(frame: pd.DataFrame, meanings: dict[str, str], about: str) -> bytes:
    """Return a frame as Parquet whose columns say what they are, and whose file says `about` itself."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    fields = [
        field.with_metadata({"description": meanings[field.name]}) if meanings.get(field.name) else field
        for field in table.schema
    ]
    metadata = {**(table.schema.metadata or {}), b"description": about.encode()}
    buffer = io.BytesIO()
    pq.write_table(table.cast(pa.schema(fields, metadata=metadata)), buffer)
    return buffer.getvalue()
