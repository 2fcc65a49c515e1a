"""What a job on photographs would do, before it is one: outline, cells, resolution, bands, a picture.

What a reader sends is decoded in a process of its own with bounds on memory and time (`looked_at_apart`),
never in the dashboard's.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core import submit
from core.job_files import sent_photographs
from core.settings import REPOSITORY, Settings, read_settings
from data.errors import CarreauError, InputError

if TYPE_CHECKING:
    import pandas as pd

    from data.grid import Grid
    from data.imagery import Mosaic

TIME_LIMIT_S = 120
MOST_PICTURED = 4_000  # cells whose pixels are looked at; of a larger region those next to its middle
WHOLE, EMPTY = 255, 90  # alpha of cells in the picture: those of the job, those that it leaves out
_PICTURE_PX = 1024  # longest side of the picture
_ALL_EMPTY = 0.01  # share of valid pixels below which a cell is not painted
_OUTLINE_M = 20.0  # tolerance of the outline


def looked_at(
    photographs: Sequence[Path],
    *,
    how: Mapping[str, Any] | None = None,
    land_use: Path | None = None,
    land_use_column: str | None = None,
    census: Path | None = None,
    picture: Path | None = None,
) -> dict[str, Any]:
    """Say what a job on photographs would do; never raises for a bad file.

    Args:
        photographs: files and folders that are one region.
        how: `data.reading.Reading` as JSON. What it leaves open is guessed, and ``guesses`` says so.
        land_use: polygons of the same place.
        land_use_column: their column of classes, where they are not Urban Atlas's.
        census: polygons with values of the same place, or an INSEE Filosofi file.
        picture: where to write a PNG of the cells as the networks will see them, north up.

    Returns:
        usable, reason; bands (number, kind, colour), needs_crs, reading (as it would be read), guesses;
        cells, cells_seen (those whose pixels were looked at), of them left out empty (for empty pixels) and
        one_colour (for showing one colour throughout); tiles, width, height, resolution_m, dtype, crs, epsg,
        grid, cell_size_m; extent of the picture (west, south, east, north) and outline (rings of [x, y]),
        metres in the grid's CRS; place (longitude, latitude of the middle); warnings; land_use (usable,
        reason, columns, and what `data.inspect` says) and census (usable, reason, columns), None where
        there is none.
    """
    found = unusable("")
    try:
        with tempfile.TemporaryDirectory(prefix="carreau-look-") as name:
            _look(sent_photographs(photographs), Path(name), dict(how or {}), picture, found)
        found["usable"] = True
    except CarreauError as error:
        found["reason"] = str(error).replace(f"{name}/", "").replace(name, "the region")
    if land_use is not None:
        found["land_use"] = _land_use(land_use, land_use_column)
    if census is not None:
        found["census"] = _census(census)
    return found


def unusable(reason: str) -> dict[str, Any]:
    """Return what `looked_at` says of photographs of which nothing is known but why they do not serve."""
    return {
        "usable": False,
        "reason": reason,
        "warnings": [],
        "guesses": [],
        "land_use": None,
        "census": None,
    }


def _land_use(path: Path, column: str | None) -> dict[str, Any]:
    from data.inspect import inspect
    from data.landuse import class_columns

    columns: list[str] = []
    with contextlib.suppress(CarreauError):  # `inspect` says what is wrong with it
        columns = class_columns(path)
    return {**inspect(path, code_column=column), "columns": columns}


def _census(path: Path) -> dict[str, Any]:
    from data.cell_values import value_columns

    found: dict[str, Any] = {"file": str(path), "usable": False, "reason": "", "warnings": [], "columns": []}
    try:
        found["columns"] = value_columns(path)
        found["usable"] = bool(found["columns"])
        if not found["usable"]:
            found["reason"] = f"{path}: has no column of numbers. Bring a layer with values."
    except CarreauError as error:
        found["reason"] = str(error)
    return found


def _look(
    tiles: list[Path], folder: Path, how: dict[str, Any], picture: Path | None, found: dict[str, Any]
) -> None:
    from data.first_look import first_look
    from data.imagery import open_imagery
    from data.reading import Reading

    for tile in tiles:  # one folder of tiles, wherever they lie
        _link(tile, folder)
    first = first_look(folder / tiles[0].name)
    said = {name: value for name, value in how.items() if value is not None}
    reading = Reading.from_json({**first.how.to_json(), **said})
    found["bands"] = [asdict(band) for band in first.bands]
    found["needs_crs"] = not first.has_crs and reading.crs is None
    found["guesses"] = [*first.guesses] if not said.keys() & {"bands", "levels"} else []
    found["reading"] = reading.to_json()
    with open_imagery(folder if len(tiles) > 1 else folder / tiles[0].name, how=reading) as mosaic:
        found["reading"] = replace(reading, levels=mosaic.levels).to_json()
        _region(mosaic, picture, found)


def _link(tile: Path, folder: Path) -> None:
    from data.photograph_names import world_file

    (folder / tile.name).symlink_to(tile.resolve())
    beside = world_file(tile)
    if beside is not None:
        (folder / beside.name).symlink_to(beside.resolve())


def _region(mosaic: Mosaic, picture: Path | None, found: dict[str, Any]) -> None:
    import pyproj

    from core.region_plan import no_whole_cell

    info, grid = mosaic.info, mosaic.grid()
    outline = mosaic.footprint(grid.crs)
    cells = mosaic.cells(grid, judge_pixels=False)
    if cells.empty:
        raise no_whole_cell(mosaic.path, outline.bounds, grid)
    pictured = _pictured(mosaic, grid, cells, picture)
    if pictured["one_colour"] == len(cells):
        raise InputError(
            mosaic.path,
            f"shows one colour throughout in all {len(cells)} cells: there is nothing to predict from",
            "Bring a photograph of the place.",
        )
    if not pictured["cells"]:
        raise InputError(
            mosaic.path,
            f"covers no whole {grid.size} m cell: all {len(cells)} in its outline have over 1 % empty pixels "
            "or show one colour throughout",
            "Bring a photograph without gaps, or mark less of it as empty.",
        )
    middle = outline.centroid
    to_degrees = pyproj.Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    found.update(
        crs=info.crs,
        epsg=info.epsg,
        resolution_m=round(info.resolution_m, 4),
        dtype=info.dtype,
        width=info.width,
        height=info.height,
        tiles=len(info.tiles),
        grid=grid.crs,
        cell_size_m=grid.size,
        place=[round(float(one), 4) for one in to_degrees.transform(middle.x, middle.y)],
        outline=_rings(outline),
        warnings=list(info.warnings),
        **pictured,
    )


def _rings(outline: Any) -> list[list[list[float]]]:
    simple = outline.simplify(_OUTLINE_M)
    polygons = getattr(simple, "geoms", [simple])
    return [[[round(x, 1), round(y, 1)] for x, y in one.exterior.coords] for one in polygons if one.area > 0]


def _pictured(mosaic: Mosaic, grid: Grid, cells: pd.DataFrame, picture: Path | None) -> dict[str, Any]:
    """Read the cells (or those next to the middle) small; paint them, and count those with empty pixels and
    those of one colour."""
    import numpy as np
    from PIL import Image

    from core.statistics.colours import of_one_colour
    from data.imagery import MIN_VALID_SHARE

    seen = cells
    if len(cells) > MOST_PICTURED:
        away = np.hypot(cells.x - cells.x.mean(), cells.y - cells.y.mean())
        seen = cells.loc[away.nsmallest(MOST_PICTURED).index]
    west, south = int(cells.x.min()), int(cells.y.min())
    columns = (int(cells.x.max()) - west) // grid.size + 1
    rows = (int(cells.y.max()) - south) // grid.size + 1
    px = max(1, min(64, _PICTURE_PX // max(columns, rows)))
    canvas = np.zeros((rows * px, columns * px, 4), np.uint8)
    empty = blank = 0
    x, y = seen.x.to_numpy(), seen.y.to_numpy()
    for indexes, images, shares in mosaic.read_cells(grid, x, y, max(px, 16)):
        full = shares >= MIN_VALID_SHARE
        usable = full & ~of_one_colour(images)
        empty += int((~full).sum())
        blank += int((full & ~usable).sum())
        for index, image, share, whole in zip(indexes, images, shares, usable, strict=True):
            top = (rows - 1 - (y[index] - south) // grid.size) * px
            left = (x[index] - west) // grid.size * px
            small = image if px >= 16 else np.asarray(Image.fromarray(image).resize((px, px)))
            canvas[top : top + px, left : left + px, :3] = small
            alpha = WHOLE if whole else EMPTY if share > _ALL_EMPTY else 0
            canvas[top : top + px, left : left + px, 3] = alpha
    if picture is not None:
        Image.fromarray(canvas).save(picture)
    extent = [west, south, west + columns * grid.size, south + rows * grid.size]
    return {
        "cells": len(cells) - empty - blank,
        "cells_seen": len(seen),
        "empty": empty,
        "one_colour": blank,
        "extent": extent,
    }


def looked_at_apart(
    photographs: Sequence[Path],
    *,
    how: Mapping[str, Any] | None = None,
    land_use: Path | None = None,
    land_use_column: str | None = None,
    census: Path | None = None,
    picture: Path | None = None,
    settings: Settings | None = None,
) -> dict[str, Any]:
    """Do as `looked_at` in a process of its own, which a file may kill but not outlive ``TIME_LIMIT_S``."""
    settings = settings or read_settings()
    command = [sys.executable, "-m", "core", "preview", "--json", "--how", json.dumps(dict(how or {}))]
    command += ["--land-use", str(land_use)] if land_use else []
    command += ["--land-use-column", land_use_column] if land_use_column else []
    command += ["--census", str(census)] if census else []
    command += ["--picture", str(picture)] if picture else []
    command += ["--", *map(str, photographs)]
    most, seconds = settings.memory_mb * 1_000_000, max(1, int(TIME_LIMIT_S))

    def bound() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))

    name = Path(photographs[0]).name
    remedy = "Bring another copy of it, or cut it into tiles."
    try:
        done = subprocess.run(
            command, cwd=REPOSITORY, capture_output=True, text=True, timeout=TIME_LIMIT_S, check=False,
            preexec_fn=bound,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return unusable(f"{name}: could not be looked at within {TIME_LIMIT_S:g} seconds. {remedy}")
    try:
        return dict(json.loads(done.stdout))
    except ValueError:
        return unusable(f"{name}: the program that looks at photographs broke on it. {remedy}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `python -m core preview`."""
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="photographs of one region")
    submit.add_reading_arguments(parser)
    parser.add_argument("--how", type=json.loads, help=argparse.SUPPRESS)
    parser.add_argument("--land-use", type=Path, metavar="F", help="land-use polygons of the same place")
    parser.add_argument("--land-use-column", metavar="C", help="its column of classes, if not Urban Atlas's")
    parser.add_argument("--census", type=Path, metavar="F", help="polygons with values to compare with")
    parser.add_argument("--picture", type=Path, metavar="OUT.png", help="write the cells as a picture")
    parser.add_argument("--json", action="store_true", help="print one JSON object on one line")


def run(options: argparse.Namespace) -> int:
    """Print what a job on the files would do; 0 usable, 2 not."""
    how = submit.reading_of(options) if options.how is None else options.how
    found = looked_at(
        options.files,
        how=how,
        land_use=options.land_use,
        land_use_column=options.land_use_column,
        census=options.census,
        picture=options.picture,
    )
    print(json.dumps(found, ensure_ascii=False, indent=None if options.json else 2))
    return 0 if found["usable"] else 2
