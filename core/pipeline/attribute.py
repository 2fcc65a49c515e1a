"""Attribute: what each cell's activation maps give to the land-use classes in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.pipeline.parts import fingerprint
from core.pipeline.progress import progress
from core.pipeline.workspace import Workspace, write_facts
from core.statistics.landuse import ClassQuantities, class_quantities, pair_quantities
from data.coverage import coarsen

if TYPE_CHECKING:
    from core.ensemble import Fold

# Draws of each null of excess (METHOD 7): the cell's map moved on the torus while its polygons stay, and the
# map of another cell of the same fold and predicted class.
NULLS = ("torus", "other")
NULL_DRAWS = 20
NULL_COLUMNS = tuple(f"draw_{number}" for number in range(NULL_DRAWS))
PAPER_BATCH = 16


def attribute_inputs(workspace: Workspace, city_id: str) -> str:
    """Return the fingerprint of what the attribution of a city depends on."""
    return fingerprint(
        workspace.study.attribute,
        workspace.done_with("predict", city_id),
        workspace.done_with("ingest", city_id),
    )


def attribute_city(workspace: Workspace, city_id: str, folds: dict[int, Fold], out: Path) -> str:
    """Write the tables ``land_use``, ``activation``, ``mapped`` and one a null of a city.

    Every predicted cell gets the ``cam`` quantities; the ``paper`` maps, which need a backward pass, are
    made for the cells that a fold's network never saw. Returns one line of result.
    """
    cells = workspace.table("ingest", city_id, "cells")
    predictions = workspace.table("predict", city_id, "predictions")
    evidence = workspace.array("predict", city_id, "evidence")  # (n, h, w)
    size = workspace.facts("ingest", city_id)["cell_size_m"]
    index = workspace.land_use_index(city_id)
    px = workspace.study.network.input_px
    random = np.random.default_rng(workspace.study.study.seed)

    paper = "paper" in workspace.study.attribute.methods
    peers = _peers(predictions, workspace.folds(city_id)[predictions.row])
    land_use, mapped, activation = [], [], []
    nulls: dict[str, list[pd.DataFrame]] = {name: [] for name in NULLS}
    fine: dict[int, tuple[list[str], npt.NDArray[np.float32]]] = {}
    with progress(f"attribute {city_id}", len(predictions) * (2 if paper else 1)) as advance:
        for number, row in enumerate(predictions.row):
            cell = cells.iloc[row]
            codes, coverage = index.coverage(float(cell.x), float(cell.y), size, (px, px))  # (k, px, px)
            mapped.append({"cell_id": cell.cell_id, "mapped_share": float(coverage.mean(axis=(1, 2)).sum())})
            advance(1)
            if not codes:
                continue
            fine[row] = codes, coverage.astype(np.float16) if paper else coverage[:, :0]
            coarse = coarsen(coverage, px // evidence.shape[1])
            found = class_quantities(evidence[number], coarse)
            land_use.append(_land_use_rows(cell.cell_id, codes, coverage, size))
            activation.append(_activation_rows("cam", cell.cell_id, codes, found))
            moved = _moved(evidence[number], random)
            nulls["torus"].append(_null_rows(cell.cell_id, codes, moved, coarse))
            if len(peers[number]):
                others = evidence[random.choice(peers[number], NULL_DRAWS)]
                nulls["other"].append(_null_rows(cell.cell_id, codes, others, coarse))
        if paper:
            images = workspace.array("ingest", city_id, "images")
            for row, maps in _paper_maps(folds, predictions, workspace, city_id, images, advance):
                if row in fine:
                    codes, coverage = fine[row]
                    found = pair_quantities(maps[0], maps[1], coverage)
                    activation.append(_activation_rows("paper", cells.cell_id.iloc[row], codes, found))

    pd.concat(land_use, ignore_index=True).to_parquet(out / "land_use.parquet")
    pd.concat(activation, ignore_index=True).to_parquet(out / "activation.parquet")
    for name, rows in nulls.items():
        empty = pd.DataFrame(columns=["cell_id", "code", *NULL_COLUMNS])
        (pd.concat(rows, ignore_index=True) if rows else empty).to_parquet(out / f"{name}.parquet")
    pd.DataFrame(mapped).to_parquet(out / "mapped.parquet")
    write_facts(out, {"methods": list(workspace.study.attribute.methods), "null_draws": NULL_DRAWS})
    share = float(np.mean([row["mapped_share"] for row in mapped]))
    return f"{city_id}: {len(land_use)} cells with land use, {share:.1%} mapped on average"


def _land_use_rows(
    cell_id: str, codes: list[str], coverage: npt.NDArray[np.float32], size: float
) -> pd.DataFrame:
    share = coverage.mean(axis=(1, 2), dtype=np.float64)
    return pd.DataFrame(
        {"cell_id": cell_id, "code": codes, "area_m2": share * size**2, "share": share / share.sum()}
    )


def _activation_rows(method: str, cell_id: str, codes: list[str], found: ClassQuantities) -> pd.DataFrame:
    """Return the rows of table ``activation`` for one cell, one a class present."""
    frame = found.to_frame(codes).drop(columns=["area", "share"])
    frame.insert(0, "cell_id", cell_id)
    frame.insert(0, "method", method)
    return frame


def _peers(predictions: pd.DataFrame, fold: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """Return, for each prediction, the others of its fold and predicted class; none outside the folds."""
    groups = pd.DataFrame({"fold": fold, "class": predictions["class"]}).groupby(["fold", "class"]).indices
    found: list[npt.NDArray[np.int64]] = [np.zeros(0, np.int64)] * len(predictions)
    for (number, _), members in groups.items():
        if number >= 0:
            for place in members:
                found[place] = members[members != place]
    return found


def _moved(evidence: npt.NDArray[np.float32], random: np.random.Generator) -> npt.NDArray[np.float32]:
    """Return draws (draws, h, w) of a map moved on the torus, never by nothing."""
    height, width = evidence.shape
    moves = random.integers(1, height * width, NULL_DRAWS)
    return np.stack([np.roll(evidence, divmod(int(move), width), axis=(0, 1)) for move in moves])


def _null_rows(
    cell_id: str, codes: list[str], maps: npt.NDArray[np.float32], coverage: npt.NDArray[np.float32]
) -> pd.DataFrame:
    """Return the excess of each class under maps (draws, h, w) that are not the cell's own."""
    excess = class_quantities(maps, coverage).excess  # (draws, k)
    frame = pd.DataFrame(excess.T.astype(np.float32), columns=list(NULL_COLUMNS))
    frame.insert(0, "code", codes)
    frame.insert(0, "cell_id", cell_id)
    return frame


def _paper_maps(
    folds: dict[int, Fold],
    predictions: pd.DataFrame,
    workspace: Workspace,
    city_id: str,
    images: npt.NDArray[np.uint8],
    advance: Any,
) -> Any:
    """Yield (row, (rich, poor)), maps (px, px), of each out-of-fold cell by the network that never saw it."""
    from models.activation import paper_maps

    fold = workspace.folds(city_id)
    advance(int((~predictions.out_of_fold).sum()))
    for number, one in folds.items():
        rows = np.flatnonzero(fold == number)
        for start in range(0, len(rows), PAPER_BATCH):
            portion = rows[start : start + PAPER_BATCH]
            rich, poor = paper_maps(one.network, images[portion], flips=True, batch_size=PAPER_BATCH)
            yield from zip(portion, zip(rich, poor, strict=True), strict=True)
            advance(len(portion))
