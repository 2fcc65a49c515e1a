"""What pages and commands may say to the worker: submit, state, pause, resume, cancel, recent, ensure_worker.

A job is a folder, `var/jobs/<id>` (`job.json`, `input/`, `progress.json`, `result/`), and a row of the
durable queue, which alone decides its state. Neither torch nor Streamlit is imported here.
"""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from core import access, audit, queue
from core.job_files import (
    CENSUS_SUFFIXES,
    COPIES,
    LAND_USE_SUFFIXES,
    Job,
    check_file,
    copy_layer,
    copy_photographs,
    folder_of,
    name_of,
    read_job,
    sent_photographs,
)
from core.settings import REPOSITORY, Settings, read_settings
from data.errors import InputError
from data.store.open import Publication, connect, find_publications
from data.store.write import write_atomically

State = Literal["queued", "running", "paused", "done", "rejected", "failed", "cancelled"]
FINAL: frozenset[State] = frozenset({"done", "rejected", "failed", "cancelled"})

CHUNK_SIDE = 8  # cells; at 128 px and three folds a chunk takes some ten seconds on two cores

_PAUSED = "paused"  # a file in the job's folder: it was not cancelled for good


@dataclass(frozen=True)
class JobState:
    """Where a job stands."""

    job: str
    state: State
    reason: str | None  # why it was rejected or failed
    done: int  # cells dealt with
    total: int  # cells to deal with; 0 until known
    seconds_left: float | None
    cells: int  # cells predicted
    skipped: int  # whole cells left out because of empty pixels, or of one colour
    result: Path | None  # folder, when done
    device: str | None
    created_at: datetime
    study_id: str
    name: str
    owner: str
    ahead: int = 0  # jobs that wait or run before this one, while it waits


def submit(
    photographs: Path | Sequence[Path],
    *,
    how: Mapping[str, Any] | None = None,
    in_place: bool = False,
    land_use: Path | None = None,
    land_use_column: str | None = None,
    census: Path | None = None,
    census_column: str | None = None,
    study_id: str | None = None,
    city_id: str | None = None,
    owner: str = "local",
    key: str | None = None,
    name: str | None = None,
    chunk_side: int = CHUNK_SIDE,
    settings: Settings | None = None,
) -> str:
    """Copy photographs (and land use) into a new job, queue it, and return its unguessable id.

    Args:
        photographs: GeoTIFF or JPEG 2000, one or several that are one region, or a folder of them; a world
            file beside one comes along.
        how: how they are to be read, as `data.reading.Reading.to_json` says.
        in_place: do not copy: read the one file or folder where it stands, where it must stay until the end.
        land_use: polygon layer with a class column.
        land_use_column: the column of classes, where the layer is not Urban Atlas's.
        census: polygons with a column of values, or an INSEE Filosofi file, to compare predictions with.
        census_column: the column of values, where there are several.
        study_id: study whose networks are used; the first one found when left out.
        city_id: city whose networks are used, where each has its own; those of all when left out.
        owner: whose job it is.
        key: what lets its holder change the job, beside its owner (`core.access`).
        name: the photographs' name for people; that of the first when left out.
        chunk_side: cells along a side of the blocks in which the work is done and resumed.
        settings: where things live; read from the environment when left out.

    Raises:
        InputError: a file that is missing, empty or of no known kind; no such study; no space to copy.
        QuotaError: the owner has too many jobs, or too much stored.
    """
    from core import keeping  # which knows jobs

    settings = settings or read_settings()
    study, publication = _study(study_id, settings)
    asked = [photographs] if isinstance(photographs, Path) else list(photographs)
    sent = sent_photographs(asked)
    _check_city(publication, city_id)
    if in_place and len(asked) != 1:
        raise InputError(sent[0].name, "is one of several", "To read in place, name one file or one folder.")
    name = name or name_of(sent)
    if land_use is not None:
        check_file(
            land_use, LAND_USE_SUFFIXES, "a GeoPackage (.gpkg), shapefile (.shp) or GeoParquet (.parquet)"
        )
    if census is not None:
        check_file(census, CENSUS_SUFFIXES, "a layer (.gpkg, .shp, .parquet) or a Filosofi table (.csv)")
    copied = [*([] if in_place else sent), *(layer for layer in (land_use, census) if layer)]
    size = sum(one.stat().st_size for one in copied)
    keeping.check_quota(owner, size, settings)
    identifier = secrets.token_hex(16)
    folder, partial = settings.jobs / identifier, settings.jobs / f".{identifier}.partial"
    try:
        (partial / "input").mkdir(parents=True)
        names = {} if in_place else copy_photographs(sent, partial)
        if len(sent) == 1:
            names = {copy: name if own == sent[0].name else own for copy, own in names.items()}
        job = Job(
            job=identifier,
            owner=owner,
            name=name,
            photographs=str(asked[0].resolve()) if in_place else COPIES,
            names=names,
            land_use=copy_layer(land_use, partial / "input", "land-use") if land_use else None,
            land_use_name=land_use.name if land_use else None,
            land_use_column=land_use_column,
            census=copy_layer(census, partial / "input", "census") if census else None,
            census_name=census.name if census else None,
            census_column=census_column,
            city_id=city_id,
            key_hash=None if key is None else access.hash_of(key),
            study_id=study,
            publication=str(publication.file.resolve()),
            chunk_side=chunk_side,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            reading=dict(how or {}),
        )
        write_atomically(partial / "job.json", json.dumps(asdict(job), indent=2) + "\n")
        partial.replace(folder)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise InputError(
            name, f"could not be copied to {settings.jobs} ({error})", "Free some space."
        ) from error
    enqueue(identifier, owner, settings)
    audit.note(settings, "submitted", identifier, owner, bytes=size, photographs=len(sent))
    return identifier


