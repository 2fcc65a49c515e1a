"""Predict: every census cell by the one network that never saw it; cells without income by the ensemble."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.pipeline.parts import fingerprint
from core.pipeline.progress import progress
from core.pipeline.train import ModelTask
from core.pipeline.workspace import Workspace
from data.imagery import MIN_VALID_SHARE

BATCH = 32


@dataclass(frozen=True)
class LoadedModel:
    """A fold's network with the facts of its training."""

    network: Any
    facts: dict[str, Any]


def models_of(tasks: list[ModelTask], city_id: str) -> list[ModelTask]:
    """Return the networks that may speak about a city."""
    return [task for task in tasks if task.city_id in (None, city_id)]


def predict_inputs(workspace: Workspace, tasks: list[ModelTask], city_id: str) -> str:
    """Return the fingerprint of what the predictions of a city depend on."""
    trained = [workspace.done_with("train", task.model_id) for task in models_of(tasks, city_id)]
    return fingerprint(trained, workspace.done_with("ingest", city_id), workspace.done_with("train", "plan"))


def load_models(workspace: Workspace, tasks: list[ModelTask]) -> list[LoadedModel]:
    """Load the rounded weights of each network, as they will be published."""
    import torch

    from models.checkpoint import load_model
    from models.device import pick_device

    torch.set_num_threads(workspace.threads)
    device = torch.device("cpu") if workspace.device == "cpu" else pick_device()
    loaded = []
    for task in tasks:
        folder = workspace.part("train", task.model_id)
        network, _ = load_model(folder / f"{task.model_id}.safetensors", device)
        loaded.append(LoadedModel(network, workspace.facts("train", task.model_id)))
    return loaded


def predict_city(workspace: Workspace, city_id: str, models: list[LoadedModel], out: Path) -> str:
    """Write ``predictions.parquet`` and ``evidence.npy`` (n, h, w) float32, rows as in the table.

    Evidence is E = (M + b - z_mean) / z_std of the fold (METHOD 6), so its mean is ``z_standard``.
    """
    plan = workspace.table("train", "plan", "plan")
    plan = plan[plan.city_id == city_id].reset_index(drop=True)
    cells = workspace.table("ingest", city_id, "cells")
    images = workspace.array("ingest", city_id, "images")
    whole = (cells.valid_share >= MIN_VALID_SHARE).to_numpy()
    fold = plan.fold.to_numpy()

    tables, maps = [], []
    with progress(f"predict {city_id}", int(whole.sum())) as advance:
        for model in models:
            rows = np.flatnonzero(fold == model.facts["fold"])
            for start in range(0, len(rows), 8 * BATCH):
                portion = rows[start : start + 8 * BATCH]
                table, evidence = _out_of_fold(model, images[portion])
                tables.append(table.assign(row=portion))
                maps.append(evidence)
                advance(len(portion))
        rows = np.flatnonzero((fold < 0) & whole)
        for start in range(0, len(rows), BATCH):
            portion = rows[start : start + BATCH]
            table, evidence = _by_ensemble(models, images[portion])
            tables.append(table.assign(row=portion))
            maps.append(evidence)
            advance(len(portion))

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


def _out_of_fold(model: LoadedModel, images: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
    from models.activation import evidence
    from models.predict import predict

    facts = model.facts
    predictions = predict(model.network, images, batch_size=BATCH)
    assert predictions.maps is not None  # noqa: S101 (asked for by default)
    maps = evidence(predictions.maps, predictions.bias, facts["z_mean"], facts["z_std"])
    return _rows(predictions, facts["z_mean"], facts["z_std"], None), maps


def _by_ensemble(models: list[LoadedModel], images: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
    from models.activation import evidence
    from models.predict import ensemble, predict

    each = [predict(model.network, images, batch_size=BATCH) for model in models]
    joint = ensemble(each, [m.facts["z_mean"] for m in models], [m.facts["z_std"] for m in models])
    assert joint.predictions.maps is not None  # noqa: S101
    maps = evidence(joint.predictions.maps, joint.predictions.bias, joint.z_mean, joint.z_std)
    return _rows(joint.predictions, joint.z_mean, joint.z_std, joint.spread), maps


def _rows(predictions: Any, z_mean: float, z_std: float, spread: np.ndarray | None) -> pd.DataFrame:
    n_classes = predictions.probabilities.shape[1]
    return pd.DataFrame(
        {
            "out_of_fold": spread is None,
            "z": predictions.z,
            "z_standard": (predictions.z - z_mean) / z_std,
            "class": predictions.predicted_class,
            "expected_class": predictions.expected_class,
            "entropy": predictions.entropy / np.log(n_classes),
            "spread": np.nan if spread is None else spread,
            "probabilities": list(predictions.probabilities),
        }
    )
