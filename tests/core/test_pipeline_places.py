"""Clusters of errors, features and districts of the tiny study, recomputed from its files and networks."""

from __future__ import annotations

import tomllib
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from core.pipeline.ingest import ingest_inputs
from core.pipeline.predict import load_folds, models_of
from core.pipeline.run import open_workspace, run_study
from core.pipeline.train import model_tasks
from core.settings import Settings
from core.statistics.spatial import local_morans_i
from data.errors import InputError, StudyError
from data.store import place_queries
from data.store.open import connect, current_publication
from models.predict import predict

pytestmark = pytest.mark.xdist_group("pipeline")


def frame(published: Path, query: str) -> pd.DataFrame:
    with connect(published) as connection:
        return connection.execute(query).df()


@pytest.mark.parametrize("includes_imputed", [True, False])
def test_clusters_are_those_of_the_published_residuals(published: Path, includes_imputed: bool) -> None:
    cells = frame(
        published,
        "SELECT city_id, cell_id, x, y, imputed, p.expected_class - c.class AS off FROM prediction p "
        "JOIN cell c USING (city_id, cell_id) WHERE out_of_fold",
    )
    for city_id, city in cells.groupby("city_id"):
        city = city if includes_imputed else city[~city.imputed]
        with connect(published) as connection:
            found = place_queries.local_moran(connection, city_id, includes_imputed).set_index("cell_id")
        expected = local_morans_i(city.x, city.y, city.off)
        touching = np.isfinite(expected)
        assert set(found.index) == set(city.cell_id[touching])
        there = found.loc[city.cell_id[touching]]
        np.testing.assert_allclose(there.value, expected[touching], atol=1e-4)
        standard = (city.off - city.off.mean()) / city.off.std(ddof=0)
        np.testing.assert_allclose(there.residual, standard[touching], atol=1e-4)
        np.testing.assert_allclose(there.residual * there.around, there.value, atol=1e-4)
        assert there.p_value.between(1e-6, 1).all() and there.p_value.min() < 0.1
        q = stats.false_discovery_control(there.p_value.to_numpy(float))
        np.testing.assert_allclose(there.q_value, q, rtol=1e-3)


def test_features_recomputed_from_photographs_and_networks(
    published: Path, settings: Settings, study_file: Path
) -> None:
    """Cosines of centred features, by numpy, over the cells of a network; no other cells are compared."""
    workspace = open_workspace(study_file, settings)
    plan = workspace.table("train", "plan", "plan")
    tasks = model_tasks(workspace.study, plan)
    network = load_folds(workspace, models_of(tasks, "port-imagine"))[1].network
    rows = []
    for city in workspace.study.cities:
        mine = plan[plan.city_id == city.id].reset_index(drop=True)
        images = workspace.array("ingest", city.id, "images")[mine.index[mine.fold == 1]]
        features = predict(network, images, maps=False, features=True).features
        rows.append(mine[mine.fold == 1].assign(feature=list(features)))
    cells = pd.concat(rows, ignore_index=True)
    assert cells.city_id.nunique() == 2  # one network for both cities
    centred = np.stack(cells.feature).astype(float)
    centred -= centred.mean(0)
    u, size, _ = np.linalg.svd(centred, full_matrices=False)
    turned = (u * size)[:, :32]
    turned /= np.linalg.norm(turned, axis=1, keepdims=True)

    stored = frame(published, "SELECT * FROM cell_feature WHERE model_id = 'fold-1'")
    stored = stored.merge(cells[["city_id", "cell_id"]].reset_index()).set_index("index").sort_index()
    assert len(stored) == len(cells)
    features = np.stack(stored.feature)
    assert features.shape == (len(cells), 32)
    np.testing.assert_allclose(features @ features.T, turned @ turned.T, atol=0.01)  # kept in half precision

    one = int(np.flatnonzero(cells.city_id == "feinteville")[3])
    here = np.flatnonzero(cells.city_id == "feinteville")
    with connect(published) as connection:
        near = place_queries.similar_cells(connection, "feinteville", cells.cell_id[one], len(cells))
    assert set(near.cell_id) == set(cells.cell_id[here]) - {cells.cell_id[one]}
    likeness = pd.Series((turned @ turned[one])[here], index=cells.cell_id[here])
    np.testing.assert_allclose(near.likeness, likeness[near.cell_id], atol=0.01)
    assert near.likeness.is_monotonic_decreasing


