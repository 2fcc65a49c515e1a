"""What the *Patterns* and *Data* pages ask of a publication: one function a question, one frame an answer.

Every function takes a read-only connection; none changes a figure, so what a page shows is what was
published.
"""

from __future__ import annotations

import duckdb
import pandas as pd

FULL_LEVEL = "full"


def correlations(
    connection: duckdb.DuckDBPyConnection,
    city_id: str,
    relation: str,
    coefficient: str,
    includes_imputed: bool,
    level: str = FULL_LEVEL,
) -> pd.DataFrame:
    """Correlations of one relation in a city, one row a land-use class, with the class's name and colour.

    `relation` is census, prediction, activation or occlusion (full codes only); `level` of the hierarchy.
    Columns: code, name, colour, value, low, high, p_value, p_naive, q_value, n, n_present, n_effective,
    null_torus, null_other, enough, note. `value` is as measured: no null of activation is taken off.
    """
    return connection.execute(
        """
        SELECT c.code, coalesce(k.name, c.code) AS name, coalesce(k.colour, '#888888') AS colour,
               c.value, c.low, c.high, c.p_value, c.p_naive, c.q_value, c.n, c.n_present, c.n_effective,
               c.null_torus, c.null_other, c.enough, c.note
        FROM correlation c LEFT JOIN land_use_class k USING (code, level)
        WHERE c.city_id = $city AND c.level = $level AND c.relation = $relation
          AND c.coefficient = $coefficient AND c.includes_imputed = $imputed
        ORDER BY c.code
        """,
        {
            "level": level,
            "city": city_id,
            "relation": relation,
            "coefficient": coefficient,
            "imputed": includes_imputed,
        },
    ).df()


def pulls(
    connection: duckdb.DuckDBPyConnection,
    city_id: str,
    relation: str,
    includes_imputed: bool,
    level: str = FULL_LEVEL,
) -> pd.DataFrame:
    """Pull of each class in a city by activation or occlusion; no rows where an older study has none.

    Columns: code, name, colour, value, low, high, null_torus, null_other, n_present, enough, note. `value` is
    as measured: no null is taken off.
    """
    if not connection.execute("FROM duckdb_tables() WHERE table_name = 'class_pull'").fetchall():
        columns = ["code", "name", "colour", "value", "low", "high", "null_torus", "null_other"]
        return pd.DataFrame(columns=[*columns, "n_present", "enough", "note"])
    return connection.execute(
        """
        SELECT p.code, coalesce(k.name, p.code) AS name, coalesce(k.colour, '#888888') AS colour,
               p.value, p.low, p.high, p.null_torus, p.null_other, p.n_present, p.enough, p.note
        FROM class_pull p LEFT JOIN land_use_class k USING (code, level)
        WHERE p.city_id = $city AND p.level = $level AND p.relation = $relation
          AND p.includes_imputed = $imputed
        ORDER BY p.code
        """,
        {"level": level, "city": city_id, "relation": relation, "imputed": includes_imputed},
    ).df()


