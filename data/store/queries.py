"""Questions to a publication, one function each; every one takes a DuckDB connection first and only reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

Connection = duckdb.DuckDBPyConnection


@dataclass(frozen=True)
class StudyRow:
    """The one row of table `study`; fields as its columns."""

    study_id: str
    title: str
    description: str
    is_generated: bool
    n_classes: int
    label_scope: str
    cell_size_m: int
    grid_crs: str
    architecture: str
    head: str
    input_px: int
    output_stride: int
    model_scope: str
    fold_scheme: str
    n_folds: int
    block_m: float
    seed: int
    created_at: datetime
    carreau_version: str
    settings_json: str


@dataclass(frozen=True)
class City:
    """One row of table `city` without the outline; fields as its columns."""

    city_id: str
    name: str
    position: int
    recipe: str | None
    oracle_spearman: float | None
    object_pixel_share: float | None
    planted_codes: tuple[str, ...]
    x_min: int
    y_min: int
    x_max: int
    y_max: int
    n_cells: int
    n_predicted: int
    n_imputed: int
    n_without_income: int
    n_empty_pixels: int
    census_year: int | None
    land_use_year: int | None
    imagery_year: int | None
    imagery_resolution_m: float | None
    residual_range_m: float | None
    has_land_use: bool


def study(connection: Connection) -> StudyRow:
    """Return what the publication says of its study; LookupError when it holds none."""
    cursor = connection.execute(f"SELECT {', '.join(StudyRow.__dataclass_fields__)} FROM study")  # noqa: S608
    row = cursor.fetchone()
    if row is None:
        raise LookupError("the publication holds no study")
    return StudyRow(*row)


def cities(connection: Connection) -> tuple[City, ...]:
    """Return the cities in the order of the study file."""
    columns = [name for name in City.__dataclass_fields__ if name not in {"planted_codes", "has_land_use"}]
    rows = connection.execute(
        f"SELECT {', '.join(columns)}, coalesce(planted_codes, []), "  # noqa: S608
        "city_id IN (SELECT DISTINCT city_id FROM land_use) FROM city ORDER BY position"
    ).fetchall()
    return tuple(
        City(**dict(zip(columns, row[:-2], strict=True)), planted_codes=tuple(row[-2]), has_land_use=row[-1])
        for row in rows
    )


def outline(connection: Connection, city_id: str) -> bytes:
    """Return the outline of a city as WKB in the grid CRS; LookupError when there is no such city."""
    row = connection.execute("SELECT boundary FROM city WHERE city_id = ?", [city_id]).fetchone()
    if row is None:
        raise LookupError(city_id)
    return bytes(row[0])


def city_cells(connection: Connection, city_id: str) -> pd.DataFrame:
    """Return one row a cell of a city, by cell_id, for maps and lists.

    Columns: cell_id, x, y, individuals, households, income, imputed, class, fold, valid_share, mapped_share,
    and of the prediction out_of_fold, predicted, expected_class, entropy, spread, z, z_standard (NULL where
    none was made).
    """
    return connection.execute(
        """
        SELECT c.cell_id, c.x, c.y, c.individuals, c.households, c.income, c.imputed, c.class, c.fold,
        c.valid_share, c.mapped_share, p.out_of_fold, p.class AS predicted, p.expected_class, p.entropy,
        p.spread, p.z, p.z_standard
        FROM cell c LEFT JOIN prediction p ON p.city_id = c.city_id AND p.cell_id = c.cell_id
        WHERE c.city_id = ? ORDER BY c.cell_id
        """,
        [city_id],
    ).df()


def agreement(connection: Connection, city_id: str, includes_imputed: bool) -> pd.DataFrame:
    """Return the agreement measures of a city: measure, scope, value, low, high, null_low, null_high, n,
    n_blocks, note."""
    return connection.execute(
        """
        SELECT measure, scope, value, low, high, null_low, null_high, n, n_blocks, note
        FROM agreement WHERE city_id = ? AND includes_imputed = ? ORDER BY measure, scope
        """,
        [city_id, includes_imputed],
    ).df()


def confusion(connection: Connection, city_id: str, includes_imputed: bool) -> pd.DataFrame:
    """Return the confusion matrix of a city as rows: census_class, predicted_class, n."""
    return connection.execute(
        """
        SELECT census_class, predicted_class, n FROM confusion
        WHERE city_id = ? AND includes_imputed = ? ORDER BY census_class, predicted_class
        """,
        [city_id, includes_imputed],
    ).df()


def calibration(connection: Connection, city_id: str, includes_imputed: bool) -> pd.DataFrame:
    """Return the calibration of a city: bin, probability, frequency, low, high, n."""
    return connection.execute(
        """
        SELECT bin, probability, frequency, low, high, n FROM calibration
        WHERE city_id = ? AND includes_imputed = ? ORDER BY bin
        """,
        [city_id, includes_imputed],
    ).df()


@dataclass(frozen=True)
class Stated:
    """Class distributions (n, K) of cells, with their lower-left corners (n,) in metres."""

    x: NDArray[np.int64]
    y: NDArray[np.int64]
    probabilities: NDArray[np.float32]


def stated(connection: Connection, city_id: str, n_classes: int, box: tuple[int, int, int, int]) -> Stated:
    """Return the class distributions of the predicted cells of a city whose corners lie in a box (west,
    south, east, north, its edges included), in no order."""
    columns = [f"p.probabilities[{k}] AS p{k}" for k in range(1, n_classes + 1)]
    west, south, east, north = box
    found = connection.execute(
        f"SELECT c.x, c.y, {', '.join(columns)} FROM cell c "  # noqa: S608
        "JOIN prediction p ON p.city_id = c.city_id AND p.cell_id = c.cell_id "
        "WHERE c.city_id = ? AND c.x BETWEEN ? AND ? AND c.y BETWEEN ? AND ?",
        [city_id, west, east, south, north],
    ).fetchnumpy()
    return Stated(
        found["x"].astype(np.int64),
        found["y"].astype(np.int64),
        np.column_stack([found[f"p{k}"] for k in range(1, n_classes + 1)]),
    )


def largest_disagreements(
    connection: Connection, city_id: str, includes_imputed: bool, limit: int
) -> pd.DataFrame:
    """Return the cells whose out-of-fold prediction lies farthest from the census class, farthest first.

    Columns: cell_id, x, y, class, predicted, expected_class, entropy, individuals, households, imputed. Ties
    in classes are ordered by the expected class, then the id.
    """
    return connection.execute(
        """
        SELECT c.cell_id, c.x, c.y, c.class, p.class AS predicted, p.expected_class, p.entropy, c.individuals,
               c.households, c.imputed
        FROM cell c JOIN prediction p ON p.city_id = c.city_id AND p.cell_id = c.cell_id
        WHERE c.city_id = ? AND c.class IS NOT NULL AND p.out_of_fold AND (? OR NOT c.imputed)
        ORDER BY abs(c.class::INTEGER - p.class::INTEGER) DESC, abs(c.class - p.expected_class) DESC,
        c.cell_id LIMIT ?
        """,
        [city_id, includes_imputed, limit],
    ).df()
