"""Figures of the queue and its workers for a monitoring system, in the text format of Prometheus.

Everything is read when it is asked for, from the queue and the jobs' folders: no figure is lost with a
process.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, get_args

from core import audit, jobs
from core.settings import Settings, read_settings
from data.errors import SettingsError

if TYPE_CHECKING:
    from prometheus_client.core import Metric

STATES: tuple[jobs.State, ...] = get_args(jobs.State)


class QueueFigures:
    """A collector of `prometheus_client`: what the queue holds now, and what the audit log has seen."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics; raises `InputError` when the queue cannot be reached."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        found = jobs.every(self._settings)
        there = GaugeMetricFamily("carreau_jobs", "Jobs that are kept, by state.", labels=["state"])
        states = Counter(job.state for job in found)
        for state in STATES:
            there.add_metric([state], states[state])
        yield there
        waiting = [job.created_at.timestamp() for job in found if job.state == "queued"]
        yield GaugeMetricFamily(
            "carreau_oldest_waiting_seconds",
            "Seconds since the longest waiting job was submitted; 0 when none waits.",
            value=max(0.0, time.time() - min(waiting)) if waiting else 0,
        )
        left = sum(job.total - job.done for job in found if job.state in ("queued", "running"))
        yield GaugeMetricFamily("carreau_cells_left", "Cells still to predict in jobs that run.", value=left)
        yield GaugeMetricFamily(
            "carreau_worker_here",
            "1 when a worker of this machine and device is alive.",
            value=float(jobs.worker_pid(self._settings) is not None),
        )
        stored = sum(f.stat().st_size for f in self._settings.jobs.rglob("*") if f.is_file())
        yield GaugeMetricFamily("carreau_stored_bytes", "Bytes of all jobs, files and results.", value=stored)
        seen, cells = _audited(self._settings)
        events = CounterMetricFamily("carreau_job_events", "What happened to jobs, ever.", labels=["event"])
        for event, count in sorted(seen.items()):
            events.add_metric([event], count)
        yield events
        yield CounterMetricFamily(
            "carreau_cells_predicted", "Cells of jobs that are done, ever.", value=cells
        )


def _audited(settings: Settings) -> tuple[Counter[str], int]:
    """Count events, and cells of jobs that are done, in the audit log; a line cut by a crash is left out."""
    events: Counter[str] = Counter()
    cells = 0
    file = audit.audit_file(settings)
    if file.is_file():
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                try:
                    entry = json.loads(line)
                except ValueError:
                    continue
                events[entry["event"]] += 1
                cells += int(entry.get("cells", 0)) if entry["event"] == "done" else 0
    return events, cells


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `python -m core metrics`."""
    parser.add_argument(
        "--port", type=int, help="serve the figures at this port instead of printing them once"
    )
    parser.add_argument("--address", default="127.0.0.1", help="address to serve at (default: this machine)")


def run(options: argparse.Namespace) -> int:
    """Print the figures once, or serve them until interrupted."""
    from prometheus_client import CollectorRegistry, generate_latest, start_http_server

    registry = CollectorRegistry()
    registry.register(QueueFigures(read_settings()))
    if options.port is None:
        print(generate_latest(registry).decode(), end="")
        return 0
    try:
        server, thread = start_http_server(options.port, options.address, registry)
    except OSError as error:
        raise SettingsError(f"--port: {options.address}:{options.port} cannot be served ({error})") from error
    print(f"http://{options.address}:{server.server_port}/metrics", flush=True)
    thread.join()
    return 0
