"""Upload: what a file is said to be, what is handed to the worker, who may see it and change it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
import streamlit as st
from rasterio.transform import from_origin
from streamlit.testing.v1 import AppTest

from core import jobs
from core.bench import tiny
from tests.pages.browser import write_photograph
from tests.pages.conftest import RunPage, texts, upload

pytestmark = pytest.mark.usefixtures("no_worker", "in_this_process")


def test_a_photograph_is_described_and_queued(
    run_page: RunPage, tmp_path: Path, no_worker: list[int]
) -> None:
    content = write_photograph(tmp_path / "photo.tif").read_bytes()
    test = upload(run_page("upload"), "my town.tif", content)
    assert not test.exception
    said = texts(test)
    assert ">6<" in said and "EPSG:2154" in said and "Invented cities" in said
    test.button(key="upload.submit").click().run()
    assert not test.exception
    job = test.query_params["job"]
    asked = json.loads((tmp_path / "var" / "jobs" / job / "job.json").read_text())
    assert (asked["name"], asked["study_id"]) == ("my town.tif", "synthetic")
    assert (tmp_path / "var" / "jobs" / job / asked["photographs"] / "0000.tif").read_bytes() == content
    assert no_worker
    assert "Waiting for the worker" in test.get("progress")[0].proto.text
    test.button(key="job.pause").click().run()
    assert not test.exception
    assert "Paused before it began" in test.get("progress")[0].proto.text
    asked_before = len(no_worker)
    test.button(key="job.resume").click().run()
    assert len(no_worker) > asked_before
    assert "Waiting for the worker" in test.get("progress")[0].proto.text
    test.button(key="job.cancel").click().run()
    assert not test.exception
    assert "was cancelled" in test.info[0].value
    test.button(key="job.delete").click().run()
    assert not test.exception
    assert "job" not in test.query_params
    assert not list((tmp_path / "var" / "jobs").iterdir())


def test_a_full_quota_is_said(run_page: RunPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARREAU_MAX_JOBS", "1")
    content = write_photograph(tmp_path / "town.tif").read_bytes()
    test = upload(run_page("upload"), "town.tif", content)
    test.button(key="upload.submit").click().run()
    test.query_params.pop("job")
    test = upload(test.run(), "town.tif", content)
    test.button(key="upload.submit").click().run()
    assert not test.exception
    assert "1 of your jobs have not ended, and 1 are allowed" in texts(test) + test.error[0].value


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [("notes.tif", b"no photograph at all", "notes.tif"), ("empty.tif", b"", "empty.tif")],
)
def test_an_unusable_file_is_named_and_cannot_be_submitted(
    run_page: RunPage, name: str, content: bytes, fault: str
) -> None:
    test = upload(run_page("upload"), name, content)
    assert not test.exception
    assert test.error[0].value.startswith(fault)
    assert "carreau-" not in test.error[0].value
    assert test.button(key="upload.submit").disabled


def test_too_small_a_photograph_says_what_would_do(run_page: RunPage, tmp_path: Path) -> None:
    content = write_photograph(tmp_path / "small.tif", side_m=120).read_bytes()
    test = upload(run_page("upload"), "small.tif", content)
    assert "small.tif" in test.error[0].value and "200" in test.error[0].value
    assert test.button(key="upload.submit").disabled


def upload_all(test: AppTest, files: dict[str, bytes]) -> AppTest:
    given = [(name, content, "image/tiff") for name, content in files.items()]
    return test.file_uploader(key="upload.photograph").set_value(given).run()


def test_a_bare_photograph_gets_its_place_from_a_world_file_and_a_chosen_crs(
    run_page: RunPage, tmp_path: Path
) -> None:
    bare = tiny.write_photograph(tmp_path / "bare.tif", 2, 2, crs=None, transform=rasterio.Affine.identity())
    world = f"2\n0\n0\n-2\n{tiny.WEST + 1}\n{tiny.NORTH - 1}\n".encode()
    test = upload_all(run_page("upload"), {"bare.tif": bare.read_bytes(), "bare.tfw": world})
    assert not test.exception
    assert "bare.tif: has no CRS" in test.error[0].value
    assert test.button(key="upload.submit").disabled
    test.selectbox(key="upload.crs").set_value("EPSG:3035 (LAEA, Europe)").run()
    assert not test.exception and not test.error
    assert ">4<" in texts(test)
    test.button(key="upload.submit").click().run()
    folder = tmp_path / "var" / "jobs" / test.query_params["job"]
    asked = json.loads((folder / "job.json").read_text())
    assert asked["reading"] == {"bands": None, "levels": None, "crs": "EPSG:3035"}
    assert sorted(p.name for p in (folder / "input" / "photographs").iterdir()) == ["0000.tif", "0000.wld"]


def test_sixteen_bits_and_unmarked_bands_are_guessed_and_may_be_corrected(
    run_page: RunPage, tmp_path: Path
) -> None:
    pixels = tiny.random_blocks(200, 200).astype(np.uint16) * 8
    four = np.concatenate([pixels, pixels[:1]])
    path = tiny.write_photograph(
        tmp_path / "deep.tif", 2, 2, pixels=four, count=4, dtype="uint16", photometric="minisblack"
    )
    test = upload(run_page("upload"), "deep.tif", path.read_bytes())
    assert not test.exception and not test.error
    assert "uint16 values are stretched" in texts(test)
    test.selectbox(key="upload.red").set_value(3).run()
    test.number_input(key="upload.white").set_value(1000.0).run()
    assert not test.exception and not test.error
    test.button(key="upload.submit").click().run()
    asked = json.loads((tmp_path / "var" / "jobs" / test.query_params["job"] / "job.json").read_text())
    assert asked["reading"]["bands"] == [3, 2, 3]
    assert asked["reading"]["levels"][1] == 1000.0


def test_the_server_s_folder_is_offered_and_read_in_place(
    run_page: RunPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = tmp_path / "drop"
    (drop / "town").mkdir(parents=True)
    for number in range(2):
        place = from_origin(tiny.WEST + 400 * number, tiny.NORTH, 2, 2)
        tiny.write_photograph(drop / "town" / f"{number}.tif", 2, 2, transform=place)
    monkeypatch.setenv("CARREAU_DROP_FOLDER", str(drop))
    test = run_page("upload")
    test.button_group(key="upload.source").set_value("The server’s folder").run()
    test.selectbox(key="upload.dropped").set_value("town/").run()
    assert not test.exception and not test.error
    assert ">8<" in texts(test) and "2 tiles of" in texts(test)
    test.button(key="upload.submit").click().run()
    folder = tmp_path / "var" / "jobs" / test.query_params["job"]
    assert json.loads((folder / "job.json").read_text())["photographs"] == str(drop / "town")
    assert not list((folder / "input").iterdir())


def test_land_use_and_census_of_any_kind_by_their_columns(run_page: RunPage, tmp_path: Path) -> None:
    photograph = tiny.write_photograph(tmp_path / "town.tif", 2, 2)
    west, south = tiny.WEST, tiny.NORTH - 400
    whole = [shapely.box(west, south, west + 400, south + 400)]
    layers = {}
    for name, columns in (("zoning", {"zone": ["UA"]}), ("grid", {"poverty": [0.2], "income": [9.0]})):
        path = tmp_path / f"{name}.gpkg"
        gpd.GeoDataFrame(columns, geometry=whole, crs="EPSG:3035").to_file(path, driver="GPKG")
        layers[name] = (f"{name}.gpkg", path.read_bytes(), "application/geopackage+sqlite3")
    test = upload(run_page("upload"), "town.tif", photograph.read_bytes())
    test.file_uploader(key="upload.land_use").set_value(layers["zoning"])
    test.file_uploader(key="upload.census").set_value(layers["grid"]).run()
    assert not test.exception
    assert "zoning.gpkg" in test.error[0].value and test.button(key="upload.submit").disabled
    test.selectbox(key="upload.land_use_column").set_value("zone").run()
    assert not test.exception and not test.error
    assert "1 polygon, 1 land-use class" in texts(test)
    test.selectbox(key="upload.census_column").set_value("income").run()
    test.button(key="upload.submit").click().run()
    assert not test.exception
    asked = json.loads((tmp_path / "var" / "jobs" / test.query_params["job"] / "job.json").read_text())
    assert (asked["land_use_column"], asked["census_column"]) == ("zone", "income")
    assert (asked["land_use_name"], asked["census_name"]) == ("zoning.gpkg", "grid.gpkg")


def test_whoever_has_the_link_sees_a_job_and_only_its_key_changes_it(
    run_page: RunPage, tmp_path: Path
) -> None:
    content = write_photograph(tmp_path / "photo.tif").read_bytes()
    test = upload(run_page("upload"), "town.tif", content)
    test.button(key="upload.submit").click().run()
    job, key = test.query_params["job"], test.query_params["key"]
    other = run_page("upload", job=job)
    assert not other.exception
    assert "Waiting for the worker" in other.get("progress")[0].proto.text
    assert not [b for b in other.button if b.key in ("job.cancel", "job.pause")]
    wrong = run_page("upload", job=job, key="not-" + key)
    assert not [b for b in wrong.button if b.key == "job.cancel"]
    with_key = run_page("upload", job=job, key=key)
    with_key.button(key="job.cancel").click().run()
    assert not with_key.exception
    assert jobs.state(job).state == "cancelled"
    assert not [b for b in run_page("upload", job=job).button if b.key in ("job.delete", "job.again")]
    again = run_page("upload", job=job, key=key)
    again.button(key="job.again").click().run()
    assert not again.exception and again.query_params["job"] != job
    assert jobs.state(str(again.query_params["job"])).state == "queued"
    assert [b for b in again.button if b.key == "job.cancel"]  # the key is that of the new job, too


def test_a_dashboard_open_to_other_machines_takes_no_uploads_without_sign_in(
    run_page: RunPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = st.get_option
    listens = {"server.address": "192.0.2.1"}
    monkeypatch.setattr(st, "get_option", lambda name: listens.get(name) or real(name))
    test = run_page("upload")
    assert not test.exception
    assert "Uploads are closed" in test.error[0].value
    assert not test.file_uploader


def test_several_studies_have_one_control_on_every_page(
    run_page: RunPage, publication: Path, tmp_path: Path
) -> None:
    studies = tmp_path / "studies"
    for name in ("one", "two"):
        shutil.copytree(publication.parent, studies / name)
        with duckdb.connect(str(studies / name / publication.name)) as rows:
            rows.execute("UPDATE study SET study_id = ?", [name])
    for page in ("city", "patterns", "cell", "upload", "about"):
        test = run_page(page, studies=studies)
        assert not test.exception, page
        controls = [box for box in test.selectbox if box.key == "study"]
        assert len(controls) == 1, page
        assert test.query_params["study"] == "one", page  # which is the default may change, so it is named
        controls[0].set_value("two").run()
        assert not test.exception, page
        assert test.query_params["study"] == "two", page
