"""Summarise, second half: what maps, incomes and occlusion say of each land-use class of a city."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.pipeline.attribute import NULL_COLUMNS, NULLS
from core.pipeline.workspace import Workspace
from core.statistics.classes import Polarity, class_activation, class_income
from core.statistics.correlation import Coefficient, correlate_classes
from core.statistics.index import MIX_REFERENCE, follow_index
from core.statistics.levels import LEVELS, activation_at, land_use_at, level_name, wide
from core.statistics.map_agreement import map_agreement
from core.statistics.pairs import class_pairs
from core.statistics.pull import class_pulls, pull_of_sums, pull_terms
from core.statistics.reliance import reliance
from core.study import CitySection
from data.landuse_classes import Level

POLARITIES: tuple[Polarity, ...] = ("poor", "rich")
INDEX_LEVELS: tuple[Level, ...] = ("full", "paper")  # level 1 and 2 have fewer than six classes in a town


@dataclass(frozen=True)
class ClassRows:
    """Rows by cell and class of one level, and the cells, those with an out-of-fold prediction."""

    level: Level
    cells: pd.DataFrame
    land_use: pd.DataFrame
    activation: pd.DataFrame
    nulls: dict[str, pd.DataFrame]
    occlusion: pd.DataFrame  # empty but at full codes: effects of single classes do not add up


def read_class_rows(workspace: Workspace, city: CitySection, cells: pd.DataFrame) -> ClassRows:
    """Read what the stages attribute and occlude left of a city, at full codes."""
    land_use, activation = (workspace.table("attribute", city.id, n) for n in ("land_use", "activation"))
    nulls = {name: workspace.table("attribute", city.id, name) for name in NULLS}
    occlusion = pd.DataFrame(columns=["cell_id", "code", "effect", "moved_effect"])
    if workspace.study.occlusion.enabled:
        occlusion = workspace.table("occlude", city.id, "occlusion")
    return ClassRows("full", cells, land_use, activation, nulls, occlusion)


def at_level(rows: ClassRows, level: Level) -> ClassRows:
    """Return the rows with the classes of a level of the hierarchy."""
    if level == "full":
        return rows
    return ClassRows(
        level,
        rows.cells,
        land_use_at(rows.land_use, level),
        activation_at(rows.activation, rows.land_use, level),
        {name: activation_at(null, rows.land_use, level) for name, null in rows.nulls.items()},
        rows.occlusion.iloc[:0],
    )


def class_summaries(
    workspace: Workspace, city: CitySection, cells: pd.DataFrame, block_m: float
) -> dict[str, pd.DataFrame]:
    """Return the summary tables of land-use classes by name (``summarise.CLASS_TABLES``).

    ``cells``: one row a cell with an out-of-fold prediction; ``block_m``: least side of bootstrap blocks.
    """
    study = workspace.study
    settings, n_classes = study.statistics, study.labels.n_classes
    how: dict[str, Any] = {"block_m": block_m, "draws": settings.draws, "seed": study.study.seed}
    full = read_class_rows(workspace, city, cells)
    found: dict[str, list[pd.DataFrame]] = defaultdict(list)
    for level in LEVELS:
        rows = at_level(full, level)
        mark = {"level": level_name(level)}
        correlations = _correlations(rows, list(settings.coefficients))
        found["correlation"].append(correlations.assign(**mark))
        found["class_pull"].append(_pulls(rows, **how).assign(**mark))
        activations = _activation(rows, n_classes, least_share=settings.pooled_min_share, **how)
        found["class_activation"].append(activations.assign(**mark))
        incomes = class_income(rows.land_use.merge(cells, on="cell_id"), n_classes, **how)
        found["class_income"].append(incomes.drop(columns=["standard_error", "n_blocks"]).assign(**mark))
        found["class_pair"].append(_pairs(rows, n_classes).assign(**mark))
        if level in INDEX_LEVELS and "spearman" in settings.coefficients:
            found["follow_index"].append(_indices(rows, correlations, **how).assign(**mark))
    tables = {name: pd.concat(parts, ignore_index=True) for name, parts in found.items()}
    tables["reliance"] = _reliance(workspace, city, full)
    tables["map_agreement"] = _map_agreement(full, **how)
    return tables


def _chosen(rows: ClassRows, includes_imputed: bool) -> pd.DataFrame:
    cells = rows.cells if includes_imputed else rows.cells[~rows.cells.imputed]
    return cells[cells.cell_id.isin(rows.land_use.cell_id)].reset_index(drop=True)


def _attention(rows: ClassRows, cells: pd.DataFrame) -> list[tuple[str, str, pd.DataFrame]]:
    """Return relation, method and values (n x codes, NaN where absent) of (iii) and, where done, (iv)."""
    excess = wide(rows.activation[rows.activation.method == "cam"], "excess", cells.cell_id)
    found = [("activation", "cam", excess)]
    if len(rows.occlusion):
        by_place = rows.occlusion.assign(net=rows.occlusion.effect - rows.occlusion.moved_effect)
        found.append(("occlusion", "class", wide(by_place, "net", cells.cell_id)))
    return found


def _correlations(rows: ClassRows, coefficients: list[Coefficient]) -> pd.DataFrame:
    """Return relations (i) to (iv) for each class and coefficient, with and without imputed cells."""
    found = []
    for includes_imputed in (False, True):
        cells = _chosen(rows, includes_imputed)
        shares = wide(rows.land_use, "share", cells.cell_id).fillna(0.0)  # absent classes have no area
        relations = [
            ("census", "", shares, cells.true_class),
            ("prediction", "", shares, cells.predicted_class),
            *(
                (name, method, values, cells.predicted_class)
                for name, method, values in _attention(rows, cells)
            ),
        ]
        for coefficient in coefficients:
            for relation, method, values, against in relations:
                table = correlate_classes(values, against, cells.x, cells.y, coefficient)
                table = table.assign(
                    relation=relation,
                    method=method,
                    coefficient=coefficient,
                    includes_imputed=includes_imputed,
                    null_torus=np.nan,
                    null_other=np.nan,
                )
                if relation == "activation":
                    for name, null in rows.nulls.items():
                        table[f"null_{name}"] = _null(null, cells, list(table["code"]), coefficient)
                found.append(table)
    return pd.concat(found, ignore_index=True)


def _amounts(rows: ClassRows, cells: pd.DataFrame) -> list[tuple[str, str, pd.DataFrame, pd.DataFrame]]:
    """Return relation, method, shares and amounts (n x codes, in deviations of z) that make the pulls."""
    shares = wide(rows.land_use, "share", cells.cell_id).fillna(0.0)
    return [
        (relation, method, shares, (values * shares)[values.columns] if relation == "activation" else values)
        for relation, method, values in _attention(rows, cells)
    ]


def _pulls(rows: ClassRows, *, block_m: float, draws: int, seed: int) -> pd.DataFrame:
    """Return the pull of each class by activation and occlusion, with and without imputed cells."""
    found = []
    for includes_imputed in (False, True):
        cells = _chosen(rows, includes_imputed)
        for relation, method, shares, amounts in _amounts(rows, cells):
            table = class_pulls(shares, amounts, cells.x, cells.y, block_m=block_m, draws=draws, seed=seed)
            table = table.assign(
                relation=relation,
                method=method,
                includes_imputed=includes_imputed,
                null_torus=np.nan,
                null_other=np.nan,
            )
            if relation == "activation":
                for name, null in rows.nulls.items():
                    table[f"null_{name}"] = table["code"].map(_pull_null(null, shares, cells))
            found.append(table)
    return pd.concat(found, ignore_index=True)


def _null_amounts(null: pd.DataFrame, shares: pd.DataFrame, cells: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the amounts (n x codes) of each draw of a null of the excess."""
    draws = null.pivot(index="cell_id", columns="code", values=list(NULL_COLUMNS)).astype(np.float64)
    columns = pd.MultiIndex.from_product([NULL_COLUMNS, shares.columns])
    draws = draws.reindex(index=cells.cell_id, columns=columns)
    return [draws[name] * shares for name in NULL_COLUMNS]