def coefficients(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Coefficients that the publication holds, Spearman first."""
    rows = connection.execute("SELECT DISTINCT coefficient FROM correlation").fetchall()
    order = ["spearman", "pearson", "kendall"]
    return sorted(
        (row[0] for row in rows), key=lambda name: (order.index(name) if name in order else 9, name)
    )


def map_methods(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Activation maps whose ratios the publication holds, cam first."""
    rows = connection.execute("SELECT DISTINCT method FROM class_activation ORDER BY method").fetchall()
    return [row[0] for row in rows]


def class_activation(
    connection: duckdb.DuckDBPyConnection,
    city_id: str,
    method: str,
    estimator: str,
    level: str = FULL_LEVEL,
) -> pd.DataFrame:
    """Activation ratio of each class over a city, poor and rich map.

    Columns: code, name, colour, polarity, value, low, high, standard_error, n, enough, note.
    """
    return connection.execute(
        """
        SELECT a.code, coalesce(k.name, a.code) AS name, coalesce(k.colour, '#888888') AS colour, a.polarity,
               a.value, a.low, a.high, a.standard_error, a.n, a.enough, a.note
        FROM class_activation a LEFT JOIN land_use_class k USING (code, level)
        WHERE a.city_id = $city AND a.level = $level AND a.method = $method AND a.estimator = $estimator
        ORDER BY a.code, a.polarity
        """,
        {"level": level, "city": city_id, "method": method, "estimator": estimator},
    ).df()


def class_income(
    connection: duckdb.DuckDBPyConnection, city_id: str, level: str = FULL_LEVEL
) -> pd.DataFrame:
    """P(poor) and P(rich) of a cell in which a class is present.

    Columns: code, name, colour, polarity, probability, low, high, n, enough, note.
    """
    return connection.execute(
        """
        SELECT i.code, coalesce(k.name, i.code) AS name, coalesce(k.colour, '#888888') AS colour, i.polarity,
               i.probability, i.low, i.high, i.n, i.enough, i.note
        FROM class_income i LEFT JOIN land_use_class k USING (code, level)
        WHERE i.city_id = $city AND i.level = $level ORDER BY i.code, i.polarity
        """,
        {"level": level, "city": city_id},
    ).df()


def class_pairs(
    connection: duckdb.DuckDBPyConnection, city_id: str, method: str, level: str = FULL_LEVEL
) -> pd.DataFrame:
    """Pairs of classes of a city, poor and rich map, by a map method.

    Columns: polarity, code, name, with_code, co_activation, gain, n, probability, income_gain, n_income. A
    value over fewer than 30 cells is missing.
    """
    return connection.execute(
        """
        SELECT p.polarity, p.code, coalesce(k.name, p.code) AS name, p.with_code,
               p.co_activation, p.gain, p.n, p.probability, p.income_gain, p.n_income
        FROM class_pair p LEFT JOIN land_use_class k USING (code, level)
        WHERE p.city_id = $city AND p.level = $level AND p.method = $method
        ORDER BY p.polarity, p.code, p.with_code
        """,
        {"level": level, "city": city_id, "method": method},
    ).df()


def relations(connection: duckdb.DuckDBPyConnection, city_id: str) -> set[str]:
    """Relations that the publication holds of a city: census, prediction, activation, occlusion."""
    rows = connection.execute("SELECT DISTINCT relation FROM correlation WHERE city_id = ?", [city_id])
    return {row[0] for row in rows.fetchall()}


def levels(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Levels of the land-use hierarchy that the publication holds, from the finest to the coarsest."""
    rows = connection.execute("SELECT DISTINCT level FROM land_use_class").fetchall()
    order = [FULL_LEVEL, "paper", "2", "1"]
    return sorted((row[0] for row in rows), key=lambda name: order.index(name) if name in order else 9)


def reliance(connection: duckdb.DuckDBPyConnection, city_id: str, includes_imputed: bool) -> pd.DataFrame:
    """Reliance of the network on each class in a city, the largest first.

    Columns: code, name, colour, value, low, high, p_value, q_value, n, n_present, n_effective, enough, note.
    """
    return connection.execute(
        """
        SELECT r.code, coalesce(k.name, r.code) AS name, coalesce(k.colour, '#888888') AS colour,
               r.value, r.low, r.high, r.p_value, r.q_value, r.n, r.n_present, r.n_effective, r.enough, r.note
        FROM reliance r LEFT JOIN land_use_class k ON k.code = r.code AND k.level = $level
        WHERE r.city_id = $city AND r.includes_imputed = $imputed ORDER BY r.value DESC NULLS LAST, r.code
        """,
        {"level": FULL_LEVEL, "city": city_id, "imputed": includes_imputed},
    ).df()


def follow_indices(
    connection: duckdb.DuckDBPyConnection, city_id: str, includes_imputed: bool, level: str = FULL_LEVEL
) -> pd.DataFrame:
    """Indices of a city.

    Columns: relation, method, null_model, value, low, high, verdict, n_classes, n_blocks, note.
    """
    return connection.execute(
        """
        SELECT relation, method, null_model, value, low, high, verdict, n_classes, n_blocks, note
        FROM follow_index WHERE city_id = ? AND includes_imputed = ? AND level = ?
        ORDER BY relation, null_model DESC
        """,
        [city_id, includes_imputed, level],
    ).df()


def map_size(connection: duckdb.DuckDBPyConnection, city_id: str, method: str) -> tuple[int, int] | None:
    """Rows and columns of the city's activation maps; None where none is stored."""
    row = connection.execute(
        "SELECT height, width FROM activation_map WHERE city_id = ? AND method = ? LIMIT 1", [city_id, method]
    ).fetchone()
    return (int(row[0]), int(row[1])) if row else None


def models(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """The networks of the study, as the `model` table has them, by city and fold."""
    return connection.execute("SELECT * FROM model ORDER BY city_id NULLS FIRST, fold").df()


def provenance(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Every file that went into the study, with the name of its city (empty for the whole study)."""
    return connection.execute(
        """
        SELECT coalesce(c.name, p.city_id, '') AS city, p.kind, p.file, p.sha256, p.bytes, p.source,
        p.licence,
               p.vintage, p.crs
        FROM provenance p LEFT JOIN city c USING (city_id)
        ORDER BY c.position NULLS FIRST, p.kind, p.file
        """
    ).df()


def thresholds(connection: duckdb.DuckDBPyConnection, city_id: str) -> pd.DataFrame:
    """Income thresholds of the classes: k, with_imputed, without_imputed (euros a year)."""
    return connection.execute(
        """
        SELECT k, max(income) FILTER (includes_imputed) AS with_imputed,
               max(income) FILTER (NOT includes_imputed) AS without_imputed
        FROM threshold WHERE city_id = ? GROUP BY k ORDER BY k
        """,
        [city_id],
    ).df()


def class_names(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Land-use classes of the study by full code: code, name, colour, cells (with income, where present).

    Cells are summed over the cities' own counts: table land_use has a row a cell and class, which is not to
    be read through for a page.
    """
    return connection.execute(
        """
        SELECT k.code, k.name, k.colour, coalesce(sum(i.n), 0)::BIGINT AS cells
        FROM land_use_class k
        LEFT JOIN class_income i ON i.code = k.code AND i.level = k.level AND i.polarity = 'poor'
        WHERE k.level = ? GROUP BY ALL ORDER BY k.code
        """,
        [FULL_LEVEL],
    ).df()


def column_descriptions(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Every table and column of the publication with its description: table, column, type, description."""
    return connection.execute(
        """
        SELECT c.table_name AS "table", c.column_name AS "column", c.data_type AS "type", c.comment AS
        description
        FROM duckdb_columns() c WHERE NOT c.internal ORDER BY c.table_name, c.column_index
        """
    ).df()
