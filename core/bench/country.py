"""A publication as large as a country: the shipped study's cities laid side by side until there are enough.

Every row of a cell, of a city and of a class is a copy of a row of the shipped publication, at another
place: whatever tables a publication has, and however long its rows, the large one has them alike. What it
shows is a mosaic without meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from data.store.write import LARGE_BLOCK, POINTER, SCHEMA, SORT_ORDER, schema_tables, write_atomically

CITIES, LARGEST = 49, 300_000
STUDY_ID = "country"


def city_sizes(cells: int, cities: int = CITIES, largest: int = LARGEST) -> list[int]:
    """Return how many cells each city has: one is the largest, the others share what it leaves.

    >>> city_sizes(1_000_000, cities=3, largest=300_000)
    [300000, 350000, 350000]
    >>> sum(city_sizes(2_300_000)), len(city_sizes(2_300_000))
    (2300000, 49)
    """
    first = min(largest, cells // cities if cells < largest else largest)
    return [first, *(len(part) for part in np.array_split(np.arange(cells - first), cities - 1))]


def make_country(
    template: Path,
    folder: Path,
    cells: int,
    *,
    study_file: Path,
    cities: int = CITIES,
    largest: int = LARGEST,
    said: Callable[[str], None] = lambda text: None,
) -> Path:
    """Write a publication of ``cells`` cells in ``cities`` cities into ``folder`` and return its file.

    Args:
        template: file of a publication (read only) whose cities are repeated.
        folder: becomes a published study, `country`.
        cells: of all cities; one has ``largest`` of them.
        study_file: named by the pointer; photographs that it names are of the template's cities.
        said: hears of the progress.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{STUDY_ID}.duckdb"
    with duckdb.connect(config={"preserve_insertion_order": "true"}) as connection:
        quoted = [str(path).replace("'", "''") for path in (file, template)]
        connection.execute(f"ATTACH '{quoted[0]}' AS country (BLOCK_SIZE {LARGE_BLOCK})")
        connection.execute(f"ATTACH '{quoted[1]}' AS template (READ_ONLY)")
        connection.execute("USE country")
        connection.execute(SCHEMA.read_text(encoding="utf-8"))
        tables = _tables(connection)
        whole = [table for table, columns in tables.items() if "city_id" not in columns]
        for table in whole:
            connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM template.{table}")  # noqa: S608
        connection.execute("UPDATE study SET study_id = ?, title = 'A mosaic'", [STUDY_ID])
        of_study = [t for t in tables if t not in whole]
        for table in of_study:  # rows of the whole study, where a table has them
            connection.execute(
                f"INSERT INTO {table} BY NAME SELECT * FROM template.{table} WHERE city_id IS NULL"  # noqa: S608
            )
        for position, tiles in enumerate(_plan(connection, city_sizes(cells, cities, largest))):
            _add_city(connection, tables, position, tiles)
            said(f"city {position + 1} of {cities}")
        connection.execute("USE memory")
        connection.execute("DETACH country")
    write_atomically(folder / POINTER, f'{{"publication": "{file.name}", "study_file": "{study_file}"}}\n')
    return file


