"""The result of a job: maps, a chosen cell, figures, tables, agreement, files to take away."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from PIL import Image

from data.grid import format_cell_id
from pages.shared import farthest_off, job_maps, job_result, job_words
from pages.shared.job_cells import ResultCells
from pages.shared.selection import Selection
from tests.pages.conftest import RunPage, texts
from tests.pages.stand_in_job import JOB

CELLS = [(4_000_000, 2_800_200), (4_000_000, 2_800_000), (4_000_200, 2_800_000)]


@pytest.fixture
def result_folder(tmp_path: Path) -> Path:
    """A result of three cells in an L, as `core.results` leaves it."""
    folder = tmp_path / "result"
    folder.mkdir()
    probabilities = np.full((3, 10), 0.02)
    probabilities[[0, 1, 2], [0, 4, 9]] = 0.82
    cells = pd.DataFrame(
        {
            "cell_id": [format_cell_id(x, y) for x, y in CELLS],
            "decile": [1, 5, 10],
            "x": [x for x, _ in CELLS],
            "y": [y for _, y in CELLS],
            "valid_share": 1.0,
            "class": [1, 5, 10],
            "expected_class": [1.7, 5.1, 9.3],
            "z": [-2.0, 0.0, 2.0],
            "z_standard": [-1.5, 0.0, 1.5],
            "entropy": 0.4,
            "spread": [0.3, 0.2, 0.1],
            "probabilities": list(probabilities),
        }
    )
    squares = [shapely.box(x, y, x + 200, y + 200) for x, y in CELLS]
    gpd.GeoDataFrame(cells, geometry=squares, crs="EPSG:3035").to_parquet(folder / "cells.parquet")
    cells.drop(columns="probabilities").to_csv(folder / "cells.csv", index=False)
    maps = np.zeros((3, 2, 2), "<f2")
    maps[0, 0, 0] = -2  # north-west corner of the northern cell
    maps[2, 1, 1] = 9  # south-east corner of the eastern cell
    pd.DataFrame(
        {
            "cell_id": cells.cell_id,
            "method": "cam",
            "height": 2,
            "width": 2,
            "map_values": [m.tobytes() for m in maps],
        }
    ).to_parquet(folder / "maps.parquet")
    pd.DataFrame(
        {
            "cell_id": cells.cell_id[:2],
            "method": "cam",
            "code": ["11100", "11100"],
            "area_m2": [10_000.0, 30_000.0],
            "share": [0.25, 0.75],
            "ratio_rich": [1.5, 0.5],
            "ratio_poor": [0.5, 1.5],
            "excess": [1.0, 0.0],
            "contribution": [0.5, 0.25],
        }
    ).to_parquet(folder / "activation.parquet")
    Image.fromarray(np.full((8, 8, 4), 120, np.uint8)).save(folder / "preview.png")
    summary = {
        "study_id": "synthetic",
        "publication": "p.duckdb",
        "name": "town.tif",
        "land_use": "atlas.gpkg",
        "networks": 3,
        "n_classes": 10,
        "device": "cpu",
        "grid_crs": "EPSG:3035",
        "cell_size_m": 200,
        "cells": 3,
        "skipped": 1,
        "imagery_crs": "EPSG:2154",
        "resolution_m": 0.2,
        "training_resolution_m": 1.0,
        "network_pixel_m": 1.5625,
        "preview_extent": [4_000_000, 2_800_000, 4_000_400, 2_800_400],
        "warnings": ["The photograph is finer."],
    }
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder


def everything(result: job_result.JobResult) -> ResultCells:
    """All cells of a result."""
    return ResultCells(Selection(), quintiles=False, with_imputed=False, result=result)


def test_bitmaps_put_cells_and_evidence_where_they_belong(result_folder: Path) -> None:
    result = job_result.read_result(result_folder)
    drawn = job_result.layer_of(result, "predicted", quintiles=False)
    classes = job_result.layer_bitmap(result, drawn, (0, 0, 0), 255)
    assert classes[..., 3].tolist() == [[255, 0], [255, 255]]  # north-east: no cell
    assert tuple(classes[1, 1, :3]) == tuple(job_result.palette.rgb(job_result.palette.sequential(10)[9]))
    evidence = job_result.evidence_bitmap(result)
    assert evidence.shape == (4, 4, 4)
    assert np.argwhere(evidence[..., 3] > 0).tolist() == [[0, 0], [3, 3]]
    poorest, richest = (job_result.palette.rgb(job_result.palette.diverging(33)[k]) for k in (0, -1))
    assert (
        tuple(evidence[0, 0, :3]) == poorest and tuple(evidence[3, 3, :3]) == richest
    )  # beyond the scale: its end


def test_a_finished_job_shows_map_table_and_downloads(
    run_page: RunPage, stand_in: Callable[..., None], result_folder: Path
) -> None:
    stand_in(state="done", result=result_folder, cells=3, done=3, total=4)
    chosen = format_cell_id(*CELLS[1])
    test = run_page("upload", job=JOB, cell=chosen)
    assert not test.exception
    assert "The photograph is finer." in [warning.value for warning in test.warning]
    table = test.dataframe[0].value
    assert table["class"].tolist() == [1, 5, 10] and table.cell[1] == "N2800000 E4000000"
    said = texts(test)
    assert (
        "1 left out: empty pixels or one colour" in said
        and "study synthetic ·" in said
        and "atlas.gpkg" in said
    )
    labels = [one.proto.label for one in test.get("download_button") if "-download." in one.proto.id]
    assert labels[:3] == [
        "CSV",
        "GeoParquet",
        "All, with QGIS styles",
    ]  # fmt: skip - the result is one of an earlier version, without GeoPackage and COG
    packed = job_result.archive(result_folder)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert "summary.json" in archive.namelist() and "maps.parquet" not in archive.namelist()
        assert archive.read("cells.csv") == (result_folder / "cells.csv").read_bytes()
    assert "Cell N2800000 E4000000" in [heading.value for heading in test.header]
    by_class = test.dataframe[1].value
    assert by_class[["cells", "hectares", "excess", "contribution"]].to_numpy().tolist() == [
        [2, 4.0, 0.25, 0.75]
    ]
    assert "predicted <b>5</b> (expected 5.1)" in said
    assert "z is" in said or "z equals" in said  # where the evidence of the cell lies
    test.toggle(key="photograph").set_value(False).run()
    assert test.query_params["photograph"] == "0"
    test.button_group(key="right").set_value("Uncertainty").run()
    assert test.query_params["right"] == "uncertainty"
    assert not test.exception


AGREEMENT = {
    "accuracy": {"value": 0.2, "low": 0.1, "high": 0.3, "null_low": None, "null_high": None, "note": ""},
    "within_one": {"value": 0.5, "low": 0.4, "high": 0.6, "null_low": None, "null_high": None, "note": ""},
    "spearman": {"value": 0.5, "low": 0.1, "high": 0.8, "null_low": -0.2, "null_high": 0.2, "note": ""},
    "weighted_kappa": {"value": 0.4, "low": None, "high": None, "null_low": None, "null_high": None,
                       "note": "too few blocks"},
    "moran": {"value": None, "low": None, "high": None, "null_low": None, "null_high": None,
              "note": "constant"},
}  # fmt: skip


@pytest.fixture
def with_census(result_folder: Path) -> Path:
    """The same result, compared with a census of the reader's, and with its land use drawn."""
    summary = json.loads((result_folder / "summary.json").read_text())
    spearman = {"value": 0.5, "low": -0.1, "high": 0.8, "p_value": 0.1, "n_effective": 9.0, "note": ""}
    summary["census"] = {"name": "g.gpkg", "column": "<b>", "n": 3, "imputed": 1, "spearman": spearman}
    summary["census"]["agreement"] = AGREEMENT
    (result_folder / "summary.json").write_text(json.dumps(summary))
    gpd.read_parquet(result_folder / "cells.parquet").assign(
        census_value=[3.0, np.nan, 9.0],
        census_class=[3, 0, 10],
        census_imputed=[False, False, True],
        region_class=[1, 0, 10],
    ).to_parquet(result_folder / "cells.parquet")
    land_use = np.zeros((4, 4, 4), np.uint8)
    land_use[:2, :2] = [128, 0, 0, 255]  # the northern cell
    Image.fromarray(land_use).save(result_folder / "land_use.png")
    return result_folder


