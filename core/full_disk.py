"""A full disk loses no job: space is kept back for its outcome, and what was left without one goes on.

The queue's own database may lie on the disk that is full. The engine then can record neither a step nor the
end of a job, drops the job, and leaves it "running" for as long as its worker lives (measured, DBOS 3.4 on
SQLite). So the worker holds a file that it gives up when there is no space, and looks for dropped jobs.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Callable, Collection

from core import queue
from core.settings import Settings

log = logging.getLogger("carreau.worker")

RESERVE_BYTES = 8_000_000  # an outcome takes some pages of the database and its log
_RESERVE = "reserve"


def is_full(error: BaseException) -> bool:
    """Return whether an error of the system says that a disk, or a quota on it, is full."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def keep_back(settings: Settings) -> None:
    """Hold `RESERVE_BYTES` in `var` where there is four times as much; a disk that is nearly full is left."""
    file = settings.var / _RESERVE
    if file.is_file() or shutil.disk_usage(settings.var).free < 4 * RESERVE_BYTES:
        return
    try:
        with file.open("wb") as opened:
            os.posix_fallocate(opened.fileno(), 0, RESERVE_BYTES)
    except OSError as error:  # some file systems cannot; a job dropped then waits for space
        log.warning("no space is kept back in %s: %s", settings.var, error)
        give_up(settings)


def give_up(settings: Settings) -> None:
    """Free what was kept back."""
    (settings.var / _RESERVE).unlink(missing_ok=True)


class Dropped:
    """Finds jobs that the queue holds to be running on this worker, and that it does not run."""

    def __init__(self, settings: Settings, running: Callable[[], Collection[str]]) -> None:
        """``running`` names the jobs that the engine has in hand in this process."""
        self._settings, self._running = settings, running
        self._before: set[str] = set()

    def look(self) -> list[str]:
        """Queue jobs found twice in a row again and return them: they go on after their last step.

        Twice: a job is taken from the queue a moment before it runs.
        """
        client = queue.client(self._settings)
        rows = client.list_workflows(
            status="PENDING",
            executor_id=[queue.worker_name(self._settings)],
            name=queue.WORKFLOW,
            load_input=False,
            load_output=False,
        )
        idle = {row.workflow_id for row in rows} - set(self._running())
        dropped, self._before = sorted(idle & self._before), idle
        if dropped:
            if shutil.disk_usage(self._settings.var).free < RESERVE_BYTES:
                give_up(self._settings)
            client.resume_workflows(dropped, queue_name=queue.QUEUE)
            log.warning("dropped by the engine, and taken up again: %s", ", ".join(dropped))
            self._before = set()
        return dropped
