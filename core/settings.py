"""The only reader of the environment: every setting with its name, default and meaning."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from data.errors import SettingsError

REPOSITORY = Path(__file__).resolve().parent.parent
SHIPPED_DEMO = REPOSITORY / "data" / "demo" / "published"


def _setting(default: Any, help_text: str) -> Any:
    return field(default=default, metadata={"help": help_text})


@dataclass(frozen=True)
class Settings:
    """Where things live and how much the program may use; each is `CARREAU_` + its name in capitals."""

    var: Path = _setting(REPOSITORY / "var", "folder of everything produced: stages, publications, jobs")
    studies: str = _setting("", f"further folders with published studies, separated by '{os.pathsep}'")
    queue_url: str = _setting("", "database of the job queue; empty = SQLite in the var folder")
    machine: str = _setting("", "this machine's name among those that share the queue; empty = its host name")
    heartbeat_s: int = _setting(10, "seconds between a worker's signs of life on a shared queue")
    takeover_s: int = _setting(45, "seconds of silence after which other workers take over its jobs")
    drop_folder: str = _setting(
        "", "folder of photographs on the server that readers may choose from, read where they stand"
    )
    max_upload_mb: int = _setting(200, "largest file taken through the browser, in megabytes")
    max_jobs: int = _setting(20, "jobs of one owner that may wait or run at a time")
    max_stored_gb: int = _setting(50, "gigabytes that the jobs of one owner may take, files and results")
    least_households: int = _setting(
        11, "households that the cells of a selection must hold together to be handed out"
    )
    keep_days: int = _setting(30, "days after which a job that has ended is deleted with its files")
    worker_idle_s: int = _setting(300, "seconds without work after which the worker exits")
    step_limit_s: int = _setting(
        900, "seconds that a worker may take over one step of a job, such as a chunk"
    )
    memory_mb: int = _setting(
        6000, "megabytes of memory that a worker may take; a step that takes more fails"
    )
    threads: int = _setting(2, "CPU threads of a worker or pipeline process")
    device: str = _setting("auto", "auto, cpu or cuda")

    @property
    def publications(self) -> Path:
        """Folder with one published study a subfolder."""
        return self.var / "publications"

    @property
    def jobs(self) -> Path:
        """Folder with one job a subfolder."""
        return self.var / "jobs"

    @property
    def study_roots(self) -> list[Path]:
        """Where published studies are looked for; the first that has a study id wins."""
        extra = [Path(part) for part in self.studies.split(os.pathsep) if part]
        return [*extra, self.publications, SHIPPED_DEMO]


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings, defaults overridden by the environment.

    Raises:
        SettingsError: a `CARREAU_` variable that no setting knows, or a value of the wrong kind.

    >>> read_settings({"CARREAU_THREADS": "4"}).threads
    4
    """
    known = {f"CARREAU_{item.name.upper()}": item for item in fields(Settings)}
    # Used by the test suite to find files that are not part of the repository.
    unknown = sorted(
        k for k in environment if k.startswith("CARREAU_") and k not in {*known, "CARREAU_REAL_FILES"}
    )
    if unknown:
        raise SettingsError(
            f"environment: unknown {', '.join(unknown)}; known are {', '.join(sorted(known))}"
        )
    values: dict[str, Any] = {}
    for name, item in known.items():
        if name not in environment:
            continue
        raw = environment[name]
        if isinstance(item.default, bool) or not isinstance(item.default, int):
            values[item.name] = Path(raw).resolve() if isinstance(item.default, Path) else raw
        else:
            try:
                values[item.name] = int(raw)
            except ValueError as error:
                raise SettingsError(f"environment: {name} must be a whole number, not {raw!r}") from error
            if values[item.name] < 1:
                raise SettingsError(f"environment: {name} must be at least 1, not {raw}")
    settings = Settings(**values)
    if settings.device not in {"auto", "cpu", "cuda"}:
        raise SettingsError(f"environment: CARREAU_DEVICE must be auto, cpu or cuda, not {settings.device!r}")
    if settings.takeover_s < 2 * settings.heartbeat_s:
        raise SettingsError(
            f"environment: CARREAU_TAKEOVER_S is {settings.takeover_s} and must be at least twice "
            f"CARREAU_HEARTBEAT_S, which is {settings.heartbeat_s}"
        )
    return settings


def describe_environment() -> str:
    """Return the table of settings for docs/operations.md."""
    rows = [
        f"| `CARREAU_{item.name.upper()}` | {_shown(item.default)} | {item.metadata['help']} |"
        for item in fields(Settings)
    ]
    return "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows])


def _shown(default: Any) -> str:
    if isinstance(default, Path):
        return f"`{default.relative_to(REPOSITORY)}`"
    return f"`{default}`" if default != "" else "none"
