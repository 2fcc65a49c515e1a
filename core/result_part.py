"""Some cells of a result as a result folder of their own, to be taken away."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd

from core.region_files import write_cells, write_evidence
from data.grid import Grid
from data.store.write import write_atomically


def write_part(result: Path, cell_ids: Collection[str], said: str, out: Path) -> None:
    """Write the files of ``result`` that people take away into ``out``, an existing folder, with the cells of
    ``cell_ids`` alone: cells as CSV, GeoParquet and GeoPackage, activation as COG (in the half
    precision of `maps.parquet`), styles, activation by land
    use, and the summary of the whole with ``selection``, which cells these are (``said``, in words).
    """
    summary = json.loads((result / "summary.json").read_text(encoding="utf-8"))
    cells = pd.read_parquet(result / "cells.parquet").drop(columns="geometry")
    cells = cells[cells.cell_id.isin(list(cell_ids))].reset_index(drop=True)
    stored = pd.read_parquet(result / "maps.parquet").set_index("cell_id").loc[cells.cell_id]
    shape = (int(stored.height.iloc[0]), int(stored.width.iloc[0]))
    maps = np.stack([np.frombuffer(values, dtype="<f2").reshape(shape) for values in stored.map_values])
    grid = Grid(summary["grid_crs"], int(summary["cell_size_m"]))
    notes = [f"Selected: {said}.", *summary["warnings"]]
    write_cells(out, cells, grid, notes)
    write_evidence(out, cells, maps.astype(np.float32), grid, notes)
    if (result / "activation.parquet").is_file():
        rows = pd.read_parquet(result / "activation.parquet")
        rows[rows.cell_id.isin(cells.cell_id)].to_parquet(out / "activation.parquet", index=False)
    summary |= {"selection": said, "selected": len(cells)}
    write_atomically(out / "summary.json", json.dumps(summary, indent=2, ensure_ascii=False) + "\n")
