"""Pausing, queue position, deletion, retention, quotas, and the audit line of each."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core import audit, jobs, keeping
from core.settings import Settings
from data.errors import CarreauError, QuotaError
from tests.core.tiny_region import (
    publish_tiny_study,
    settings_in,
    shared_room,
    wait_for,
    write_photograph,
)


@pytest.fixture
def room(tmp_path: Path) -> Settings:
    """A var folder with a study and no worker."""
    settings = settings_in(tmp_path)
    publish_tiny_study(settings.publications / "tiny", n_folds=1)
    return settings


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    return write_photograph(tmp_path / "secret-name.tif")


def events(settings: Settings) -> list[dict]:
    return [json.loads(line) for line in audit.audit_file(settings).read_text(encoding="utf-8").splitlines()]


def test_a_waiting_job_knows_how_many_are_before_it(room: Settings, photograph: Path) -> None:
    waiting = []
    for _ in range(3):
        waiting.append(jobs.submit(photograph, settings=room))
        time.sleep(1.1)  # SQLite keeps seconds
    assert [jobs.state(job, room).ahead for job in waiting] == [0, 1, 2]
    jobs.cancel(waiting[0], room)
    assert [jobs.state(job, room).ahead for job in waiting] == [0, 0, 1]


def test_pausing_while_it_waits(room: Settings, photograph: Path) -> None:
    job = jobs.submit(photograph, settings=room)
    assert jobs.pause(job, room).state == "paused"
    assert jobs.pending(room) == 0  # no worker is started for it
    assert jobs.resume(job, room).state == "queued"
    jobs.pause(job, room)
    assert jobs.cancel(job, room).state == "cancelled"
    assert jobs.resume(job, room).state == "cancelled"  # cancelled is for good
    assert jobs.pause(job, room).state == "cancelled"


def test_pausing_in_the_middle_changes_no_byte_and_goes_on_where_it_was(tmp_path: Path) -> None:
    settings = shared_room()
    photograph = write_photograph(tmp_path / "town.tif", 6, 5)
    whole = wait_for(jobs.submit(photograph, study_id="tiny", chunk_side=2, settings=settings), settings)
    job = jobs.submit(photograph, study_id="tiny", chunk_side=2, settings=settings)
    wait_for(job, settings, until=lambda state: state.state == "running" and state.done >= 4)
    jobs.pause(job, settings)
    time.sleep(1.5)  # longer than a chunk of four tiny cells
    rested = jobs.state(job, settings)
    assert rested.state == "paused"
    assert rested.done < 30
    time.sleep(1)
    assert jobs.state(job, settings).done == rested.done
    jobs.resume(job, settings)
    state = wait_for(job, settings)
    assert state.state == "done", state
    for file in ("cells.parquet", "maps.parquet", "cells.csv", "preview.png"):
        assert (state.result / file).read_bytes() == (whole.result / file).read_bytes()
    attempts = [p.name for p in (settings.jobs / job / "attempts").iterdir()]
    assert sum(not name.endswith(".1") for name in attempts) <= 1  # the chunk in hand at most


def test_deleting_leaves_nothing_but_an_audit_line(room: Settings, photograph: Path) -> None:
    job, other = (jobs.submit(photograph, owner="ann", settings=room) for _ in "ab")
    keeping.delete(job, room)
    with pytest.raises(CarreauError, match="there is no job"):
        jobs.state(job, room)
    assert {p.name for p in room.jobs.iterdir()} == {other}
    assert jobs.pending(room) == 1
    said = [(line["event"], line["job"], line["owner"]) for line in events(room)]
    assert said == [
        ("submitted", job, "ann"),
        ("submitted", other, "ann"),
        ("cancelled", job, "ann"),
        ("deleted", job, "ann"),
    ]
    assert "secret-name" not in audit.audit_file(room).read_text(encoding="utf-8")
    assert events(room)[0]["bytes"] == photograph.stat().st_size


def test_deleting_a_running_job_leaves_the_worker_alive(tmp_path: Path) -> None:
    settings = shared_room()
    photograph = write_photograph(tmp_path / "town.tif", 8, 8)
    job = jobs.submit(photograph, study_id="tiny", chunk_side=2, settings=settings)
    wait_for(job, settings, until=lambda state: state.state == "running" and state.done >= 4)
    pid = jobs.worker_pid(settings)
    keeping.delete(job, settings)
    after = wait_for(jobs.submit(photograph, study_id="tiny", chunk_side=4, settings=settings), settings)
    assert after.state == "done", after
    assert jobs.worker_pid(settings) == pid
    assert not [p for p in settings.jobs.iterdir() if job in p.name]
    ended = [line for line in events(settings) if line["job"] == after.job]
    assert [line["event"] for line in ended] == ["submitted", "done"]
    assert ended[-1]["cells"] == 64


def test_a_lost_queue_loses_no_result(tmp_path: Path, room: Settings, photograph: Path) -> None:
    job, waiting = (jobs.submit(photograph, settings=room) for _ in "ab")
    result = room.jobs / job / "result"
    result.mkdir()
    (result / "summary.json").write_text("{}")
    empty = replace(room, queue_url=f"sqlite:///{tmp_path / 'new.sqlite'}")
    assert jobs.state(job, empty).state == "done"
    assert jobs.state(job, empty).result == result
    assert jobs.state(waiting, empty).state == "failed"
    assert "never queued" in jobs.state(waiting, empty).reason


def test_old_jobs_that_ended_are_deleted_and_no_others(room: Settings, photograph: Path) -> None:
    ended, waiting, fresh = (jobs.submit(photograph, settings=room) for _ in "abc")
    jobs.cancel(ended, room)
    jobs.cancel(fresh, room)
    long_ago = (datetime.now(UTC) - timedelta(days=31)).isoformat(timespec="seconds")
    for job in (ended, waiting):
        file = room.jobs / job / "job.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"created_at": long_ago}))
    left_over, recent = room.jobs / ".abc.partial", room.jobs / ".def.partial"
    left_over.mkdir()
    recent.mkdir()
    os.utime(left_over, (0, 0))
    assert keeping.delete_old(room) == [ended]
    assert {p.name for p in room.jobs.iterdir()} == {waiting, fresh, ".def.partial"}
    assert keeping.delete_old(replace(room, keep_days=60)) == []


def test_an_owner_has_a_quota_of_jobs_and_of_space(room: Settings, photograph: Path) -> None:
    few = replace(room, max_jobs=2)
    first = jobs.submit(photograph, owner="ann", settings=few)
    jobs.submit(photograph, owner="ann", settings=few)
    with pytest.raises(QuotaError, match="2 of your jobs have not ended, and 2 are allowed"):
        jobs.submit(photograph, owner="ann", settings=few)
    jobs.submit(photograph, owner="bob", settings=few)
    jobs.cancel(first, few)
    jobs.submit(photograph, owner="ann", settings=few)
    full = replace(room, max_stored_gb=1)
    huge = room.jobs / first / "input" / "huge"
    with huge.open("wb") as file:
        file.truncate(10**9)
    with pytest.raises(QuotaError, match=r"would take 1\.0 GB, and 1 GB are allowed\. Delete some"):
        jobs.submit(photograph, owner="ann", settings=full)
    assert len(list(room.jobs.iterdir())) == 4  # a refused submission leaves nothing
