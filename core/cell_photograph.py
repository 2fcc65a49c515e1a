"""The photograph of one cell of a job at its full resolution, read when somebody asks for it.

What a reader sent is decoded in a process of its own with bounds on memory and time (`read_apart`), never in
the dashboard's.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.settings import REPOSITORY, Settings, read_settings

MOST_PIXELS = 1000  # a cell at 20 cm; a finer photograph would only be scaled down by the browser
_LEAST_PIXELS = 32
_TIME_LIMIT_S = 30


def read(folder: Path, x: int, y: int) -> NDArray[np.uint8]:
    """Return a cell of a job as its networks saw it: RGB uint8 (n, n, 3), row 0 north, n from 32 to 1000.

    ``folder``: that of the job; ``x``, ``y``: the cell's lower-left corner, metres in the grid's CRS. Raises
    InputError where the photograph cannot be read (any longer), FileNotFoundError without a plan.
    """
    from core.job_files import Job
    from core.region_plan import read_plan
    from data.imagery import open_imagery

    plan = read_plan(folder)
    asked = Job.from_json((folder / "job.json").read_text(encoding="utf-8"))
    pixels = int(np.clip(round(plan.grid.size / plan.resolution_m), _LEAST_PIXELS, MOST_PIXELS))
    with open_imagery(folder / asked.photographs, how=plan.how) as mosaic:
        picture, _ = mosaic.read_cell(plan.grid, x, y, pixels)
    return picture


def read_apart(folder: Path, x: int, y: int, settings: Settings | None = None) -> bytes | None:
    """Do as `read` in a process of its own; return a JPEG, None where that comes to nothing."""
    most = (settings or read_settings()).memory_mb * 1_000_000

    def bound() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CPU, (_TIME_LIMIT_S, _TIME_LIMIT_S))

    with tempfile.TemporaryDirectory(prefix="carreau-cell-") as name:
        out = Path(name) / "cell.jpg"
        command = [sys.executable, "-m", __name__, str(folder), str(x), str(y), str(out)]
        try:
            subprocess.run(
                command, cwd=REPOSITORY, capture_output=True, timeout=_TIME_LIMIT_S, check=True,
                preexec_fn=bound,
            )  # fmt: skip
            return out.read_bytes()
        except (subprocess.SubprocessError, OSError):
            return None


def main(folder: str, x: str, y: str, out: str) -> None:
    """Run as `python -m core.cell_photograph FOLDER X Y OUT.jpg`."""
    from PIL import Image

    Image.fromarray(read(Path(folder), int(x), int(y))).save(out, quality=92, subsampling=0)


if __name__ == "__main__":
    main(*sys.argv[1:])
