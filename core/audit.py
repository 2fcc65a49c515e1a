"""One line for each thing that happens to a job, without names or contents of files."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from core.settings import Settings


def audit_file(settings: Settings) -> Path:
    """Return the log; one JSON object a line: at, event, job, owner, and figures."""
    return settings.var / "logs" / "audit.jsonl"


def note(settings: Settings, event: str, job: str, owner: str, **figures: float | str) -> None:
    """Append a line; a single write, so that lines of several processes never mix."""
    file = audit_file(settings)
    file.parent.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    line = json.dumps({"at": now, "event": event, "job": job, "owner": owner, **figures}) + "\n"
    with file.open("ab", buffering=0) as log:
        log.write(line.encode())
