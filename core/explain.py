"""One cell explained anew, on demand: its photograph, the networks that speak of it, and a method to choose.

What pages show at once is precomputed; these maps cost a start of torch and up to a hundred passes, so they
are made in a process of their own (`python -m core explain`) when a reader asks.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.memory import keep_freed_memory
from core.settings import Settings, read_settings
from data.errors import InputError, SettingsError, StudyError
from data.grid import Grid
from data.store.open import Publication, connect, find_publications

if TYPE_CHECKING:
    import torch

METHODS = ("paper", "gradcam", "integrated_gradients", "occlusion")
# In training deviations of z: one cell read alone differs by a grey level from one read among others, which
# moved z by 0.08 at most in 360 cells of the demo; another photograph moves it by far more.
Z_TOLERANCE = 0.2


def explain_cell(
    publication: Publication,
    city_id: str,
    cell_id: str,
    method: str,
    target: int | str = "z",
    *,
    device: torch.device | Callable[[], torch.device] | None = None,
) -> NDArray[np.float32]:
    """Return a signed map (h, w) of a cell by one of ``METHODS``, row 0 north; above 0 speaks for the target.

    The photograph is read as the pipeline reads it; a cell out of fold is explained by the network that
    never saw it, another by the mean over folds, each divided by its training deviation of z. Maps are means
    over the four flips, as predictions are: one orientation alone would be half a feature off. ``target`` is
    "z" or an income class 1..K, which explains log P(class) (`models.activation.captum_map`). ``paper`` gives
    the rich map minus the poor one, which never overlap, and knows "z" alone.

    Raises:
        SettingsError: unknown method; a target that it does not know; a class beyond 1..K.
        StudyError: unknown city or cell, or a cell that was not predicted.
        InputError: photograph or weights that are missing, or not those of the publication.
    """
    if method not in METHODS:
        raise SettingsError(f"map method '{method}' is unknown; allowed: {', '.join(METHODS)}")
    if method == "paper" and target != "z":
        raise SettingsError("the paper's map explains z; choose Grad-CAM to explain one class.")
    cell = _cell(publication, city_id, cell_id)
    if target != "z" and not 1 <= int(target) <= cell["n_classes"]:
        raise SettingsError(f"income class {target} is unknown; allowed: 1 to {cell['n_classes']}")
    image, path = _photograph(publication, city_id, cell)
    from core.ensemble import predict_cells, published_folds  # seconds, which no fault above waits for

    if callable(device):
        device = device()
    folds = published_folds(publication.file, device, city_id=city_id, fold=cell["fold"])
    z = float(predict_cells(image[None], folds)[0].predictions.z[0])
    if abs(z - cell["z"]) > Z_TOLERANCE * min(fold.z_std for fold in folds):
        raise InputError(
            path,
            f"is not the photograph that {cell_id} was predicted from: z is {z:.2f} now and was "
            f"{cell['z']:.2f}",
            "Run the study again.",
        )
    maps = [
        _map(fold.network, image, method, target) / (fold.z_std if target == "z" else 1) for fold in folds
    ]
    return np.mean(maps, axis=0, dtype=np.float32)


def _map(network: Any, image: NDArray[np.uint8], method: str, target: int | str) -> NDArray[np.float32]:
    from models.activation import captum_map, paper_maps

    if method == "paper":
        rich, poor = paper_maps(network, image[None], flips=True)
        return np.asarray(rich[0] - poor[0])
    turned = [
        captum_map(network, np.ascontiguousarray(image[::up, ::across]), method, target)[::up, ::across]
        for up in (1, -1)
        for across in (1, -1)
    ]
    return np.mean(turned, axis=0, dtype=np.float32)


def _cell(publication: Publication, city_id: str, cell_id: str) -> dict[str, Any]:
    """Return what is to be known of a predicted cell and its study; fold is None where all folds speak."""
    with connect(publication.file) as connection:
        row = connection.execute(
            """
            SELECT c.x, c.y, s.grid_crs, s.cell_size_m, s.input_px, s.n_classes, p.z, c.fold,
                p.out_of_fold
            FROM cell c JOIN prediction p USING (city_id, cell_id), study s
            WHERE c.city_id = ? AND c.cell_id = ?
            """,
            [city_id, cell_id],
        ).fetchone()
    if row is None:
        raise StudyError(f"no predicted cell {cell_id!r} in city {city_id!r} of {publication.file.name}.")
    names = ("x", "y", "grid_crs", "cell_size_m", "input_px", "n_classes", "z", "fold", "out_of_fold")
    cell = dict(zip(names, row, strict=True))
    return {**cell, "fold": cell["fold"] if cell["out_of_fold"] else None}


def _photograph(
    publication: Publication, city_id: str, cell: dict[str, Any]
) -> tuple[NDArray[np.uint8], Path]:
    from core.study import imagery_of  # with the readers of photographs: commands need not wait for them
    from data.imagery import open_imagery

    path = imagery_of(publication.study_file, city_id)
    images = np.zeros((1, cell["input_px"], cell["input_px"], 3), np.uint8)
    with open_imagery(path) as mosaic:
        mosaic.read_into(images, Grid(cell["grid_crs"], cell["cell_size_m"]), [cell["x"]], [cell["y"]])
    return images[0], path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command `explain`."""
    parser.add_argument("--study", required=True, help="id of a published study")
    parser.add_argument("--city", required=True, help="id of the city")
    parser.add_argument("--cell", required=True, help="id of the cell")
    parser.add_argument("--method", required=True, choices=METHODS)
    parser.add_argument("--target", default="z", help="z, or an income class from 1 up (default: z)")
    parser.add_argument("--out", type=Path, required=True, metavar="MAP.npy", help="float32, row 0 north")


def run(options: argparse.Namespace) -> int:
    """Write the map of a cell; print one JSON object."""
    settings = read_settings()
    found = find_publications(settings.study_roots)
    if options.study not in found:
        raise StudyError(
            f"no published study is called {options.study!r}; there are {', '.join(sorted(found))}."
        )
    if options.target != "z" and not options.target.isdigit():
        raise SettingsError(f"--target: {options.target!r} is neither z nor an income class")
    target = "z" if options.target == "z" else int(options.target)
    keep_freed_memory()
    began = time.monotonic()
    made = explain_cell(
        found[options.study],
        options.city,
        options.cell,
        options.method,
        target,
        device=lambda: _device(settings),
    )
    np.save(options.out, made, allow_pickle=False)
    said = {
        "study": options.study,
        "city": options.city,
        "cell": options.cell,
        "method": options.method,
        "target": target,
        "height": made.shape[0],
        "width": made.shape[1],
        "low": round(float(made.min()), 6),
        "high": round(float(made.max()), 6),
        "seconds": round(time.monotonic() - began, 1),
        "map": str(options.out),
    }
    print(json.dumps(said, ensure_ascii=False))
    return 0


def _device(settings: Settings) -> torch.device:
    import torch

    from models.device import pick_device

    torch.set_num_threads(settings.threads)
    return pick_device(settings.device)
