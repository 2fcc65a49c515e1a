"""Trust: can the maps of each network be believed? Checks on cells that the network never saw."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.pipeline.occlude import mean_colour
from core.pipeline.parts import fingerprint
from core.pipeline.progress import progress
from core.pipeline.train import ModelTask, training_cells
from core.pipeline.workspace import Workspace

if TYPE_CHECKING:
    from core.ensemble import Fold

CHECK_COLUMNS = ("check_name", "method", "variant", "position", "value", "n")


def trust_inputs(workspace: Workspace, tasks: list[ModelTask], task: ModelTask) -> str:
    """Return the fingerprint of what the checks of a network depend on."""
    return fingerprint(
        workspace.study.trust,
        workspace.study.train,
        workspace.study.study.seed,
        task.model_id,
        [workspace.done_with("train", other.model_id) for other in tasks],
        [workspace.done_with("ingest", city_id) for city_id in task.cities],
    )


def check_network(workspace: Workspace, task: ModelTask, fold: Fold, other: Fold | None, out: Path) -> str:
    """Write ``checks.parquet`` of one network: check_name, method, variant, position, value, n.

    On ``trust.cells`` cells of the fold held out (all cities, chosen by the seed): the weight cascade,
    deletion and insertion, likeness of maps to those of ``other`` (the network of another fold) and, where
    ``trust.shuffle_epochs`` is not 0, to those of a network trained as long on shuffled labels.
    """
    settings, seed = workspace.study.trust, workspace.study.study.seed
    images, classes, held_out = training_cells(workspace, task)
    here = np.flatnonzero(held_out)
    random = np.random.default_rng([seed, task.fold])
    chosen = np.sort(random.choice(here, min(settings.cells, len(here)), replace=False))
    sample = np.asarray(images[chosen])
    colour = mean_colour(images, here)
    rows: list[dict[str, Any]] = []
    with progress(f"trust {task.model_id}", 4, "check") as advance:
        rows += _cascade(fold, sample, seed)
        advance(1)
        rows += _removal(fold, sample, colour, seed)
        advance(1)
        if other is not None:
            rows += _alike("other_fold", fold, other.network, sample)
        advance(1)
        if settings.shuffle_epochs:
            shuffled = _train_shuffled(workspace, task, images, classes, held_out, fold)
            rows += _alike("label_shuffle", fold, shuffled, sample)
        advance(1)
    table = pd.DataFrame(rows).reindex(columns=list(CHECK_COLUMNS)).assign(n=len(sample))
    table.to_parquet(out / "checks.parquet")
    last = table[(table.check_name == "cascade") & (table.method == "cam")].iloc[-1]
    return f"{task.model_id}: cam keeps {last.value:.2f} of its likeness with all weights redrawn"


def _cascade(fold: Fold, images: npt.NDArray[np.uint8], seed: int) -> list[dict[str, Any]]:
    from models.trust import weight_cascade

    return [
        {
            "check_name": "cascade",
            "method": step.method,
            "variant": step.layer,
            "position": step.share,
            "value": step.value,
        }
        for step in weight_cascade(fold.network, images, seed=seed + 1)
    ]


def _removal(
    fold: Fold, images: npt.NDArray[np.uint8], colour: npt.NDArray[np.float32], seed: int
) -> list[dict[str, Any]]:
    from models.trust import removal

    found = list(removal(fold.network, images, fold.z_mean, colour, seed=seed))
    return [
        {"check_name": name, "method": one.order, "variant": "", "position": np.nan, "value": value}
        for one in found
        for name, value in (("deletion", one.deletion), ("insertion", one.insertion))
    ]


def _alike(name: str, fold: Fold, network: Any, images: npt.NDArray[np.uint8]) -> list[dict[str, Any]]:
    """Mean likeness of the maps of two networks, by method."""
    from models.trust import METHODS, agreement

    return [
        {
            "check_name": name,
            "method": method,
            "variant": "",
            "position": np.nan,
            "value": float(agreement(of(fold.network, images), of(network, images)).mean()),
        }
        for method, of in METHODS.items()
    ]


def _train_shuffled(
    workspace: Workspace,
    task: ModelTask,
    images: npt.NDArray[np.uint8],
    classes: npt.NDArray[np.uint8],
    held_out: npt.NDArray[np.bool_],
    fold: Fold,
) -> Any:
    """Train a network of the same kind on labels dealt out at random among the training cells."""
    from models.train import train_fold

    index = np.flatnonzero((classes > 0) & ~held_out)
    dealt = classes.copy()
    dealt[index] = np.random.default_rng([task.seed, 7]).permutation(classes[index])
    settings = replace(workspace.study.train.settings(), epochs=workspace.study.trust.shuffle_epochs)
    trained = train_fold(
        images,
        dealt,
        index,
        fold.network.settings,
        settings,
        seed=task.seed,
        device=next(fold.network.parameters()).device,
    )
    return trained.network
