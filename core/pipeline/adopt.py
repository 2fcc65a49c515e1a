"""Train, left out: the networks of a publication stand in for it, where they are those that it would make."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from core.pipeline.parts import produce
from core.pipeline.train import ModelTask, train_inputs
from core.pipeline.workspace import Workspace, write_facts
from data.errors import InputError, StudyError
from data.store.open import Publication, connect, current_publication

# Tables of the study file that decide what a network becomes.
DECIDING = ("labels", "folds", "network", "train")


def adopt_networks(workspace: Workspace, tasks: list[ModelTask], folder: Path) -> Iterator[str]:
    """Take the networks of the study published in ``folder`` into the workspace; yield one line each.

    Only what training would make from the same cells is taken, so predictions stay out of fold: the settings,
    the seed, the photographs, and the class and fold of every cell must be those of the publication.

    Raises:
        StudyError: one of them is not. InputError: no publication there, or weights that are not its own.
    """
    publication = current_publication(folder)
    with connect(publication.file) as connection:
        published = connection.execute("SELECT settings_json FROM study").fetchone()
        models = connection.execute("SELECT * FROM model").df().set_index("model_id")
        cells = connection.execute("SELECT city_id, cell_id, class, fold FROM cell").df()
        files = connection.execute("SELECT city_id, sha256 FROM provenance WHERE kind = 'imagery'").df()
    _same_settings(workspace, json.loads(published[0]) if published else {}, folder)
    _same_cells(workspace, cells, folder)
    _same_photographs(workspace, files, folder)
    missing = [task.model_id for task in tasks if task.model_id not in models.index]
    if missing:
        raise _other(workspace, folder, f"has no network {', '.join(missing)}")
    for task in tasks:
        row: dict[str, Any] = models.loc[task.model_id].to_dict()

        def write(out: Path, task: ModelTask = task, row: dict[str, Any] = row) -> str:
            return _take(publication, task, row, out)

        line, stood = produce(workspace.part("train", task.model_id), train_inputs(workspace, task), write)
        yield f"{line} (done before)" if stood else line


def _take(publication: Publication, task: ModelTask, row: dict[str, Any], out: Path) -> str:
    import torch

    from models.checkpoint import load_model

    source = publication.folder / row["file"]
    target = out / f"{task.model_id}.safetensors"
    if not source.is_file():
        raise InputError(source, "is not there", "Restore the weights of the publication, or train again.")
    shutil.copyfile(source, target)
    if hashlib.sha256(target.read_bytes()).hexdigest() != row["sha256"]:
        raise InputError(source, "is not the network that was published", "Restore it, or train again.")
    # the header has the figures in full; the time and place of training are in the publication alone
    _, facts = load_model(target, torch.device("cpu"))
    facts |= {"sha256": row["sha256"], "seconds": float(row["seconds"]), "device": row["device"]}
    write_facts(out, facts)
    return f"{task.model_id}: taken from {publication.file.name}"


def _same_settings(workspace: Workspace, published: dict[str, Any], folder: Path) -> None:
    ours = workspace.study.model_dump(mode="json", exclude={"cities"})
    other = [name for name in DECIDING if ours[name] != published.get(name)]
    if ours["study"]["seed"] != published.get("study", {}).get("seed"):
        other.append("study.seed")
    if other:
        raise _other(workspace, folder, f"was made with other settings ({', '.join(other)})")


def _same_cells(workspace: Workspace, published: pd.DataFrame, folder: Path) -> None:
    plan = workspace.table("train", "plan", "plan")
    # before publication a cell without class or fold has 0 and -1
    known = published.astype({"class": "Int64", "fold": "Int64"}).fillna({"class": 0, "fold": -1})
    both = plan.merge(known, on=["city_id", "cell_id"], how="outer", suffixes=("", "_published"))
    same = (both["class"] == both["class_published"]) & (both.fold == both.fold_published)
    same = same.fillna(False)  # a cell that only one of the two has
    if not same.all():
        raise _other(workspace, folder, f"has {int((~same).sum())} cells of another class or fold")


def _same_photographs(workspace: Workspace, published: pd.DataFrame, folder: Path) -> None:
    for city in workspace.study.cities:
        ours = {record["sha256"] for record in workspace.facts("ingest", city.id)["files"]}
        theirs = set(published.sha256[published.city_id == city.id])
        if not theirs <= ours:
            raise _other(workspace, folder, f"was made from other photographs of {city.id}")


def _other(workspace: Workspace, folder: Path, fault: str) -> StudyError:
    return StudyError(
        f"study {workspace.study.study.id}: the publication in {folder} {fault}, so its networks "
        "cannot stand in for training. Run without --networks-of to train."
    )
