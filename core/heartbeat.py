"""Which workers live, where several machines share one queue; a lost worker's jobs go back to the queue.

The engine itself only takes up what a worker of the same name left. A machine that never comes back would
keep its jobs for ever: so every worker says each few seconds that it lives, in a table beside the queue, and
whoever lives takes over from those that have fallen silent. Times are the database's: clocks of machines may
differ.
"""

from __future__ import annotations

import functools
import logging
import threading
from typing import TYPE_CHECKING

import sqlalchemy as sa

from core import queue
from core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

log = logging.getLogger("carreau.worker")

_LOCK = 0x6361727265  # any number of ours
_METADATA = sa.MetaData()
_WORKER = sa.Table(
    "carreau_worker",
    _METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
)


def beat(settings: Settings, name: str) -> None:
    """Say that the worker called ``name`` lives."""
    with _engine(queue.queue_url(settings)).begin() as connection:
        seen = connection.execute(sa.update(_WORKER).where(_WORKER.c.name == name).values(seen_at=_NOW))
        if not seen.rowcount:
            connection.execute(sa.insert(_WORKER).values(name=name, seen_at=_NOW))


def leave(settings: Settings, name: str) -> None:
    """Take the worker called ``name`` off the list: it ends in peace and leaves nothing."""
    with _engine(queue.queue_url(settings)).begin() as connection:
        connection.execute(sa.delete(_WORKER).where(_WORKER.c.name == name))


def take_over(settings: Settings, name: str) -> Sequence[str]:
    """Put the running jobs of workers silent for ``takeover_s`` back into the queue; return the jobs.

    Deleting a worker's row is what claims its jobs: of two that try, the database lets one. A worker that was
    only slow finds its job finished or its parts made by another, and no part is ever made twice.
    """
    silent = _NOW - sa.func.make_interval(0, 0, 0, 0, 0, 0, settings.takeover_s)
    # Before the transaction: a process's first client may make the queue's tables, and their CREATE INDEX
    # CONCURRENTLY waits for every open transaction; it would wait for ours for ever.
    client = queue.client(settings)
    with _engine(queue.queue_url(settings)).begin() as connection:
        lost = connection.scalars(
            sa.delete(_WORKER)
            .where(_WORKER.c.name != name, _WORKER.c.seen_at < silent)
            .returning(_WORKER.c.name)
        ).all()
        if not lost:
            return []
        # Inside the transaction: should this process die here, the rows are still there for the next one.
        rows = client.list_workflows(
            status="PENDING",
            executor_id=list(lost),
            name=queue.WORKFLOW,
            load_input=False,
            load_output=False,
        )
        jobs = [row.workflow_id for row in rows]
        if jobs:
            client.resume_workflows(jobs, queue_name=queue.QUEUE)
    log.warning("no sign of life from %s: took over %s", ", ".join(lost), ", ".join(jobs) or "nothing")
    return jobs


class Heartbeat:
    """Beats in a thread from `with` to its end, and takes over from the silent."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._name = queue.worker_name(settings)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> None:
        beat(self._settings, self._name)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        try:
            leave(self._settings, self._name)
        except sa.exc.SQLAlchemyError as error:
            log.warning("the heartbeat could not be ended: %s", error)

    def _run(self) -> None:
        while not self._over.wait(self._settings.heartbeat_s):
            try:
                beat(self._settings, self._name)
                take_over(self._settings, self._name)
            except sa.exc.SQLAlchemyError as error:  # the database is away; it may come back
                log.warning("no heartbeat: %s", error)


_NOW = sa.func.now()


@functools.lru_cache(maxsize=8)
def _engine(url: str) -> sa.Engine:
    made = sa.create_engine(
        sa.make_url(url).set(drivername="postgresql+psycopg"),
        pool_size=2,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 10},
    )
    with made.begin() as connection:
        # two workers that start at once would both find no table
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        _METADATA.create_all(connection)
    return made
