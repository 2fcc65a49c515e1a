"""The result folder of a job, made of the parts that its chunks left.

Nothing in a result says when or in how many attempts it was made: an interrupted job gives the same bytes.
"""

from __future__ import annotations

import json
import secrets
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from PIL import Image

from core.jobs import Job
from core.region_census import compare_with_census
from core.region_files import write_cells, write_evidence
from core.region_land_use import draw_land_use
from core.region_parts import part_folder, rename_once
from core.region_plan import Plan, read_plan
from core.statistics.colours import COLOURS, colour_distance
from data.store.write import write_atomically

if TYPE_CHECKING:
    from core.region import StudyNetworks
    from data.coverage import LandUseIndex

UNUSUAL_COLOURS = 0.1  # share of cells beyond the usual colours that passes without a word; 1 % is expected
DISAGREEING = 1.5  # classes: median spread between the networks from which it is said
FAR_SCORE = 3.0  # training standard deviations of z
SIMILAR = 2.0  # pixels up to so many times larger or smaller than in training pass without a word


def assemble(
    folder: Path, job: Job, networks: StudyNetworks, land_use: LandUseIndex | None = None
) -> dict[str, Any]:
    """Make the result folder of a job from its parts; returns how many cells it holds.

    ``land_use``: that of the job, in the grid's CRS, to be drawn.
    """
    from core.region import training_cells  # brings torch

    plan = read_plan(folder)
    parts = [part_folder(folder, number) for number in range(plan.chunks)]
    cells = pd.concat([pd.read_parquet(part / "cells.parquet") for part in parts], ignore_index=True)
    if cells.empty or (folder / "result").is_dir():
        return {"cells": len(cells)}
    partial = folder / f".result.{secrets.token_hex(4)}.partial"
    try:
        partial.mkdir()
        order = cells.sort_values(["y", "x"], kind="stable").index.to_numpy()
        cells = _with_decile(cells.loc[order].reset_index(drop=True), networks.n_classes)
        _write_activation(partial, parts)
        arrays = [_arrays(part) for part in parts]
        colours = np.concatenate([found.get("colours", np.empty((0, 6))) for found in arrays])
        warnings = [*plan.warnings, *_doubts(plan, job, networks, colours, cells, folder=partial)]
        seen = training_cells(Path(job.publication), cells.cell_id)
        if seen:
            warnings.append(
                f"The networks learned from {seen:d} of these {len(cells)} cells: here their prediction is "
                "not out of fold, and agrees with the census better than it would elsewhere."
            )
        census = None
        if job.census is not None:
            cells, census, said = compare_with_census(folder / job.census, job, plan.grid, cells)
            warnings += said
        maps = np.concatenate([found["maps"] for found in arrays])[order]
        # PROJ describes a CRS as the thread first met it (datum or ensemble, by the files read before);
        # in a fresh thread the same job gives the same bytes.
        with ThreadPoolExecutor(1) as fresh:
            fresh.submit(write_cells, partial, cells, plan.grid, warnings).result()
            fresh.submit(write_evidence, partial, cells, maps, plan.grid, warnings).result()
        _write_maps(partial, cells, maps)
        if land_use is not None and (partial / "activation.parquet").is_file():
            draw_land_use(partial / "land_use.png", land_use, cells, plan.grid, plan.extent())
        extent = _write_preview(partial, plan, [found["thumbnails"] for found in arrays])
        summary = {
            "study_id": job.study_id,
            "publication": Path(job.publication).name,
            "networks_of": job.city_id,
            "name": job.name,
            "land_use": job.land_use_name,
            "networks": len(networks.folds),
            "n_classes": networks.n_classes,
            "device": str(networks.device.type),
            "grid_crs": plan.grid.crs,
            "cell_size_m": plan.grid.size,
            "cells": len(cells),
            "skipped": len(plan.cells) - len(cells),
            "imagery_crs": plan.imagery_crs,
            "resolution_m": plan.resolution_m,
            "training_resolution_m": networks.imagery_resolution_m,
            "network_pixel_m": networks.cell_size_m / networks.input_px,
            "preview_extent": extent,
            "census": census,
            "warnings": warnings,
        }
        write_atomically(partial / "summary.json", json.dumps(summary, indent=2, ensure_ascii=False) + "\n")
        rename_once(partial, folder / "result")
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return {"cells": len(cells)}


