"""Predict: every census cell by the one network that never saw it; cells without income by the ensemble."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.pipeline.parts import fingerprint
from core.pipeline.progress import progress
from core.pipeline.train import ModelTask
from core.pipeline.workspace import Workspace
from data.imagery import MIN_VALID_SHARE

if TYPE_CHECKING:
    from core.ensemble import Fold

PORTION = 256  # cells between two looks at the progress bar
KEPT = "predictions, evidence, features"  # what the stage leaves; with less, it is done again


def models_of(tasks: list[ModelTask], city_id: str) -> list[ModelTask]:
    """Return the networks that may speak about a city."""
    return [task for task in tasks if task.city_id in (None, city_id)]


def predict_inputs(workspace: Workspace, tasks: list[ModelTask], city_id: str) -> str:
    """Return the fingerprint of what the predictions of a city depend on."""
    trained = [workspace.done_with("train", task.model_id) for task in models_of(tasks, city_id)]
    ingested, plan = workspace.done_with("ingest", city_id), workspace.done_with("train", "plan")
    return fingerprint(trained, ingested, plan, KEPT)


def load_folds(workspace: Workspace, tasks: list[ModelTask]) -> dict[int, Fold]:
    """Load the rounded weights of each network, as they will be published; keys are the folds held out."""
    import torch

    from core.ensemble import Fold
    from models.checkpoint import load_model
    from models.device import pick_device

    torch.set_num_threads(workspace.threads)
    device = pick_device(workspace.device)
    loaded = {}
    for task in tasks:
        network, _ = load_model(
            workspace.part("train", task.model_id) / f"{task.model_id}.safetensors", device
        )
        facts = workspace.facts("train", task.model_id)
        loaded[task.fold] = Fold(network, facts["z_mean"], facts["z_std"])
    return loaded


def predict_city(workspace: Workspace, city_id: str, folds: dict[int, Fold], out: Path) -> str:
    """Write ``predictions.parquet``, ``evidence.npy`` (n, h, w) float32, rows as in the table, and
    ``features.npy`` (m, C) float16, rows as those out of fold.

    Evidence is E = (M + b - z_mean) / z_std of the fold (METHOD 6), so its mean is ``z_standard``. Features
    are pooled and averaged over the flips (``core.pipeline.features``).
    """
    from core.ensemble import predict_cells, prediction_columns

    plan = workspace.table("train", "plan", "plan")
    plan = plan[plan.city_id == city_id].reset_index(drop=True)
    cells = workspace.table("ingest", city_id, "cells")
    images = workspace.array("ingest", city_id, "images")
    whole = (cells.valid_share >= MIN_VALID_SHARE).to_numpy()
    fold = plan.fold.to_numpy()
    speakers: list[tuple[npt.NDArray[np.int64], list[Fold]]] = [
        (np.flatnonzero(fold == number), [one]) for number, one in folds.items()
    ]
    speakers.append((np.flatnonzero((fold < 0) & whole), list(folds.values())))

    learned = np.flatnonzero(fold >= 0)
    channels = next(iter(folds.values())).network.last_convolution.out_channels
    features = np.lib.format.open_memmap(
        out / "features.npy", mode="w+", dtype=np.float16, shape=(len(learned), channels)
    )
    tables, maps = [], []
    with progress(f"predict {city_id}", int(whole.sum())) as advance:
        for rows, chosen in speakers:
            for start in range(0, len(rows), PORTION):
                portion = rows[start : start + PORTION]
                seen = fold[portion] >= 0
                said, evidence = predict_cells(images[portion], chosen, features=bool(seen.all()))
                if said.predictions.features is not None:
                    features[np.searchsorted(learned, portion)] = said.predictions.features
                table = prediction_columns(said).assign(row=portion, out_of_fold=seen)
                table["spread"] = table.spread.mask(seen)  # one fold cannot differ from itself
                tables.append(table)
                maps.append(evidence)
                advance(len(portion))

    features.flush()
    table = pd.concat(tables, ignore_index=True)
    order = np.argsort(table.row.to_numpy(), kind="stable")
    table = table.iloc[order].reset_index(drop=True)
    table.insert(0, "cell_id", cells.cell_id.to_numpy()[table.row])
    table.to_parquet(out / "predictions.parquet")
    np.save(out / "evidence.npy", np.concatenate(maps)[order])
    seen = table[table.out_of_fold]
    rho = seen.expected_class.corr(
        plan["class"].iloc[seen.row].reset_index(drop=True).set_axis(seen.index), "spearman"
    )
    return (
        f"{city_id}: {len(table)} cells predicted, {len(seen)} out of fold, pooled rank correlation {rho:.2f}"
    )
