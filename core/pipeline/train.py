"""Train: classes and folds of all cities, then one network a fold that never sees the fold's cells."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.folds import block_folds, city_folds, random_folds
from core.pipeline.parts import fingerprint, produce
from core.pipeline.progress import progress
from core.pipeline.workspace import Workspace, write_facts
from core.study import Study
from data.census import income_classes, income_thresholds
from data.errors import CarreauError, StudyError
from data.imagery import MIN_VALID_SHARE

# ---- classes and folds ------------------------------------------------------------------------------


def plan_inputs(workspace: Workspace) -> str:
    """Return the fingerprint of what classes and folds depend on."""
    study = workspace.study
    return fingerprint(study.labels, study.folds, study.study.seed, _ingested(workspace))


def write_plan(workspace: Workspace, out: Path) -> str:
    """Write ``plan.parquet`` (class, fold and block of each cell) and ``thresholds.parquet``."""
    study = workspace.study
    cells = pd.concat(
        [workspace.table("ingest", city.id, "cells").assign(city_id=city.id) for city in study.cities],
        ignore_index=True,
    )
    thresholds = class_thresholds(cells, study)
    cells["class"] = np.uint8(0)
    for city_id, rows in cells.groupby("city_id").indices.items():
        limits = thresholds[(thresholds.city_id == city_id) & thresholds.includes_imputed].income.to_numpy()
        cells.loc[rows, "class"], _ = income_classes(cells.income.iloc[rows], study.labels.n_classes, limits)
    fold, block = assign_folds(cells, study)
    plan = cells[["city_id", "cell_id", "class"]].assign(fold=fold, block=block)
    plan.to_parquet(out / "plan.parquet")
    thresholds.to_parquet(out / "thresholds.parquet")
    trained = plan[plan.fold >= 0]
    sizes = ", ".join(str(n) for n in trained.groupby("fold").size())
    return f"{len(trained)} cells with a class, folds of {sizes}"


def class_thresholds(cells: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Return the class thresholds of each city, with and without imputed cells (METHOD 3).

    Columns city_id, includes_imputed, k, income. Without enough incomes that are not imputed, only the first
    set exists. Raises StudyError, naming the city, with fewer than K distinct incomes.
    """
    rows = []
    for city_id, city in cells.groupby("city_id", sort=False):
        source = cells if study.labels.scope == "study" else city
        for includes_imputed in (True, False):
            chosen = source if includes_imputed else source[~source.imputed]
            try:
                limits = income_thresholds(chosen.income, study.labels.n_classes)
            except StudyError as error:
                if includes_imputed:
                    raise StudyError(f"city {city_id}: {error}") from error
                continue
            rows.append(
                pd.DataFrame(
                    {
                        "city_id": city_id,
                        "includes_imputed": includes_imputed,
                        "k": range(len(limits)),
                        "income": limits,
                    }
                )
            )
    return pd.concat(rows, ignore_index=True)


