"""Summarise: agreement with the census, activation by class and correlations of each city."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.folds import square_blocks, variogram_range
from core.pipeline.attribute import TORUS_DRAWS
from core.pipeline.parts import fingerprint
from core.pipeline.workspace import Workspace, write_facts
from core.statistics.agreement import agreement_table, calibration, confusion_matrix
from core.statistics.bootstrap import block_bootstrap, ratio_of_sums
from core.statistics.classes import class_activation, class_income
from core.statistics.correlation import Coefficient, correlate_classes
from core.study import CitySection

CALIBRATION_BINS = 10


@dataclass(frozen=True)
class CityTables:
    """What the earlier stages found in a city, one row a cell with an out-of-fold prediction."""

    cells: pd.DataFrame
    land_use: pd.DataFrame
    activation: pd.DataFrame
    torus: pd.DataFrame


def summarise_inputs(workspace: Workspace, city_id: str) -> str:
    """Return the fingerprint of what the summary of a city depends on."""
    done = [workspace.done_with(stage, city_id) for stage in ("predict", "attribute")]
    return fingerprint(workspace.study.statistics, workspace.study.folds, workspace.study.study.seed, done)


def study_inputs(workspace: Workspace) -> str:
    """Return the fingerprint of what the summary of the whole study depends on."""
    return fingerprint([workspace.done_with("summarise", city.id) for city in workspace.study.cities])


def summarise_city(workspace: Workspace, city: CitySection, out: Path) -> str:
    """Write the summary tables of a city; return its headline agreement."""
    tables = city_tables(workspace, city)
    n_classes = workspace.study.labels.n_classes
    seed, draws = workspace.study.study.seed, workspace.study.statistics.draws
    cells = tables.cells
    reach = variogram_range(cells.x, cells.y, cells.true_class - cells.expected_class)
    # METHOD 7: blocks of at least twice the residual range
    block_m = max(2 * reach, 200.0)

    agreement, confusion, calibrated = [], [], []
    for includes_imputed in (False, True):
        chosen = cells if includes_imputed else cells[~cells.imputed]
        mark = {"includes_imputed": includes_imputed}
        agreement.append(agreement_table(chosen, n_classes, draws=draws, seed=seed).assign(**mark))
        confusion.append(_confusion(chosen, n_classes).assign(**mark))
        calibrated.append(_calibration(chosen, block_m, draws, seed).assign(**mark))
    agreement_all = pd.concat(agreement, ignore_index=True)
    agreement_columns(agreement_all).to_parquet(out / "agreement.parquet")
    pd.concat(confusion, ignore_index=True).to_parquet(out / "confusion.parquet")
    pd.concat(calibrated, ignore_index=True).to_parquet(out / "calibration.parquet")

    settings = workspace.study.statistics
    correlations, activations, incomes = pd.DataFrame(), pd.DataFrame(), pd.DataFrame()
    if city.land_use:
        correlations = class_correlations(tables, list(settings.coefficients))
        activations = activation_by_class(
            tables, n_classes, block_m=block_m, least_share=settings.pooled_min_share, draws=draws, seed=seed
        )
        present = tables.land_use.merge(cells, on="cell_id")
        incomes = class_income(present, n_classes, block_m=block_m, draws=draws, seed=seed)
        incomes = incomes.drop(columns=["standard_error", "n_blocks"])
    correlations.to_parquet(out / "correlation.parquet")
    activations.to_parquet(out / "class_activation.parquet")
    incomes.to_parquet(out / "class_income.parquet")
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


def city_tables(workspace: Workspace, city: CitySection) -> CityTables:
    """Join cells, classes and out-of-fold predictions of a city, and read its land-use rows."""
    plan = workspace.table("train", "plan", "plan")
    plan = plan[plan.city_id == city.id].drop(columns="city_id")
    predictions = workspace.table("predict", city.id, "predictions")
    predictions = predictions[predictions.out_of_fold].rename(columns={"class": "predicted_class"})
    cells = (
        workspace.table("ingest", city.id, "cells")
        .merge(plan.rename(columns={"class": "true_class"}), on="cell_id")
        .merge(predictions.drop(columns="row"), on="cell_id")
    )
    if not city.land_use:
        return CityTables(cells, pd.DataFrame(), pd.DataFrame(), pd.DataFrame())
    land_use, activation, torus = (
        workspace.table("attribute", city.id, name) for name in ("land_use", "activation", "torus")
    )
    return CityTables(cells, land_use, activation, torus)


def class_correlations(tables: CityTables, coefficients: list[Coefficient]) -> pd.DataFrame:
    """Return relations (i) to (iii) for each class and coefficient, with and without imputed cells."""
    rows = []
    for includes_imputed in (False, True):
        cells = tables.cells if includes_imputed else tables.cells[~tables.cells.imputed]
        cells = cells[cells.cell_id.isin(tables.land_use.cell_id)].reset_index(drop=True)
        shares = _wide(tables.land_use, "share", cells.cell_id).fillna(0.0)  # absent classes have no area
        excess = _wide(tables.activation[tables.activation.method == "cam"], "excess", cells.cell_id)
        relations = (
            ("census", "", shares, cells.true_class),
            ("prediction", "", shares, cells.predicted_class),
            ("activation", "cam", excess, cells.predicted_class),
        )
        for coefficient in coefficients:
            for relation, method, values, against in relations:
                found = correlate_classes(values, against, cells.x, cells.y, coefficient)
                found = found.assign(
                    relation=relation,
                    method=method,
                    coefficient=coefficient,
                    includes_imputed=includes_imputed,
                    null_value=np.nan,
                )
                if relation == "activation":
                    found["null_value"] = _torus_null(tables.torus, cells, list(found["code"]), coefficient)
                rows.append(found)
    return pd.concat(rows, ignore_index=True)


def _torus_null(
    torus: pd.DataFrame, cells: pd.DataFrame, codes: list[str], coefficient: Coefficient
) -> npt.NDArray[np.float64]:
    """Return the mean coefficient of each class over the draws in which maps were moved on the torus."""
    means = []
    joined = torus.merge(cells[["cell_id", "predicted_class"]], on="cell_id")
    draws = [f"draw_{number}" for number in range(TORUS_DRAWS)]
    for code in codes:
        of_class = joined[joined["code"] == code]
        if len(of_class) < 4 or of_class.predicted_class.nunique() < 2:
            means.append(np.nan)
            continue
        each = of_class[draws].corrwith(of_class.predicted_class, method=coefficient)
        means.append(float(each.mean()))
    return np.array(means)


def activation_by_class(
    tables: CityTables, n_classes: int, *, block_m: float, least_share: float, draws: int, seed: int
) -> pd.DataFrame:
    """Return the activation ratio of each class, for each map, polarity and estimator."""
    shares = tables.land_use[["cell_id", "code", "share"]]
    cells = tables.cells[["cell_id", "x", "y", "predicted_class"]]
    rows = []
    for method, activation in tables.activation.groupby("method"):
        frame = activation.merge(shares, on=["cell_id", "code"]).merge(cells, on="cell_id")
        for polarity in ("poor", "rich"):
            found = class_activation(
                frame, polarity, n_classes, block_m=block_m, least_share=least_share, draws=draws, seed=seed
            )
            rows.append(found.assign(method=method, polarity=polarity))
    return pd.concat(rows, ignore_index=True).drop(columns="n_blocks")


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


def _calibration(cells: pd.DataFrame, block_m: float, draws: int, seed: int) -> pd.DataFrame:
    """Return stated against observed frequency in bins, with block-bootstrap intervals."""
    if cells.empty:
        return pd.DataFrame({"bin": [], "probability": [], "frequency": [], "low": [], "high": [], "n": []})
    stated = np.stack(cells.probabilities)  # (n, K)
    table = calibration(stated, cells.true_class, CALIBRATION_BINS)
    table["bin"] = np.rint(table.low * CALIBRATION_BINS).astype(int)
    inside = np.minimum((stated * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    hit = cells.true_class.to_numpy()[:, None] == np.arange(1, stated.shape[1] + 1)
    blocks = square_blocks(cells.x, cells.y, block_m)
    for row, number in enumerate(table.bin):
        counted = np.column_stack([(hit & (inside == number)).sum(axis=1), (inside == number).sum(axis=1)])
        found = block_bootstrap(counted, ratio_of_sums, blocks, draws=draws, seed=seed, bounds=(0, 1))
        table.loc[row, ["low", "high"]] = found.low, found.high
    return table.rename(columns={"predicted": "probability", "observed": "frequency"})


def _wide(rows: pd.DataFrame, value: str, cell_ids: pd.Series) -> pd.DataFrame:
    return rows.pivot(index="cell_id", columns="code", values=value).reindex(cell_ids)
