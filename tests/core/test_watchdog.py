"""Bounds of time and memory: the process ends and says why; a step that stays within them is left alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from core import jobs, worker
from core.settings import REPOSITORY
from core.watchdog import EXIT_STATUS
from tests.core.tiny_region import publish_tiny_study, settings_in, wait_for, write_photograph

PROGRAM = """
import sys, time
from pathlib import Path
from core.watchdog import Watchdog, resident_mb
dog = Watchdog(float(sys.argv[2]), resident_mb() + float(sys.argv[3]))
with dog.over(Path(sys.argv[1])):
    {inside}
time.sleep(1)
print("over")
"""


def run(word: Path, inside: str, limit_s: float, more_mb: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(inside=inside), str(word), str(limit_s), str(more_mb)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("inside", "limit_s", "more_mb", "why"),
    [
        ("time.sleep(50)", 0.5, 1000, "took more than 0.5 seconds"),
        ("held = [bytearray(10**6) for _ in range(300)]; time.sleep(50)", 40, 100, "MB of memory"),
    ],
)
def test_a_step_beyond_its_bounds_ends_the_process(
    tmp_path: Path, inside: str, limit_s: float, more_mb: float, why: str
) -> None:
    done = run(tmp_path / "chunk.1.limit", inside, limit_s, more_mb)
    assert done.returncode == EXIT_STATUS
    assert why in (tmp_path / "chunk.1.limit").read_text()
    assert "over" not in done.stdout


def test_a_step_within_its_bounds_is_left_alone_and_so_is_what_follows(tmp_path: Path) -> None:
    done = run(tmp_path / "word", "time.sleep(0.2)", 0.7, 1000)  # a second of sleep after it
    assert (done.returncode, done.stdout) == (0, "over\n")
    assert not (tmp_path / "word").exists()


def test_memory_is_that_of_the_process() -> None:
    # a process of its own: freed memory of earlier tests would be used again
    program = (
        "import numpy as np; from core.watchdog import resident_mb; before = resident_mb(); "
        "held = np.ones(25_000_000); print(resident_mb() - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert 190 < float(done.stdout) < 215


def test_a_job_that_breaks_its_bounds_twice_fails_in_words(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, memory_mb=50)  # less than the interpreter with torch
    publish_tiny_study(settings.publications / "tiny", n_folds=1)
    photograph = write_photograph(tmp_path / "town.tif", 12, 12)
    job = jobs.submit(photograph, chunk_side=12, settings=settings)
    state = wait_for(job, settings)
    assert state.state == "failed"
    assert "took more than 50 MB of memory, 2 times" in state.reason
    assert jobs.pending(settings) == 0
    words = list((settings.jobs / job / "attempts").glob("*.limit"))
    assert len(words) == worker.OVER_LIMIT