def assign_folds(cells: pd.DataFrame, study: Study) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return fold and block (n,) of each cell, -1 where a cell has no class or has empty pixels."""
    usable = ((cells["class"] > 0) & (cells.valid_share >= MIN_VALID_SHARE)).to_numpy()
    fold = np.full(len(cells), -1, np.int64)
    block = np.full(len(cells), -1, np.int64)
    if study.folds.scheme == "city":
        fold[usable] = city_folds(cells.city_id[usable])
        return fold, block
    for number, city in enumerate(study.cities):
        here = np.flatnonzero(usable & (cells.city_id == city.id).to_numpy())
        chosen = cells.iloc[here]
        seed = study.study.seed * 1000 + number
        try:
            if study.folds.scheme == "random":
                fold[here] = random_folds(chosen["class"], study.folds.n_folds, seed)
            else:
                fold[here], block[here] = block_folds(
                    chosen.x,
                    chosen.y,
                    n_folds=study.folds.n_folds,
                    block_m=study.folds.block_m,
                    groups=chosen.group.where(chosen.imputed),
                    seed=seed,
                )
        except StudyError as error:
            raise StudyError(f"city {city.id}: {error}") from error
    return fold, block


# ---- networks ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ModelTask:
    """One network to train: the cells of ``cities`` outside ``fold``."""

    model_id: str
    city_id: str | None
    cities: tuple[str, ...]
    fold: int
    seed: int


def model_tasks(study: Study, plan: pd.DataFrame) -> list[ModelTask]:
    """Return the networks of a study: one a fold, or one a fold and city."""
    ids = tuple(city.id for city in study.cities)
    groups: list[tuple[str | None, tuple[str, ...]]] = [(None, ids)]
    if study.train.scope == "city":
        groups = [(city_id, (city_id,)) for city_id in ids]
    tasks = []
    for number, (city_id, members) in enumerate(groups):
        folds = sorted(set(plan[plan.city_id.isin(members) & (plan.fold >= 0)].fold))
        for fold in folds:
            name = f"fold-{fold}" if city_id is None else f"{city_id}-fold-{fold}"
            tasks.append(
                ModelTask(
                    name, city_id, members, int(fold), study.study.seed * 1000 + number * 100 + int(fold)
                )
            )
    return tasks


def train_inputs(workspace: Workspace, task: ModelTask) -> str:
    """Return the fingerprint of what a network depends on."""
    study = workspace.study
    return fingerprint(
        study.network,
        study.train,
        task.model_id,
        task.seed,
        workspace.done_with("train", "plan"),
        _ingested(workspace),
    )


def train_all(workspace: Workspace, tasks: list[ModelTask]) -> Iterator[str]:
    """Train the networks that do not stand yet; yield one line of result each.

    On a CPU networks train side by side (two single-threaded folds beat two threads), on a GPU in turn.
    """
    from models.device import pick_device

    on_cpu = pick_device(workspace.device).type == "cpu"
    workers = min(workspace.threads, len(tasks)) if on_cpu else 1
    context = multiprocessing.get_context("spawn")  # fork after rasterio and threads hangs
    with context.Manager() as manager, ProcessPoolExecutor(workers, mp_context=context) as pool:
        steps = manager.Queue()
        threads = max(1, workspace.threads // workers)
        running = [pool.submit(_produce_model, workspace, task, threads, steps) for task in tasks]
        try:
            _show_steps(steps, running, len(tasks))
            for future in running:
                line, stood = future.result()
                yield f"{line} (done before)" if stood else line
        except BaseException:
            # an interruption must not wait for networks that have not begun
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _produce_model(workspace: Workspace, task: ModelTask, threads: int, steps: Any) -> tuple[str, bool]:
    return produce(
        workspace.part("train", task.model_id),
        train_inputs(workspace, task),
        lambda out: _train_one(workspace, task, out, threads, steps),
    )


def _show_steps(steps: Any, running: list[Any], n_tasks: int) -> None:
    """Show one bar over the steps of all networks until they are done."""
    total = {}
    with progress("train", 1000 * n_tasks, "‰") as advance:
        shown = 0
        while not all(future.done() for future in running):
            try:
                name, done, of = steps.get(timeout=0.5)
            except Empty:
                continue
            total[name] = done / of
            now = int(1000 * sum(total.values()))
            advance(now - shown)
            shown = now


def _train_one(workspace: Workspace, task: ModelTask, out: Path, threads: int, steps: Any) -> str:
    import torch

    from models.checkpoint import save_model
    from models.device import device_name, pick_device
    from models.train import train_fold

    torch.set_num_threads(threads)
    device = pick_device(workspace.device)
    images, classes, held_out = training_cells(workspace, task)
    checkpoint = workspace.root / "train" / f"{task.model_id}.checkpoint"
    train_index = np.flatnonzero((classes > 0) & ~held_out)
    model = train_fold(
        images,
        classes,
        train_index,
        workspace.study.network.settings(workspace.study.labels.n_classes),
        workspace.study.train.settings(),
        seed=task.seed,
        checkpoint=checkpoint,
        device=device,
        progress=lambda done, total, _loss: (
            steps.put((task.model_id, done, total)) if done % 5 == 0 else None
        ),
    )
    facts = {
        "model_id": task.model_id,
        "city_id": task.city_id,
        "fold": task.fold,
        "n_train": len(train_index),
        "n_test": int(((classes > 0) & held_out).sum()),
        "bias": float(model.network.head.bias.detach().reshape(-1)[0]),
        "z_mean": model.z_mean,
        "z_std": model.z_std,
        "epochs": len(model.log),
        "final_loss": model.log[-1]["loss"],
        "seconds": model.seconds,
        "device": device_name(device),
    }
    # the time it took is no part of the weights file: the same seed gives the same bytes
    facts["sha256"] = save_model(
        out / f"{task.model_id}.safetensors",
        model.network,
        {k: v for k, v in facts.items() if k not in {"seconds", "device"}},
    )
    write_facts(out, facts)
    pd.DataFrame(model.log).to_csv(out / "log.csv", index=False)
    checkpoint.unlink(missing_ok=True)
    loss, epochs = facts["final_loss"], facts["epochs"]
    return f"{task.model_id}: loss {loss:.3f} after {epochs} epochs, {model.seconds:.0f} s"


def training_cells(
    workspace: Workspace, task: ModelTask
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Return images, classes (0: no label) and whether held out, of all cells of the task's cities."""
    plan = workspace.table("train", "plan", "plan")
    images, classes, held_out = [], [], []
    for city_id in task.cities:
        city = plan[plan.city_id == city_id]
        images.append(workspace.array("ingest", city_id, "images"))
        classes.append(city["class"].where(city.fold >= 0, 0).to_numpy(np.uint8))
        held_out.append((city.fold == task.fold).to_numpy())
    if len(images) == 1:
        return images[0], classes[0], held_out[0]
    size = sum(image.nbytes for image in images)
    if size > 8 << 30:
        raise CarreauError(
            f"train.scope = 'study' would hold {size / 2**30:.0f} GB of images in memory. "
            "Choose train.scope = 'city' or a smaller network.input_px."
        )
    return np.concatenate(images), np.concatenate(classes), np.concatenate(held_out)


def _ingested(workspace: Workspace) -> list[str]:
    return [workspace.done_with("ingest", city.id) for city in workspace.study.cities]
