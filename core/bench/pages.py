"""Is every page quick at the size of a country? A real server, asked as browsers ask it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.bench.country import STUDY_ID, make_country
from core.bench.regions import peak_mb
from core.bench.visitor import Drawn, Visitor
from core.pipeline.progress import progress
from core.settings import REPOSITORY, SHIPPED_DEMO
from data.errors import SettingsError
from data.store.open import connect, current_publication

# goals of the project on two cores
WARM_MS, COLD_MS, MESSAGE_MB, SERVER_MB = 150, 1000, 3.0, 1500
VISITORS = 20
REPEATS, PAUSE_S = 5, 0.5
CITY, SECOND = "city-01", "city-02"  # the largest, and one of the others


def views(cell: str, x: int, y: int) -> list[tuple[str, str]]:
    """Return (page, query) of every page and its main toggles, about the largest city and a cell of it."""
    city = f"study={STUDY_ID}&city={CITY}"
    wide = f"r{x - 4000}_{y - 4000}_{x + 4000}_{y + 4000}"
    return [
        ("", city),
        *(("", f"{city}&left={left}&right={right}") for left, right in _MAPS),
        ("", f"{city}&imputed=1"),
        ("", f"{city}&classes=quintiles"),
        ("", f"{city}&cell={cell}"),
        ("", f"{city}&only={wide}"),
        ("", f"{city}&only=c3p7"),
        ("", f"{city}&only=d-2_1"),
        ("", f"{city}&beside={SECOND}"),
        *(("patterns", f"{city}{toggle}") for toggle in _PATTERNS),
        ("patterns", f"{city}&with={SECOND},city-03"),
        ("cell", f"{city}&cell={cell}"),
        ("cell", f"{city}&cell={cell}&outlines=0"),
        ("cell", f"{city}&cell={cell}&map=evidence"),
        ("trust", city),
        ("upload", city),
        ("about", city),
        ("", f"{city}&lang=fr"),
        ("patterns", f"{city}&lang=fr"),
    ]


_MAPS = (
    ("difference", "uncertainty"),
    ("fold", "land_use"),
    ("clusters", "photograph"),
)
_PATTERNS = (
    "",
    "&relation=census",
    "&relation=prediction",
    "&relation=occlusion",
    "&map=paper",
    "&level=paper",
    "&level=2",
    "&level=1",
    "&coefficient=spearman",
    "&imputed=1",
)


def measure_pages(cells: int = 2_300_000, *, keep: Path | None = None) -> dict[str, Any]:
    """Publish ``cells`` cells in 49 cities, one of 300,000, and time every view of the dashboard on them.

    Returns cells, cities, views (each page, query, cold_ms, warm_ms, cpu_ms, message_mb, sent_mb),
    warm_ms_max, cold_ms_max, message_mb_max, server_mb (peak in RAM with 20 visitors), seconds and failed.
    Times run from the request to the end of the script, as the server's visitor sees them: cold is the first
    time of a view in a server that has drawn each page for another city before, warm the median of five more
    times, half a second apart; cpu_ms is what a warm run costs the server, which other work on the machine
    hardly changes.

    ``keep``: folder to keep the publication in, or to take it from where it stands already.
    """
    began = time.monotonic()
    with contextlib.ExitStack() as open_things:
        folder = keep or Path(open_things.enter_context(tempfile.TemporaryDirectory(prefix="carreau-pages-")))
        file = _publication(folder / STUDY_ID, cells)
        with connect(file) as connection:
            cell, x, y = connection.execute(
                "SELECT cell_id, x, y FROM cell JOIN prediction p USING (city_id, cell_id) WHERE city_id = ? "
                "AND cell.class IS NOT NULL AND out_of_fold ORDER BY hash(cell_id) LIMIT 1",
                [CITY],
            ).fetchone() or ("", 0, 0)
            n_cities, n_cells = connection.execute(
                "SELECT (SELECT count(*) FROM city), (SELECT count(*) FROM cell)"
            ).fetchone() or (0, 0)
        with server(folder) as (origin, process):
            found = _timed(origin, process.pid, views(cell, x, y))
            _many_visitors(origin, n_cities)
            memory = peak_mb(process.pid)
    report: dict[str, Any] = {
        "cells": n_cells,
        "cities": n_cities,
        "views": found,
        "warm_ms_max": max(view["warm_ms"] for view in found),
        "cold_ms_max": max(view["cold_ms"] for view in found),
        "message_mb_max": max(view["message_mb"] for view in found),
        "server_mb": round(memory),
        "seconds": round(time.monotonic() - began),
    }
    return report | {"failed": failures(report)}


def failures(report: dict[str, Any]) -> list[str]:
    """Say which goal is missed, by which view most."""
    said = [
        f"{view['page'] or 'city'}?{view['query']}: {view['fault']}"
        for view in report["views"]
        if view["fault"]
    ]
    for name, goal, unit in (
        ("warm_ms", WARM_MS, "ms"),
        ("cold_ms", COLD_MS, "ms"),
        ("message_mb", MESSAGE_MB, "MB"),
    ):
        worst = max(report["views"], key=lambda view: view[name])
        if worst[name] > goal:
            over = sum(view[name] > goal for view in report["views"])
            said.append(
                f"{name}: {worst[name]} {unit} at {worst['page'] or 'city'}?{worst['query']}, goal {goal}; "
                f"{over} of {len(report['views'])} views miss it"
            )
    if report["server_mb"] > SERVER_MB:
        said.append(f"server_mb: {report['server_mb']} MB with {VISITORS} visitors, goal {SERVER_MB}")
    return said


def _publication(folder: Path, cells: int) -> Path:
    if (folder / "current.json").is_file():
        return current_publication(folder).file
    template = current_publication(SHIPPED_DEMO)
    with progress("laying out the country", 49) as advance:
        return make_country(
            template.file,
            folder,
            cells,
            study_file=template.study_file,
            said=lambda _: advance(1),
        )


def _timed(origin: str, pid: int, asked: list[tuple[str, str]]) -> list[dict[str, Any]]:
    found = []
    with Visitor(origin) as visitor:
        for page in dict.fromkeys(
            page for page, _ in asked
        ):  # modules are imported once, by whoever comes first
            visitor.open(page, f"study={STUDY_ID}&city={SECOND}")
        with progress("views", len(asked)) as advance:
            for page, query in asked:
                cold = visitor.open(page, query)
                before = _cpu_seconds(pid)
                warm = [_after_a_pause(visitor, page, query) for _ in range(REPEATS)]
                cpu_ms = 1000 * (_cpu_seconds(pid) - before) / REPEATS
                found.append(_row(page, query, cold, warm) | {"cpu_ms": round(cpu_ms)})
                advance(1)
    return found


def _after_a_pause(visitor: Visitor, page: str, query: str) -> Drawn:
    # Streamlit collects garbage after it has sent a page, a fifth of a second: no reader asks again sooner
    time.sleep(PAUSE_S)
    return visitor.open(page, query)


def _row(page: str, query: str, cold: Drawn, warm: list[Drawn]) -> dict[str, Any]:
    every = [cold, *warm]
    return {
        "page": page,
        "query": query,
        "cold_ms": round(cold.milliseconds),
        "warm_ms": round(statistics.median(run.milliseconds for run in warm)),
        "message_mb": round(max(run.largest_message for run in every) / 1e6, 3),
        "sent_mb": round(cold.sent / 1e6, 3),
        "fault": "; ".join(sorted({fault for run in every for fault in run.exceptions})),
    }


def _cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _many_visitors(origin: str, n_cities: int) -> None:
    """Have visitors open City and Patterns, each in a city of their own, all at once."""
    with contextlib.ExitStack() as sessions:
        visitors = [sessions.enter_context(Visitor(origin)) for _ in range(VISITORS)]
        for page in ("", "patterns"):
            for number, visitor in enumerate(visitors):
                visitor.open(page, f"study={STUDY_ID}&city=city-{number % n_cities + 1:02d}")


@contextmanager
def server(studies: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run the dashboard on a folder of studies; yield its address and process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("STREAMLIT_")}
    environment |= {"CARREAU_STUDIES": str(studies), "CARREAU_VAR": str(studies / "var")}
    command = [sys.executable, "-m", "streamlit", "run", "dashboard.py", "--server.port", str(port)]
    command += ["--server.headless", "true", "--server.fileWatcherType", "none"]
    origin = f"http://127.0.0.1:{port}"
    health = f"{origin}/_stcore/health"
    process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), urllib.request.urlopen(health) as answer:  # noqa: S310
                if answer.status == 200:
                    break
            if process.poll() is not None:
                raise SettingsError("the dashboard did not start: try `make run`")
            time.sleep(0.1)
        yield origin, process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
