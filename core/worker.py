"""The process that runs jobs: one a machine and device, started on demand, gone when nothing is left to do.

The engine (DBOS) keeps what each step returned, so after a kill a job goes on with the first chunk that is
not finished. A step may run twice (killed between its last write and its record): it works under a name of
its own and renames, and a part that stands is never made again.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from core import audit, full_disk, jobs, keeping, queue
from core.memory import keep_freed_memory
from core.settings import Settings, read_settings
from core.watchdog import Watchdog
from data.errors import CarreauError, InputError, StudyError
from data.store.write import write_atomically

if TYPE_CHECKING:
    from core.job_files import Job
    from core.region import StudyNetworks
    from data.coverage import LandUseIndex
    from data.imagery import Mosaic
    from data.reading import Reading

log = logging.getLogger("carreau.worker")

TRIES = 3  # of a step, in one worker, after an unexpected fault
OVER_LIMIT = 2  # times that a step may break its bounds of time or memory
STARTS = 10  # of a step, over all workers: a file that kills the decoder ends its job, not the queue
RETRY_S = 0.5
POLL_S = 0.2
KEEPING_S = 3600.0  # between two looks for jobs to delete
DROPPED_S = 2.0  # between two looks for jobs that the engine dropped


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `python -m core worker`."""
    parser.add_argument("--lock-fd", type=int, help=argparse.SUPPRESS)  # open lock file, from ensure_worker
    parser.add_argument("--settings", help=argparse.SUPPRESS)  # the starter's settings as JSON


def run(options: argparse.Namespace) -> int:
    """Run jobs until there have been none for `worker_idle_s`; 0 at once when another worker has the lock."""
    settings = jobs.settings_from_json(options.settings) if options.settings else read_settings()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(levelname)s %(message)s")
    lock: IO[str] | None
    if options.lock_fd is not None:
        os.set_inheritable(options.lock_fd, False)
        lock = os.fdopen(options.lock_fd, "a", encoding="utf-8")
    else:
        lock = _patient_lock(settings)
    if lock is None:
        log.info("another worker is running; nothing to do here")
        return 0
    with lock:
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        _serve(settings)
    # A job queued after the last look found the lock taken and started nobody; the lock is free now.
    if jobs.pending(settings):
        jobs.ensure_worker(settings)
    return 0


def _patient_lock(settings: Settings, seconds: float = 1.0) -> IO[str] | None:
    """Take the worker's lock, or give up; someone may hold it for a moment only to start a worker."""
    give_up = time.monotonic() + seconds
    while (lock := queue.lock_worker(settings)) is None and time.monotonic() < give_up:
        time.sleep(0.05)
    return lock


def _serve(settings: Settings) -> None:
    from dbos import DBOS

    from core.heartbeat import Heartbeat  # brings SQLAlchemy, which commands need not wait for

    keep_freed_memory()
    engine = DBOS(config=queue.dbos_config(settings))
    runner = Runner(settings)

    @DBOS.workflow(name=queue.WORKFLOW, max_recovery_attempts=1000)  # the bound is STARTS, a step's own
    def run_job(job: str) -> dict[str, Any]:
        outcome = runner.run_job(job)
        with suppress(CarreauError):  # deleted while it ran
            owner = jobs.read_job(job, settings).owner
            audit.note(settings, outcome["state"], job, owner, cells=outcome["cells"])
        return outcome

    DBOS.launch()
    try:
        DBOS.register_queue(
            queue.QUEUE, worker_concurrency=1, polling_interval_sec=POLL_S, on_conflict="always_update"
        )
        with Heartbeat(settings) if queue.is_shared(settings) else nullcontext():
            log.info("worker %s is ready, device %s", queue.worker_name(settings), settings.device)
            active = engine._active_workflows_set  # the engine shows it nowhere else
            _wait_until_idle(settings, full_disk.Dropped(settings, active.activeList))
    finally:
        engine.destroy(workflow_completion_timeout_sec=0)
    log.info("nothing to do for %s s: the worker ends", settings.worker_idle_s)


def _wait_until_idle(settings: Settings, dropped: full_disk.Dropped) -> None:
    import sqlalchemy

    last_work, next_look, next_dropped = time.monotonic(), 0.0, 0.0
    while time.monotonic() - last_work < settings.worker_idle_s:
        if time.monotonic() > next_look:
            for job in keeping.delete_old(settings):
                log.info("job %s: deleted, older than %d days", job, settings.keep_days)
            full_disk.keep_back(settings)
            next_look = time.monotonic() + KEEPING_S
        time.sleep(min(0.5, settings.worker_idle_s / 4))
        try:
            if jobs.pending(settings):
                last_work = time.monotonic()
            if time.monotonic() > next_dropped:
                dropped.look()
                next_dropped = time.monotonic() + DROPPED_S
        except sqlalchemy.exc.SQLAlchemyError as error:  # a server that is restarted comes back
            log.warning("the queue's database is away: %s", error)


