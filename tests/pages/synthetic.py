"""A whole publication made in a second, for pages: every table filled, mutually consistent, nothing trained.

Cells, land use and evidence maps are axis-aligned rectangles, so areas and sums over classes are exact by
hand.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from scipy import ndimage, stats

from core.statistics.spatial import local_morans_i
from data.grid import format_cell_ids
from data.store.write import publish
from tests.pages import synthetic_statistics as statistics
from tests.pages.synthetic_ground import CELL, CLASSES, FEATURES, NAMES, K, land_use, write_photograph


def make_publication(
    folder: Path,
    *,
    n_cities: int = 2,
    cells: int = 400,
    with_land_use: bool = True,
    with_photographs: bool = False,
    seed: int = 0,
    study_id: str = "synthetic",
) -> Path:
    """Write a synthetic publication into `folder` (and a study file beside it) and return the published file.

    `folder` becomes a published study: give its parent, or itself, as `CARREAU_STUDIES`. City ids are those
    of NAMES in order; the first has an accent in its name. About 14 % of cells are imputed, 4 % have no
    income, two have empty pixels.
    `cells` is at least 40. Photographs named by the study file are only there with `with_photographs`
    (EPSG:3035, 2 m, each parcel in the colour of its class).
    """
    tables: dict[str, list[pd.DataFrame]] = {}
    for position in range(n_cities):
        made = _city(position, cells, with_land_use, np.random.default_rng(seed + 1000 * position))
        for table, frame in made.items():
            tables.setdefault(table, []).append(frame)
    merged = {name: pd.concat(frames, ignore_index=True) for name, frames in tables.items()}
    merged["agreement"] = pd.concat(
        [merged["agreement"], statistics.study_agreement(merged["agreement"])], ignore_index=True
    )
    merged["study"] = _study(seed).assign(study_id=study_id)
    merged["model"] = _models(merged)
    merged["trust_check"] = statistics.trust_checks(
        list(merged["model"].model_id), np.random.default_rng(seed)
    )
    merged["provenance"] = _provenance(n_cities, with_land_use)
    if with_land_use:
        merged["land_use_class"] = pd.DataFrame(
            [("full", code, name, colour, code[:2]) for code, name, _, colour, _ in CLASSES],
            columns=["level", "code", "name", "colour", "parent"],
        )
    folder.mkdir(parents=True, exist_ok=True)
    study_file = folder / "study.toml"
    study_file.write_text(_study_toml(n_cities, with_land_use), encoding="utf-8")
    if with_photographs:
        for city in merged["city"].itertuples():
            parcels = merged["land_use_polygon"]
            write_photograph(
                folder / city.city_id / "photograph.tif", parcels[parcels["city_id"] == city.city_id], seed
            )
    return publish(folder, study_id, merged, study_file=study_file)


def _city(position: int, n: int, with_land_use: bool, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    city_id, name = NAMES[position]
    side = int(np.ceil(np.sqrt(n * 1.35)))
    west, south = 2_900_000 + 40_000 * position, 2_800_000
    income_field = ndimage.gaussian_filter(rng.normal(size=(side, side)), 2.2)
    income_field /= income_field.std()
    row, column = np.divmod(np.arange(side * side), side)
    distance = (
        np.hypot(row - (side - 1) / 2, (column - (side - 1) / 2) * 0.9)
        + ndimage.gaussian_filter(rng.normal(size=(side, side)), 2).ravel() * 9
    )
    chosen = np.sort(np.argsort(distance, kind="stable")[:n])
    row, column = row[chosen], column[chosen]
    x, y = west + column * CELL, south + row * CELL
    truth = income_field[row, column]
    cell_id = format_cell_ids(x, y)

    without = np.zeros(n, bool)
    without[rng.choice(n, max(2, n // 25), replace=False)] = True
    imputed = (rng.random(n) < 0.14) & ~without
    people = np.where(without, 0, rng.integers(6, 400, n)).astype(float)
    income = np.where(without, np.nan, np.round(np.exp(9.9 + 0.28 * truth), 1))
    thresholds = np.quantile(income[~without], np.linspace(0, 1, K + 1))
    census = np.where(without, np.nan, np.clip(np.searchsorted(thresholds, income, side="right"), 1, K))
    block = (row // 6) * 100 + column // 6
    fold = (block * 7 % 3).astype(float)
    fold[without] = np.nan
    valid = np.ones(n)
    empty = rng.choice(np.flatnonzero(~without & ~imputed), 2, replace=False)
    valid[empty] = 0.9
    fold[empty] = np.nan

    z = 1.15 * truth + rng.normal(0, 0.75, n)
    z_standard = (z - z.mean()) / z.std()
    probability = 1 / (1 + np.exp(-z))
    distribution = stats.binom.pmf(np.arange(K)[None, :], K - 1, probability[:, None])
    predicted = distribution.argmax(axis=1) + 1
    entropy = -(distribution * np.log(np.maximum(distribution, 1e-30))).sum(axis=1) / np.log(K)
    has = valid >= 0.99
    maps = _evidence(z_standard, rng)

    cell = pd.DataFrame(
        {
            "city_id": city_id,
            "cell_id": cell_id,
            "x": x,
            "y": y,
            "individuals": people,
            "households": people // 2.2,
            "income": income,
            "imputed": imputed,
            "class": _nullable(census),
            "fold": _nullable(fold),
            "block": block,
            "valid_share": valid,
            "mapped_share": 1.0 if with_land_use else np.nan,
        }
    )
    prediction = pd.DataFrame(
        {
            "city_id": city_id,
            "cell_id": cell_id,
            "out_of_fold": ~without,
            "z": z,
            "z_standard": z_standard,
            "class": predicted,
            "expected_class": 1 + (K - 1) * probability,
            "entropy": entropy,
            "spread": np.where(without, 0.4, np.nan),
            "probabilities": list(distribution.astype(np.float32)),
        }
    )[has]
    joined = cell.merge(
        prediction[["cell_id", "class", "expected_class", "probabilities"]],
        on="cell_id",
        suffixes=("", "_predicted"),
    )
    joined = joined[joined["fold"].notna()].rename(
        columns={"class": "true_class", "class_predicted": "predicted_class"}
    )
    made = {
        "cell": cell,
        "prediction": prediction,
        "activation_map": pd.DataFrame(
            {
                "city_id": city_id,
                "cell_id": cell_id[has],
                "method": "cam",
                "height": FEATURES,
                "width": FEATURES,
                "map_values": [m.astype("<f2").tobytes() for m in maps[has]],
            }
        ),
        "threshold": pd.concat(
            [
                pd.DataFrame(
                    {
                        "city_id": city_id,
                        "includes_imputed": with_imputed,
                        "k": np.arange(K + 1),
                        "income": np.quantile(
                            income[~without & (with_imputed | ~imputed)], np.linspace(0, 1, K + 1)
                        ),
                    }
                )
                for with_imputed in (True, False)
            ]
        ),
        "agreement": statistics.agreement(city_id, joined),
        "confusion": statistics.confusion(city_id, joined),
        "calibration": statistics.calibration(city_id, joined),
    }
    made |= _places(city_id, cell, joined, rng)
    if with_land_use:
        polygons, shares, sums = land_use(city_id, cell_id, x, y, maps, side, west, south, rng)
        active = sums[sums["cell_id"].isin(set(cell_id[has]))]
        made |= {"land_use": shares, "land_use_polygon": polygons, "activation": active}
        made |= statistics.by_class(city_id, shares, active, joined, rng)
    boundary = shapely.buffer(shapely.union_all(shapely.box(x, y, x + CELL, y + CELL)), 30)
    made["city"] = pd.DataFrame(
        [
            {
                "city_id": city_id,
                "name": name,
                "position": position,
                "recipe": "objects" if position != 1 else "nothing",
                "oracle_spearman": 0.93 if position != 1 else 0.02,
                "object_pixel_share": 0.031,
                "planted_codes": ["11220", "14100"] if position != 1 else [],
                "boundary": shapely.to_wkb(boundary),
                "x_min": x.min(),
                "y_min": y.min(),
                "x_max": x.max() + CELL,
                "y_max": y.max() + CELL,
                "n_cells": int((~without).sum()),
                "n_predicted": int(has.sum()),
                "n_imputed": int(imputed.sum()),
                "n_without_income": int(without.sum()),
                "n_empty_pixels": int((~has).sum()),
                "census_year": 2015 if position == 0 else 2019,
                "land_use_year": 2012 if with_land_use else None,
                "imagery_year": 2017,
                "imagery_resolution_m": 1.0,
                "residual_range_m": 780.0,
            }
        ]
    )
    return made


def _places(
    city_id: str, cell: pd.DataFrame, joined: pd.DataFrame, rng: np.random.Generator
) -> dict[str, pd.DataFrame]:
    """Local Moran's I, features that grow alike with income, and two districts, west and east."""
    moran = []
    for with_imputed in (True, False):
        kept = joined if with_imputed else joined[~joined["imputed"]]
        off = (kept["expected_class"] - kept["true_class"].astype(float)).to_numpy()
        off = (off - off.mean()) / off.std()
        value = local_morans_i(kept["x"], kept["y"], off, CELL)
        p_value = rng.uniform(0.001, 1, len(kept))
        moran.append(
            pd.DataFrame(
                {
                    "city_id": city_id,
                    "cell_id": kept["cell_id"],
                    "includes_imputed": with_imputed,
                    "value": value,
                    "residual": off,
                    "around": value / off,
                    "p_value": p_value,
                    "q_value": stats.false_discovery_control(p_value),
                }
            ).dropna()
        )
    known = cell[cell["fold"].notna()]
    feature = np.column_stack([np.log(known["income"]) - 9.9, rng.normal(0, 0.1, (len(known), 7))])
    feature /= np.linalg.norm(feature, axis=1, keepdims=True)
    west = cell["x"] < cell["x"].median()
    return {
        "local_moran": pd.concat(moran, ignore_index=True),
        "cell_feature": pd.DataFrame(
            {
                "city_id": city_id,
                "cell_id": known["cell_id"],
                "model_id": [f"fold-{fold}" for fold in known["fold"]],
                "feature": list(feature.astype(np.float32)),
            }
        ),
        "district": pd.DataFrame(
            {"city_id": city_id, "district_id": ["01", "02"], "name": ["Rive-Ouest", "Rive-Est"]}
        ),
        "cell_district": pd.DataFrame(
            {"city_id": city_id, "cell_id": cell["cell_id"], "district_id": np.where(west, "01", "02")}
        ),
    }


