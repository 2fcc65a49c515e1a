"""Questions to a publication against the same worked out in pandas."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest
import shapely

from data.store import cell_queries, queries
from data.store.open import connect
from tests.pages.synthetic import make_publication


@pytest.fixture(scope="module")
def publication(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    return connect(make_publication(tmp_path_factory.mktemp("synthetic"), cells=80))


def test_study_and_cities(publication: duckdb.DuckDBPyConnection) -> None:
    assert queries.study(publication).study_id == "synthetic"
    first, second = queries.cities(publication)
    assert (first.city_id, first.name, first.has_land_use) == ("ker-bihan", "Kêr-Bihan", True)
    assert first.planted_codes == ("11220", "14100")
    assert second.planted_codes == ()
    assert shapely.from_wkb(queries.outline(publication, "ker-bihan")).area > 80 * 200 * 200
    with pytest.raises(LookupError):
        queries.outline(publication, "nowhere")


def test_city_cells_keep_cells_without_prediction(publication: duckdb.DuckDBPyConnection) -> None:
    cells = queries.city_cells(publication, "ker-bihan")
    city = queries.cities(publication)[0]
    assert len(cells) == 80
    assert cells["predicted"].notna().sum() == city.n_predicted
    assert cells["imputed"].sum() == city.n_imputed
    assert cells["class"].notna().sum() == city.n_cells
    assert cells["income"].isna().sum() == city.n_without_income
    assert cells["cell_id"].is_monotonic_increasing


def test_largest_disagreements(publication: duckdb.DuckDBPyConnection) -> None:
    cells = queries.city_cells(publication, "ker-bihan").dropna(subset=["class", "predicted"])
    for imputed in (True, False):
        found = queries.largest_disagreements(publication, "ker-bihan", imputed, 5)
        used = cells if imputed else cells[~cells["imputed"]]
        off = (used["class"].astype(int) - used["predicted"].astype(int)).abs()
        largest = off.sort_values(ascending=False).head(5).tolist()
        assert (found["class"].astype(int) - found["predicted"].astype(int)).abs().tolist() == largest
    order = cell_queries.disagreement_order(publication, "ker-bihan")
    assert set(order) == set(cells["cell_id"])
    assert order[:5] == queries.largest_disagreements(publication, "ker-bihan", False, 5)["cell_id"].tolist()
    imputed_last = cells.set_index("cell_id").loc[order, "imputed"].tolist()
    assert imputed_last == sorted(imputed_last)


def test_confusion_counts_the_cells(publication: duckdb.DuckDBPyConnection) -> None:
    table = queries.confusion(publication, "ker-bihan", True)
    assert len(table) == 100
    cells = queries.city_cells(publication, "ker-bihan")
    assert table["n"].sum() == (cells["class"].notna() & cells["predicted"].notna()).sum()


def test_evidence_adds_up_over_land_use(publication: duckdb.DuckDBPyConnection) -> None:
    cells = queries.city_cells(publication, "port-azur").dropna(subset=["predicted"])
    for cell in cells.head(10).itertuples():
        evidence = cell_queries.evidence_map(publication, "port-azur", cell.cell_id)
        assert evidence.shape == (8, 8)
        assert evidence.mean() == pytest.approx(cell.z_standard, abs=2e-3)
        parts = cell_queries.land_use_of_cell(publication, "port-azur", cell.cell_id)
        assert parts["contribution"].sum() == pytest.approx(cell.z_standard, abs=2e-3)
        assert parts["share"].is_monotonic_decreasing
    assert cell_queries.evidence_map(publication, "port-azur", "none") is None
    assert cell_queries.probabilities(publication, "port-azur", "none") is None
    chances = cell_queries.probabilities(publication, "port-azur", cells.iloc[0]["cell_id"])
    assert chances.sum() == pytest.approx(1, abs=1e-5)
    assert chances.argmax() + 1 == cells.iloc[0]["predicted"]


def test_evidence_reach_is_a_high_percentile(publication: duckdb.DuckDBPyConnection) -> None:
    rows = publication.execute("SELECT map_values FROM activation_map WHERE city_id = 'ker-bihan'").fetchall()
    values = np.abs(np.concatenate([np.frombuffer(row[0], "<f2") for row in rows]).astype(float))
    assert cell_queries.evidence_reach(publication, "ker-bihan") == pytest.approx(np.quantile(values, 0.95))
    assert cell_queries.evidence_reach(publication, "nowhere") == 1.0


def test_polygons_are_clipped_to_the_square(publication: duckdb.DuckDBPyConnection) -> None:
    cell = queries.city_cells(publication, "ker-bihan").iloc[7]
    polygons = cell_queries.polygons_in_square(publication, "ker-bihan", int(cell.x), int(cell.y), 200)
    square = shapely.box(cell.x, cell.y, cell.x + 200, cell.y + 200)
    geometries = polygons["geometry"].to_numpy()
    assert shapely.covers(square, geometries).all()
    areas = pd.Series(shapely.area(geometries)).groupby(polygons["code"]).sum()
    published = cell_queries.land_use_of_cell(publication, "ker-bihan", cell.cell_id).set_index("code")[
        "area_m2"
    ]
    pd.testing.assert_series_equal(
        areas.sort_index(), published.sort_index(), check_names=False, rtol=1e-4, check_dtype=False
    )
    assert polygons["colour"].str.fullmatch("#[0-9A-F]{6}").all()
    nowhere = cell_queries.polygons_in_square(publication, "ker-bihan", 0, 0, 200)
    assert nowhere.empty