def _tables(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Return the tables that the template has, of those of the schema, with their columns."""
    there = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = 'template'"
    ).fetchall()
    return {name: columns for name, columns in schema_tables().items() if (name,) in there}


def _plan(connection: duckdb.DuckDBPyConnection, sizes: list[int]) -> Iterator[pd.DataFrame]:
    """Yield for each city the squares it is laid of: template city, offset (metres), cells to take of it."""
    templates = connection.execute(
        "SELECT c.city_id, x_min, y_min, x_max, y_max, n FROM template.city c JOIN "
        "(SELECT city_id, count(*) AS n FROM template.cell GROUP BY city_id) USING (city_id) "
        "ORDER BY position"
    ).df()
    south = 0
    for position, size in enumerate(sizes):
        of = templates.iloc[position % len(templates)]
        n_tiles = int(np.ceil(size / of["n"]))
        across = int(np.ceil(np.sqrt(n_tiles)))
        row, column = np.divmod(np.arange(n_tiles), across)
        wide, high = int(of["x_max"] - of["x_min"]), int(of["y_max"] - of["y_min"])
        taken = np.full(n_tiles, int(of["n"]))
        taken[-1] = size - int(of["n"]) * (n_tiles - 1)
        yield pd.DataFrame(
            {
                "template": of["city_id"],
                "dx": column * wide,
                "dy": row * high + south,
                "taken": taken,
            }
        )
        south += high * (int(row.max()) + 1)


def _add_city(
    connection: duckdb.DuckDBPyConnection, tables: dict[str, list[str]], position: int, tiles: pd.DataFrame
) -> None:
    city_id, template = f"city-{position + 1:02d}", tiles["template"].iloc[0]
    connection.register("tiles", tiles)
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE laid AS
        SELECT cell_id AS old_id, x + dx AS x, y + dy AS y,
               format('CRS3035RES200mN{}E{}', y + dy, x + dx) AS cell_id
        FROM (SELECT *, row_number() OVER (PARTITION BY dx, dy ORDER BY old.cell_id) AS place
              FROM template.cell old, tiles WHERE old.city_id = ?)
        WHERE place <= taken
        """,
        [template],
    )
    for table, columns in tables.items():
        if "city_id" not in columns or table in ("city", "land_use_polygon"):
            continue
        order = SORT_ORDER.get(table)
        by = f"ORDER BY {', '.join(order)}" if order else ""
        if "cell_id" in columns:
            place = ", laid.x AS x, laid.y AS y" if "x" in columns else ""
            connection.execute(
                f"INSERT INTO {table} BY NAME SELECT * FROM "  # noqa: S608
                f"(SELECT old.* REPLACE ($1 AS city_id, laid.cell_id AS cell_id{place}) "
                f"FROM template.{table} old JOIN laid ON laid.old_id = old.cell_id "
                f"WHERE old.city_id = $2) {by}",
                [city_id, template],
            )
        else:
            connection.execute(
                f"INSERT INTO {table} BY NAME SELECT * REPLACE ($1 AS city_id) "  # noqa: S608
                f"FROM template.{table} WHERE city_id = $2",
                [city_id, template],
            )
    _add_city_row(connection, city_id, position, template)
    _add_polygons(connection, city_id, tiles)
    connection.unregister("tiles")


def _add_city_row(connection: duckdb.DuckDBPyConnection, city_id: str, position: int, template: str) -> None:
    counts = connection.execute(
        """
        SELECT min(c.x), min(c.y), max(c.x) + 200, max(c.y) + 200, count(c.income), count(p.z),
               count(*) FILTER (c.imputed), count(*) FILTER (c.income IS NULL)
        FROM cell c LEFT JOIN prediction p USING (city_id, cell_id) WHERE c.city_id = ?
        """,
        [city_id],
    ).fetchall()[0]
    connection.execute(
        "INSERT INTO city BY NAME SELECT * REPLACE ($1 AS city_id, $2 AS name, $3 AS position, "
        "$4 AS boundary, $5 AS x_min, $6 AS y_min, $7 AS x_max, $8 AS y_max, $9 AS n_cells, "
        "$10 AS n_predicted, $11 AS n_imputed, $12 AS n_without_income) "
        "FROM template.city WHERE city_id = $13",
        [
            city_id,
            f"City {position + 1}",
            position,
            shapely.to_wkb(shapely.box(*counts[:4])),
            *counts,
            template,
        ],
    )


def _add_polygons(connection: duckdb.DuckDBPyConnection, city_id: str, tiles: pd.DataFrame) -> None:
    """Lay the land-use polygons, one a cell: as many as the Urban Atlas has in a region of that size."""
    polygons = connection.execute(
        "SELECT code, x_min, y_min, x_max, y_max, geometry FROM template.land_use_polygon "
        "WHERE city_id = ? ORDER BY hash(geometry)",
        [tiles["template"].iloc[0]],
    ).df()
    for first in range(0, len(tiles), 50):  # bounded memory
        pieces = []
        for tile in tiles.iloc[first : first + 50].itertuples():
            moved = polygons.head(int(tile.taken)).copy()
            moved[["x_min", "x_max"]] += tile.dx
            moved[["y_min", "y_max"]] += tile.dy
            moved["geometry"] = _moved(moved["geometry"], int(tile.dx), int(tile.dy))
            pieces.append(moved)
        frame = pd.concat(pieces, ignore_index=True).assign(city_id=city_id)  # noqa: F841  read by DuckDB
        connection.execute(
            "INSERT INTO land_use_polygon BY NAME SELECT * FROM frame ORDER BY city_id, code, x_min"
        )


def _moved(geometry: pd.Series, dx: int, dy: int) -> NDArray[np.object_]:
    shapes = shapely.from_wkb(geometry.map(bytes).to_numpy())
    return shapely.to_wkb(shapely.transform(shapes, lambda points: points + np.array([dx, dy])))
