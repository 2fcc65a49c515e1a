"""Summarise: agreement with the census, activation by class and correlations of each city."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from core.folds import variogram_range
from core.pipeline.class_tables import class_summaries
from core.pipeline.parts import fingerprint
from core.pipeline.workspace import Workspace, write_facts
from core.statistics.agreement import agreement_table, confusion_matrix
from core.statistics.calibration_table import calibration_table
from core.statistics.clusters import local_clusters
from core.study import CitySection

CLASS_TABLES = (
    "correlation",
    "class_pull",
    "class_activation",
    "class_income",
    "class_pair",
    "follow_index",
    "reliance",
    "map_agreement",
)


def summarise_inputs(workspace: Workspace, city_id: str) -> str:
    """Return the fingerprint of what the summary of a city depends on."""
    stages = ["predict", "attribute"] + ["occlude"] * workspace.study.occlusion.enabled
    done = [workspace.done_with(stage, city_id) for stage in stages]
    return fingerprint(workspace.study.statistics, workspace.study.folds, workspace.study.study.seed, done)


def study_inputs(workspace: Workspace) -> str:
    """Return the fingerprint of what the summary of the whole study depends on."""
    return fingerprint([workspace.done_with("summarise", city.id) for city in workspace.study.cities])


def summarise_city(workspace: Workspace, city: CitySection, out: Path) -> str:
    """Write the summary tables of a city; return its headline agreement."""
    n_classes = workspace.study.labels.n_classes
    seed, draws = workspace.study.study.seed, workspace.study.statistics.draws
    cells = out_of_fold_cells(workspace, city)
    reach = variogram_range(cells.x, cells.y, cells.true_class - cells.expected_class)
    # METHOD 7: blocks of at least twice the residual range
    block_m = max(2 * reach, 200.0)

    agreement, confusion, calibrated, clusters = [], [], [], []
    for includes_imputed in (False, True):
        chosen = cells if includes_imputed else cells[~cells.imputed]
        mark = {"includes_imputed": includes_imputed}
        agreement.append(agreement_table(chosen, n_classes, draws=draws, seed=seed).assign(**mark))
        confusion.append(_confusion(chosen, n_classes).assign(**mark))
        calibrated.append(_calibration(chosen, block_m, draws, seed).assign(**mark))
        clusters.append(_clusters(chosen, seed).assign(**mark))
    agreement_all = pd.concat(agreement, ignore_index=True)
    agreement_columns(agreement_all).to_parquet(out / "agreement.parquet")
    pd.concat(confusion, ignore_index=True).to_parquet(out / "confusion.parquet")
    pd.concat(calibrated, ignore_index=True).to_parquet(out / "calibration.parquet")
    pd.concat(clusters, ignore_index=True).to_parquet(out / "local_moran.parquet")

    tables = class_summaries(workspace, city, cells, block_m) if city.land_use else {}
    for name in CLASS_TABLES:
        tables.get(name, pd.DataFrame()).to_parquet(out / f"{name}.parquet")
    cells.assign(city=city.id).to_parquet(out / "cells.parquet")
    write_facts(out, {"residual_range_m": reach, "block_m": block_m})
    return f"{city.name}: {headline(agreement_all)}"


def summarise_study(workspace: Workspace, out: Path) -> str:
    """Write the agreement over all cities; return the headline."""
    cells = pd.concat(
        [workspace.table("summarise", city.id, "cells") for city in workspace.study.cities], ignore_index=True
    )
    tables = []
    for includes_imputed in (False, True):
        chosen = cells if includes_imputed else cells[~cells.imputed]
        tables.append(
            agreement_table(
                chosen,
                workspace.study.labels.n_classes,
                draws=workspace.study.statistics.draws,
                seed=workspace.study.study.seed,
            ).assign(includes_imputed=includes_imputed)
        )
    table = pd.concat(tables, ignore_index=True)
    agreement_columns(table).assign(city_id=None).to_parquet(out / "agreement.parquet")
    return f"all cities: {headline(table)}"


def out_of_fold_cells(workspace: Workspace, city: CitySection) -> pd.DataFrame:
    """Join cells, classes and predictions of a city: one row a cell with an out-of-fold prediction."""
    plan = workspace.table("train", "plan", "plan")
    plan = plan[plan.city_id == city.id].drop(columns="city_id")
    predictions = workspace.table("predict", city.id, "predictions")
    predictions = predictions[predictions.out_of_fold].rename(columns={"class": "predicted_class"})
    return (
        workspace.table("ingest", city.id, "cells")
        .merge(plan.rename(columns={"class": "true_class"}), on="cell_id")
        .merge(predictions.drop(columns="row"), on="cell_id")
    )


def agreement_columns(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that a publication holds; no blocks were drawn where their number is missing."""
    kept = table.drop(columns="n_effective")
    return kept.assign(n_blocks=kept.n_blocks.fillna(0).astype(int))


def headline(table: pd.DataFrame) -> str:
    """Say the rank correlation of an agreement table in a few words."""
    row = table[
        (table.measure == "spearman") & (table.scope == "within_fold") & ~table.includes_imputed
    ].iloc[0]
    return (
        f"within-fold rank correlation {row.value:.2f} ({row.low:.2f} to {row.high:.2f}), "
        f"null band {row.null_low:.2f} to {row.null_high:.2f}, {row.n} cells"
    )


def _confusion(cells: pd.DataFrame, n_classes: int) -> pd.DataFrame:
    matrix = confusion_matrix(cells.true_class, cells.predicted_class, n_classes)
    census, predicted = np.meshgrid(np.arange(1, n_classes + 1), np.arange(1, n_classes + 1), indexing="ij")
    return pd.DataFrame(
        {"census_class": census.ravel(), "predicted_class": predicted.ravel(), "n": matrix.ravel()}
    )


def _clusters(cells: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return local Moran's I of the residuals: one row a cell that touches another."""
    found = local_clusters(cells.x, cells.y, cells.expected_class - cells.true_class, seed=seed)
    table = pd.DataFrame(found._asdict()).rename(columns={"standardised": "residual"})
    table.insert(0, "cell_id", cells.cell_id.to_numpy())
    return table[table.p_value.notna()]


def _calibration(cells: pd.DataFrame, block_m: float, draws: int, seed: int) -> pd.DataFrame:
    stated = np.stack(cells.probabilities) if len(cells) else np.zeros((0, 0))
    return calibration_table(
        stated, cells.true_class, cells.x, cells.y, block_m=block_m, draws=draws, seed=seed
    )
