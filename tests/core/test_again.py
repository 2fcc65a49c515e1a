"""Trying a job again: a new job with the finished chunks of the old, and the same bytes as a result."""

from __future__ import annotations

import pytest

from core import again, audit, jobs, keeping
from core.job_files import read_job
from data.errors import CarreauError, QuotaError
from tests.core.tiny_region import publish_tiny_study, settings_in, shared_room, wait_for, write_photograph


@pytest.fixture
def settings():
    return shared_room()


def result_of(state):
    return {f.name: f.read_bytes() for f in state.result.iterdir() if f.name != "summary.json"}


def test_a_cancelled_job_goes_on_as_another(settings, tmp_path):
    photograph = write_photograph(tmp_path / "town.tif", 6, 5)
    whole = wait_for(jobs.submit(photograph, study_id="tiny", chunk_side=2, settings=settings), settings)
    job = jobs.submit(photograph, study_id="tiny", chunk_side=2, key="mine", settings=settings)
    wait_for(job, settings, until=lambda state: state.done > 0)
    jobs.cancel(job, settings)
    cancelled = wait_for(job, settings)
    assert cancelled.state == "cancelled"
    finished = {p.name: p.stat().st_ino for p in (settings.jobs / job / "parts").glob("0*/cells.parquet")}
    new = again.try_again(job, settings)
    assert new != job and read_job(new, settings).key_hash == read_job(job, settings).key_hash
    state = wait_for(new, settings)
    assert state.state == "done" and result_of(state) == result_of(whole)
    # the chunks that were finished are the very files, not made again
    kept = {p.stat().st_ino for p in (settings.jobs / new / "parts").glob("0*/cells.parquet")}
    assert set(finished.values()) <= kept
    assert jobs.state(job, settings) == cancelled
    assert f'"again": "{job}"' in audit.audit_file(settings).read_text()
    keeping.delete(job, settings)
    assert jobs.state(new, settings).state == "done" and (state.result / "cells.parquet").is_file()


def test_only_what_came_to_no_result(settings, tmp_path):
    photograph = write_photograph(tmp_path / "town.tif")
    done = wait_for(jobs.submit(photograph, study_id="tiny", settings=settings), settings)
    with pytest.raises(CarreauError, match="is done; only a job that failed"):
        again.try_again(done.job, settings)
    with pytest.raises(CarreauError, match="there is no job"):
        again.try_again("0" * 32, settings)


def test_a_quota_holds(tmp_path):
    settings = settings_in(tmp_path, max_jobs=1)
    publish_tiny_study(settings.publications / "tiny", n_folds=1)
    job = jobs.submit(write_photograph(tmp_path / "a.tif"), study_id="tiny", settings=settings)
    jobs.cancel(job, settings)
    jobs.submit(write_photograph(tmp_path / "b.tif"), study_id="tiny", settings=settings)
    before = sorted(p.name for p in settings.jobs.iterdir())
    with pytest.raises(QuotaError, match="1 are allowed"):
        again.try_again(job, settings)
    assert sorted(p.name for p in settings.jobs.iterdir()) == before
