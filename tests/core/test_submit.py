"""The submit command: one JSON object, exit status, and what becomes of real photographs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest

from core import submit
from tests.core.tiny_region import shared_room, write_land_use, write_photograph

KEYS = {"job", "state", "reason", "cells", "skipped", "result", "networks", "networks_of", "warnings"}


@pytest.fixture
def command(monkeypatch, capsys):
    """Run `submit ARGUMENTS --wait --json` on the shared room; returns exit status and JSON object."""
    settings = shared_room()
    for name in ("var", "threads", "device", "worker_idle_s"):
        monkeypatch.setenv(f"CARREAU_{name.upper()}", str(getattr(settings, name)))

    def run(*arguments: object, study: str = "tiny") -> tuple[int, dict]:
        parser = argparse.ArgumentParser()
        submit.add_arguments(parser)
        options = parser.parse_args([*map(str, arguments), "--study", study, "--wait", "--json"])
        status = submit.run(options)
        said = capsys.readouterr().out
        assert said.count("\n") == 1, said
        found = json.loads(said)
        assert set(found) == KEYS
        return status, found

    return run


def test_done(command, tmp_path):
    use = write_land_use(tmp_path / "use.gpkg")
    status, found = command(write_photograph(tmp_path / "town.tif"), "--land-use", use)
    assert (status, found["state"], found["cells"], found["skipped"]) == (0, "done", 6, 0)
    assert found["networks"] == 2 and found["networks_of"] is None
    assert any("disagree" in said or "means nothing" in said for said in found["warnings"]), found["warnings"]
    cells = gpd.read_parquet(Path(found["result"]) / "cells.parquet")
    wanted = {"cell_id", "geometry", "decile", "expected_class", "probabilities", "spread"}
    assert wanted <= set(cells.columns)
    assert cells.columns[:3].tolist() == ["cell_id", "geometry", "decile"]


def test_rejected(command, tmp_path):
    status, found = command(write_photograph(tmp_path / "small.tif", 0.5, 0.5))
    assert (status, found["state"], found["cells"], found["result"]) == (2, "rejected", 0, None)
    assert found["reason"].startswith("small.tif: covers no whole 200 m cell")


def test_failed(command, tmp_path):
    status, found = command(write_photograph(tmp_path / "town.tif"), study="tiny-broken")
    assert (status, found["state"]) == (1, "failed")


@pytest.mark.parametrize("name", ["missing.tif", "notes.txt"])
def test_what_never_becomes_a_job_is_rejected(command, tmp_path, name):
    (tmp_path / "notes.txt").write_text("no photograph")
    status, found = command(tmp_path / name)
    assert (status, found["state"], found["job"]) == (2, "rejected", None)
    assert name in found["reason"]


def test_unknown_study_is_rejected(command, tmp_path):
    status, found = command(write_photograph(tmp_path / "town.tif"), study="atlantis")
    assert status == 2 and "atlantis" in found["reason"] and "tiny" in found["reason"]


class TestRealPhotographs:
    """Each ends in a result, or in a reason that says what to do."""

    @pytest.mark.parametrize(
        ("file", "crs"),
        [("deeposlandia_aerial_sample.tif", "EPSG:32614"), ("detectree_1091-322_00.tif", "EPSG:3035")],
    )
    def test_results_on_the_200_m_grid(self, command, real_dir, file, crs):
        status, found = command(real_dir / "ortho" / file)
        assert (status, found["state"]) == (0, "done"), found
        assert found["cells"] >= 1
        cells = gpd.read_parquet(Path(found["result"]) / "cells.parquet")
        assert cells.crs == crs and len(cells) == found["cells"]
        assert (cells.geometry.bounds % 200 == 0).all(axis=None) and cells.geometry.area.eq(40_000).all()
        np.testing.assert_allclose(np.stack(cells.probabilities).sum(axis=1), 1, atol=1e-5)

    @pytest.mark.parametrize(
        ("file", "reason"),
        [
            ("ign_pdal_test_data_rgb.tif", "no whole 200 m cell"),
            ("solaris_ms1.tif", "float64"),
            ("solaris_road_mask_input.tif", "uint16"),
        ],
    )
    def test_rejections_say_why(self, command, real_dir, file, reason):
        status, found = command(real_dir / "ortho" / file)
        assert (status, found["state"]) == (2, "rejected")
        assert found["reason"].startswith(f"{file}: ") and reason in found["reason"]

    def test_transparent_border(self, command, real_dir):
        status, found = command(real_dir / "ortho" / "riotiler_pix4d_alpha_nodata.tif")
        assert (status, found["state"]) in {(0, "done"), (2, "rejected")}
        assert found["cells"] > 0 or "empty pixels" in found["reason"] or "whole" in found["reason"]
