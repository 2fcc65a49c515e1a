"""Does any hostile file or parameter crash, hang or lead out? Thousands of damaged ones, read as jobs read.

Cases run in a process of their own with bounds as a worker has them. A crash is the end of that process, or
an error other than ours; a hang is a case that takes longer than `HANG_S`; an escape is a file opened or
changed outside the case's folder (the bait's folder is watched by the kernel), a connection to the address
that the bait names, or text of an address that a page shows as markup.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import logging
import multiprocessing
import os
import resource
import select
import socket
import tempfile
import time
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from core.bench import fuzz_cases
from core.bench.fuzz_pages import ADDRESSES, UnsafeTextError, read_address
from core.pipeline.progress import progress
from core.settings import Settings, read_settings
from data.errors import CarreauError

HANG_S = 30.0
MEMORY_MB = 4000  # that the process may take beside its libraries
_IN_ACCESS, _IN_MODIFY, _IN_OPEN = 0x1, 0x2, 0x20  # inotify(7)


@dataclass
class Found:
    """What a run has seen: counts, and the first few cases of each fault, to be run again alone."""

    crashes: int = 0
    hangs: int = 0
    escapes: int = 0
    refused: int = 0
    read: int = 0
    memory_mb_max: float = 0.0
    examples: list[dict[str, Any]] = field(default_factory=list)

    def fault(self, kind: str, case: int, what: str, said: str) -> None:
        """Count a fault and keep it when it is among the first twenty."""
        setattr(self, what, getattr(self, what) + 1)
        if len(self.examples) < 20:
            self.examples.append({"case": case, "kind": kind, "fault": what, "said": said[:400]})


def measure_fuzz(cases: int, seed: int) -> dict[str, Any]:
    """Run cases 0 to ``cases`` - 1 of a seed; each depends on seed and number alone.

    Returns cases, seed, crashes, hangs, escapes, refused (in words of ours), read (in spite of the damage),
    memory_mb_max (resident, of the process that reads), examples, seconds and failed.
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="carreau-fuzz-") as name:
        folder = Path(name)
        found = _run(folder, cases, seed)
    failed = [
        f"{count} {what}" for what in ("crashes", "hangs", "escapes") if (count := getattr(found, what))
    ]
    return {
        "cases": cases,
        "seed": seed,
        "crashes": found.crashes,
        "hangs": found.hangs,
        "escapes": found.escapes,
        "refused": found.refused,
        "read": found.read,
        "memory_mb_max": round(found.memory_mb_max),
        "examples": found.examples,
        "seconds": round(time.monotonic() - began),
        "failed": failed,
    }


def _run(folder: Path, cases: int, seed: int) -> Found:
    found = Found()
    bases = fuzz_cases.make_bases(folder / "bases")
    secret = folder / "secret"
    secret.mkdir()
    for name in ("bait.tif", "bait.gpkg", "bait.txt"):
        (secret / name).write_bytes(b"not yours " * 100)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        bait = _bait(secret, listener.getsockname()[1])
        watch = Watch(secret)
        reader = Reader(folder / "here", bases, bait, seed)
        try:
            with progress("fuzz", cases) as advance:
                for case in range(cases):
                    kind = fuzz_cases.KINDS[case % len(fuzz_cases.KINDS)]
                    answer = reader.ask(case, kind)
                    what = answer["outcome"]
                    if what in ("refused", "read"):
                        setattr(found, what, getattr(found, what) + 1)
                    else:
                        found.fault(kind, case, what, answer["said"])
                    found.memory_mb_max = max(found.memory_mb_max, answer.get("memory_mb", 0.0))
                    touched = [*watch.seen(), *_connections(listener), *reader.strangers()]
                    if touched:
                        found.fault(kind, case, "escapes", ", ".join(touched))
                    advance(1)
        finally:
            reader.stop()
            watch.close()
    return found


def _bait(secret: Path, port: int) -> list[bytes]:
    """What must never be opened, as the many ways to name it."""
    tif, gpkg = str(secret / "bait.tif"), str(secret / "bait.gpkg")
    texts = [
        tif,
        gpkg,
        "../secret/bait.tif",
        "../../secret/bait.txt",
        f"/vsizip/{gpkg}",
        f"GTIFF_DIR:1:{tif}",
        f"/vsicurl/http://127.0.0.1:{port}/a.tif",
        f"http://127.0.0.1:{port}/a.tif",
        f"file://{tif}",
        "/etc/passwd",
        "../" * 12 + "etc/passwd",
    ]
    return [text.encode() for text in texts]


def _connections(listener: socket.socket) -> list[str]:
    came = []
    while select.select([listener], [], [], 0)[0]:
        listener.accept()[0].close()
        came.append("a connection to the address in the bait")
    return came


class Watch:
    """Tells which files of a folder were opened, read or changed, by any process (inotify, Linux only)."""

    def __init__(self, folder: Path) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._file = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        mask = _IN_ACCESS | _IN_MODIFY | _IN_OPEN
        if self._file < 0 or self._libc.inotify_add_watch(self._file, os.fsencode(folder), mask) < 0:
            raise OSError(ctypes.get_errno(), "the folder of the bait cannot be watched")

    def seen(self) -> list[str]:
        """Return the names of files that were touched since the last call."""
        names = []
        with contextlib.suppress(BlockingIOError):
            events = os.read(self._file, 65536)
            while events:
                length = int.from_bytes(events[12:16], "little")
                names.append(events[16 : 16 + length].rstrip(b"\0").decode() or "the folder")
                events = events[16 + length :]
        return names

    def close(self) -> None:
        """Stop watching."""
        os.close(self._file)