def enqueue(identifier: str, owner: str, settings: Settings) -> None:
    """Put a job whose folder stands into the queue."""
    queue.client(settings).enqueue(
        {
            "queue_name": queue.QUEUE,
            "workflow_name": queue.WORKFLOW,
            "workflow_id": identifier,
            "app_version": queue.VERSION,
            "authenticated_user": owner,
        },
        identifier,
    )


def _check_city(publication: Publication, city_id: str | None) -> None:
    if city_id is None:
        return
    with connect(publication.file) as connection:
        known = [
            str(row[0]) for row in connection.execute("SELECT city_id FROM city ORDER BY position").fetchall()
        ]
    if city_id not in known:
        raise InputError(city_id[:200], "is no city of the study", f"Choose one of {', '.join(known)}.")


def _study(study_id: str | None, settings: Settings) -> tuple[str, Publication]:
    found = find_publications(settings.study_roots)
    if not found:
        raise InputError(
            settings.publications, "holds no published study", "Run `python -m core run STUDY.toml` first."
        )
    if study_id is None:
        study_id = next(iter(found))
    if study_id not in found:
        raise InputError(study_id, "is no published study", f"Choose one of {', '.join(sorted(found))}.")
    return study_id, found[study_id]


def state(job: str, settings: Settings | None = None) -> JobState:
    """Return where a job stands; raises `CarreauError` when there is no such job."""
    settings = settings or read_settings()
    asked = read_job(job, settings)
    rows = queue.client(settings).list_workflows(workflow_ids=[job], load_input=False)
    found = _state(asked, rows[0] if rows else None, settings)
    return replace(found, ahead=_ahead(rows[0], settings)) if found.state == "queued" else found


def _ahead(row: Any, settings: Settings) -> int:
    """Count the jobs that wait or run and were queued before this one."""
    return sum(other.created_at < row.created_at for other in _unfinished(settings))


def _unfinished(settings: Settings) -> list[Any]:
    return queue.client(settings).list_workflows(
        status=["ENQUEUED", "DELAYED", "PENDING"], name=queue.WORKFLOW, load_input=False, load_output=False
    )


def recent(owner: str = "local", settings: Settings | None = None, limit: int = 20) -> list[JobState]:
    """Return the latest jobs of an owner, newest first."""
    settings = settings or read_settings()
    mine = [job for job in _kept(settings) if job.owner == owner]
    return _states(sorted(mine, key=lambda job: job.created_at, reverse=True)[:limit], settings)


def every(settings: Settings) -> list[JobState]:
    """Return all jobs that are kept, of all owners."""
    return _states(_kept(settings), settings)


def _kept(settings: Settings) -> list[Job]:
    return [Job.from_json(p.read_text(encoding="utf-8")) for p in settings.jobs.glob("*/job.json")]


def _states(asked: list[Job], settings: Settings) -> list[JobState]:
    if not asked:
        return []
    rows = queue.client(settings).list_workflows(workflow_ids=[job.job for job in asked], load_input=False)
    by_id = {row.workflow_id: row for row in rows}
    return [_state(job, by_id.get(job.job), settings) for job in asked]


