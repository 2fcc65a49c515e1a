"""A job that came to no result is tried again, from what it had finished."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from dataclasses import asdict, replace
from datetime import UTC, datetime

from core import audit, jobs, keeping
from core.job_files import read_job
from core.settings import Settings, read_settings
from data.errors import CarreauError, InputError
from data.store.write import write_atomically

MAY_BE_TRIED: frozenset[jobs.State] = frozenset({"failed", "cancelled"})


def try_again(job: str, settings: Settings | None = None) -> str:
    """Queue a job that failed or was cancelled once more; return the id of the new job.

    A job ends once, so this is another one, with the same owner and key; its files are the same (links, no
    copies), and the chunks that were finished are not made again.

    Raises:
        CarreauError: no such job, or one that did not end so.
        QuotaError: the owner has too many jobs.
    """
    settings = settings or read_settings()
    if (ended := jobs.state(job, settings).state) not in MAY_BE_TRIED:
        raise CarreauError(f"job {job} is {ended}; only a job that failed or was cancelled is tried again")
    asked = read_job(job, settings)
    keeping.check_quota(asked.owner, 0, settings)
    identifier = secrets.token_hex(16)
    before, partial = settings.jobs / job, settings.jobs / f".{identifier}.partial"
    partial.mkdir()
    try:
        for name in ("input", "parts"):
            if (before / name).is_dir():
                shutil.copytree(
                    before / name,
                    partial / name,
                    copy_function=os.link,
                    ignore=shutil.ignore_patterns(".*.partial"),
                )
        now = datetime.now(UTC).isoformat(timespec="seconds")
        again = replace(asked, job=identifier, created_at=now)
        write_atomically(partial / "job.json", json.dumps(asdict(again), indent=2) + "\n")
        partial.replace(settings.jobs / identifier)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise InputError(asked.name, f"cannot be tried again ({error})", "Submit it anew.") from error
    jobs.enqueue(identifier, asked.owner, settings)
    audit.note(settings, "submitted", identifier, asked.owner, again=job)
    return identifier