def _nullable(values: np.ndarray) -> pd.arrays.IntegerArray:
    return pd.array(pd.Series(values).round(), dtype="Int64")


def _evidence(z_standard: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Evidence maps (n, 8, 8), row 0 north, whose mean over the cell is z_standard."""
    field = ndimage.gaussian_filter(rng.normal(size=(len(z_standard), FEATURES, FEATURES)), (0, 1.1, 1.1))
    field = 1.6 * field / field.std()
    maps = field - field.mean(axis=(1, 2), keepdims=True) + z_standard[:, None, None]
    return maps.astype(np.float16).astype(np.float64)


def _study(seed: int) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "study_id": "synthetic",
                "title": "Synthetic study",
                "description": "Made for the tests of the pages.",
                "is_generated": True,
                "n_classes": K,
                "label_scope": "city",
                "cell_size_m": CELL,
                "grid_crs": "EPSG:3035",
                "architecture": "efficientnet_b0",
                "head": "binomial",
                "input_px": 128,
                "output_stride": 16,
                "model_scope": "study",
                "fold_scheme": "block",
                "n_folds": 3,
                "block_m": 1200.0,
                "seed": seed,
                "created_at": datetime(2026, 1, 15, 9, 30),
                "carreau_version": "0.1.0",
                "settings_json": json.dumps({"labels": {"n_classes": K}, "statistics": {"draws": 1000}}),
            }
        ]
    )


def _models(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    folds = tables["cell"]["fold"].dropna().astype(int)
    return pd.DataFrame(
        [
            {
                "model_id": f"fold-{k}",
                "city_id": None,
                "fold": k,
                "file": f"weights/fold-{k}.safetensors",
                "sha256": f"{k:064x}",
                "n_train": int((folds != k).sum()),
                "n_test": int((folds == k).sum()),
                "bias": 0.02,
                "z_mean": 0.01,
                "z_std": 1.1,
                "epochs": 8,
                "final_loss": 1.62,
                "seconds": 190.0,
                "device": "cpu",
            }
            for k in range(3)
        ]
    )


def _provenance(n_cities: int, with_land_use: bool) -> pd.DataFrame:
    rows = [(None, "study", "study.toml", "a" * 64, 1200, "", "", "", "")]
    for number, (city_id, _) in enumerate(NAMES[:n_cities]):
        rows.append(
            (
                city_id,
                "census",
                f"{city_id}/census.gpkg",
                f"{number}b" * 32,
                812_032,
                "generated",
                "none",
                "2015" if number == 0 else "2019",
                "EPSG:3035",
            )
        )
        if with_land_use:
            rows.append(
                (
                    city_id,
                    "land_use",
                    f"{city_id}/land_use.gpkg",
                    f"{number}c" * 32,
                    1_402_880,
                    "generated",
                    "none",
                    "2012",
                    "EPSG:3035",
                )
            )
        rows.append(
            (
                city_id,
                "imagery",
                f"{city_id}/photograph.tif",
                f"{number}d" * 32,
                14_200_000,
                "generated",
                "none",
                "2017",
                "EPSG:2154",
            )
        )
    return pd.DataFrame(
        rows, columns=["city_id", "kind", "file", "sha256", "bytes", "source", "licence", "vintage", "crs"]
    )


def _study_toml(n_cities: int, with_land_use: bool) -> str:
    text = '[study]\nid = "synthetic"\ntitle = "Synthetic study"\ngenerated = true\n'
    for city_id, name in NAMES[:n_cities]:
        text += f'\n[[cities]]\nid = "{city_id}"\nname = "{name}"\n'
        text += f'[cities.census]\npath = "{city_id}/census.gpkg"\n'
        text += f'[cities.imagery]\npath = "{city_id}/photograph.tif"\n'
        if with_land_use:
            text += f'[cities.land_use]\npath = "{city_id}/land_use.gpkg"\n'
    return text
