"""Does the worker's memory stay bounded, and its cost in proportion, whatever the size of a region?"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import rasterio
from rasterio.transform import from_origin
from rasterio.windows import Window

from core import jobs
from core.bench.tiny_photograph import random_blocks
from core.pipeline.progress import progress
from core.settings import Settings, read_settings
from data.errors import SettingsError
from data.store import queries
from data.store.open import connect, find_publications

MEMORY_MB = 2000
SLOWER = 1.3  # seconds a cell, the whole tile against its quarter
RESOLUTION_M = 0.2  # of an IGN tile, 25,000 pixels and 5 km wide
STRIP = 1000
FORMATS: dict[str, dict[str, Any]] = {
    "tif": {
        "driver": "GTiff",
        "compress": "jpeg",
        "photometric": "ycbcr",
        "tiled": True,
        "blockxsize": 512,
        "blockysize": 512,
    },
    "jp2": {"driver": "JP2OpenJPEG", "QUALITY": "10", "REVERSIBLE": "NO", "NUM_THREADS": "ALL_CPUS"},
}


def measure_regions(
    pixels: int = 25_000, form: str = "tif", *, study_id: str = "demo", settings: Settings | None = None
) -> dict[str, Any]:
    """Have a square tile of ``pixels`` and one of a quarter of its area predicted by the CPU worker.

    Tiles lie in EPSG:2154 at 0.2 m and are read in place; the worker is warm before. Returns pixels, form,
    small and large (each pixels, megabytes, cells, seconds, seconds_a_cell), memory_mb_max (peak in RAM of
    the worker), slower (seconds a cell, large over small), seconds and failed.

    Raises ``SettingsError`` for another format or a study that is not published.
    """
    if form not in FORMATS:
        raise SettingsError(f"--form: unknown format {form!r}: choose among {', '.join(FORMATS)}")
    began = time.monotonic()
    settings = settings or read_settings()
    roots = settings.study_roots
    if study_id not in find_publications(roots):
        raise SettingsError(f"--study: no published study is called {study_id!r}")
    with tempfile.TemporaryDirectory(prefix="carreau-regions-") as folder:
        here = replace(
            settings,
            var=Path(folder) / "var",
            studies=os.pathsep.join(map(str, roots)),
            device="cpu",
            queue_url="",
            worker_idle_s=600,
        )
        try:
            _predicted(write_tile(Path(folder) / "warm.tif", 4000, "tif"), study_id, here)
            found = {}
            for name, side in (("small", pixels // 2), ("large", pixels)):
                tile = write_tile(Path(folder) / f"{name}.{form}", side, form)
                found[name] = {
                    "pixels": side,
                    "megabytes": round(tile.stat().st_size / 1e6),
                    **_predicted(tile, study_id, here),
                }
            memory = peak_mb(jobs.worker_pid(here))
        finally:
            with contextlib.suppress(ProcessLookupError, TypeError):
                os.kill(jobs.worker_pid(here), signal.SIGKILL)  # type: ignore[arg-type]
    slower = found["large"]["seconds_a_cell"] / found["small"]["seconds_a_cell"]
    return {
        "pixels": pixels,
        "form": form,
        **found,
        "memory_mb_max": round(memory),
        "slower": round(slower, 3),
        "seconds": round(time.monotonic() - began),
        "failed": failures(memory, slower),
    }


def failures(memory_mb: float, slower: float) -> list[str]:
    """Say which bound is broken."""
    said = [f"the worker took {memory_mb:.0f} MB"] if memory_mb >= MEMORY_MB else []
    if slower > SLOWER:
        said.append(f"a cell took {slower:.2f} times as long in the larger tile")
    return said


def write_tile(path: Path, side: int, form: str) -> Path:
    """Write a square photograph of ``side`` pixels at 0.2 m, strip by strip, in the middle of France."""
    profile = {
        "width": side,
        "height": side,
        "count": 3,
        "dtype": "uint8",
        "crs": "EPSG:2154",
        "transform": from_origin(650_000, 6_700_000, RESOLUTION_M, RESOLUTION_M),
        **FORMATS[form],
    }
    with rasterio.open(path, "w", **profile) as file, progress(f"writing {path.name}", side) as advance:
        for row in range(0, side, STRIP):
            height = min(STRIP, side - row)
            file.write(random_blocks(height, side, seed=row), window=Window(0, row, side, height))
            advance(height)
    return path


def _predicted(tile: Path, study_id: str, settings: Settings) -> dict[str, Any]:
    """Predict a tile by the networks of the study's first city; return cells and seconds."""
    publication = find_publications(settings.study_roots)[study_id]
    with connect(publication.file) as connection:
        city = queries.cities(connection)[0].city_id
    job = jobs.submit([tile], in_place=True, study_id=study_id, city_id=city, settings=settings)
    began = time.monotonic()
    with progress(f"predicting {tile.name}", 1) as advance:
        while (state := jobs.state(job, settings)).state not in jobs.FINAL:
            jobs.ensure_worker(settings)
            time.sleep(0.5)
        advance(1)
    if state.state != "done":
        raise AssertionError(f"the job on {tile.name} ended as {state.state}: {state.reason}")
    seconds = time.monotonic() - began
    return {
        "cells": state.cells,
        "seconds": round(seconds, 1),
        "seconds_a_cell": round(seconds / max(1, state.cells or 0), 4),
    }


def peak_mb(pid: int | None) -> float:
    """Return the most memory in RAM that a process has held, in megabytes (Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    kilobytes = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return kilobytes * 1.024e-3
