"""A disk that is really full, with the queue on it: jobs end once, in words, and none is stranded."""

from __future__ import annotations

import errno
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from core import full_disk, jobs, queue
from tests.core.tiny_region import kill_worker, publish_tiny_study, settings_in, wait_for, write_photograph

MEGABYTES = 48


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory):
    """A file system of its own, in memory."""
    place = tmp_path_factory.mktemp("disk")
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "carreau", str(place)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        pytest.skip(f"no right to make a small file system: {made.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture(scope="module")
def settings(small_disk):
    settings = settings_in(small_disk)
    publish_tiny_study(settings.publications / "tiny")
    yield settings
    kill_worker(settings)


def fill(disk: Path) -> Path:
    """Write until not a byte goes in any more."""
    ballast = disk / "ballast"
    for size in (1 << 16, 1 << 9):
        with ballast.open("ab", buffering=0) as file:
            try:
                while file.write(b"x" * size) == size:
                    pass
            except OSError as error:
                assert error.errno == errno.ENOSPC
    assert shutil.disk_usage(disk).free == 0
    return ballast


def running_job(settings, photograph):
    job = jobs.submit(photograph, study_id="tiny", chunk_side=2, settings=settings)
    wait_for(job, settings, until=lambda state: state.done > 0)
    return job


def test_without_a_reserve_the_job_goes_on_when_there_is_space(settings, small_disk, tmp_path):
    """The queue cannot note the end, the engine drops the job; it must not stay "running" for ever."""
    photograph = write_photograph(tmp_path / "town.tif", 10, 10)
    job = running_job(settings, photograph)
    assert (settings.var / "reserve").exists()  # the worker's doing
    full_disk.give_up(settings)
    ballast = fill(small_disk)
    time.sleep(6)  # longer than the tries of a step: without the look for dropped jobs it would be lost now
    assert jobs.state(job, settings).state == "running"
    ballast.unlink()
    state = wait_for(job, settings)
    assert (state.state, state.cells) == ("done", 100), state
    assert jobs.worker_pid(settings) is not None and "dropped" in queue.log_file(settings).read_text()


def test_jobs_end_in_words_and_the_next_one_is_done(settings, small_disk, tmp_path):
    photograph = write_photograph(tmp_path / "town.tif", 10, 10)
    job = running_job(settings, photograph)
    full_disk.keep_back(settings)
    assert (settings.var / "reserve").stat().st_size == full_disk.RESERVE_BYTES
    ballast = fill(small_disk)
    state = wait_for(job, settings)
    assert state.state == "failed" and "is full. Free some space" in str(state.reason), state
    assert not (settings.var / "reserve").exists()
    ballast.unlink()
    after = jobs.submit(photograph, study_id="tiny", chunk_side=8, settings=settings)
    assert wait_for(after, settings).state == "done"
    assert jobs.state(job, settings) == state  # once