def _with_decile(cells: pd.DataFrame, n_classes: int) -> pd.DataFrame:
    """Name the class by its usual name where there are ten."""
    if n_classes == 10:
        cells.insert(1, "decile", cells["class"])
    return cells


def _write_activation(folder: Path, parts: list[Path]) -> None:
    found = [pd.read_parquet(part / "activation.parquet") for part in parts]
    rows = pd.concat([frame for frame in found if len(frame)] or found[:1], ignore_index=True)
    if len(rows):
        rows.sort_values(["code", "cell_id"], kind="stable").to_parquet(
            folder / "activation.parquet", index=False
        )


def _arrays(part: Path) -> dict[str, np.ndarray]:
    with np.load(part / "arrays.npz", allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _write_maps(folder: Path, cells: pd.DataFrame, maps: np.ndarray) -> None:
    """Write `maps.parquet`, the columns of a publication's table `activation_map`."""
    frame = pd.DataFrame(
        {
            "cell_id": cells.cell_id,
            "method": "cam",
            "height": np.uint8(maps.shape[1]),
            "width": np.uint8(maps.shape[2]),
            "map_values": [values.astype("<f2").tobytes() for values in maps],
        }
    )
    frame.to_parquet(folder / "maps.parquet", index=False)


def _write_preview(folder: Path, plan: Plan, thumbnails: list[np.ndarray]) -> list[int]:
    """Write `preview.png`, the cells' photographs in their places; return its extent."""
    west, south, east, north = extent = plan.extent()
    px, size = thumbnails[0].shape[1], plan.grid.size
    canvas = np.zeros(((north - south) // size * px, (east - west) // size * px, 4), np.uint8)
    for number, pictures in enumerate(thumbnails):
        chunk = plan.chunk(number)
        for x, y, picture in zip(chunk.x, chunk.y, pictures, strict=True):
            row, column = (north - size - y) // size * px, (x - west) // size * px  # row 0 in the north
            canvas[row : row + px, column : column + px, :3] = picture
            canvas[row : row + px, column : column + px, 3] = 255
    Image.fromarray(canvas).save(folder / "preview.png", optimize=False)
    return list(extent)


def _doubts(
    plan: Plan, job: Job, networks: StudyNetworks, colours: np.ndarray, cells: pd.DataFrame, folder: Path
) -> list[str]:
    """Say what stands between this photograph and those the networks learned from."""
    warnings = []
    if len(cells) and cells.spread.median() > DISAGREEING:
        warnings.append(
            f"The {len(networks.folds)} networks disagree: in half of the cells their expected classes "
            f"differ with a standard deviation of {cells.spread.median():.1f} classes or more. The class "
            "shown is that of their mean score, however sure it looks: trust it less."
        )
    beyond = float((cells.z_standard.abs() > FAR_SCORE).mean()) if len(cells) else 0.0
    if beyond > UNUSUAL_COLOURS:
        warnings.append(
            f"In {beyond:.0%} of the cells the score lies more than {FAR_SCORE:g} training standard "
            "deviations from its mean, where hardly a training cell lies: the networks are beyond what "
            "they learned."
        )
    trained = networks.imagery_resolution_m
    seen = networks.cell_size_m / networks.input_px
    if trained is not None and not 1 / SIMILAR <= plan.resolution_m / trained <= SIMILAR:
        warnings.append(
            f"The photograph has pixels of {plan.resolution_m:.2f} m, the training photographs "
            f"{trained:.2f} m (the network sees both at {seen:.2f} m): trust the prediction less."
        )
    if networks.colours is not None and len(colours):
        distance = colour_distance(pd.DataFrame(colours, columns=COLOURS), networks.colours)
        unusual = float((distance > 1).mean())
        if unusual > UNUSUAL_COLOURS:
            times = np.median(distance)
            warnings.append(
                f"The colours of {unusual:.0%} of the cells are further from the training photographs than "
                "those of 99 % of the training cells (half of the cells at least "
                f"{times:.1f} times as far): another season, sun or camera. Trust the "
                "prediction less."
            )
    if job.land_use_name is not None and not (folder / "activation.parquet").is_file():
        warnings.append(f"{job.land_use_name} maps none of the cells, so there is no activation by land use.")
    if networks.is_generated:
        warnings.append(
            "The networks learned from invented cities: on a real photograph their prediction means nothing."
        )
    return warnings
