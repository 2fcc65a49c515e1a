"""Occlude: how z changes when one land-use class of a cell is painted over, and when as much elsewhere is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.pipeline.parts import fingerprint
from core.pipeline.progress import progress
from core.pipeline.workspace import Workspace, write_facts

if TYPE_CHECKING:
    from core.ensemble import Fold

Mask = npt.NDArray[np.float16]
Image = npt.NDArray[np.uint8]


def occlude_inputs(workspace: Workspace, city_id: str) -> str:
    """Return the fingerprint of what the occlusion effects of a city depend on."""
    return fingerprint(
        workspace.study.occlusion,
        workspace.study.study.seed,
        workspace.done_with("predict", city_id),
        workspace.done_with("ingest", city_id),
    )


def occlude_city(workspace: Workspace, city_id: str, folds: dict[int, Fold], out: Path) -> str:
    """Write ``occlusion.parquet`` (cell_id, code, effect, moved_effect) and ``single.parquet`` (cell_id, z).

    One row a cell with an out-of-fold prediction and a class that covers at least ``occlusion.min_share`` of
    it; always by the network that never saw the cell. ``effect`` is z minus z with the class painted over,
    ``moved_effect`` the mean of the same for ``occlusion.moves`` masks of its shape moved on the torus;
    ``z`` is that of the untouched photograph without flips. All in training standard deviations of z.
    """
    from models.occlusion import masked_scores

    settings = workspace.study.occlusion
    fold = workspace.folds(city_id)
    cells = workspace.table("ingest", city_id, "cells")
    images = workspace.array("ingest", city_id, "images")
    size = float(workspace.facts("ingest", city_id)["cell_size_m"])
    index = workspace.land_use_index(city_id)
    px = workspace.study.network.input_px
    colour = mean_colour(images, np.flatnonzero(fold >= 0))

    tables, untouched = [], []
    with progress(f"occlude {city_id}", int((fold >= 0).sum())) as advance:
        for number, one in folds.items():
            rows = np.flatnonzero(fold == number)
            present: list[list[str]] = []  # the classes of each cell, filled as the cells are reached

            def work(
                rows: npt.NDArray[np.int64] = rows, present: list[list[str]] = present
            ) -> Iterator[tuple[Image, Mask]]:
                for row in rows:
                    cell = cells.iloc[row]
                    codes, coverage = index.coverage(float(cell.x), float(cell.y), size, (px, px))
                    # the moves of a cell depend on its own number alone, whatever the folds
                    random = np.random.default_rng([workspace.study.study.seed, int(row)])
                    large, masks = class_masks(codes, coverage, settings.min_share, settings.moves, random)
                    present.append(large)
                    yield images[row], masks

            scores = masked_scores(one.network, work(), fill=settings.fill, colour=colour, done=advance)
            for place, z in enumerate(scores):
                cell_id = cells.cell_id.iloc[rows[place]]
                tables.append(_effects(cell_id, present[place], z / one.z_std, settings.moves))
                untouched.append({"cell_id": cell_id, "z": (z[0] - one.z_mean) / one.z_std})
    table = pd.concat(tables, ignore_index=True)
    table.to_parquet(out / "occlusion.parquet")
    pd.DataFrame(untouched).to_parquet(out / "single.parquet")
    write_facts(out, {"fill": settings.fill, "moves": settings.moves, "min_share": settings.min_share})
    return f"{city_id}: {len(table)} classes painted over in {len(untouched)} cells"


def mean_colour(images: npt.NDArray[np.uint8], rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Return the mean colour (3,) in 0..255 of photographs, every row counting the same."""
    total = sum(images[row].mean(axis=(0, 1), dtype=np.float64) for row in rows)
    return np.asarray(total / max(len(rows), 1), np.float32)


def class_masks(
    codes: list[str],
    coverage: npt.NDArray[np.float32],
    min_share: float,
    moves: int,
    random: np.random.Generator,
) -> tuple[list[str], Mask]:
    """Return the classes that cover at least ``min_share`` of a cell, and masks (1 + k (1 + moves), h, w).

    ``coverage`` (k, h, w) in 0..1. The first mask is empty; then each class's own, followed by its moves on
    the torus.
    """
    from models.occlusion import torus_moves

    height, width = coverage.shape[-2:]
    nothing = np.zeros((1, height, width), np.float16)
    large = coverage.mean(axis=(1, 2)) >= max(min_share, 1e-9)
    if not large.any():
        return [], nothing
    kept = coverage[large].astype(np.float16)
    moved, _ = torus_moves(kept, moves, random)
    each = np.concatenate([kept[:, None], moved], axis=1)
    chosen = [code for code, keep in zip(codes, large, strict=True) if keep]
    return chosen, np.concatenate([nothing, each.reshape(-1, height, width)])


def _effects(cell_id: str, codes: list[str], z: npt.NDArray[np.floating], moves: int) -> pd.DataFrame:
    """Return the effect of each class from the z of a cell's masks, in their order."""
    each = z[0] - z[1:].reshape(len(codes), 1 + moves)
    return pd.DataFrame(
        {
            "cell_id": cell_id,
            "code": codes,
            "effect": each[:, 0],
            "moved_effect": each[:, 1:].mean(axis=1),
        }
    )
