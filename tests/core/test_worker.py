"""The worker as a process of its own: states, kills, restarts, cancellation, the bounds on faults."""

from __future__ import annotations

import errno
import json
import sqlite3
import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from core import jobs, queue, region_parts, worker
from core.region import RegionRows, load_networks, predict_region
from core.region_plan import plan_region
from core.settings import REPOSITORY
from data.coverage import LandUseIndex
from data.errors import InputError
from data.imagery import open_imagery
from data.landuse import read_land_use
from tests.core.tiny_region import (
    NORTH,
    WEST,
    K,
    kill_worker,
    random_blocks,
    settings_in,
    shared_room,
    wait_for,
    write_land_use,
    write_photograph,
)


@pytest.fixture
def settings():
    return shared_room()


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """A photograph of 5 x 4 cells with land use, and the result of its undisturbed job."""
    folder = tmp_path_factory.mktemp("town")
    photograph = write_photograph(folder / "town.tif", 5, 4)
    use = write_land_use(folder / "use.gpkg", 5, 4)
    settings = shared_room()
    job = jobs.submit(photograph, land_use=use, study_id="tiny", chunk_side=2, settings=settings)
    state = wait_for(job, settings)
    assert state.state == "done", state
    return photograph, use, state


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_done(town):
    _, _, state = town
    assert (state.cells, state.skipped, state.done, state.total, state.reason) == (20, 0, 20, 20, None)
    assert str(state.device).startswith("CPU") and state.seconds_left is None
    assert set(contents(state.result)) == {
        "activation.parquet",
        "activation.qml",
        "activation.tif",
        "cells.csv",
        "cells.gpkg",
        "cells.parquet",
        "cells.qml",
        "land_use.png",
        "maps.parquet",
        "preview.png",
        "summary.json",
    }