def test_every_compared_cell_has_features_of_its_own_network(published: Path) -> None:
    table = frame(
        published,
        "SELECT fold, model_id, list_dot_product(feature, feature) AS size FROM prediction "
        "JOIN cell USING (city_id, cell_id) LEFT JOIN cell_feature USING (city_id, cell_id) "
        "WHERE out_of_fold",
    )
    assert (table.model_id == "fold-" + table.fold.astype(str)).all()
    np.testing.assert_allclose(table["size"], 1, atol=1e-5)
    assert len(table) == frame(published, "SELECT count(*) AS n FROM cell_feature").n[0]


def test_districts_are_those_of_the_files(published: Path, study_file: Path) -> None:
    """By a spatial join of geopandas, in the CRS of the file."""
    for city in tomllib.loads(study_file.read_text(encoding="utf-8"))["cities"]:
        path = study_file.parent / city["districts"]["path"]
        districts = gpd.read_parquet(path) if path.suffix == ".parquet" else gpd.read_file(path)
        cells = frame(published, f"SELECT cell_id, x, y FROM cell WHERE city_id = '{city['id']}'")
        centres = gpd.GeoDataFrame(
            cells, geometry=gpd.points_from_xy(cells.x + 100, cells.y + 100), crs=3035
        ).to_crs(districts.crs)
        expected = centres.sjoin(districts).set_index("cell_id").CODE_IRIS
        with connect(published) as connection:
            found = place_queries.cell_districts(connection, city["id"]).set_index("cell_id").district_id
            named = place_queries.districts(connection, city["id"]).set_index("district_id").name
        assert len(found) == len(cells)
        assert found.sort_index().equals(expected.sort_index().rename("district_id").astype(found.dtype))
        assert named.to_dict() == districts.set_index("CODE_IRIS").NOM_IRIS[named.index].to_dict()
    kinds = frame(published, "SELECT DISTINCT kind, crs FROM provenance").set_index("kind").crs
    assert kinds["districts"] == "EPSG:2154"


def test_new_districts_leave_images_and_networks_alone(study_file: Path, settings: Settings) -> None:
    workspace = open_workspace(study_file, settings)
    city = workspace.study.cities[0]
    without = city.model_copy(update={"districts": None})
    assert ingest_inputs(workspace, city) == ingest_inputs(workspace, without)


def test_districts_of_another_place_are_refused(study_file: Path, settings: Settings, tmp_path: Path) -> None:
    here = study_file.parent
    text = study_file.read_text(encoding="utf-8").replace('path = "', f'path = "{here}/')
    text = text.replace('truth = "', f'truth = "{here}/')
    one = next(here.glob("feinteville/districts/*.parquet"))
    other = tmp_path / "study.toml"
    other.write_text(text.replace(str(next(here.glob("port-imagine/districts/*.shp"))), str(one)))
    with pytest.raises(InputError, match=r"contours-iris.*no district near the city.*bring the file"):
        run_study(other, Settings(var=tmp_path, threads=1, device="cpu"), stage="ingest")


def test_networks_of_a_publication_stand_in_for_training(
    published: Path, settings: Settings, study_file: Path, tmp_path: Path
) -> None:
    other = Settings(var=tmp_path / "var", threads=1, device="cpu")
    said: list[str] = []
    for stage in ("ingest", "train", "predict"):
        run_study(study_file, other, stage=stage, networks_of=published.parent, say=said.append)
    assert sum("taken from" in line for line in said) == 2
    mine, theirs = open_workspace(study_file, other), open_workspace(study_file, settings)
    for city in mine.study.cities:
        pd.testing.assert_frame_equal(
            mine.table("predict", city.id, "predictions"), theirs.table("predict", city.id, "predictions")
        )
    assert mine.facts("train", "fold-0") == pytest.approx(theirs.facts("train", "fold-0"))
    run_study(study_file, other, stage="train", say=said.append)  # nothing is left to train
    assert all(line.endswith("(done before)") for line in said[-3:])


@pytest.mark.parametrize(
    ("change", "fault"),
    [(("epochs = 1", "epochs = 2"), r"other settings \(train\)"), (("seed = 3", "seed = 4"), r"study\.seed")],
)
def test_networks_made_otherwise_are_refused(
    published: Path, study_file: Path, tmp_path: Path, change: tuple[str, str], fault: str
) -> None:
    here = study_file.parent
    text = study_file.read_text(encoding="utf-8").replace('path = "', f'path = "{here}/')
    changed = text.replace('truth = "', f'truth = "{here}/').replace(*change, 1)
    (tmp_path / "study.toml").write_text(changed, encoding="utf-8")
    settings = Settings(var=tmp_path / "var", threads=1, device="cpu")
    run_study(tmp_path / "study.toml", settings, stage="ingest", say=lambda line: None)
    with pytest.raises(StudyError, match=f"{fault}.*--networks-of"):
        run_study(tmp_path / "study.toml", settings, stage="train", networks_of=published.parent)
    assert current_publication(published.parent).file == published