class Runner:
    """Runs jobs one after the other in this process and keeps the last study's networks in memory."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._watchdog = Watchdog(settings.step_limit_s, settings.memory_mb)
        self._networks: tuple[tuple[str, str | None], StudyNetworks] | None = None
        self._land_use: tuple[Path, str, LandUseIndex] | None = None
        self._mosaic: tuple[str, Mosaic] | None = None

    def run_job(self, job: str) -> dict[str, Any]:
        """Run one job to its end and return `state, reason, cells, skipped`."""
        plan = self._step(job, "plan", self._plan)
        if "state" in plan:
            return plan
        pace = Pace(self._folder(job), plan["total"])
        for number in range(plan["chunks"]):
            counts = self._step(job, f"chunk-{number:05d}", self._chunk, number)
            if "state" in counts:
                return counts
            pace.chunk_done(**counts)
        self._close_mosaic()
        counts = self._step(job, "assemble", self._assemble)
        if "state" in counts:
            return counts
        if counts["cells"] == 0:
            reason = (
                f"{self._job(job).name}: every one of its {pace.total:d} cells of 200 m has empty pixels "
                f"(more than 1 %) or shows one colour throughout. Bring a photograph that covers at least "
                f"one whole cell."
            )
            return _ended("rejected", reason, 0, pace.skipped)
        return _ended("done", None, counts["cells"], pace.skipped)

    def _step(
        self, job: str, name: str, work: Callable[..., dict[str, Any]], *arguments: Any
    ) -> dict[str, Any]:
        """Do a step, or return what it returned in an earlier life of the job."""
        from dbos import DBOS

        return DBOS.run_step({"name": name}, self._attempt, job, name, work, *arguments)

    def _attempt(
        self, job: str, name: str, work: Callable[..., dict[str, Any]], *arguments: Any
    ) -> dict[str, Any]:
        """Run a step with its bounds on tries; faults become the end of the job, in words."""
        log_file = queue.log_file(self.settings)
        for attempt in range(1, TRIES + 1):
            broken = sorted((self._folder(job) / "attempts").glob(f"{name}.*.limit"))
            if len(broken) >= OVER_LIMIT:
                why = broken[-1].read_text(encoding="utf-8")
                return _ended("failed", f"This part of the job ({name}) {why}, {len(broken)} times.")
            starts, started = self._count_start(job, name)
            if starts > STARTS:
                return _ended(
                    "failed",
                    f"The worker was killed {STARTS} times while it worked on this part ({name}); the file "
                    "may need more memory than there is, or break a decoder. "
                    f"The log is {log_file}.",
                )
            word = self._folder(job) / "attempts" / f"{name}.{starts}.limit"
            try:
                with self._watchdog.over(word):
                    return work(job, *arguments)
            except InputError as error:
                log.info("job %s: rejected: %s", job, error)
                return _ended("rejected", self._in_users_words(job, error))
            except CarreauError as error:
                return _ended("failed", str(error))
            except Exception as error:
                started.unlink(missing_ok=True)  # starts that end in an error are not deaths
                full = full_disk.is_full(error)
                log.exception("job %s: %s, attempt %d", job, name, attempt)
                fault = f"{type(error).__name__}: {error}"
                time.sleep(RETRY_S * attempt)
        if full:
            full_disk.give_up(self.settings)  # for the queue to note this end
            return _ended(
                "failed",
                f"The disk that holds {self.settings.jobs} is full. Free some space there and submit the "
                "photograph again.",
            )
        return _ended(
            "failed",
            f"An unexpected fault stopped the job in {name}, {TRIES} times ({fault}). "
            f"Submit it again; if it stays, report it with the log, {log_file}.",
        )

    def _count_start(self, job: str, name: str) -> tuple[int, Path]:
        folder = self._folder(job) / "attempts"
        count = 1 + sum(not file.name.endswith(".limit") for file in folder.glob(f"{name}.*"))
        started = folder / f"{name}.{count}"
        with suppress(OSError):  # a full disk: what follows says so
            folder.mkdir(exist_ok=True)
            started.touch()
        return count, started

    def _in_users_words(self, job: str, error: InputError) -> str:
        """Name the files as the user does: the job's copies have names of ours."""
        asked = self._job(job)
        folder = self._folder(job)
        text = str(error)
        copies = {f"{asked.photographs}/{copy}": name for copy, name in asked.names.items()}
        copies[asked.photographs] = asked.name
        for layer, name in ((asked.land_use, asked.land_use_name), (asked.census, asked.census_name)):
            if layer and name:
                copies[layer] = name
        for copy, name in copies.items():
            for spelling in (str(folder / copy), str((folder / copy).resolve())):
                text = text.replace(spelling, name)
        for copy, name in copies.items():
            text = text.replace(Path(copy).name, name)
        return text

    def _job(self, job: str) -> jobs.Job:
        return jobs.read_job(job, self.settings)

    def _folder(self, job: str) -> Path:
        return jobs.folder_of(job, self.settings)

    def _plan(self, job: str) -> dict[str, Any]:
        """Look at the files, choose the grid, and cut its whole cells into chunks."""
        from core import region_plan
        from data.cell_values import read_cell_values
        from data.reading import Reading

        asked, folder = self._job(job), self._folder(job)
        write_progress(folder, {"done": 0, "total": 0, "cells": 0, "skipped": 0})
        how = Reading.from_json(asked.reading)
        plan = region_plan.plan_region(folder / asked.photographs, asked.chunk_side, how)
        self._land_use_of(folder, asked, plan.grid.crs)
        if asked.census is not None:  # a file that does not serve is told now, not after hours
            read_cell_values(folder / asked.census, plan.grid, plan.cells, asked.census_column)
        region_plan.write_plan(folder, plan)
        return {"chunks": plan.chunks, "total": len(plan.cells)}

    def _chunk(self, job: str, number: int) -> dict[str, Any]:
        """Predict one chunk and keep it as a part that is never made again."""
        from core import region_parts, region_plan

        folder = self._folder(job)
        kept = region_parts.read_part_record(folder, number)
        if kept is not None:
            return kept
        from core.region import predict_region
        from models.device import device_name

        asked = self._job(job)
        plan = region_plan.read_plan(folder)
        networks = self._networks_of(asked)
        land_use = self._land_use_of(folder, asked, plan.grid.crs)
        started = time.monotonic()
        rows = predict_region(
            self._mosaic_of(job, folder / asked.photographs, plan.how),
            plan.grid,
            plan.chunk(number),
            networks,
            land_use=land_use,
            thumbnail_px=plan.thumbnail_px(networks.input_px),
        )
        facts = {"seconds": time.monotonic() - started, "device": device_name(networks.device)}
        return region_parts.write_part(folder, number, rows, facts)

    def _assemble(self, job: str) -> dict[str, Any]:
        """Put the parts together into the result folder."""
        from core import region_plan, results

        asked, folder = self._job(job), self._folder(job)
        land_use = self._land_use_of(folder, asked, region_plan.read_plan(folder).grid.crs)
        return results.assemble(folder, asked, self._networks_of(asked), land_use)

    def _mosaic_of(self, job: str, path: Path, how: Reading) -> Mosaic:
        """Open the photographs of a job once: to look at a department's tiles takes longer than a chunk."""
        if self._mosaic is None or self._mosaic[0] != job:
            from data.imagery import open_imagery

            self._close_mosaic()
            self._mosaic = (job, open_imagery(path, how=how))
        return self._mosaic[1]

    def _close_mosaic(self) -> None:
        if self._mosaic is not None:
            self._mosaic[1].close()
            self._mosaic = None

    def _networks_of(self, asked: Job) -> StudyNetworks:
        key = (asked.publication, asked.city_id)
        if self._networks is None or self._networks[0] != key:
            import torch

            from core.region import load_networks
            from models.device import pick_device

            torch.set_num_threads(self.settings.threads)
            try:
                device = pick_device(self.settings.device)
                self._networks = (key, load_networks(Path(asked.publication), device, asked.city_id))
            except InputError as error:  # no fault of the file that was sent
                raise StudyError(f"The study's networks cannot be used: {error}") from error
        return self._networks[1]

    def _land_use_of(self, folder: Path, asked: Job, crs: str) -> LandUseIndex | None:
        """Return the land use of a job in the grid's CRS, read once; None where none was sent."""
        if asked.land_use is None:
            return None
        path = folder / asked.land_use
        if self._land_use is None or self._land_use[:2] != (path, crs):
            from data.coverage import LandUseIndex
            from data.landuse import read_land_use

            self._land_use = (
                path,
                crs,
                LandUseIndex.of(read_land_use(path, code_column=asked.land_use_column, crs=crs)),
            )
        return self._land_use[2]


