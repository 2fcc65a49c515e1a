"""Bounds on the time and memory of a step, kept by ending the process: a decoder that hangs obeys no less."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger("carreau.worker")

EXIT_STATUS = 70
_LOOK_S = 0.25


class Watchdog:
    """Ends this process when a step takes too long or the process too much memory, and leaves word of why.

    The word is a file beside the step's attempts, so that the next worker knows that the step was not killed
    by chance. Memory is what the process holds in RAM (Linux; elsewhere only time is bounded).
    """

    def __init__(self, limit_s: float, limit_mb: float) -> None:
        self.limit_s, self.limit_mb = limit_s, limit_mb
        self._watched: tuple[Path, float] | None = None
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    @contextmanager
    def over(self, word: Path) -> Iterator[None]:
        """Watch over what happens inside; ``word`` is the file to leave when it goes too far."""
        self._watched = (word, time.monotonic() + self.limit_s)
        try:
            yield
        finally:
            self._watched = None

    def _run(self) -> None:
        while True:
            time.sleep(_LOOK_S)
            watched = self._watched
            if watched is None:
                continue
            word, deadline = watched
            if time.monotonic() > deadline:
                _end(word, f"took more than {self.limit_s:g} seconds")
            elif resident_mb() > self.limit_mb:
                _end(word, f"took more than {self.limit_mb:g} MB of memory")


def resident_mb() -> float:
    """Return the memory in RAM of this process in megabytes; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _end(word: Path, why: str) -> None:
    log.error("%s %s: the worker ends and the step is tried once more, or given up", word.stem, why)
    logging.shutdown()
    word.write_text(why, encoding="utf-8")
    os._exit(EXIT_STATUS)
