"""Garbage collection of a server whose pages stay quick: what stays is not looked through after every run.

Streamlit collects all generations after every run. Among the million objects of the imports and of the parts
kept between runs that takes as long as a page, and no other page is drawn meanwhile. So whatever outlives a
full collection is set aside (`gc.freeze`) and the next one looks at what has come since; now and then it
looks at everything, for cycles that have died since they were set aside.
"""

from __future__ import annotations

import gc
from typing import Any

EVERY = 200  # full collections, about as many runs; a tenth of a second and more each
_YOUNGEST = 50_000  # objects made before the youngest are looked through: a page makes that many
_full = 0


def settle() -> None:
    """Set aside what outlives full collections, from now on; said again it changes nothing."""
    if _collecting not in gc.callbacks:
        gc.callbacks.append(_collecting)
        gc.set_threshold(_YOUNGEST, 20, 20)
        gc.collect()


def _collecting(phase: str, info: dict[str, Any]) -> None:
    """Before and after a collection; `gc.callbacks`."""
    global _full
    if info["generation"] < 2:
        return
    if phase == "start":
        _full += 1
        if _full % EVERY == 0:
            gc.unfreeze()
    else:
        gc.freeze()