def _pull_null(null: pd.DataFrame, shares: pd.DataFrame, cells: pd.DataFrame) -> pd.Series:
    """Return the mean pull of each class, by code, over the draws of a null."""
    pulls = [
        {c: float(pull_of_sums(pull_terms(shares[c], draw[c]).sum(0))) for c in shares}
        for draw in _null_amounts(null, shares, cells)
    ]
    return pd.DataFrame(pulls).mean()


def _null(
    null: pd.DataFrame, cells: pd.DataFrame, codes: list[str], coefficient: Coefficient
) -> npt.NDArray[np.float64]:
    """Return the mean coefficient of each class over the draws of a null."""
    means = []
    joined = null.merge(cells[["cell_id", "predicted_class"]], on="cell_id")
    for code in codes:
        of_class = joined[joined["code"] == code]
        if len(of_class) < 4 or of_class.predicted_class.nunique() < 2:
            means.append(np.nan)
            continue
        values = of_class[[*NULL_COLUMNS, "predicted_class"]].astype(float)
        if coefficient == "kendall":  # too slow for pairs that are not asked for
            each = values[list(NULL_COLUMNS)].corrwith(values.predicted_class, method=coefficient)
        else:  # a tenth of the time of corrwith
            each = values.corr(method=coefficient).predicted_class[list(NULL_COLUMNS)]
        means.append(float(each.mean()))
    return np.array(means)


