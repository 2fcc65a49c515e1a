"""The photograph of one cell of a job, as its networks saw it."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core import cell_photograph
from core.job_files import Job
from core.region_plan import plan_region, write_plan
from data.errors import InputError
from tests.core.tiny_region import NORTH, WEST, random_blocks, settings_in, write_photograph


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A job's folder with a photograph of 3 x 2 cells whose north-eastern one is red."""
    pixels = random_blocks(200, 300)
    pixels[:, :100, 200:] = np.array([255, 0, 0], np.uint8)[:, None, None]
    write_photograph(tmp_path / "town.tif", 3, 2, pixels=pixels)
    write_plan(tmp_path, plan_region(tmp_path / "town.tif", 4))
    job = Job(
        job="0" * 32, owner="me", name="town.tif", photographs="town.tif", names={}, land_use=None,
        land_use_name=None, study_id="tiny", publication="", chunk_side=4,
        created_at="2026-01-01T00:00:00+00:00",
    )  # fmt: skip
    (tmp_path / "job.json").write_text(json.dumps(asdict(job)))
    return tmp_path


def test_a_cell_is_cut_out_of_the_photograph_at_its_resolution(folder: Path) -> None:
    red = cell_photograph.read(folder, WEST + 400, NORTH - 200)
    assert red.shape == (100, 100, 3)  # 200 m at 2 m
    assert (red[1:-1, 1:-1] == [255, 0, 0]).all()
    assert not (cell_photograph.read(folder, WEST, NORTH - 200) == [255, 0, 0]).all(axis=2).any()


def test_a_photograph_that_is_gone_is_said(folder: Path) -> None:
    (folder / "town.tif").unlink()
    with pytest.raises(InputError):
        cell_photograph.read(folder, WEST, NORTH - 200)


def test_a_process_of_its_own_reads_it_and_one_that_breaks_is_no_fault(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_in(folder)
    jpeg = cell_photograph.read_apart(folder, WEST + 400, NORTH - 200, settings)
    assert jpeg is not None
    assert np.asarray(Image.open(io.BytesIO(jpeg)))[50, 50, 0] > 240
    monkeypatch.setattr("sys.executable", "false")
    assert cell_photograph.read_apart(folder, WEST + 400, NORTH - 200, settings) is None
