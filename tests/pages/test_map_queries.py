"""The cells by corner against the same rows by id, in pandas."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np
import pandas as pd
import pytest

from data.grid import format_cell_ids
from data.store import map_queries, place_queries, queries
from data.store.open import connect
from pages.shared import cluster_layer
from tests.pages.synthetic import make_publication

CITY = "ker-bihan"


@pytest.fixture(scope="module")
def publication(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(make_publication(tmp_path_factory.mktemp("synthetic"), cells=80)) as connection:
        yield connection


def ids(cells: pd.DataFrame) -> list[str]:
    return format_cell_ids(cells["x"], cells["y"], "EPSG:3035", 200).tolist()


def test_cells_and_districts_are_those_known_by_id(publication: duckdb.DuckDBPyConnection) -> None:
    found = map_queries.map_cells(publication, CITY)
    assert list(zip(found["y"], found["x"], strict=True)) == sorted(zip(found["y"], found["x"], strict=True))
    by_id = queries.city_cells(publication, CITY).set_index("cell_id").loc[ids(found)].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, by_id)
    districts = place_queries.cell_districts(publication, CITY).set_index("cell_id")["district_id"]
    of_cells = map_queries.district_of_cells(publication, CITY).astype(object)
    assert of_cells.fillna("").tolist() == districts.reindex(ids(found)).fillna("").tolist()
    assert of_cells.nunique() > 1


@pytest.mark.parametrize("includes_imputed", [False, True])
def test_clusters_come_to_their_cells(publication: duckdb.DuckDBPyConnection, includes_imputed: bool) -> None:
    cells = map_queries.map_cells(publication, CITY).sample(frac=1, random_state=1)  # in any order
    kinds = cluster_layer.steps(cells, map_queries.local_moran_by_corner(publication, CITY, includes_imputed))
    rows = place_queries.local_moran(publication, CITY, includes_imputed).set_index("cell_id")
    rows = rows.reindex(ids(cells))
    loud = rows["q_value"] < cluster_layer.FALSE_DISCOVERIES
    expected = np.where(loud, 2 * (rows["residual"] > 0) + (rows["around"] > 0), len(cluster_layer.KINDS) - 1)
    assert kinds.tolist() == np.where(rows["residual"].isna(), -1, expected).tolist()
    assert (kinds == -1).any()
    assert (kinds >= 0).any()


def test_main_land_use_is_the_largest_share(publication: duckdb.DuckDBPyConnection) -> None:
    found = map_queries.main_land_use(publication, CITY)
    rows = publication.execute("SELECT cell_id, code, share FROM land_use WHERE city_id = ?", [CITY]).df()
    most = rows.sort_values(["share", "code"]).groupby("cell_id")["code"].last()
    assert dict(zip(ids(found), found["code"], strict=True)) == most.to_dict()


def test_without_the_newer_tables(publication: duckdb.DuckDBPyConnection) -> None:
    with duckdb.connect() as old:
        for table in ("cell", "prediction"):
            rows = publication.execute(f"FROM {table}").df()
            old.register("rows", rows)
            old.execute(f"CREATE TABLE {table} AS FROM rows")
            old.unregister("rows")
        assert len(map_queries.map_cells(old, CITY)) == 80
        assert map_queries.district_of_cells(old, CITY).isna().tolist() == 80 * [True]
        empty = map_queries.local_moran_by_corner(old, CITY, True)
        assert set(cluster_layer.steps(map_queries.map_cells(old, CITY), empty)) == {-1}
