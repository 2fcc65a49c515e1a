"""What a job will do: the cells of a region in chunks, chosen before a pixel is predicted."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from data.errors import InputError
from data.grid import Grid
from data.imagery import MIN_VALID_SHARE, open_imagery
from data.reading import Reading
from data.store.write import write_atomically


@dataclass(frozen=True)
class Plan:
    """Cells of a region, each with the number of its chunk, and what the photograph is."""

    grid: Grid
    cells: pd.DataFrame  # cell_id, x, y, chunk
    resolution_m: float
    imagery_crs: str
    warnings: tuple[str, ...]
    # Levels as numbers, found once, so that every chunk reads alike.
    how: Reading = field(default_factory=Reading)

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return int(self.cells.chunk.max()) + 1

    def chunk(self, number: int) -> pd.DataFrame:
        """Return the cells of a chunk."""
        return self.cells[self.cells.chunk == number].reset_index(drop=True)

    def extent(self) -> tuple[int, int, int, int]:
        """Return west, south, east, north of the cells, metres in the grid's CRS."""
        x, y, size = self.cells.x, self.cells.y, self.grid.size
        return int(x.min()), int(y.min()), int(x.max()) + size, int(y.max()) + size

    def thumbnail_px(self, input_px: int) -> int:
        """Return the side of a cell in the preview."""
        from core.region import thumbnail_side

        west, south, east, north = self.extent()
        return thumbnail_side(input_px, max(east - west, north - south) // self.grid.size)


def plan_region(photographs: Path, chunk_side: int, how: Reading | None = None) -> Plan:
    """Choose the grid of photographs and cut their whole cells into square chunks, from the south-west.

    Cells are those inside the outline; which of them have empty pixels is found when they are read, because
    to know it means to decode the whole region.

    Raises:
        InputError: a photograph that cannot be read, or no whole cell.
    """
    with open_imagery(photographs, how=how) as mosaic:
        info, grid = mosaic.info, mosaic.grid()
        outline = mosaic.footprint(grid.crs)
        cells = mosaic.cells(grid, MIN_VALID_SHARE, judge_pixels=False)[["cell_id", "x", "y"]]
        levels = mosaic.levels
    if cells.empty:
        raise no_whole_cell(photographs, outline.bounds, grid)
    how = replace(how or Reading(), levels=levels)
    reach = chunk_side * grid.size
    # Multiples of the chunk's side: the same borders wherever the photograph begins.
    block = pd.MultiIndex.from_arrays([cells.y // reach, cells.x // reach])
    cells = cells.assign(chunk=pd.factorize(block, sort=True)[0])
    cells = cells.sort_values(["chunk", "y", "x"]).reset_index(drop=True)
    return Plan(
        grid=grid,
        cells=cells,
        resolution_m=float(info.resolution_m),
        imagery_crs=f"EPSG:{info.epsg}" if info.epsg else info.crs,
        warnings=(*info.warnings, *_of_reading(how)),
        how=how,
    )


def _of_reading(how: Reading) -> list[str]:
    """Say what a person decided about the pixels: it stands between them and the training photographs."""
    said = []
    if how.bands is not None and len(set(how.bands)) == 1:
        said.append(
            f"Band {how.bands[0]} was read as grey; the networks learned from colours: trust the prediction "
            "less."
        )
    elif how.bands is not None:
        bands = ", ".join(map(str, how.bands))
        said.append(f"Bands {bands} were read as red, green, blue.")
    if isinstance(how.levels, tuple):
        low, high = how.levels
        said.append(
            f"Values from {low:g} to {high:g} were stretched to grey levels 0 to 255, all bands alike; the "
            "networks learned from 8-bit photographs: trust the prediction less."
        )
    return said


def no_whole_cell(photographs: Path, bounds: tuple[float, float, float, float], grid: Grid) -> InputError:
    """Why photographs with these bounds, metres in the grid's CRS, hold no whole cell."""
    west, south, east, north = bounds
    side = 3 * grid.size
    # A square of three cells' side holds one however it is turned and shifted: 3 / sqrt(2) > 2.
    return InputError(
        photographs,
        f"covers no whole {grid.size} m cell of the grid ({grid.crs}): "
        f"it is {east - west:.0f} x {north - south:.0f} m",
        f"Bring a larger one: from {side} x {side} m on it always holds a cell.",
    )


def write_plan(folder: Path, plan: Plan) -> None:
    """Keep a plan in a job's folder."""
    facts = {
        "grid_crs": plan.grid.crs,
        "cell_size_m": plan.grid.size,
        "resolution_m": plan.resolution_m,
        "imagery_crs": plan.imagery_crs,
        "warnings": list(plan.warnings),
        "reading": plan.how.to_json(),
    }
    partial = folder / f".plan.{secrets.token_hex(3)}.parquet"
    plan.cells.to_parquet(partial)
    partial.replace(folder / "plan.parquet")
    write_atomically(folder / "plan.json", json.dumps(facts, indent=2) + "\n")


def read_plan(folder: Path) -> Plan:
    """Return the plan kept in a job's folder."""
    facts = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    return Plan(
        grid=Grid(facts["grid_crs"], facts["cell_size_m"]),
        cells=pd.read_parquet(folder / "plan.parquet"),
        resolution_m=facts["resolution_m"],
        imagery_crs=facts["imagery_crs"],
        warnings=tuple(facts["warnings"]),
        how=Reading.from_json(facts.get("reading")),
    )
