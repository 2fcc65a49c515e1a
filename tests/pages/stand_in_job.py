"""Jobs that tests of the pages make up: their states, and what was asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from core.job_files import Job
from core.jobs import JobState

JOB = "0123456789abcdef0123456789abcdef"


def job_state(**changes: Any) -> JobState:
    """Return the state of a running job, but for the changes."""
    base: dict[str, Any] = {
        "job": JOB,
        "state": "running",
        "reason": None,
        "done": 0,
        "total": 0,
        "seconds_left": None,
        "cells": 0,
        "skipped": 0,
        "result": None,
        "device": None,
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
        "study_id": "synthetic",
        "name": "town.tif",
        "owner": "me",
    }
    return JobState(**{**base, **changes})


def asked_for(**changes: Any) -> Job:
    """Return what such a job was asked for."""
    base: dict[str, Any] = {
        "job": JOB, "owner": "me", "name": "town.tif", "photographs": "input/photographs", "names": {},
        "land_use": None, "land_use_name": None, "study_id": "synthetic", "publication": "", "chunk_side": 8,
        "created_at": "2026-01-01T00:00:00+00:00",
    }  # fmt: skip
    return Job(**{**base, **changes})