class Pace:
    """Progress of a job, written after each chunk, with the time left by the speed of its chunks so far."""

    def __init__(self, folder: Path, total: int) -> None:
        self.folder, self.total = folder, total
        self.done = self.cells = self.skipped = 0
        self._seconds = 0.0
        self._write(None, None)

    def chunk_done(self, cells: int, skipped: int, seconds: float, device: str) -> None:
        """A chunk is done, now or in an earlier life of the job."""
        self.cells += cells
        self.skipped += skipped
        self.done += cells + skipped
        self._seconds += seconds
        self._write(round((self.total - self.done) * self._seconds / self.done, 1), device)

    def _write(self, seconds_left: float | None, device: str | None) -> None:
        facts = {"done": self.done, "total": self.total, "cells": self.cells, "skipped": self.skipped}
        write_progress(self.folder, {**facts, "seconds_left": seconds_left, "device": device})


def write_progress(folder: Path, facts: dict[str, Any]) -> None:
    """Replace `progress.json` in one step."""
    write_atomically(folder / "progress.json", json.dumps(facts) + "\n")


def _ended(state: str, reason: str | None, cells: int = 0, skipped: int = 0) -> dict[str, Any]:
    return {"state": state, "reason": reason, "cells": cells, "skipped": skipped}


def main() -> int:
    """Run as `python -m core.worker`, which starts faster than the command with all its verbs."""
    parser = argparse.ArgumentParser(prog="python -m core.worker", description=__doc__)
    add_arguments(parser)
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
