"""What is kept of jobs, how much, and how long: deletion, retention, quotas."""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core import audit, jobs, queue
from core.settings import Settings, read_settings
from data.errors import CarreauError, QuotaError

_LEFT_OVER_S = 86_400  # a copy that has not become a job in a day never will


def delete(job: str, settings: Settings | None = None) -> None:
    """Delete a job with its files and result, whatever its state; a running one is cancelled first.

    Raises:
        CarreauError: there is no such job.
    """
    settings = settings or read_settings()
    asked = jobs.read_job(job, settings)
    jobs.cancel(job, settings)
    gone = settings.jobs / f".{job}.deleted"
    # Renamed first: nobody finds half a job, and a worker in mid-chunk finds no place to write to.
    jobs.folder_of(job, settings).replace(gone)
    shutil.rmtree(gone, ignore_errors=True)
    queue.client(settings).delete_workflow(job)
    audit.note(settings, "deleted", job, asked.owner)


def delete_old(settings: Settings) -> list[str]:
    """Delete jobs that have ended and were submitted more than ``keep_days`` ago; return their ids.

    Left-over copies of submissions that never became a job go, too.
    """
    before = datetime.now(UTC) - timedelta(days=settings.keep_days)
    deleted = []
    for folder in settings.jobs.glob("[0-9a-f]*"):
        try:
            # the file first: most jobs are not old, and the queue need not be asked about them
            if datetime.fromisoformat(jobs.read_job(folder.name, settings).created_at) >= before:
                continue
            if jobs.state(folder.name, settings).state in jobs.FINAL:
                delete(folder.name, settings)
                deleted.append(folder.name)
        except CarreauError:  # deleted by another process in the meantime
            continue
    for left in settings.jobs.glob(".*"):
        if time.time() - left.stat().st_mtime > _LEFT_OVER_S:
            shutil.rmtree(left, ignore_errors=True)
    return deleted


def check_quota(owner: str, new_bytes: int, settings: Settings) -> None:
    """Refuse a submission beyond what one owner may have waiting or stored.

    Raises:
        QuotaError: ``max_jobs`` of theirs have not ended, or their files and results would take more than
            ``max_stored_gb``.
    """
    mine = jobs.recent(owner, settings, limit=10_000)
    unfinished = sum(job.state not in jobs.FINAL for job in mine)
    if unfinished >= settings.max_jobs:
        raise QuotaError(
            f"{unfinished:d} of your jobs have not ended, and {settings.max_jobs:d} are allowed. "
            "Wait for one to end, or cancel one."
        )
    stored = sum(_size(settings.jobs / job.job) for job in mine)
    if stored + new_bytes > settings.max_stored_gb * 1e9:
        raise QuotaError(
            f"Your jobs would take {(stored + new_bytes) / 1e9:.1f} GB, and {settings.max_stored_gb:d} GB "
            "are allowed. Delete some."
        )


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