def test_maps_of_a_census_show_places_inside_the_region(with_census: Path) -> None:
    result = job_result.read_result(with_census)
    offered = ["census", "predicted", "difference", "uncertainty", "activation", "land_use"]
    assert list(job_maps.titles(everything(result))) == offered
    assert job_result.layer_of(result, "census", quintiles=False).steps.tolist() == [2, -1, 9]
    assert job_result.layer_of(result, "census", quintiles=True).steps.tolist() == [1, -1, 4]
    assert job_result.layer_of(result, "predicted", quintiles=False).steps.tolist() == [0, 4, 9]
    # two classes poorer than the census, unknown, the same; 4 is the middle of the nine steps
    assert job_result.layer_of(result, "difference", quintiles=False).steps.tolist() == [2, -1, 4]
    land_use = job_result.land_use_bitmap(result, 100)
    assert land_use[0, 0].tolist() == [128, 0, 0, 100] and land_use[3, 3, 3] == 0
    assert job_result.land_use_classes(result) == [
        ("11100", "Continuous urban fabric (S.L. > 80%)", "#800000")
    ]


def test_a_result_without_a_census_offers_no_maps_of_one(result_folder: Path) -> None:
    result = job_result.read_result(result_folder)
    assert list(job_maps.titles(everything(result))) == ["predicted", "uncertainty", "activation"]


