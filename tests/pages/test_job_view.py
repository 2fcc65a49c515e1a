"""A job on the page Upload: its progress, what is predicted so far, its ends, the list of jobs."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core import region_parts, region_plan
from core.region import RegionRows
from data.grid import Grid
from pages.shared import job_words, palette
from pages.shared.language import speaking
from tests.pages.browser import write_photograph
from tests.pages.conftest import RunPage, texts, upload
from tests.pages.stand_in_job import JOB, job_state

pytestmark = pytest.mark.usefixtures("no_worker", "in_this_process")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": "queued"}, "Waiting for the worker"),
        ({}, "Reading the photograph"),
        (
            {"done": 40, "total": 160, "seconds_left": 95.0, "device": "CPU"},
            "40 of 160 cells, about 2 min left, on CPU",
        ),
        ({"done": 160, "total": 160, "seconds_left": 0.0}, "Putting the result together: 160 of 160 cells"),
    ],
)
def test_progress_says_stage_cells_time_and_device(changes: dict[str, Any], said: str) -> None:
    assert said in job_words.progress_text(job_state(**changes))


@pytest.mark.parametrize(
    ("state", "reason", "said"),
    [
        (
            "rejected",
            "town.tif: covers no whole cell. Bring a larger one.",
            "could not be used. town.tif: covers",
        ),
        (
            "failed",
            "The worker was stopped too often; submit the file again.",
            "The job failed. The worker was stopped",
        ),
    ],
)
def test_bad_ends_are_told_in_words(
    run_page: RunPage, stand_in: Callable[..., None], state: str, reason: str, said: str
) -> None:
    stand_in(state=state, reason=reason)
    test = run_page("upload", job=JOB)
    assert not test.exception
    assert said in test.error[0].value


@pytest.mark.parametrize("job", ["nonsense", JOB, "../../etc"])
def test_an_address_of_no_job_goes_on_to_the_form(run_page: RunPage, job: str) -> None:
    test = run_page("upload", job=job)
    assert not test.exception
    assert "there is no job" in test.warning[0].value
    assert test.file_uploader


def test_what_is_predicted_so_far_is_drawn_in_its_place(run_page: RunPage, tmp_path: Path) -> None:
    content = write_photograph(tmp_path / "photo.tif").read_bytes()
    test = upload(run_page("upload"), "my town.tif", content)
    test.button(key="upload.submit").click().run()
    job = test.query_params["job"]
    folder = tmp_path / "var" / "jobs" / job
    grid = Grid()
    cells = pd.DataFrame({"x": [0, 200, 0, 200], "y": [0, 0, 200, 200], "chunk": [0, 0, 1, 2]})
    cells.insert(0, "cell_id", [f"c{n}" for n in range(4)])
    region_plan.write_plan(folder, region_plan.Plan(grid, cells, 1.0, "EPSG:3035", ()))
    assert "So far" not in texts(test.run())
    for number, classes in ((0, [1, 10]), (2, [5])):
        chunk = cells[cells.chunk == number].assign(**{"class": classes})
        chunk["probabilities"] = [np.full(10, 0.1)] * len(chunk)
        rows = RegionRows(
            chunk,
            pd.DataFrame(),
            np.zeros((len(chunk), 2, 2)),
            np.zeros((len(chunk), 4, 4, 3)),
            np.zeros((len(chunk), 6)),
            0,
        )
        region_parts.write_part(folder, number, rows, {"seconds": 1.0, "device": "CPU"})
    shown = texts(test.run())
    assert "So far: 3 cells" in shown
    url = shown.split('cells done so far" src="')[1].split('"')[0]
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))))
    colours = palette.rgb_table(palette.sequential(10))
    assert (picture[1, 0, :3] == colours[0]).all()  # south-west
    assert (picture[1, 1, :3] == colours[9]).all()
    assert (picture[0, 1, :3] == colours[4]).all()
    assert picture[..., 3].tolist() == [[0, 255], [255, 255]]  # the north-west is still to come


def test_jobs_are_told_in_the_reader_s_language() -> None:
    now = job_state(state="running", done=40, total=1600, seconds_left=95.0, device="CPU, 1 of 2 cores")
    with speaking("fr"):
        assert job_words.progress_text(now) == (
            "Prédiction\u202f: 40 carreaux sur 1\u202f600, encore 2 min environ, sur CPU, 1 cœur sur 2"
        )
        assert job_words.state_line(job_state(state="done", cells=1)) == "town.tif\u202f: terminé, 1 carreau"
        assert "annulé" in job_words.cancelled_text(job_state(state="cancelled"))
