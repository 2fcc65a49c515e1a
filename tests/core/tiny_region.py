"""A published study with tiny untrained networks, small photographs, and one worker for all tests of jobs."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import shapely

from core import jobs, queue
from core.bench.tiny import NORTH, PX, WEST, K, publish_tiny_study, random_blocks, write_photograph
from core.settings import Settings

__all__ = ["NORTH", "PX", "WEST", "K", "publish_tiny_study", "random_blocks", "write_photograph"]

PATIENCE_S = 240  # the first import of torch on a busy machine


def settings_in(folder: Path, **changes: object) -> Settings:
    """Settings that leave the repository's own `var` alone."""
    defaults = {"var": folder / "var", "threads": 1, "device": "cpu", "worker_idle_s": 300}
    return Settings(**{**defaults, **changes})


@functools.cache
def shared_room() -> Settings:
    """A var folder with the study `tiny`, whose one worker serves all tests of a run and dies with it."""
    folder = Path(tempfile.mkdtemp(prefix="carreau-jobs-"))
    settings = settings_in(folder)
    publish_tiny_study(settings.publications / "tiny")
    broken = publish_tiny_study(settings.publications / "tiny-broken", "tiny-broken", n_folds=1)
    (broken.parent / "weights" / "fold-0.safetensors").unlink()

    def close() -> None:
        kill_worker(settings)
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(close)
    return settings


def kill_worker(settings: Settings) -> None:
    """SIGKILL the worker and wait until its lock is free."""
    while (pid := jobs.worker_pid(settings)) is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def wait_for(
    job: str, settings: Settings, until: Callable[[jobs.JobState], bool] | None = None
) -> jobs.JobState:
    """Wait for the end of a job, or for what `until` says, a worker running all the time."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        jobs.ensure_worker(settings)
        state = jobs.state(job, settings)
        if state.state in jobs.FINAL or (until is not None and until(state)):
            return state
        time.sleep(0.05)
    raise AssertionError(f"{jobs.state(job, settings)}\n{queue.log_file(settings).read_text()[-3000:]}")


def write_land_use(path: Path, columns: int = 3, rows: int = 2) -> Path:
    """Write two classes: the western 150 m, and the rest but for a strip of 40 m in the south."""
    south, east = NORTH - rows * 200, WEST + columns * 200
    frame = gpd.GeoDataFrame(
        {"code_2018": ["11100", "31000"], "class_2018": ["Continuous urban fabric", "Forests"]},
        geometry=[
            shapely.box(WEST, south, WEST + 150, NORTH),
            shapely.box(WEST + 150, south + 40, east, NORTH),
        ],
        crs="EPSG:3035",
    )
    frame.to_file(path, driver="GPKG")
    return path
