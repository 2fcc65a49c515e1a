"""The durable queue of jobs: a DBOS system database (SQLite in `var`, or PostgreSQL by URL), JSON only.

A message is a job id; files are found through the job's folder. Nothing here imports torch or Streamlit.
"""

from __future__ import annotations

import fcntl
import functools
import platform
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn

from core.settings import Settings
from data.errors import InputError

if TYPE_CHECKING:
    from dbos import DBOSClient, DBOSConfig

QUEUE = "jobs"
WORKFLOW = "run_job"
APPLICATION = "carreau"
# Fixed: the default is a hash of the source, so that an upgrade would strand the jobs that wait.
VERSION = "1"


def queue_url(settings: Settings) -> str:
    """Return the SQLAlchemy URL of the queue's database."""
    return settings.queue_url or f"sqlite:///{settings.var / 'queue.sqlite'}"


def is_shared(settings: Settings) -> bool:
    """Return whether several machines may work on this queue; SQLite belongs to one."""
    return not queue_url(settings).startswith("sqlite")


def worker_name(settings: Settings) -> str:
    """Return the name of the one worker that this machine may run on this queue and device.

    The name is the DBOS executor id *and* the name of the lock file. A worker that starts takes up what a
    worker of the same name left; the lock makes sure that the earlier one is dead. SQLite belongs to one
    machine and gets one worker, whatever its host is called (a container's name changes at each start).
    """
    if not is_shared(settings):
        return "local"
    return f"{settings.machine or platform.node()}-{settings.device}"


def lock_path(settings: Settings) -> Path:
    """Return the file that the worker of this machine and device locks."""
    return settings.var / f"worker-{worker_name(settings)}.lock"


def lock_worker(settings: Settings) -> IO[str] | None:
    """Take the lock that a worker holds for its life; None when another process has it.

    An advisory `flock`: the system gives it up when its last holder dies, however it dies.
    """
    settings.var.mkdir(parents=True, exist_ok=True)
    file = lock_path(settings).open("a", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def log_file(settings: Settings) -> Path:
    """Return the worker's log."""
    return settings.var / "logs" / "worker.log"


def dbos_config(settings: Settings) -> DBOSConfig:
    """Return what the worker gives to `DBOS`."""
    from dbos import DBOSConfig

    refuse_pickle()
    return DBOSConfig(
        name=APPLICATION,
        system_database_url=queue_url(settings),
        application_version=VERSION,
        executor_id=worker_name(settings),
        serializer=_json(),
        console_log_level="WARNING",
        use_listen_notify=False,
    )


def client(settings: Settings) -> DBOSClient:
    """Return the process's connection to the queue, whose tables are made when they are missing.

    Raises:
        InputError: the database cannot be reached or written.
    """
    return _client(queue_url(settings))


@functools.lru_cache(maxsize=8)
def _client(url: str) -> DBOSClient:
    import sqlalchemy
    from dbos import DBOS, DBOSClient
    from dbos._logger import dbos_logger

    refuse_pickle()
    dbos_logger.setLevel("WARNING")  # it tells of each of its migrations otherwise
    name = sqlalchemy.make_url(url).render_as_string(hide_password=True)
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    try:
        DBOS.migrate(url)  # a few milliseconds when there is nothing to do; safe from several processes
        return DBOSClient(system_database_url=url, serializer=_json(), application_name=APPLICATION)
    except (sqlalchemy.exc.SQLAlchemyError, OSError) as error:
        raise InputError(
            name, f"the job queue cannot be opened ({error})", "Check CARREAU_QUEUE_URL and the free space."
        ) from error


def _json() -> Any:
    from dbos._serialization import DBOSPortableJSON

    return DBOSPortableJSON


def refuse_pickle() -> None:
    """Make DBOS unable to read or write a pickle.

    With a JSON serializer it writes none, but it would still unpickle a row that says it is one; whoever can
    write to the database could then run code in the worker.
    """
    from dbos._serialization import DefaultSerializer

    def refuse(*_: Any) -> NoReturn:
        raise TypeError("the job queue holds JSON only; a pickled value was refused")

    DefaultSerializer.serialize = refuse  # type: ignore[method-assign, assignment]
    DefaultSerializer.deserialize = refuse  # type: ignore[method-assign, assignment]
