"""Progress bars with the time left, on a terminal and in a log alike."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

Advance = Callable[[int], None]


@contextmanager
def progress(what: str, total: int, unit: str = "cell") -> Iterator[Advance]:
    """Show a bar for ``total`` units; the block calls what it gets with the units just done."""
    # A log gets a line every ten seconds instead of a bar that redraws itself.
    interval = 0.2 if sys.stderr.isatty() else 10.0
    with tqdm(
        total=total, desc=what, unit=unit, mininterval=interval, leave=False, dynamic_ncols=True
    ) as bar:

        def advance(units: int) -> None:
            bar.update(units)

        yield advance
