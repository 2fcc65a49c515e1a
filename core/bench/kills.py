"""Is any job lost, doubled or different when workers, dashboards, machines or the database are killed?"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core import jobs
from core.bench.tiny import publish_tiny_study, write_photograph
from core.pipeline.progress import progress
from core.settings import REPOSITORY, Settings, read_settings

CHUNK_SIDE = 2
WAITING = 2  # jobs that have not ended, at any time
LONGEST_S = 4.0  # before a blind kill: it mostly hits the start of a worker or the loading of networks
SOON_S = 1.0  # before a kill that waits for a chunk to be done
PATIENCE_S = 300.0  # for the end of all jobs once nobody is killed any more
# What an open page does each second, as a process of its own that can be killed.
DASHBOARD = """
import sys, time
from core import jobs
settings = jobs.settings_from_json(sys.argv[1])
while True:
    try:
        if jobs.pending(settings):
            jobs.ensure_worker(settings)
    except Exception as error:
        print(error, file=sys.stderr)
    time.sleep(0.3)
"""


@dataclass
class Machine:
    """A machine with a dashboard, which starts its worker when there is work."""

    settings: Settings
    dashboard: subprocess.Popen[bytes] | None = field(default=None)

    def switch_on(self) -> None:
        """Start the dashboard unless it lives."""
        if self.dashboard is None or self.dashboard.poll() is not None:
            self.dashboard = subprocess.Popen(
                [sys.executable, "-c", DASHBOARD, jobs.settings_to_json(self.settings)],
                cwd=REPOSITORY,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

    def kill_dashboard(self) -> None:
        """SIGKILL the dashboard; its worker lives on."""
        if self.dashboard is not None:
            self.dashboard.kill()
            self.dashboard.wait()

    def kill_worker(self) -> None:
        """SIGKILL the worker, if there is one."""
        pid = jobs.worker_pid(self.settings)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def kill(self) -> None:
        """SIGKILL both, as a power cut would."""
        self.kill_dashboard()
        self.kill_worker()


def measure_kills(
    rounds: int = 30,
    seed: int = 1,
    *,
    queue_url: str = "",
    kill_server: Callable[[], None] | None = None,
) -> dict[str, Any]:
    """Keep jobs running, kill something at a random moment ``rounds`` times, and compare all results.

    On SQLite one machine; on a shared queue (``queue_url``) two, and ``kill_server`` (which must bring the
    server back) is one more thing that may be killed. Every other kill waits for a chunk to be done. A tiny
    untrained network on CPU; cells in chunks of 2 x 2. Returns rounds, jobs, killed (how often what), lost
    (jobs that did not end as done), doubled (results with a cell twice), different (results that differ in a
    byte from an undisturbed one), seconds, failed.
    """
    began = time.monotonic()
    random = np.random.default_rng(seed)
    with _machines(queue_url) as machines:
        here = machines[0].settings
        photograph = write_photograph(here.var / "town.tif", 6, 5)
        expected = _undisturbed(photograph, machines[0])
        victims: dict[str, Callable[[], None]] = {}
        for number, machine in enumerate(machines):
            victims |= {
                f"worker {number}": machine.kill_worker,
                f"dashboard {number}": machine.kill_dashboard,
                f"machine {number}": machine.kill,
            }
        if kill_server is not None:
            victims["server"] = kill_server
        killed = dict.fromkeys(victims, 0)
        made: list[str] = []
        with progress("bench kills", rounds, "kill") as advance:
            for number in range(rounds):
                unfinished = sum(jobs.state(job, here).state not in jobs.FINAL for job in made)
                made += [_submit(photograph, here) for _ in range(WAITING - unfinished)]
                for machine in machines:
                    machine.switch_on()
                if number % 2:
                    _wait_for_work(made, here)
                time.sleep(random.uniform(0, SOON_S if number % 2 else LONGEST_S))
                victim = str(random.choice(list(victims)))
                victims[victim]()
                killed[victim] += 1
                advance(1)
        for machine in machines:
            machine.switch_on()
        ends = [_end(job, here) for job in made]
        results = [state.result for state in ends if state.result is not None]
        report = {
            "seed": seed,
            "rounds": rounds,
            "jobs": len(made),
            "killed": killed,
            "lost": sum(state.state != "done" for state in ends),
            "doubled": sum(_has_doubles(result) for result in results),
            "different": sum(contents(result) != expected for result in results),
            "seconds": round(time.monotonic() - began),
        }
    bad = [name for name in ("lost", "doubled", "different") if report[name]]
    return {**report, "failed": [f"{report[name]} jobs were {name}" for name in bad]}


@contextmanager
def _machines(queue_url: str) -> Iterator[list[Machine]]:
    with tempfile.TemporaryDirectory(prefix="carreau-kills-") as folder:
        settings = replace(
            read_settings(),
            var=Path(folder) / "var",
            studies="",
            queue_url=queue_url,
            threads=1,
            device="cpu",
            heartbeat_s=1,
            takeover_s=3,
            max_jobs=100_000,
        )
        publish_tiny_study(settings.publications / "tiny")
        names = ("a", "b") if queue_url else ("",)
        machines = [Machine(replace(settings, machine=name)) for name in names]
        try:
            yield machines
        finally:
            for machine in machines:
                machine.kill()


def _undisturbed(photograph: Path, machine: Machine) -> dict[str, bytes]:
    job = _submit(photograph, machine.settings)
    machine.switch_on()
    state = _end(job, machine.settings)
    if state.result is None:
        raise AssertionError(f"even undisturbed the job ended as {state}")
    return contents(state.result)


def _submit(photograph: Path, settings: Settings) -> str:
    return jobs.submit(photograph, study_id="tiny", chunk_side=CHUNK_SIDE, settings=settings)


def _wait_for_work(made: list[str], settings: Settings) -> None:
    """Wait until a chunk of any job is done, or for as long as a worker may take to start."""
    before = _done(made, settings)
    give_up = time.monotonic() + 5 * LONGEST_S
    while _done(made, settings) == before and time.monotonic() < give_up:
        time.sleep(0.02)


def _done(made: list[str], settings: Settings) -> int:
    return sum(len(list((settings.jobs / job).glob("parts/*"))) for job in made)


def _end(job: str, settings: Settings) -> jobs.JobState:
    """Wait for the end of a job; one that does not end in time is returned as it stands."""
    give_up = time.monotonic() + PATIENCE_S
    while (state := jobs.state(job, settings)).state not in jobs.FINAL and time.monotonic() < give_up:
        time.sleep(0.2)
    return state


def contents(result: Path) -> dict[str, bytes]:
    """Return the files of a result by name; without the summary, which names the job and its times."""
    return {f.name: f.read_bytes() for f in sorted(result.iterdir()) if f.name != "summary.json"}


def _has_doubles(result: Path) -> bool:
    return bool(pd.read_parquet(result / "cells.parquet", columns=["cell_id"]).cell_id.duplicated().any())