class Reader:
    """The process that reads cases; started anew when a case ended it."""

    def __init__(self, folder: Path, bases: fuzz_cases.Bases, bait: list[bytes], seed: int) -> None:
        self._folder, self._arguments = folder, (folder, bases, bait, seed)
        folder.mkdir()
        (folder / "case").mkdir()
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, *self._arguments), daemon=True)
        self._process.start()
        theirs.close()
        if not self._pipe.poll(120):
            raise RuntimeError("the process that reads cases did not start")
        self._pipe.recv()

    def ask(self, case: int, kind: str) -> dict[str, Any]:
        """Have a case read: outcome (read, refused, crashes, hangs or escapes), said, memory_mb."""
        try:
            self._pipe.send((case, kind))
            if self._pipe.poll(HANG_S):
                return dict(self._pipe.recv())
            outcome, said = "hangs", f"no answer within {HANG_S:g} s"
        except (EOFError, OSError):
            self._process.join(5)
            outcome, said = "crashes", f"the process ended with {self._process.exitcode}"
        self.stop()
        self._start()
        return {"outcome": outcome, "said": said}

    def strangers(self) -> list[str]:
        """Return what a case left beside its own folder."""
        return [f"wrote {one.name}" for one in self._folder.iterdir() if one.name != "case"]

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()
        self._pipe.close()


def serve(pipe: Connection, folder: Path, bases: fuzz_cases.Bases, bait: list[bytes], seed: int) -> None:
    """Read the cases that are asked for until the other end is closed."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.getLogger("streamlit").setLevel(logging.ERROR)  # it warns at each page that no browser looks
    place = folder / "case"
    settings = replace(read_settings(), var=place / "var", drop_folder=str(place))
    _import_readers(place, settings)  # libraries take gigabytes of addresses; the bound is on what files take
    most = _addresses() + MEMORY_MB * 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    pipe.send("ready")
    with contextlib.suppress(EOFError):
        while True:
            case, kind = pipe.recv()
            content = fuzz_cases.mutate(bases, kind, np.random.default_rng([seed, case]), bait)
            pipe.send(_read_case(place, kind, content, settings))


def _import_readers(place: Path, settings: Settings) -> None:
    import data.cell_values
    import data.coverage
    import data.first_look
    import data.inspect  # noqa: F401 - all for their side effect of being loaded

    for address in ADDRESSES:
        assert _read_case(place, "page", address.encode(), settings)["outcome"] == "read", address  # noqa: S101


def _addresses() -> int:
    """Bytes of address space that this process has mapped."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _read_case(place: Path, kind: str, content: bytes, settings: Settings) -> dict[str, Any]:
    path = place / f"case.{kind}"
    path.write_bytes(content)
    try:
        _READ[kind](path, settings)
        outcome, said = "read", ""
    except CarreauError as error:
        outcome, said = "refused", str(error)
    except UnsafeTextError as error:
        outcome, said = "escapes", str(error)
    except BaseException as error:  # whatever comes out is what is looked for
        outcome, said = "crashes", f"{type(error).__name__}: {error}"
    finally:
        path.unlink(missing_ok=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    return {"outcome": outcome, "said": said, "memory_mb": peak}


def _photograph(path: Path, settings: Settings) -> None:
    """Look at a photograph and read its first cells, as a preview and a job do."""
    from core.region_plan import plan_region
    from data.first_look import first_look
    from data.imagery import open_imagery

    how = first_look(path).how
    plan = plan_region(path, 2, how)
    with open_imagery(path, how=plan.how) as mosaic:
        cells = plan.cells[:4]
        for _ in mosaic.read_cells(plan.grid, cells.x, cells.y, 64):
            pass


def _layer(path: Path, settings: Settings) -> None:
    """Read a layer as land use and as census, and lay both over cells."""
    from core.bench.tiny_photograph import NORTH, WEST
    from data.cell_values import read_cell_values
    from data.coverage import LandUseIndex
    from data.grid import Grid
    from data.inspect import inspect
    from data.landuse import read_land_use

    inspect(path)
    faults: list[CarreauError] = []
    grid = Grid("EPSG:3035")
    cells = grid.frame([WEST, WEST + 200], [NORTH - 200, NORTH - 200])
    try:
        index = LandUseIndex.of(read_land_use(path, crs=grid.crs))
        index.coverage(float(WEST), float(NORTH - 200), 200.0, (8, 8))
    except CarreauError as error:
        faults.append(error)
    try:
        read_cell_values(path, grid, cells, "value")
    except CarreauError as error:
        faults.append(error)
    if faults:
        raise faults[0]


def _study(path: Path, settings: Settings) -> None:
    from core.study import read_study

    read_study(path)


def _parameter(path: Path, settings: Settings) -> None:
    """Take a text for every parameter that an address or a command may hold."""
    from core import drop_folder, jobs
    from data.reading import Reading, parse_crs
    from data.store.open import find_publications

    text = path.read_bytes().decode("utf-8", "replace")
    uses = (
        lambda: jobs.folder_of(text, settings),
        lambda: drop_folder.find_dropped(text, settings),
        lambda: _cell_id(text),
        lambda: parse_crs(text),
        lambda: find_publications(settings.study_roots).get(text),
        lambda: Reading.from_json(_json(text)),
    )
    faults: list[CarreauError] = []
    for use in uses:
        try:
            use()
        except CarreauError as error:
            faults.append(error)
    if faults:
        raise faults[0]


def _cell_id(text: str) -> None:
    from data.grid import cell_id_crs, parse_cell_id

    with contextlib.suppress(ValueError):  # what both promise for a text that is none
        parse_cell_id(text)
        cell_id_crs(text)


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


_READ = {
    "tif": _photograph,
    "jp2": _photograph,
    "gpkg": _layer,
    "parquet": _layer,
    "toml": _study,
    "parameter": _parameter,
    "page": read_address,
}
