"""Predict, second half: what each network makes of the cells it never saw, so that like cells can be found.

The stage leaves the pooled last features of every out-of-fold cell, averaged over the flips that its
prediction uses: the head's logits are linear in them, so they are what the prediction was made from. The
cells of a network, in all its cities, give the axes; other networks have other features, never compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.pipeline.parts import fingerprint
from core.pipeline.train import ModelTask, model_tasks
from core.pipeline.workspace import Workspace, write_facts
from core.statistics.principal import directions, principal_axes

MOST_AXES = 32  # demo study: 99 of 100 cosines within 0.02, 95 % of the 8 nearest cells the same as without
PORTION = 4096  # rows in memory at a time


def feature_part(task: ModelTask) -> str:
    """Return the name of the part of a network; ids of cities begin with a letter or digit."""
    return f"_{task.model_id}"


def feature_inputs(workspace: Workspace, task: ModelTask) -> str:
    """Return the fingerprint of what the features of a network's cells depend on."""
    predicted = [workspace.done_with("predict", city_id) for city_id in task.cities]
    return fingerprint(task.model_id, MOST_AXES, predicted)


def write_features(workspace: Workspace, task: ModelTask, out: Path) -> str:
    """Write ``features.parquet`` of the cells that a network never saw: city_id, cell_id, feature.

    A cell whose features are the network's mean, to rounding, has no direction and no row.
    """
    cities = [(city_id, _held_out(workspace, task, city_id)) for city_id in task.cities]
    cities = [(city_id, held_out) for city_id, held_out in cities if held_out.any()]

    def portions() -> Iterator[npt.NDArray[Any]]:
        for city_id, held_out in cities:
            features = workspace.array("predict", city_id, "features")  # (n, C) float16
            for start in range(0, len(held_out), PORTION):
                yield features[start : start + PORTION][held_out[start : start + PORTION]]

    schema = pa.schema(
        [("city_id", pa.string()), ("cell_id", pa.string()), ("feature", pa.list_(pa.float32()))]
    )
    n = 0
    found = principal_axes(portions, MOST_AXES)
    with pq.ParquetWriter(out / "features.parquet", schema) as file:
        rows = portions()
        for city_id, held_out in cities:
            cell_id = _out_of_fold_cells(workspace, city_id)
            for start in range(0, len(held_out), PORTION):
                here = cell_id[start : start + PORTION][held_out[start : start + PORTION]]
                turned = directions(next(rows), found)
                kept = np.isfinite(turned).all(axis=1) & (turned.shape[1] > 0)
                n += int(kept.sum())
                file.write_table(
                    pa.table([[city_id] * int(kept.sum()), here[kept], list(turned[kept])], schema=schema)
                )
    write_facts(out, {"model_id": task.model_id, "variance": found.variance.tolist()})
    return f"{task.model_id}: features of {n} cells on {len(found.variance)} axes"


def feature_table(workspace: Workspace) -> pd.DataFrame:
    """Return table ``cell_feature`` of the cells of all networks."""
    tasks = model_tasks(workspace.study, workspace.table("train", "plan", "plan"))
    frames = [
        workspace.table("predict", feature_part(task), "features").assign(model_id=task.model_id)
        for task in tasks
    ]
    return pd.concat(frames, ignore_index=True)


def _out_of_fold_cells(workspace: Workspace, city_id: str) -> npt.NDArray[np.object_]:
    """Return the ids of the out-of-fold cells of a city, in the order of ``features.npy``."""
    predictions = workspace.table("predict", city_id, "predictions")
    return predictions.cell_id[predictions.out_of_fold].to_numpy(object)


def _held_out(workspace: Workspace, task: ModelTask, city_id: str) -> npt.NDArray[np.bool_]:
    """Say which of the out-of-fold cells of a city the network never saw (n,)."""
    fold = workspace.folds(city_id)
    return np.asarray(fold[fold >= 0] == task.fold)
