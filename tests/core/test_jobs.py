"""Jobs as pages see them, without any worker: submission, states, ownership, the queue, the lock."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from core import jobs, queue
from core.settings import REPOSITORY
from data.errors import CarreauError, InputError
from tests.core.tiny_region import publish_tiny_study, settings_in, write_land_use, write_photograph


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """A var folder with a study and no worker."""
    settings = settings_in(tmp_path_factory.mktemp("jobs"))
    publish_tiny_study(settings.publications / "tiny", n_folds=1)
    return settings


@pytest.fixture
def photograph(tmp_path):
    return write_photograph(tmp_path / "town.tif")


def test_submit_copies_and_queues(settings, photograph, tmp_path):
    use = write_land_use(tmp_path / "use.gpkg")
    job = jobs.submit(photograph, land_use=use, settings=settings)
    state = jobs.state(job, settings)
    assert (state.state, state.reason, state.study_id, state.name) == ("queued", None, "tiny", "town.tif")
    folder = settings.jobs / job
    assert (folder / "input" / "photographs" / "0000.tif").read_bytes() == photograph.read_bytes()
    assert (folder / "input" / "land-use.gpkg").is_file()
    assert not list(settings.jobs.glob(".*"))


def test_ids_are_long_and_different(settings, photograph):
    ids = {jobs.submit(photograph, settings=settings) for _ in range(5)}
    assert len(ids) == 5 and {len(job) for job in ids} == {32}


@pytest.mark.parametrize("name", ["../../evil.tif", "a b'; DROP TABLE.tif", "/etc/passwd.tif", "é\n.TIF"])
def test_names_never_become_paths(settings, photograph, name):
    job = jobs.submit(photograph, name=name, settings=settings)
    assert [p.name for p in (settings.jobs / job / "input").iterdir()] == ["photographs"]
    assert jobs.state(job, settings).name == name


def test_shapefile_comes_with_its_parts_and_nothing_else(settings, photograph, tmp_path):
    for part in (".shp", ".shx", ".dbf", ".prj", ".xml", ".sbn"):
        (tmp_path / f"use{part}").write_text(part)
    job = jobs.submit(photograph, land_use=tmp_path / "use.shp", settings=settings)
    found = {p.name for p in (settings.jobs / job / "input").iterdir()}
    assert found == {"photographs", *(f"land-use{part}" for part in (".shp", ".shx", ".dbf", ".prj"))}


def test_refusals_name_file_fault_and_remedy_and_leave_nothing(settings, photograph, tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("x")
    empty = tmp_path / "empty.tif"
    empty.touch()
    before = set(settings.jobs.iterdir()) if settings.jobs.is_dir() else set()
    for file, fault in ((tmp_path / "no.tif", "not there"), (text, "not a GeoTIFF"), (empty, "0 bytes")):
        with pytest.raises(InputError, match=rf"{file.name}: .*{fault}"):
            jobs.submit(file, settings=settings)
    with pytest.raises(InputError, match="no published study"):
        jobs.submit(photograph, study_id="nowhere", settings=settings)
    with pytest.raises(InputError, match=r"notes\.txt"):
        jobs.submit(photograph, land_use=text, settings=settings)
    assert set(settings.jobs.iterdir()) == before


def test_a_full_disk_leaves_nothing(settings, photograph, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    before = set(settings.jobs.iterdir())
    monkeypatch.setattr(jobs.shutil, "copyfile", full)
    with pytest.raises(InputError, match=r"town.tif: could not be copied.*No space left.*Free some space"):
        jobs.submit(photograph, settings=settings)
    assert set(settings.jobs.iterdir()) == before


def test_recent_shows_only_the_owners_jobs(settings, photograph):
    mine = [jobs.submit(photograph, owner="ada", settings=settings) for _ in range(3)]
    other = jobs.submit(photograph, owner="bob", settings=settings)
    assert {state.job for state in jobs.recent("ada", settings)} == set(mine)
    assert [state.job for state in jobs.recent("bob", settings)] == [other]
    assert jobs.recent("eve", settings) == []
    assert len(jobs.recent("ada", settings, limit=2)) == 2


def test_cancel_of_a_queued_job_stays(settings, photograph):
    job = jobs.submit(photograph, settings=settings)
    waiting = jobs.pending(settings)
    assert jobs.cancel(job, settings).state == "cancelled"
    assert jobs.cancel(job, settings).state == "cancelled"
    assert jobs.pending(settings) == waiting - 1


@pytest.mark.parametrize("job", ["0" * 32, "../secret", "", "x" * 500, "A" * 32])
def test_unknown_jobs(settings, job):
    for call in (jobs.state, jobs.cancel):
        with pytest.raises(CarreauError, match="there is no job"):
            call(job, settings)


def test_a_job_that_was_never_queued_says_so(settings, photograph):
    job = jobs.submit(photograph, settings=settings)
    copy = "f" * 32
    (settings.jobs / copy).mkdir()
    text = (settings.jobs / job / "job.json").read_text().replace(job, copy)
    (settings.jobs / copy / "job.json").write_text(text)
    state = jobs.state(copy, settings)
    assert state.state == "failed" and "never queued" in str(state.reason)


def test_the_queue_holds_json_only(settings, photograph):
    job = jobs.submit(photograph, settings=settings)
    with sqlite3.connect(settings.var / "queue.sqlite") as database:
        inputs, serialization, version = database.execute(
            "SELECT i.inputs, serialization, application_version FROM workflow_status "
            "JOIN workflow_input i USING (workflow_uuid) WHERE workflow_uuid = ?",
            (job,),
        ).fetchone()
    assert (serialization, version) == ("portable_json", queue.VERSION)
    assert json.loads(inputs)["positionalArgs"] == [job]


def test_a_pickled_message_is_refused(settings, photograph):
    """A row that says it is a pickle must never be unpickled: that would run code in the reader."""
    from dbos import WorkflowSerializationFormat
    from dbos._serialization import deserialize_args, deserialize_value, serialize_value

    job = jobs.submit(photograph, settings=settings)
    bomb = "gASVHQAAAAAAAACMCGJ1aWx0aW5zlIwEZXhlY5STlIwBeJSFlFKULg=="
    for read in (deserialize_args, deserialize_value):
        with pytest.raises(TypeError, match="JSON only"):
            read(bomb, "py_pickle", queue._json())
    with pytest.raises(TypeError, match="JSON only"):
        serialize_value(object(), WorkflowSerializationFormat.NATIVE, queue._json())
    with sqlite3.connect(settings.var / "queue.sqlite") as database:
        database.execute("UPDATE workflow_input SET inputs = ? WHERE workflow_uuid = ?", (bomb, job))
        database.execute(
            "UPDATE workflow_status SET serialization = 'py_pickle' WHERE workflow_uuid = ?", (job,)
        )
    assert jobs.state(job, settings).state == "queued"
    jobs.cancel(job, settings)


def test_jobs_need_neither_torch_nor_streamlit():
    code = "import sys, core.jobs, core.worker, core.submit; print({'torch', 'streamlit'} & set(sys.modules))"
    command = [sys.executable, "-c", code]
    said = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"


def test_settings_reach_the_worker_whole(settings):
    odd = replace(settings, var=Path("/tmp/a b 'c'"), threads=7, queue_url="postgresql://u@h/d")  # noqa: S108
    assert jobs.settings_from_json(jobs.settings_to_json(odd)) == odd


def test_one_worker_a_machine(settings, tmp_path):
    here = replace(settings, var=tmp_path)
    assert jobs.worker_pid(here) is None
    lock = queue.lock_worker(here)
    assert lock is not None
    assert queue.lock_worker(here) is None
    assert jobs.ensure_worker(here) is False
    lock.close()
    again = queue.lock_worker(here)
    assert again is not None
    again.close()


def test_workers_of_a_shared_queue_have_their_own_names(settings):
    shared = replace(settings, queue_url="postgresql://u@h/d")
    assert queue.worker_name(settings) == "local"
    assert queue.worker_name(shared) != queue.worker_name(replace(shared, device="cuda"))
