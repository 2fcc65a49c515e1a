"""The result of a job as `core.results` leaves it, of two hundred and four cells, from a seed."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from PIL import Image

from core.region_census import region_agreement
from core.region_files import write_cells, write_evidence
from data.census import income_classes
from data.grid import Grid, format_cell_ids

WEST, SOUTH, WIDE, HIGH = 4_000_000, 2_800_000, 17, 12  # metres, cells
K = 10


def make_result(folder: Path, *, with_census: bool) -> Path:
    """Write a result of 17 by 12 cells; of its census, five cells are imputed, ten without a value, and each
    cell has two households."""
    rng = np.random.default_rng(7)
    grid, n = Grid(), WIDE * HIGH
    column, row = (np.ravel(at) for at in np.meshgrid(np.arange(WIDE), np.arange(HIGH)))
    probabilities = rng.dirichlet(np.full(K, 0.6), n)
    cells = pd.DataFrame({"x": WEST + 200 * column, "y": SOUTH + 200 * row})
    cells.insert(0, "cell_id", format_cell_ids(cells.x, cells.y))
    cells["valid_share"] = 1.0
    cells["class"] = probabilities.argmax(axis=1) + 1
    cells["expected_class"] = probabilities @ np.arange(1, K + 1)
    cells["z"] = cells["z_standard"] = rng.normal(size=n)
    cells["entropy"], cells["spread"] = rng.random(n), rng.random(n)
    cells["probabilities"] = list(probabilities)
    census = None
    if with_census:
        income = 1000 * cells.expected_class + rng.normal(0, 2000, n)
        income[:10] = np.nan
        known = income.notna().to_numpy()
        cells["census_value"], cells["census_imputed"] = income, np.arange(n) >= n - 5
        cells["census_class"] = income_classes(income.to_numpy(), K)[0]
        cells["region_class"] = income_classes(np.where(known, cells.expected_class, np.nan), K)[0]
        cells["census_individuals"] = np.where(known, rng.integers(1, 60, n), np.nan)
        cells["census_households"] = np.where(known, 2.0, np.nan)
        spearman = {"value": 0.5, "low": 0.1, "high": 0.8, "p_value": 0.1, "n_effective": 9.0, "note": ""}
        agreement = region_agreement(cells, K, 200)
        census = {"name": "g.gpkg", "column": "income", "n": 105, "imputed": 5, "spearman": spearman}
        census["agreement"] = agreement
    folder.mkdir()
    maps = rng.normal(size=(n, 2, 2)).astype(np.float32)
    write_cells(folder, cells, grid, [])
    write_evidence(folder, cells, maps, grid, [])
    pd.DataFrame(
        {
            "cell_id": cells.cell_id, "method": "cam", "height": 2, "width": 2,
            "map_values": [values.astype("<f2").tobytes() for values in maps],
        }
    ).to_parquet(folder / "maps.parquet")  # fmt: skip
    pd.DataFrame(
        {
            "cell_id": cells.cell_id, "method": "cam", "code": np.where(column < 6, "11100", "14100"),
            "area_m2": 40_000.0, "share": 1.0, "ratio_rich": 1.0, "ratio_poor": 1.0,
            "excess": rng.normal(size=n), "contribution": cells.z_standard,
        }
    ).to_parquet(folder / "activation.parquet")  # fmt: skip
    Image.fromarray(np.full((HIGH * 4, WIDE * 4, 4), 120, np.uint8)).save(folder / "preview.png")
    extent = [WEST, SOUTH, WEST + 200 * WIDE, SOUTH + 200 * HIGH]
    summary = {
        "study_id": "synthetic", "publication": "p.duckdb", "name": "town.tif", "land_use": "atlas.gpkg",
        "networks": 3, "n_classes": K, "device": "cpu", "grid_crs": grid.crs, "cell_size_m": grid.size,
        "cells": n, "skipped": 0, "imagery_crs": "EPSG:2154", "resolution_m": 1.0,
        "training_resolution_m": 1.0, "network_pixel_m": 1.5625, "preview_extent": extent,
        "census": census, "warnings": ["Seen from far."],
    }  # fmt: skip
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder


def cells_of(folder: Path) -> pd.DataFrame:
    """Return the cells of a result, as its file has them."""
    return pd.DataFrame(gpd.read_parquet(folder / "cells.parquet").drop(columns="geometry"))