def test_disagreements_and_confusion_leave_imputed_cells_out(with_census: Path) -> None:
    view = everything(job_result.read_result(with_census))
    assert view.ids(view.compared) == [format_cell_id(*CELLS[0])]
    assert view.confusion_pairs().values.tolist() == [[3, 1, 1]]
    # two cells have a place in the region, of ten classes: the lower and the upper half
    assert view.cells.expected_class.tolist() == [3.0, pytest.approx(np.nan, nan_ok=True), 8.0]
    cells = pd.DataFrame(
        {"x": 0, "y": [0, 1, 2], "class": [1, 9, 4], "predicted": [3, 1, 2], "expected_class": [3.0, 1, 1]}
    )
    assert farthest_off.largest(cells, 2).y.tolist() == [1, 2]


def test_agreement_with_the_reader_s_census_is_shown(
    run_page: RunPage, stand_in: Callable[..., None], with_census: Path
) -> None:
    stand_in(state="done", result=with_census, cells=3, done=3, total=4)
    test = run_page("upload", job=JOB, left="difference", right="land_use", cell=format_cell_id(*CELLS[2]))
    assert not test.exception
    assert any(heading.value == "Against your census" for heading in test.header)
    said = texts(test)
    assert "Rank correlation of &lt;b&gt; with the expected class: 0.50 (−0.10 to 0.80), 3 cells" in said
    assert "10.0 to 30.0 % · by chance 10 %" in said
    assert "no interval, too few blocks" in said
    assert "follows your census beyond chance: 0.50" in said
    assert "your census <b>10</b>, imputed" in said
    french = run_page("upload", job=JOB, lang="fr", left="difference", cell=format_cell_id(*CELLS[2]))
    assert not french.exception
    said = texts(french)
    assert "(−0,10 à 0,80), 3 carreaux" in said and "hasard 10 %" in said
    assert "prédit <b>10</b> (attendu 9,3)" in said
    assert french.query_params["left"] == "difference"


@pytest.mark.parametrize(
    ("value", "said"), [(0.5, "follows your census"), (0.1, "cannot be told"), (-0.4, "runs against")]
)
def test_the_verdict_compares_with_chance(value: float, said: str) -> None:
    assert said in job_words.agreement_verdict({"spearman": AGREEMENT["spearman"] | {"value": value}})


def test_a_result_that_was_deleted_is_said(
    run_page: RunPage, stand_in: Callable[..., None], result_folder: Path
) -> None:
    (result_folder / "maps.parquet").unlink()
    stand_in(state="done", result=result_folder)
    test = run_page("upload", job=JOB)
    assert not test.exception
    assert "a part of the result is gone" in test.error[0].value
