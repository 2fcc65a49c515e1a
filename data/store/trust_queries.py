"""What the *Trust* page asks of a publication."""

from __future__ import annotations

import duckdb
import pandas as pd


def checks(connection: duckdb.DuckDBPyConnection, city_id: str) -> pd.DataFrame:
    """Checks of the networks that speak about a city.

    Columns: model_id, fold, check_name, method, variant, position, value, n.
    """
    return connection.execute(
        """
        SELECT t.model_id, m.fold, t.check_name, t.method, t.variant, t.position, t.value, t.n
        FROM trust_check t JOIN model m USING (model_id)
        WHERE m.city_id IS NULL OR m.city_id = ?
        ORDER BY m.fold, t.check_name, t.method, t.position
        """,
        [city_id],
    ).df()


def map_agreements(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Agreement of each map with class occlusion, by city.

    Columns: city, city_id, recipe, method, value, low, high, n, note.
    """
    return connection.execute(
        """
        SELECT c.name AS city, c.city_id, c.recipe, a.method, a.value, a.low, a.high, a.n, a.note
        FROM map_agreement a JOIN city c USING (city_id) ORDER BY c.position, a.method
        """
    ).df()