def test_rows_equal_a_computation_without_jobs_exactly(town):
    photograph, use, state = town
    networks = load_networks(Path(jobs.read_job(state.job, shared_room()).publication), torch.device("cpu"))
    torch.set_num_threads(1)
    plan = plan_region(photograph, 2)
    index = LandUseIndex.of(read_land_use(use))
    with open_imagery(photograph) as mosaic:
        parts = [
            predict_region(mosaic, plan.grid, plan.chunk(n), networks, land_use=index)
            for n in range(plan.chunks)
        ]
    direct = pd.concat([part.cells for part in parts]).set_index("cell_id")
    found = gpd.read_parquet(state.result / "cells.parquet").set_index("cell_id")
    assert set(found.index) == set(direct.index) and found.crs == "EPSG:3035"
    direct = direct.loc[found.index]
    for column in (
        "z",
        "z_standard",
        "expected_class",
        "spread",
        "entropy",
        "valid_share",
        "class",
        "x",
        "y",
    ):
        np.testing.assert_array_equal(found[column], direct[column], err_msg=column)
    for a, b in zip(found.probabilities, direct.probabilities, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (found.decile == found["class"]).all() and found.geometry.area.eq(40_000).all()
    assert (found.geometry.bounds[["minx", "miny"]].to_numpy() == found[["x", "y"]].to_numpy()).all()
    activation = pd.concat([part.activation for part in parts]).sort_values(["code", "cell_id"])
    kept = pd.read_parquet(state.result / "activation.parquet")
    pd.testing.assert_frame_equal(kept, activation.reset_index(drop=True))
    maps = pd.read_parquet(state.result / "maps.parquet").set_index("cell_id")
    ids = pd.concat([part.cells.cell_id for part in parts])
    for cell_id, E in zip(ids, np.concatenate([part.maps for part in parts]), strict=True):
        row = maps.loc[cell_id]
        values = np.frombuffer(row.map_values, "<f2").reshape(row.height, row.width)
        np.testing.assert_array_equal(values, E)


def test_csv_says_the_same(town):
    _, _, state = town
    table = pd.read_csv(state.result / "cells.csv")
    cells = gpd.read_parquet(state.result / "cells.parquet")
    np.testing.assert_allclose(
        table[[f"p{k}" for k in range(1, K + 1)]], np.stack(cells.probabilities), rtol=1e-5
    )
    assert table.decile.tolist() == cells.decile.tolist()


def test_summary_says_what_limits_the_result(town):
    _, _, state = town
    summary = json.loads((state.result / "summary.json").read_text())
    assert (summary["grid_crs"], summary["study_id"], summary["networks"]) == ("EPSG:3035", "tiny", 2)
    assert summary["preview_extent"] == [WEST, NORTH - 800, WEST + 1000, NORTH]
    assert any("invented cities" in warning for warning in summary["warnings"])


def test_preview_has_north_above_and_west_left(settings, tmp_path):
    pixels = random_blocks(200, 300)
    pixels[:, :100, 200:] = np.array([255, 0, 0], np.uint8)[:, None, None]  # north-east cell red
    photograph = write_photograph(tmp_path / "red.tif", 3, 2, pixels=pixels)
    state = wait_for(jobs.submit(photograph, study_id="tiny", settings=settings), settings)
    picture = np.asarray(Image.open(state.result / "preview.png"))
    height, width = picture.shape[0] // 2, picture.shape[1] // 3
    assert (picture[1 : height - 1, 2 * width + 1 : -1] == [255, 0, 0, 255]).all()
    assert not (picture[height:, :width, :3] == [255, 0, 0]).all(axis=2).all()


def test_other_resolution_is_said(settings, tmp_path):
    photograph = write_photograph(tmp_path / "fine.tif", 1, 1, resolution=0.5)
    state = wait_for(jobs.submit(photograph, study_id="tiny", settings=settings), settings)
    warnings = json.loads((state.result / "summary.json").read_text())["warnings"]
    assert any("0.50 m" in warning and "2.00 m" in warning for warning in warnings)


def test_other_colours_are_said_and_the_usual_ones_are_not(settings, tmp_path):
    usual = random_blocks(400, 400, seed=99)
    hazy = (usual / 4 + 150).astype(np.uint8)
    said = []
    for name, pixels in (("usual", usual), ("hazy", hazy)):
        photograph = write_photograph(tmp_path / f"{name}.tif", 4, 4, pixels=pixels)
        state = wait_for(jobs.submit(photograph, study_id="tiny", settings=settings), settings)
        warnings = json.loads((state.result / "summary.json").read_text())["warnings"]
        said.append([warning for warning in warnings if "colours" in warning])
    assert said[0] == []
    assert len(said[1]) == 1 and "100% of the cells" in said[1][0]


def test_land_use_elsewhere_is_said(settings, tmp_path):
    photograph = write_photograph(tmp_path / "town.tif", 1, 1, shift=100_000)
    use = write_land_use(tmp_path / "use.gpkg")
    state = wait_for(jobs.submit(photograph, land_use=use, study_id="tiny", settings=settings), settings)
    assert state.state == "done" and not (state.result / "activation.parquet").exists()
    warnings = json.loads((state.result / "summary.json").read_text())["warnings"]
    assert any("use.gpkg maps none" in warning for warning in warnings)


def test_truncated_and_small_files_are_rejected_under_their_own_names(settings, tmp_path):
    whole = write_photograph(tmp_path / "whole.tif", 2, 2).read_bytes()
    cut = tmp_path / "cut off.tif"
    cut.write_bytes(whole[: len(whole) // 2])
    small = write_photograph(tmp_path / "small.tif", 0.5, 0.5)
    for file, fault in ((cut, "truncated"), (small, "no whole 200 m cell")):
        state = wait_for(jobs.submit(file, study_id="tiny", settings=settings), settings)
        assert state.state == "rejected" and state.result is None
        assert str(state.reason).startswith(f"{file.name}: ") and fault in str(state.reason)
        assert "0000" not in str(state.reason)


def test_bad_land_use_is_rejected(settings, tmp_path):
    photograph = write_photograph(tmp_path / "town.tif", 1, 1)
    use = tmp_path / "use.gpkg"
    use.write_bytes(b"SQLite format 3\0 but not really")
    state = wait_for(jobs.submit(photograph, land_use=use, study_id="tiny", settings=settings), settings)
    assert state.state == "rejected" and "use.gpkg" in str(state.reason)


def test_missing_networks_fail_and_do_not_blame_the_file(settings, tmp_path):
    photograph = write_photograph(tmp_path / "town.tif", 1, 1)
    state = wait_for(jobs.submit(photograph, study_id="tiny-broken", settings=settings), settings)
    assert state.state == "failed"
    assert "networks cannot be used" in str(state.reason) and "fold-0" in str(state.reason)


def test_cancel_stops_a_running_job_and_the_next_one_runs(settings, tmp_path):
    photograph = write_photograph(tmp_path / "long.tif", 16, 16)
    long = jobs.submit(photograph, study_id="tiny", chunk_side=1, settings=settings)
    assert wait_for(long, settings, lambda s: s.done > 0).state == "running"
    jobs.cancel(long, settings)
    next_one = write_photograph(tmp_path / "next.tif", 1, 1)
    assert wait_for(jobs.submit(next_one, study_id="tiny", settings=settings), settings).state == "done"
    state = jobs.state(long, settings)
    assert state.state == "cancelled" and 0 < state.done < state.total and state.result is None
    time.sleep(0.5)
    assert jobs.state(long, settings).done == state.done


def test_a_killed_worker_loses_nothing(settings, town):
    photograph, use, undisturbed = town
    job = jobs.submit(photograph, land_use=use, study_id="tiny", chunk_side=2, settings=settings)
    wait_for(job, settings, lambda s: s.done > 0)
    kill_worker(settings)
    assert jobs.state(job, settings).state == "running"  # as far as the queue knows
    finished = {p: p.stat().st_mtime_ns for p in (settings.jobs / job / "parts").glob("[0-9]*/record.json")}
    assert 0 < len(finished) < 6, "the kill must fall into the middle"
    assert wait_for(job, settings).state == "done"
    assert {p: p.stat().st_mtime_ns for p in finished} == finished, "a finished chunk was made again"
    assert contents(settings.jobs / job / "result") == contents(undisturbed.result)
    assert not list((settings.jobs / job).rglob("*.partial"))


def test_a_second_worker_leaves_at_once(settings, town):
    wait_for(town[2].job, settings)
    jobs.ensure_worker(settings)
    first = jobs.worker_pid(settings)
    second = [sys.executable, "-m", "core.worker", "--settings", jobs.settings_to_json(settings)]
    done = subprocess.run(second, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and "another worker" in done.stderr
    assert jobs.worker_pid(settings) == first


def test_an_idle_worker_ends_and_frees_its_lock(tmp_path):
    settings = settings_in(tmp_path, worker_idle_s=1)
    command = [sys.executable, "-m", "core.worker", "--settings", jobs.settings_to_json(settings)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "the worker ends" in done.stderr
    assert jobs.worker_pid(settings) is None


def test_nothing_pickled_after_a_job(settings, town):
    with sqlite3.connect(settings.var / "queue.sqlite") as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            cursor = database.execute(f"SELECT * FROM {table}")
            columns = [column[0] for column in cursor.description]
            for row in cursor:
                values = dict(zip(columns, row, strict=True))
                assert values.get("serialization") in (None, "portable_json"), (table, values)
                for name in ("inputs", "output", "error"):
                    if values.get(name) is not None:
                        json.loads(values[name])


class TestBounds:
    """What ends a job that cannot be done, without a process: `Runner._attempt` is what each step runs."""

    @pytest.fixture
    def job(self, settings, tmp_path):
        job = jobs.submit(
            write_photograph(tmp_path / "my town.tif", 1, 1), study_id="tiny", settings=settings
        )
        jobs.cancel(job, settings)
        return job

    @pytest.fixture
    def runner(self, settings, monkeypatch):
        monkeypatch.setattr(worker, "RETRY_S", 0)
        return worker.Runner(settings)

    def test_an_unexpected_fault_is_tried_again_and_then_told(self, runner, job):
        calls = []

        def work(_):
            calls.append(1)
            raise ValueError("odd")

        end = runner._attempt(job, "chunk-00000", work)
        assert (end["state"], len(calls)) == ("failed", worker.TRIES)
        assert "ValueError: odd" in end["reason"] and "worker.log" in end["reason"]

    def test_a_passing_fault_passes(self, runner, job):
        faults = [OSError("busy")]

        def work(_):
            if faults:
                raise faults.pop()
            return {"cells": 1}

        assert runner._attempt(job, "chunk-00000", work) == {"cells": 1}

    def test_a_full_disk_ends_the_job_in_words_and_leaves_no_half_part(
        self, runner, job, settings, monkeypatch
    ):
        monkeypatch.setattr(worker, "RETRY_S", 0)
        folder = settings.jobs / job

        def full(*_, **__):
            raise OSError(errno.ENOSPC, "No space left on device")

        def work(_):
            monkeypatch.setattr(region_parts.np, "savez", full)
            cells = pd.DataFrame({"cell_id": ["a"]})
            rows = RegionRows(cells, pd.DataFrame(), *(np.zeros((1, 2, 2)) for _ in range(3)), 0)
            return region_parts.write_part(folder, 0, rows, {})

        end = runner._attempt(job, "chunk-00000", work)
        assert end["state"] == "failed" and "is full. Free some space" in end["reason"]
        assert list((folder / "parts").iterdir()) == []
        assert region_parts.finished_parts(folder) == []

    def test_bad_input_is_not_tried_again(self, runner, job, settings):
        calls = []

        def work(_):
            calls.append(1)
            copy = settings.jobs / job / "input" / "photographs" / "0000.tif"
            raise InputError(copy, "is odd", "Bring another.")

        end = runner._attempt(job, "plan", work)
        assert (end["state"], end["reason"], len(calls)) == (
            "rejected",
            "my town.tif: is odd. Bring another.",
            1,
        )

    def test_a_file_that_kills_the_worker_ends_its_job(self, runner, job):
        """Each start of a step is counted on disk before it works, so that deaths count, too."""

        class Death(BaseException):
            pass

        def work(_):
            raise Death

        for _ in range(worker.STARTS):
            with pytest.raises(Death):
                runner._attempt(job, "chunk-00007", work)
        end = runner._attempt(job, "chunk-00007", work)
        assert end["state"] == "failed" and "killed 10 times" in end["reason"]
        assert runner._attempt(job, "chunk-00008", lambda _: {"cells": 1}) == {"cells": 1}


def test_time_left_follows_the_pace(tmp_path):
    pace = worker.Pace(tmp_path, total=30)
    pace.chunk_done(cells=8, skipped=2, seconds=5.0, device="CPU")
    facts = json.loads((tmp_path / "progress.json").read_text())
    expected = {"done": 10, "total": 30, "cells": 8, "skipped": 2, "seconds_left": 10.0, "device": "CPU"}
    assert facts == expected


def test_worker_refuses_a_taken_lock(tmp_path):
    settings = settings_in(tmp_path)
    held = queue.lock_worker(settings)
    assert worker.run(Namespace(lock_fd=None, settings=jobs.settings_to_json(settings))) == 0
    assert held is not None
    held.close()
