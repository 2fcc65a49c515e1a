"""What a job will do: the cells of a region in chunks, chosen before a pixel is predicted."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from data.errors import InputError
from data.grid import Grid
from data.imagery import MIN_VALID_SHARE, open_imagery
from data.store.write import write_atomically


@dataclass(frozen=True)
class Plan:
    """Cells of a region, each with the number of its chunk, and what the photograph is."""

    grid: Grid
    cells: pd.DataFrame  # cell_id, x, y, chunk
    empty: int  # cells inside the outline that are left out because of empty pixels
    resolution_m: float
    imagery_crs: str
    warnings: tuple[str, ...]

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


def plan_region(photograph: Path, chunk_side: int) -> Plan:
    """Choose the grid of a photograph and cut its whole cells into square chunks, from the south-west.

    Raises:
        InputError: a photograph that cannot be read, or that covers no whole cell.
    """
    with open_imagery(photograph) as mosaic:
        info, grid = mosaic.info, mosaic.grid()
        outline = mosaic.footprint(grid.crs)
        inside = grid.cells_within(outline)
        cells = mosaic.cells(grid, MIN_VALID_SHARE)[["cell_id", "x", "y"]]
    if cells.empty:
        raise _no_cell(photograph, outline.bounds, len(inside), grid)
    reach = chunk_side * grid.size
    # Multiples of the chunk's side: the same borders wherever the photograph begins.
    block = pd.MultiIndex.from_arrays([cells.y // reach, cells.x // reach])
    cells = cells.assign(chunk=pd.factorize(block, sort=True)[0])
    cells = cells.sort_values(["chunk", "y", "x"]).reset_index(drop=True)
    return Plan(
        grid=grid,
        cells=cells,
        empty=int((~inside.cell_id.isin(cells.cell_id)).sum()),
        resolution_m=float(info.resolution_m),
        imagery_crs=f"EPSG:{info.epsg}" if info.epsg else info.crs,
        warnings=tuple(info.warnings),
    )


def _no_cell(
    photograph: Path, bounds: tuple[float, float, float, float], inside: int, grid: Grid
) -> InputError:
    if inside:
        return InputError(
            photograph,
            f"covers no whole {grid.size} m cell: all {inside} in its outline have over 1 % empty pixels",
            "Bring a photograph without gaps, or mark less of it as empty.",
        )
    west, south, east, north = bounds
    # A square of three cells' side holds one however it is turned and shifted: 3 / sqrt(2) > 2.
    return InputError(
        photograph,
        f"covers no whole {grid.size} m cell of the grid ({grid.crs}): "
        f"it is {east - west:.0f} x {north - south:.0f} m",
        f"Bring a larger one: from {3 * grid.size} x {3 * grid.size} m on it always holds a cell.",
    )


def write_plan(folder: Path, plan: Plan) -> None:
    """Keep a plan in a job's folder."""
    facts = {
        "grid_crs": plan.grid.crs,
        "cell_size_m": plan.grid.size,
        "empty": plan.empty,
        "resolution_m": plan.resolution_m,
        "imagery_crs": plan.imagery_crs,
        "warnings": list(plan.warnings),
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
        empty=facts["empty"],
        resolution_m=facts["resolution_m"],
        imagery_crs=facts["imagery_crs"],
        warnings=tuple(facts["warnings"]),
    )
