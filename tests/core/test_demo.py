"""The shipped demo: its figures can be recomputed from the photographs and weights that ship with it."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import torch

from core.settings import REPOSITORY, SHIPPED_DEMO
from core.statistics.landuse import class_quantities, pair_quantities
from core.statistics.spatial import local_morans_i
from core.study import read_study
from data.coverage import LandUseIndex, coarsen
from data.grid import Grid
from data.imagery import Mosaic, open_imagery
from data.store.open import connect, current_publication

CELLS_A_CITY = 10


pytestmark = pytest.mark.skipif(
    not SHIPPED_DEMO.is_dir(), reason=f"no demo study has been published to {SHIPPED_DEMO} yet"
)


@pytest.fixture(scope="module")
def published() -> Path:
    return current_publication(SHIPPED_DEMO).file


def rows(published: Path, query: str, values: list[str] | None = None) -> pd.DataFrame:
    with connect(published) as connection:
        return connection.execute(query, values or []).df()


def test_cities_are_large_enough_and_agree_as_they_should(published: Path) -> None:
    cities = rows(published, "SELECT * FROM city")
    assert len(cities) == 3
    assert (cities.n_cells >= 700).all()
    assert cities.sort_values("position").recipe.tolist() == ["objects", "mix", "hidden"]
    spearman = rows(
        published,
        "SELECT a.*, c.recipe FROM agreement a JOIN city c USING (city_id) WHERE measure = 'spearman' "
        "AND scope = 'within_fold' AND NOT includes_imputed",
    )
    assert len(spearman) == 3
    for row in spearman.itertuples():
        if row.recipe != "hidden":
            assert row.value >= 0.6
        else:
            assert row.null_low <= row.value <= row.null_high


def test_it_stays_within_its_size() -> None:
    folder = REPOSITORY / "data" / "demo"
    # census and land use do not ship: `core world` writes them again
    shipped = [p for p in folder.rglob("*") if p.is_file() and p.parent.name not in ("census", "land_use")]
    assert sum(p.stat().st_size for p in shipped) < 60e6
    assert len(list((folder / "published").glob("*.duckdb"))) == 1


def images_of_blocks(
    mosaic: Mosaic, published: Path, city_id: str, cells: pd.DataFrame, px: int
) -> dict[str, np.ndarray]:
    """Images of cells, read as the pipeline read them: with every cell of their blocks of 8 x 8.

    A cell read alone differs by a grey level here and there, and z with it by up to 0.05.
    """
    there = rows(published, "SELECT cell_id, x, y FROM cell WHERE city_id = ?", [city_id])
    wanted = set(zip(cells.x // 1600, cells.y // 1600, strict=True))
    block = [place in wanted for place in zip(there.x // 1600, there.y // 1600, strict=True)]
    there = there[block].reset_index(drop=True)
    images = np.zeros((len(there), px, px, 3), np.uint8)
    mosaic.read_into(images, Grid(), there.x, there.y)
    return dict(zip(there.cell_id, images, strict=True))


@pytest.mark.parametrize("position", [0, 1, 2])
def test_recomputed_from_shipped_photographs_and_weights(published: Path, position: int) -> None:
    from models.activation import evidence, paper_maps
    from models.checkpoint import load_model
    from models.predict import predict

    torch.set_num_threads(1)
    study = read_study(current_publication(SHIPPED_DEMO).study_file)
    city = study.cities[position]
    cells = rows(
        published,
        "SELECT c.cell_id, c.x, c.y, c.fold, p.z, p.class, p.expected_class, p.probabilities, m.height, "
        "m.width, m.map_values FROM cell c JOIN prediction p USING (city_id, cell_id) "
        "JOIN activation_map m USING (city_id, cell_id) WHERE city_id = ? AND p.out_of_fold "
        "ORDER BY hash(c.x // 1600), hash(c.y // 1600), hash(cell_id) LIMIT ?",
        [city.id, CELLS_A_CITY],  # type: ignore[list-item]
    )
    models = rows(
        published,
        "SELECT * FROM model WHERE city_id IS NULL OR city_id = ?",
        [city.id],  # type: ignore[list-item]
    ).set_index("fold")
    polygons = rows(published, "SELECT code, geometry FROM land_use_polygon WHERE city_id = ?", [city.id])
    land_use = gpd.GeoDataFrame(
        polygons[["code"]], geometry=shapely.from_wkb([bytes(g) for g in polygons.geometry]), crs="EPSG:3035"
    )
    index = LandUseIndex.of(land_use)
    px = study.network.input_px
    networks = {
        fold: load_model(published.parent / model.file, torch.device("cpu"))[0]
        for fold, model in models.iterrows()
        if fold in set(cells.fold)
    }
    with open_imagery(city.imagery.path) as mosaic:
        pictures = images_of_blocks(mosaic, published, city.id, cells, px)
        for cell in cells.itertuples():
            image = pictures[cell.cell_id]
            network, model = networks[cell.fold], models.loc[cell.fold]
            found = predict(network, image[None])
            assert found.z[0] == pytest.approx(cell.z, abs=0.02)
            np.testing.assert_allclose(found.probabilities[0], cell.probabilities, atol=5e-3)
            assert found.expected_class[0] == pytest.approx(cell.expected_class, abs=0.05)
            maps = evidence(found.maps, found.bias, model.z_mean, model.z_std)[0]
            shipped = np.frombuffer(bytes(cell.map_values), "<f2").reshape(cell.height, cell.width)
            np.testing.assert_allclose(maps, shipped.astype(float), atol=0.02 * max(1.0, np.abs(maps).max()))

            codes, coverage = index.coverage(cell.x, cell.y, 200, (px, px))
            stored = rows(
                published,
                "SELECT * FROM activation WHERE city_id = ? AND cell_id = ?",
                [city.id, cell.cell_id],
            ).set_index(["method", "code"])
            signed = class_quantities(maps, coarsen(coverage, px // maps.shape[0]))
            rich, poor = paper_maps(network, image[None], flips=True)
            paper = pair_quantities(rich[0], poor[0], coverage)
            share = coverage.mean(axis=(1, 2))
            for number, code in enumerate(codes):
                if share[number] < 0.005:
                    continue
                row = stored.loc[("cam", code)]
                assert signed.contribution[number] == pytest.approx(row.contribution, abs=0.02)
                assert signed.excess[number] == pytest.approx(row.excess, abs=0.05)
                ratio = stored.loc[("paper", code)].ratio_rich
                if np.isfinite(paper.ratio_rich[number]) and np.isfinite(ratio):
                    assert paper.ratio_rich[number] == pytest.approx(ratio, rel=0.15, abs=0.05)


def test_errors_clusters_likeness_and_districts_are_there(published: Path) -> None:
    compared = rows(
        published,
        "SELECT p.city_id, cell_id, x, y, expected_class - c.class AS off, model_id, feature, district_id "
        "FROM prediction p JOIN cell c USING (city_id, cell_id) "
        "LEFT JOIN cell_feature USING (city_id, cell_id) "
        "LEFT JOIN cell_district USING (city_id, cell_id) WHERE out_of_fold",
    )
    assert compared.notna().all(axis=None)  # districts cover the cities
    for city_id, city in compared.groupby("city_id"):
        value = pd.Series(local_morans_i(city.x, city.y, city.off), index=city.cell_id).dropna()
        found = rows(
            published, "SELECT * FROM local_moran WHERE includes_imputed AND city_id = ?", [str(city_id)]
        )
        np.testing.assert_allclose(found.set_index("cell_id").value[value.index], value, atol=1e-4)
        assert city.district_id.nunique() == 9
        for _, one in city.groupby("model_id"):
            likeness = np.stack(one.feature) @ np.stack(one.feature).T
            np.testing.assert_allclose(np.diag(likeness), 1, atol=1e-5)
            assert abs(likeness.mean()) < 0.3  # about their mean, not about zero
