"""The queue on PostgreSQL: several machines, a machine that is lost, a server that is killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from core import heartbeat, jobs, queue
from core.bench import kills
from core.settings import Settings
from tests.core import postgres
from tests.core.tiny_region import kill_worker, settings_in, shared_room, wait_for, write_photograph

pytestmark = [
    pytest.mark.skipif(
        postgres.programs() is None, reason="no PostgreSQL server is installed: apt-get install postgresql"
    ),
    pytest.mark.xdist_group("postgres"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.PostgresServer]:
    made = postgres.PostgresServer()
    yield made
    made.close()


@pytest.fixture(scope="module")
def here(server: postgres.PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """This machine: the folder that machines share, and the queue on the server."""
    settings = settings_in(
        tmp_path_factory.mktemp("shared"),
        studies=str(shared_room().publications),
        queue_url=server.url,
        machine="here",
        heartbeat_s=1,
        takeover_s=3,
    )
    yield settings
    kill_worker(settings)


@pytest.fixture(scope="module")
def there(here: Settings) -> Iterator[Settings]:
    """Another machine with the same folder and queue."""
    settings = replace(here, machine="there")
    yield settings
    kill_worker(settings)


@pytest.fixture(scope="module")
def photograph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photograph(tmp_path_factory.mktemp("photograph") / "town.tif", 6, 5)


@pytest.fixture(scope="module")
def expected(photograph: Path) -> dict[str, bytes]:
    """The undisturbed result, on SQLite."""
    settings = shared_room()
    state = wait_for(jobs.submit(photograph, study_id="tiny", chunk_side=2, settings=settings), settings)
    assert state.state == "done", state
    return contents(state)


def contents(state: jobs.JobState) -> dict[str, bytes]:
    assert state.result is not None
    return kills.contents(state.result)


def rows(server: postgres.PostgresServer, query: str) -> list[tuple]:
    engine = sa.create_engine(sa.make_url(server.url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def submit(photograph: Path, settings: Settings) -> str:
    return jobs.submit(photograph, study_id="tiny", chunk_side=2, settings=settings)


def test_done_as_on_sqlite_and_the_worker_shows_that_it_lives(
    server: postgres.PostgresServer, here: Settings, photograph: Path, expected: dict[str, bytes]
) -> None:
    state = wait_for(submit(photograph, here), here)
    assert (state.state, state.cells) == ("done", 30)
    assert contents(state) == expected
    (name, age), *others = rows(
        server, "SELECT name, extract(epoch FROM now() - seen_at)::float FROM carreau_worker"
    )
    assert (name, others) == ("here-cpu", [])
    assert age < 3


def test_another_machine_takes_over_from_one_that_is_lost(
    server: postgres.PostgresServer,
    here: Settings,
    there: Settings,
    photograph: Path,
    expected: dict[str, bytes],
) -> None:
    job = submit(photograph, here)
    wait_for(job, here, until=lambda state: state.state == "running" and state.done >= 4)
    kill_worker(here)
    lost_at = time.monotonic()
    assert jobs.state(job, here).state == "running"
    state = wait_for(job, there)  # starts a worker of the other machine only
    assert state.state == "done", state
    assert contents(state) == expected
    assert time.monotonic() - lost_at < 60
    assert jobs.worker_pid(here) is None
    assert [name for (name,) in rows(server, "SELECT name FROM carreau_worker")] == ["there-cpu"]
    log = queue.log_file(there).read_text(encoding="utf-8")
    assert f"no sign of life from here-cpu: took over {job}" in log


def test_of_two_that_see_a_lost_worker_one_takes_over(
    server: postgres.PostgresServer, here: Settings
) -> None:
    heartbeat.beat(here, "gone-cpu")
    with sa.create_engine(sa.make_url(server.url).set(drivername="postgresql+psycopg")).begin() as connection:
        connection.execute(
            sa.text("UPDATE carreau_worker SET seen_at = now() - interval '1 h' WHERE name = 'gone-cpu'")
        )
    assert heartbeat.take_over(here, "a-cpu") == []  # it had no job; its row is gone
    assert ("gone-cpu",) not in rows(server, "SELECT name FROM carreau_worker")
    heartbeat.beat(here, "alive-cpu")
    heartbeat.take_over(here, "a-cpu")
    assert ("alive-cpu",) in rows(server, "SELECT name FROM carreau_worker")
    heartbeat.leave(here, "alive-cpu")
    assert ("alive-cpu",) not in rows(server, "SELECT name FROM carreau_worker")


@pytest.mark.timeout(60)
def test_a_takeover_as_a_process_s_first_use_of_an_empty_queue(
    server: postgres.PostgresServer, here: Settings
) -> None:
    url = sa.make_url(server.url).set(drivername="postgresql+psycopg")
    with sa.create_engine(url, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(sa.text("CREATE DATABASE untouched"))
    settings = replace(here, queue_url=server.url.replace("/postgres", "/untouched"))
    heartbeat.beat(settings, "gone-cpu")
    with sa.create_engine(url.set(database="untouched")).begin() as connection:
        connection.execute(sa.text("UPDATE carreau_worker SET seen_at = now() - interval '1 h'"))
    assert heartbeat.take_over(settings, "a-cpu") == []


def test_two_machines_share_the_work_and_do_nothing_twice(
    here: Settings, there: Settings, photograph: Path, expected: dict[str, bytes]
) -> None:
    waiting = [submit(photograph, here) for _ in range(4)]
    for job in waiting:
        jobs.ensure_worker(here)
        jobs.ensure_worker(there)
        state = wait_for(job, here)
        assert state.state == "done", state
        assert contents(state) == expected
        attempts = sorted(p.name for p in (here.jobs / job / "attempts").iterdir())
        assert all(name.endswith(".1") for name in attempts), attempts


def test_a_killed_server_loses_no_job(
    server: postgres.PostgresServer, here: Settings, photograph: Path, expected: dict[str, bytes]
) -> None:
    job = submit(photograph, here)
    wait_for(job, here, until=lambda state: state.state == "running" and state.done >= 4)
    server.kill()
    time.sleep(1)
    server.start()
    state = wait_for(job, here)
    assert state.state == "done", state
    assert contents(state) == expected


def test_server_and_worker_killed_at_once(
    server: postgres.PostgresServer, here: Settings, photograph: Path, expected: dict[str, bytes]
) -> None:
    job = submit(photograph, here)
    wait_for(job, here, until=lambda state: state.state == "running" and state.done >= 8)
    pid = jobs.worker_pid(here)
    server.kill()
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
    server.start()
    state = wait_for(job, here)
    assert state.state == "done", state
    assert contents(state) == expected
