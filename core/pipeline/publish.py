"""Publish: the tables of all stages become one immutable DuckDB file, with the weights beside it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from core.pipeline.districts import district_part
from core.pipeline.features import feature_table
from core.pipeline.provenance import provenance
from core.pipeline.summarise import CLASS_TABLES
from core.pipeline.train import model_tasks
from core.pipeline.workspace import Workspace
from core.statistics.colours import cell_colours
from core.statistics.levels import LEVELS
from core.study import CitySection, Study
from data.errors import StudyError
from data.imagery import MIN_VALID_SHARE
from data.landuse_classes import class_table
from data.store.write import publish

VERSION = "0.1.0"
OUTLINE_TOLERANCE_M = 0.5


def publish_study(workspace: Workspace, folder: Path) -> Iterator[str]:
    """Write the publication of a study into ``folder`` and yield one line of result.

    Weights get the name of their hash, so that a publication that is still being read keeps its own.

    Raises:
        StudyError: a stage before has not been run. InputError: the disk is full; what was published stays.
    """
    study = workspace.study
    if not workspace.done_with("summarise", "_study"):
        raise StudyError(f"study {study.study.id}: stage summarise has not been run; run it first.")
    for city in study.cities:
        if city.districts and not workspace.done_with("ingest", district_part(city)):
            raise StudyError(f"city {city.id}: its districts have not been read; run stage ingest first.")
    models = _models(workspace, folder)
    tables = {
        "study": _study(study),
        "city": pd.DataFrame([_city(workspace, number, city) for number, city in enumerate(study.cities)]),
        "threshold": workspace.table("train", "plan", "thresholds"),
        "model": models,
        "cell": _each_city(workspace, _cells),
        "cell_colour": _each_city(workspace, _colours),
        "prediction": _each_city(workspace, _predictions),
        "activation_map": _each_city(workspace, _maps),
        "provenance": _each_city(workspace, provenance),
        "land_use_class": _land_use_classes(workspace),
        "cell_feature": feature_table(workspace),
        "district": _each_city(workspace, lambda w, c: _of_districts(w, c, "districts")),
        "cell_district": _each_city(workspace, lambda w, c: _of_districts(w, c, "cells")),
    }
    for name in ("land_use", "activation"):
        tables[name] = _each_city(workspace, lambda w, c, name=name: _if_land_use(w, c, "attribute", name))
    tables["land_use_polygon"] = _each_city(workspace, _polygons)
    if study.occlusion.enabled:
        tables["occlusion"] = _each_city(workspace, lambda w, c: _if_land_use(w, c, "occlude", "occlusion"))
    if study.trust.enabled:
        tables["trust_check"] = _trust_checks(workspace)
    for name in (*CLASS_TABLES, "confusion", "calibration", "local_moran"):
        tables[name] = _each_city(workspace, lambda w, c, name=name: _summary(w, c, name))
    tables["agreement"] = pd.concat(
        [
            _each_city(workspace, lambda w, c: _summary(w, c, "agreement")),
            workspace.table("summarise", "_study", "agreement"),
        ],
        ignore_index=True,
    )
    file = publish(folder, study.study.id, tables, study_file=workspace.study_file)
    size = file.stat().st_size / 1e6
    yield f"{file} ({size:.1f} MB, {len(tables['cell'])} cells, {len(models)} networks)"


def _study(study: Study) -> pd.DataFrame:
    try:
        carreau_version = version("carreau")
    except PackageNotFoundError:  # run from a checkout
        carreau_version = VERSION
    return pd.DataFrame(
        [
            {
                "study_id": study.study.id,
                "title": study.study.title,
                "description": study.study.description,
                "is_generated": study.study.generated,
                "n_classes": study.labels.n_classes,
                "label_scope": study.labels.scope,
                "cell_size_m": 200,
                "grid_crs": "EPSG:3035",
                "architecture": study.network.architecture,
                "head": study.network.head,
                "input_px": study.network.input_px,
                "output_stride": study.network.output_stride,
                "model_scope": study.train.scope,
                "fold_scheme": study.folds.scheme,
                "n_folds": len(study.cities) if study.folds.scheme == "city" else study.folds.n_folds,
                "block_m": study.folds.block_m if study.folds.scheme == "block" else 0,
                "seed": study.study.seed,
                "created_at": datetime.now(UTC).replace(tzinfo=None, microsecond=0),
                "carreau_version": carreau_version,
                "settings_json": json.dumps(
                    study.model_dump(mode="json", exclude={"cities"}), sort_keys=True
                ),
            }
        ]
    )


def _city(workspace: Workspace, number: int, city: CitySection) -> dict[str, Any]:
    cells = workspace.table("ingest", city.id, "cells")
    predictions = workspace.table("predict", city.id, "predictions")
    facts = workspace.facts("ingest", city.id)
    truth = _truth(city)
    with_income = cells.income.notna()
    return {
        "city_id": city.id,
        "name": city.name,
        "position": number,
        "recipe": city.generated.recipe if city.generated else None,
        "oracle_spearman": city.generated.oracle_spearman if city.generated else None,
        "object_pixel_share": city.generated.object_pixel_share if city.generated else None,
        "planted_codes": truth,
        "boundary": shapely.to_wkb(shapely.from_wkt(facts["outline"])),
        "x_min": cells.x.min(),
        "y_min": cells.y.min(),
        "x_max": cells.x.max() + facts["cell_size_m"],
        "y_max": cells.y.max() + facts["cell_size_m"],
        "n_cells": int(with_income.sum()),
        "n_predicted": len(predictions),
        "n_imputed": int((cells.imputed & with_income).sum()),
        "n_without_income": int((~with_income).sum()),
        "n_empty_pixels": int((cells.valid_share < MIN_VALID_SHARE).sum()),
        "census_year": facts["census_year"],
        "land_use_year": facts["land_use_year"],
        "imagery_year": facts["imagery_year"],
        "imagery_resolution_m": facts["imagery_resolution_m"],
        "residual_range_m": workspace.facts("summarise", city.id)["residual_range_m"],
    }


def _truth(city: CitySection) -> list[str] | None:
    if city.generated is None:
        return None
    planted = json.loads(city.generated.truth.read_text(encoding="utf-8"))["planted"]
    return sorted(planted)


def _models(workspace: Workspace, folder: Path) -> pd.DataFrame:
    """Copy the weights beside the publication and describe them."""
    rows = []
    (folder / "weights").mkdir(parents=True, exist_ok=True)
    for task in model_tasks(workspace.study, workspace.table("train", "plan", "plan")):
        facts = workspace.facts("train", task.model_id)
        name = f"{task.model_id}-{facts['sha256'][:10]}.safetensors"
        target = folder / "weights" / name
        if not target.exists():
            partial = target.with_suffix(".partial")
            shutil.copyfile(workspace.part("train", task.model_id) / f"{task.model_id}.safetensors", partial)
            partial.replace(target)
        rows.append({**facts, "file": f"weights/{name}"})
    return pd.DataFrame(rows)


def _trust_checks(workspace: Workspace) -> pd.DataFrame:
    tasks = model_tasks(workspace.study, workspace.table("train", "plan", "plan"))
    frames = [
        workspace.table("trust", task.model_id, "checks").assign(model_id=task.model_id) for task in tasks
    ]
    return pd.concat(frames, ignore_index=True)


def _each_city(workspace: Workspace, table: Any) -> pd.DataFrame:
    frames = [table(workspace, city) for city in workspace.study.cities]
    frames = [frame for frame in frames if not frame.empty]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _cells(workspace: Workspace, city: CitySection) -> pd.DataFrame:
    cells = workspace.table("ingest", city.id, "cells")
    plan = workspace.table("train", "plan", "plan")
    plan = plan[plan.city_id == city.id].reset_index(drop=True)
    frame = cells[
        ["cell_id", "x", "y", "individuals", "households", "income", "imputed", "valid_share"]
    ].assign(
        city_id=city.id,
        fold=plan.fold.where(plan.fold >= 0).astype("UInt8"),
        block=plan.block.where(plan.block >= 0).astype("Int32"),
        mapped_share=np.nan,
    )
    frame["class"] = plan["class"].where(plan["class"] > 0).astype("UInt8")
    if city.land_use:
        mapped = workspace.table("attribute", city.id, "mapped").set_index("cell_id").mapped_share
        frame["mapped_share"] = frame.cell_id.map(mapped)
    return frame


def _colours(workspace: Workspace, city: CitySection) -> pd.DataFrame:
    """Colours of the cells that a network learned from, in whole and half grey levels: no more is in them."""
    cells = workspace.table("ingest", city.id, "cells")
    plan = workspace.table("train", "plan", "plan")
    fold = plan[plan.city_id == city.id].fold.to_numpy()
    learned = np.flatnonzero(fold >= 0)
    found = cell_colours(workspace.array("ingest", city.id, "images")[learned])
    rounded = (found * 2).round() / 2
    return rounded.assign(city_id=city.id, cell_id=cells.cell_id.to_numpy()[learned])


def _predictions(workspace: Workspace, city: CitySection) -> pd.DataFrame:
    return workspace.table("predict", city.id, "predictions").drop(columns="row").assign(city_id=city.id)


def _maps(workspace: Workspace, city: CitySection) -> pd.DataFrame:
    predictions = workspace.table("predict", city.id, "predictions")
    maps = workspace.array("predict", city.id, "evidence").astype("<f2")  # (n, h, w)
    return pd.DataFrame(
        {
            "city_id": city.id,
            "cell_id": predictions.cell_id,
            "method": "cam",
            "height": maps.shape[1],
            "width": maps.shape[2],
            "map_values": [one.tobytes() for one in maps],
        }
    )


def _polygons(workspace: Workspace, city: CitySection) -> pd.DataFrame:
    if not city.land_use:
        return pd.DataFrame()
    import geopandas as gpd

    polygons = gpd.read_parquet(workspace.part("ingest", city.id) / "land_use.parquet")
    bounds = polygons.geometry.bounds
    # Half a metre: an Urban Atlas border is good to several, and outlines take a third of the room.
    outlines = shapely.simplify(polygons.geometry.to_numpy(), OUTLINE_TOLERANCE_M)
    return pd.DataFrame(
        {
            "city_id": city.id,
            "code": polygons["code"].astype(str),
            "x_min": bounds.minx,
            "y_min": bounds.miny,
            "x_max": bounds.maxx,
            "y_max": bounds.maxy,
            "geometry": shapely.to_wkb(outlines),
        }
    )


def _if_land_use(workspace: Workspace, city: CitySection, stage: str, table: str) -> pd.DataFrame:
    if not city.land_use:
        return pd.DataFrame()
    frame = workspace.table(stage, city.id, table).assign(city_id=city.id)
    return frame.drop(columns=["sum_rich", "sum_poor"], errors="ignore")


def _of_districts(workspace: Workspace, city: CitySection, table: str) -> pd.DataFrame:
    if not city.districts:
        return pd.DataFrame()
    return workspace.table("ingest", district_part(city), table).assign(city_id=city.id)


def _summary(workspace: Workspace, city: CitySection, table: str) -> pd.DataFrame:
    frame = workspace.table("summarise", city.id, table)
    return frame if frame.empty else frame.assign(city_id=city.id)


def _land_use_classes(workspace: Workspace) -> pd.DataFrame:
    codes: set[str] = set()
    for city in workspace.study.cities:
        if city.land_use:
            codes.update(workspace.table("attribute", city.id, "land_use")["code"])
    found = [class_table(sorted(codes), level) for level in LEVELS] if codes else [pd.DataFrame()]
    return pd.concat(found, ignore_index=True)
