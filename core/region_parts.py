"""What finished chunks leave in a job's folder: parts that appear complete or not at all."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from data.store.write import write_atomically

if TYPE_CHECKING:
    from core.region import RegionRows

PART_RECORD = "record.json"


def part_folder(folder: Path, number: int) -> Path:
    """Return the folder of a chunk's part."""
    return folder / "parts" / f"{number:05d}"


def read_part_record(folder: Path, number: int) -> dict[str, Any] | None:
    """Return what a finished part said of itself; None when the part is not there."""
    record = part_folder(folder, number) / PART_RECORD
    return dict(json.loads(record.read_text(encoding="utf-8"))) if record.is_file() else None


def finished_parts(folder: Path) -> list[int]:
    """Return the numbers of the chunks that are done."""
    return sorted(int(record.parent.name) for record in folder.glob(f"parts/[0-9]*/{PART_RECORD}"))


def part_cells(folder: Path, number: int) -> pd.DataFrame:
    """Return the predicted cells of a finished chunk: cell_id, x, y, class, probabilities and the rest."""
    return pd.read_parquet(part_folder(folder, number) / "cells.parquet")


def write_part(folder: Path, number: int, rows: RegionRows, facts: dict[str, Any]) -> dict[str, Any]:
    """Keep the rows of a chunk; the part appears complete or not at all. Returns its record, with `facts`."""
    final = part_folder(folder, number)
    partial = final.with_name(f".{final.name}.{secrets.token_hex(4)}.partial")
    record = {"cells": len(rows.cells), "skipped": rows.skipped, **facts}
    try:
        final.parent.mkdir(exist_ok=True)  # not its parents: a job that was deleted stays deleted
        partial.mkdir()
        rows.cells.to_parquet(partial / "cells.parquet")
        rows.activation.to_parquet(partial / "activation.parquet")
        np.savez(partial / "arrays.npz", maps=rows.maps, thumbnails=rows.thumbnails, colours=rows.colours)
        write_atomically(partial / PART_RECORD, json.dumps(record))
        rename_once(partial, final)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return record


def rename_once(partial: Path, final: Path) -> None:
    """Give a finished folder its name; when another attempt was first, its equal stays."""
    try:
        os.rename(partial, final)  # noqa: PTH104 - fails on a folder that is not empty, which is the point
    except OSError:
        if not final.is_dir():
            raise