def _state(asked: Job, row: Any, settings: Settings) -> JobState:
    folder = settings.jobs / asked.job
    progress = _read_json(folder / "progress.json")
    status: State = "failed"
    reason: str | None = None
    outcome: dict[str, Any] = {}
    if row is None and (folder / "result" / "summary.json").is_file():
        status = "done"  # the queue's database was lost; the result was not
    elif row is None:
        reason = "The job was never queued; submit the file again."
    elif row.status in {"ENQUEUED", "DELAYED"}:
        status = "queued"
    elif row.status == "PENDING":
        status = "running"
    elif row.status == "CANCELLED":
        status = "paused" if (folder / _PAUSED).exists() else "cancelled"
    elif row.status == "SUCCESS":
        outcome = row.output
        status, reason = outcome["state"], outcome["reason"]
    elif row.status == "ERROR":
        log_file = queue.log_file(settings)
        reason = f"The worker met an unexpected fault ({row.error}); its log is {log_file}."
    else:
        reason = "The worker was stopped too often while it ran this job; submit the file again."
    final = status in FINAL
    total = int(progress.get("total", 0))
    return JobState(
        job=asked.job,
        state=status,
        reason=reason,
        done=total if status == "done" else int(progress.get("done", 0)),
        total=total,
        seconds_left=None if final else progress.get("seconds_left"),
        cells=int(outcome.get("cells", progress.get("cells", 0))),
        skipped=int(outcome.get("skipped", progress.get("skipped", 0))),
        result=folder / "result" if status == "done" else None,
        device=progress.get("device"),
        created_at=datetime.fromisoformat(asked.created_at),
        study_id=asked.study_id,
        name=asked.name,
        owner=asked.owner,
    )


def _read_json(file: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}


def cancel(job: str, settings: Settings | None = None) -> JobState:
    """Cancel a job that has not ended; a running one stops at its next chunk."""
    settings = settings or read_settings()
    folder = folder_of(job, settings)
    now = state(job, settings)
    if now.state not in FINAL:
        (folder / _PAUSED).unlink(missing_ok=True)
        queue.client(settings).cancel_workflow(job)
        audit.note(settings, "cancelled", job, now.owner)
    return state(job, settings)


def pause(job: str, settings: Settings | None = None) -> JobState:
    """Let a job that has not ended rest; a running one stops at its next chunk, and finished chunks stay."""
    settings = settings or read_settings()
    folder = folder_of(job, settings)
    if state(job, settings).state in {"queued", "running"}:
        (folder / _PAUSED).touch()  # first: a job found cancelled without the mark would have ended
        queue.client(settings).cancel_workflow(job)
        if state(job, settings).state != "paused":  # it ended in the meantime
            (folder / _PAUSED).unlink(missing_ok=True)
    return state(job, settings)


def resume(job: str, settings: Settings | None = None) -> JobState:
    """Let a paused job go on with its first chunk that is not finished; it waits its turn again."""
    settings = settings or read_settings()
    folder = folder_of(job, settings)
    if state(job, settings).state == "paused":
        queue.client(settings).resume_workflow(job, queue_name=queue.QUEUE)
        (folder / _PAUSED).unlink(missing_ok=True)
    return state(job, settings)


def pending(settings: Settings) -> int:
    """Return how many jobs wait or run."""
    return len(_unfinished(settings))


def ensure_worker(settings: Settings | None = None) -> bool:
    """Start a worker when none is alive; returns whether one was started.

    The lock is taken *here* and handed to the worker as an open file: two dashboards cannot start two, and a
    worker that is still importing already counts as alive. The worker outlives this process.
    """
    settings = settings or read_settings()
    lock = queue.lock_worker(settings)
    if lock is None:
        return False
    queue.log_file(settings).parent.mkdir(parents=True, exist_ok=True)
    with lock, queue.log_file(settings).open("ab") as log:
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "core.worker",
                "--lock-fd",
                str(lock.fileno()),
                "--settings",
                settings_to_json(settings),
            ],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=(lock.fileno(),),
        )
    return True


def worker_pid(settings: Settings) -> int | None:
    """Return the process id that the worker wrote into its lock file; None when no worker is alive."""
    lock = queue.lock_worker(settings)
    if lock is not None:
        lock.close()
        return None
    text = queue.lock_path(settings).read_text(encoding="utf-8")
    return int(text) if text else None


def settings_to_json(settings: Settings) -> str:
    """Write settings for the command line of a worker, which must have those of its starter."""
    return json.dumps({k: str(v) if isinstance(v, Path) else v for k, v in asdict(settings).items()})


def settings_from_json(text: str) -> Settings:
    """Read what `settings_to_json` wrote."""
    values = json.loads(text)
    return Settings(**{**values, "var": Path(values["var"])})
