"""Features of cells by networks that never saw them: planted likeness, and what is never compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.bench.tiny import PX, random_blocks, tiny_network
from core.ensemble import Fold
from core.pipeline.features import feature_part, feature_table, write_features
from core.pipeline.predict import predict_city
from core.pipeline.train import ModelTask
from core.pipeline.workspace import Workspace
from core.study import read_study
from data.store.open import connect
from data.store.place_queries import similar_cells
from data.store.write import publish

STUDY = """
[study]
id = "s"
title = "S"
[network]
architecture = "mobilenet_v3_small"
input_px = 64
[folds]
n_folds = 2
[[cities]]
id = "a"
name = "A"
census = {path = "c"}
imagery = {path = "i"}
[[cities]]
id = "b"
name = "B"
census = {path = "c"}
imagery = {path = "i"}
"""
CELLS = 24
TWINS = (4, 12)  # the same photograph, both of fold 0
STRANGER = 5  # the same photograph again, of fold 1
EMPTY = 7  # in no fold


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Two cities of which cells alternate between two folds, as the stages before leave them."""
    root = tmp_path_factory.mktemp("places")
    (root / "study.toml").write_text(STUDY)
    workspace = Workspace(root, read_study(root / "study.toml"), root / "study.toml", 1, "cpu")
    plans = []
    for number, city_id in enumerate("ab"):
        part = workspace.part("ingest", city_id)
        part.mkdir(parents=True)
        images = np.stack(
            [
                random_blocks(PX, PX, seed=100 * number + cell).transpose(1, 2, 0).astype(np.uint8)
                for cell in range(CELLS)
            ]
        )
        images[[TWINS[1], STRANGER]] = images[TWINS[0]]
        np.save(part / "images.npy", images)
        ids = [f"{city_id}{cell}" for cell in range(CELLS)]
        pd.DataFrame({"cell_id": ids, "valid_share": 1.0}).to_parquet(part / "cells.parquet")
        fold = np.arange(CELLS) % 2
        fold[EMPTY] = -1
        classes = 1 + np.arange(CELLS) % 10
        plans.append(pd.DataFrame({"city_id": city_id, "cell_id": ids, "class": classes, "fold": fold}))
    workspace.part("train", "plan").mkdir(parents=True)
    pd.concat(plans, ignore_index=True).to_parquet(workspace.part("train", "plan") / "plan.parquet")
    folds = {number: Fold(tiny_network(number), 0.0, 1.0) for number in (0, 1)}
    for city_id in "ab":
        workspace.part("predict", city_id).mkdir(parents=True)
        predict_city(workspace, city_id, folds, workspace.part("predict", city_id))
    for number in (0, 1):
        task = ModelTask(f"fold-{number}", None, ("a", "b"), number, 1)
        out = workspace.part("predict", feature_part(task))
        out.mkdir()
        # 24 cells with two pairs of twins, or 22 cells: 22 different photographs span 21 axes
        assert write_features(workspace, task, out).endswith("on 21 axes")
    return workspace


@pytest.fixture(scope="module")
def published(workspace: Workspace) -> Path:
    tables = {"cell_feature": feature_table(workspace)}
    return publish(workspace.root / "out", "s", tables, study_file=workspace.study_file)


def nearest(published: Path, cell_id: str) -> pd.DataFrame:
    with connect(published) as connection:
        return similar_cells(connection, cell_id[0], cell_id, 99)


def test_twins_are_nearest(published: Path) -> None:
    for one, other in (TWINS, TWINS[::-1]):
        near = nearest(published, f"a{one}")
        assert near.cell_id[0] == f"a{other}"
        assert near.likeness[0] == pytest.approx(1, abs=1e-5)
        assert near.likeness[1] < 0.98


def test_cells_of_another_fold_or_of_none_are_not_compared(published: Path) -> None:
    """The stranger shows the twins' photograph, to a network that knows them otherwise."""
    near = nearest(published, f"a{TWINS[0]}")
    assert set(near.cell_id) == {f"a{cell}" for cell in range(0, CELLS, 2)} - {f"a{TWINS[0]}"}
    odd = set(range(1, CELLS, 2)) - {STRANGER, EMPTY}
    assert set(nearest(published, f"a{STRANGER}").cell_id) == {f"a{cell}" for cell in odd}
    assert nearest(published, f"a{EMPTY}").empty


def test_each_is_like_itself_and_networks_are_named(workspace: Workspace) -> None:
    table = feature_table(workspace)
    assert len(table) == 2 * (CELLS - 1)
    assert table.groupby(["model_id", "city_id"]).size().to_dict() == {
        ("fold-0", "a"): 12, ("fold-0", "b"): 12, ("fold-1", "a"): 11, ("fold-1", "b"): 11,
    }  # fmt: skip
    features = np.stack(table.feature)
    assert features.dtype == np.float32
    np.testing.assert_allclose((features**2).sum(1), 1, atol=1e-5)


def test_half_precision_is_what_is_kept_before_the_axes(workspace: Workspace) -> None:
    kept = workspace.array("predict", "a", "features")
    assert kept.dtype == np.float16 and kept.shape == (CELLS - 1, 576)
