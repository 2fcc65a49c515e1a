"""What stays is set aside; what dies later is found all the same."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import REPOSITORY

CODE = """
import gc, weakref
from pages.shared import collecting

class Part:
    pass

def pair():
    one, other = Part(), Part()
    one.other, other.other = other, one
    return one

collecting.settle()
collecting.settle()
assert gc.callbacks.count(collecting._collecting) == 1
kept = pair()
dead = weakref.ref(kept)
gc.collect()
aside = gc.get_freeze_count()
assert aside > 1000, aside
del kept
gc.collect()
assert dead() is not None  # set aside, so no longer looked at
for _ in range(collecting.EVERY):
    gc.collect()
assert dead() is None
assert gc.get_freeze_count() > 1000
young = weakref.ref(pair())
gc.collect()
assert young() is None
"""


def test_what_dies_after_it_was_set_aside_is_freed_in_time() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