def _activation(
    rows: ClassRows, n_classes: int, *, block_m: float, least_share: float, draws: int, seed: int
) -> pd.DataFrame:
    """Return the activation ratio of each class, for each map, polarity and estimator."""
    shares = rows.land_use[["cell_id", "code", "share"]]
    cells = rows.cells[["cell_id", "x", "y", "predicted_class"]]
    found = []
    for method, activation in rows.activation.groupby("method"):
        frame = activation.merge(shares, on=["cell_id", "code"]).merge(cells, on="cell_id")
        for polarity in POLARITIES:
            table = class_activation(
                frame, polarity, n_classes, block_m=block_m, least_share=least_share, draws=draws, seed=seed
            )
            found.append(table.assign(method=method, polarity=polarity))
    return pd.concat(found, ignore_index=True).drop(columns="n_blocks")


def _pairs(rows: ClassRows, n_classes: int) -> pd.DataFrame:
    """Return co-activation and gain of each pair of classes, by map and polarity."""
    cells = _chosen(rows, includes_imputed=True)
    present = wide(rows.land_use, "share", cells.cell_id).fillna(0.0) > 0
    found = []
    for method, activation in rows.activation.groupby("method"):
        for polarity in POLARITIES:
            ratios = wide(activation, f"ratio_{polarity}", cells.cell_id).reindex(columns=present.columns)
            table = class_pairs(ratios, present, cells.predicted_class, cells.true_class, n_classes, polarity)
            found.append(table.assign(method=method, polarity=polarity))
    return pd.concat(found, ignore_index=True)


def _indices(
    rows: ClassRows, correlations: pd.DataFrame, *, block_m: float, draws: int, seed: int
) -> pd.DataFrame:
    """Return the index of (i) with the pull of activation, by each null, and with that of occlusion."""
    found = []
    spearman = correlations[correlations.coefficient == "spearman"]
    for includes_imputed in (False, True):
        cells = _chosen(rows, includes_imputed)
        for relation, method, shares, amounts in _amounts(rows, cells):
            said = spearman[
                (spearman.relation == relation) & (spearman.includes_imputed == includes_imputed)
            ].set_index("code")
            weights = said.n_effective[said.enough].astype(float)
            # moving the mask is itself the null of occlusion, and was taken off cell by cell
            for null in NULLS if relation == "activation" else ("moved masks",):
                index = follow_index(
                    shares,
                    amounts,
                    _null_amounts(rows.nulls[null], shares, cells) if relation == "activation" else [],
                    cells.true_class,
                    weights,
                    cells.x,
                    cells.y,
                    block_m=block_m,
                    reference=MIX_REFERENCE[relation],
                    draws=draws,
                    seed=seed,
                )
                found.append(
                    {
                        "relation": relation,
                        "method": method,
                        "null_model": null,
                        "includes_imputed": includes_imputed,
                        **vars(index),
                    }
                )
    return pd.DataFrame(found)


def _reliance(workspace: Workspace, city: CitySection, rows: ClassRows) -> pd.DataFrame:
    """Return the reliance on each class, with and without imputed cells; empty without occlusion."""
    if not len(rows.occlusion):
        return pd.DataFrame()
    single = workspace.table("occlude", city.id, "single")
    found = []
    for includes_imputed in (False, True):
        cells = _chosen(rows, includes_imputed).merge(single.rename(columns={"z": "z_single"}), on="cell_id")
        cells = cells[cells.income.notna()].reset_index(drop=True)
        effects = wide(rows.occlusion, "effect", cells.cell_id).reset_index(drop=True)
        table = reliance(cells.income, cells.z_single, effects, cells.fold, cells.x, cells.y)
        found.append(table.assign(includes_imputed=includes_imputed))
    return pd.concat(found, ignore_index=True)


def _map_agreement(rows: ClassRows, *, block_m: float, draws: int, seed: int) -> pd.DataFrame:
    """Return how well each map agrees with class occlusion; empty without occlusion."""
    if not len(rows.occlusion):
        return pd.DataFrame()
    shares = rows.land_use[["cell_id", "code", "share"]]
    effects = rows.occlusion.merge(shares, on=["cell_id", "code"])
    effects["effect"] = (effects.effect - effects.moved_effect) / effects.share
    effects = effects.merge(rows.cells[["cell_id", "x", "y", "z_standard"]], on="cell_id")
    effects["side"] = np.where(effects.z_standard >= 0, 1.0, -1.0)
    effects["effect"] *= effects.side
    found = []
    for method, activation in rows.activation.groupby("method"):
        joined = effects.merge(activation, on=["cell_id", "code"])
        ratio = joined.ratio_rich.where(joined.side > 0, joined.ratio_poor)
        joined["attention"] = joined.excess * joined.side if method == "cam" else ratio
        interval = map_agreement(joined, block_m=block_m, draws=draws, seed=seed)
        found.append(
            {
                "method": method,
                "value": interval.value,
                "low": interval.low,
                "high": interval.high,
                "n": len(joined),
                "note": interval.note,
            }
        )
    return pd.DataFrame(found)
