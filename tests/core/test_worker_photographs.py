"""Photographs of any kind through the worker: several tiles, other value ranges, world files, in place."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
import torch
from rasterio.transform import from_origin

from core import jobs, keeping
from core.region import load_networks, predict_region
from core.region_plan import plan_region
from data.errors import InputError
from data.imagery import open_imagery
from tests.core.tiny_region import (
    NORTH,
    WEST,
    publish_tiny_study,
    random_blocks,
    shared_room,
    wait_for,
    write_photograph,
)


@pytest.fixture
def settings():
    return shared_room()


def cells_of(state) -> pd.DataFrame:
    return pd.read_parquet(state.result / "cells.parquet").drop(columns="geometry")


def test_tiles_of_one_region_without_missing_or_doubled_cells(settings, tmp_path):
    """Cut between cells and in the middle of them, with an overlap: as one photograph, cell by cell."""
    pixels = random_blocks(400, 600)
    whole = write_photograph(tmp_path / "whole.tif", 6, 4, pixels=pixels)
    tiles: list[Path] = []
    (tmp_path / "tiles").mkdir()
    for name, left, right in (("a.tif", 0, 150), ("b.tif", 130, 400), ("c.tif", 400, 600)):
        for part, top, bottom in (("north", 0, 250), ("south", 250, 400)):
            place = from_origin(WEST + 2 * left, NORTH - 2 * top, 2, 2)
            cut = pixels[:, top:bottom, left:right]
            tiles.append(tmp_path / "tiles" / f"{part}-{name}")
            write_photograph(
                tiles[-1], (right - left) / 100, (bottom - top) / 100, pixels=cut, transform=place
            )
    one, many = (
        wait_for(jobs.submit(files, study_id="tiny", settings=settings), settings) for files in (whole, tiles)
    )
    assert many.name == "north-a.tif and 5 more"
    a, b = cells_of(one), cells_of(many)
    assert len(a) == 24 and not b.cell_id.duplicated().any()
    assert (a.cell_id == b.cell_id).all()
    uncut = [0, 2, 5]  # columns; row 1 from the south is cut, too
    whole_cells = (((a.x - WEST) // 200).isin(uncut) & (a.y != NORTH - 600)).to_numpy()
    assert whole_cells.sum() == 9
    pd.testing.assert_frame_equal(a[whole_cells], b[whole_cells])
    # a seam is interpolated over one pixel's width: no more than that differs
    with open_imagery(whole) as single, open_imagery(tmp_path / "tiles") as mosaic:
        for x, y in zip(a.x, a.y, strict=True):
            left, right = (m.read_cell(m.grid(), x, y, 64)[0].astype(int) for m in (single, mosaic))
            differs = np.abs(left - right).max(axis=2) > 3
            assert np.abs(left - right).mean() < 0.5 and differs.sum() <= 64 * 4


def test_sixteen_bits_are_read_as_asked(settings, tmp_path):
    pixels = random_blocks(200, 200)
    plain = write_photograph(tmp_path / "plain.tif", 2, 2, pixels=pixels)
    wide = np.concatenate([pixels[::-1], pixels[:1]]).astype(np.uint16) * 16
    deep = write_photograph(
        tmp_path / "deep.tif", 2, 2, pixels=wide, dtype="uint16", count=4, photometric="minisblack"
    )
    how = {"bands": [3, 2, 1], "levels": [0, 255 * 16]}
    state = wait_for(jobs.submit(deep, how=how, study_id="tiny", settings=settings), settings)
    assert state.state == "done", state
    expected = wait_for(jobs.submit(plain, study_id="tiny", settings=settings), settings)
    pd.testing.assert_frame_equal(cells_of(state), cells_of(expected))
    said = json.loads((state.result / "summary.json").read_text())["warnings"]
    assert any("Bands 3, 2, 1 were read as red, green, blue" in one for one in said)
    assert any("Values from 0 to 4080 were stretched" in one for one in said)
    refused = wait_for(jobs.submit(deep, study_id="tiny", settings=settings), settings)
    assert refused.state == "rejected" and "uint16" in str(refused.reason)


def test_a_bare_photograph_with_a_world_file_and_a_chosen_crs(settings, tmp_path):
    bare = tmp_path / "bare.tif"
    write_photograph(bare, 2, 2, crs=None, transform=rasterio.Affine.identity())
    (tmp_path / "bare.TFW").write_text(f"2\n0\n0\n-2\n{WEST + 1}\n{NORTH - 1}\n")
    how = {"crs": "EPSG:3035"}
    state = wait_for(jobs.submit(bare, how=how, study_id="tiny", settings=settings), settings)
    assert (state.state, state.cells) == ("done", 4), state
    nowhere = wait_for(jobs.submit(bare, study_id="tiny", settings=settings), settings)
    assert nowhere.state == "rejected" and "no CRS" in str(nowhere.reason)


def test_photographs_in_place_are_not_copied_and_not_deleted(settings, tmp_path):
    folder = tmp_path / "drop"
    folder.mkdir()
    for number, west in enumerate((WEST, WEST + 400)):
        place = from_origin(west, NORTH, 2, 2)
        write_photograph(folder / f"{number}.tif", 2, 2, transform=place)
    job = jobs.submit(folder, in_place=True, study_id="tiny", settings=settings)
    assert not list((settings.jobs / job / "input").iterdir())
    state = wait_for(job, settings)
    assert (state.state, state.cells) == ("done", 8)
    keeping.delete(job, settings)
    assert len(list(folder.iterdir())) == 2


def test_a_census_of_the_region_is_laid_over_it(settings, tmp_path):
    photograph = write_photograph(tmp_path / "town.tif", 7, 6)
    x, y = np.meshgrid(WEST + 200 * np.arange(7), NORTH - 200 * np.arange(1, 7))
    first = wait_for(jobs.submit(photograph, study_id="tiny", settings=settings), settings)
    predicted = cells_of(first).set_index(["x", "y"]).expected_class
    value = np.array([predicted[place] for place in zip(x.ravel(), y.ravel(), strict=True)]) * 1000
    value[0] = np.nan
    squares = shapely.box(x.ravel(), y.ravel(), x.ravel() + 200, y.ravel() + 200)
    census = tmp_path / "grid.gpkg"
    frame = gpd.GeoDataFrame({"number": 1, "income": value}, geometry=squares, crs="EPSG:3035")
    frame.to_file(census, driver="GPKG")
    job = jobs.submit(photograph, census=census, census_column="income", study_id="tiny", settings=settings)
    state = wait_for(job, settings)
    assert state.state == "done", state
    found = json.loads((state.result / "summary.json").read_text())["census"]
    assert (found["n"], found["column"], found["name"]) == (41, "income", "grid.gpkg")
    assert found["spearman"]["value"] == pytest.approx(1)
    cells = cells_of(state)
    known = cells.census_value.notna()
    np.testing.assert_allclose(cells.census_value[known], 1000 * cells.expected_class[known], rtol=1e-6)
    assert set(cells.census_class[known]) == set(range(1, 11)) and (cells.census_class[~known] == 0).all()
    unnamed = jobs.submit(photograph, census=census, study_id="tiny", settings=settings)
    refused = wait_for(unnamed, settings)
    assert refused.state == "rejected"
    assert "grid.gpkg: has several columns of numbers" in str(refused.reason)


def test_land_use_of_any_layer_by_its_column(settings, tmp_path):
    photograph = write_photograph(tmp_path / "town.tif", 2, 2)
    shapes = [
        shapely.box(WEST, NORTH - 400, WEST + 200, NORTH),
        shapely.box(WEST + 200, NORTH - 400, WEST + 400, NORTH),
    ]
    layer = tmp_path / "zoning.gpkg"
    gpd.GeoDataFrame({"zone": ["UA", "N"]}, geometry=shapes, crs="EPSG:3035").to_file(layer, driver="GPKG")
    job = jobs.submit(photograph, land_use=layer, land_use_column="zone", study_id="tiny", settings=settings)
    state = wait_for(job, settings)
    assert state.state == "done", state
    assert set(pd.read_parquet(state.result / "activation.parquet").code) == {"UA", "N"}


def test_each_city_s_own_networks_may_be_asked(settings, tmp_path):
    file = publish_tiny_study(settings.publications / "own", "own", own_networks_of=("here", "there"))
    photograph = write_photograph(tmp_path / "town.tif", 2, 2)
    found = {}
    for city in ("here", "there", None):
        job = jobs.submit(photograph, study_id="own", city_id=city, settings=settings)
        state = wait_for(job, settings)
        assert state.state == "done", state
        summary = json.loads((state.result / "summary.json").read_text())
        assert (summary["networks"], summary["networks_of"]) == (4 if city is None else 2, city)
        found[city] = cells_of(state)
    plan = plan_region(photograph, 8)
    networks = load_networks(file, torch.device("cpu"), "there")
    with open_imagery(photograph) as mosaic:
        direct = predict_region(mosaic, plan.grid, plan.cells, networks).cells
    np.testing.assert_allclose(found["there"].z_standard, direct.z_standard, atol=1e-4)
    assert not np.allclose(found["here"].z_standard, direct.z_standard, atol=1e-3)
    with pytest.raises(InputError, match="Choose one of here, there"):
        jobs.submit(photograph, study_id="own", city_id="nowhere", settings=settings)


def test_a_job_of_the_version_before_goes_on(settings, tmp_path):
    """`job.json` as it was until 2026-11-22: one photograph, its own name apart."""
    job = jobs.submit(write_photograph(tmp_path / "town.tif", 1, 1), study_id="tiny", settings=settings)
    jobs.pause(job, settings)
    folder = settings.jobs / job
    facts = json.loads((folder / "job.json").read_text())
    (folder / "input" / "photographs" / "0000.tif").rename(folder / "input" / "photograph.tif")
    old = {k: v for k, v in facts.items() if k not in ("photographs", "names", "reading")}
    (folder / "job.json").write_text(json.dumps({**old, "file": "input/photograph.tif"}))
    jobs.resume(job, settings)
    assert wait_for(job, settings).state == "done"
