"""Ingest: official files of a city become cells, images at network resolution and clipped land use."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from core.pipeline.parts import fingerprint
from core.pipeline.progress import progress
from core.pipeline.workspace import Workspace, write_facts
from core.study import CitySection
from data.census import Census, read_census
from data.errors import InputError, StudyError
from data.grid import Grid
from data.imagery import MIN_VALID_SHARE, open_imagery
from data.landuse import LandUse, read_boundary, read_land_use


def ingest_inputs(workspace: Workspace, city: CitySection) -> str:
    """Return the fingerprint of what ingesting a city depends on: its settings and its files."""
    network = workspace.study.network
    files = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in source_files(city)]
    # districts are a part of their own: new ones leave images, and the networks trained on them, as they are
    settings = city.model_dump(mode="json", exclude={"districts"})
    return fingerprint(settings, network.input_px, files)


def source_files(city: CitySection) -> list[Path]:
    """Return every file of a city but its districts', folders opened, companions of shapefiles included."""
    named = [city.census.path, city.imagery.path]
    named += [city.land_use.path] if city.land_use else []
    named += [city.boundary] if city.boundary else []
    return files_of(city, named)


def files_of(city: CitySection, named: list[Path]) -> list[Path]:
    """Return every file behind the paths that a study names for a city; InputError where one is not there."""
    files: set[Path] = set()
    for path in named:
        if path.is_dir():
            files.update(p for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))
        elif path.suffix.lower() == ".shp":
            files.update(path.parent.glob(f"{path.stem}.*"))
        elif path.is_file():
            files.add(path)
        else:
            remedy = "Correct its path in the study file."
            if city.generated is not None:
                remedy = "Write the generated cities again: python -m core world (README, the demo study)."
            raise InputError(path, f"is not there (city {city.id})", remedy)
    return sorted(files)


def ingest_city(workspace: Workspace, city: CitySection, out: Path) -> str:
    """Write cells, images and land use of one city into ``out``; return one line of result."""
    census = read_census(city.census.path)
    land_use = _land_use(city)
    outline = city_outline(city, census, land_use)
    grid = Grid(census.crs)
    cells = cells_inside(census, outline, grid)
    if cells.empty:
        raise StudyError(
            f"city {city.id}: no census cell has its centre inside the outline. "
            "Check that census and outline show the same place."
        )
    cells["valid_share"], resolution = _write_images(workspace, city, grid, cells, out)
    cells.to_parquet(out / "cells.parquet")
    polygons = _polygons_near(land_use, cells, grid)
    if polygons is not None:
        polygons.to_parquet(out / "land_use.parquet")
    facts: dict[str, Any] = {
        "outline": shapely.to_wkt(outline, rounding_precision=1),
        "grid_crs": grid.crs,
        "cell_size_m": grid.size,
        "census_year": city.census.year or census.vintage,
        "land_use_year": (city.land_use.year or land_use.year) if city.land_use and land_use else None,
        "imagery_year": city.imagery.year,
        "imagery_resolution_m": resolution,
        "warnings": list(census.warnings),
        "files": [file_record(path) for path in source_files(city)],
    }
    write_facts(out, facts)
    empty = int((cells.valid_share < MIN_VALID_SHARE).sum())
    return (
        f"{city.name}: {len(cells)} cells, {int(cells.imputed.sum())} imputed, "
        f"{int(cells.income.isna().sum())} without income, {empty} with empty pixels, "
        f"{0 if polygons is None else len(polygons)} land-use polygons"
    )


def city_outline(city: CitySection, census: Census, land_use: LandUse | None) -> BaseGeometry:
    """Return a city's outline in the grid CRS: its own file, the land-use boundary, or its census cells."""
    if city.boundary is not None:
        return read_boundary(city.boundary, crs=census.crs)
    if land_use is not None and land_use.boundary is not None:
        outline = land_use.boundary
        return gpd.GeoSeries([outline], crs=land_use.polygons.crs).to_crs(census.crs).iloc[0]
    squares = Grid(census.crs).polygons(census.cells.x, census.cells.y)
    return shapely.union_all(squares)


def cells_inside(census: Census, outline: BaseGeometry, grid: Grid) -> pd.DataFrame:
    """Return the census cells whose centre lies in the outline, sorted from the south-west, row by row."""
    shapely.prepare(outline)
    half = grid.size / 2
    inside = shapely.intersects_xy(outline, census.cells.x + half, census.cells.y + half)
    return census.cells[inside].sort_values(["y", "x"]).reset_index(drop=True)


def _land_use(city: CitySection) -> LandUse | None:
    if city.land_use is None:
        return None
    return read_land_use(city.land_use.path, code_column=city.land_use.code_column)


def _write_images(
    workspace: Workspace, city: CitySection, grid: Grid, cells: pd.DataFrame, out: Path
) -> tuple[np.ndarray, float]:
    """Write ``images.npy`` (n, px, px, 3) uint8 by blocks; return valid shares (n,) and resolution in m."""
    px = workspace.study.network.input_px
    images = np.lib.format.open_memmap(
        out / "images.npy", mode="w+", dtype=np.uint8, shape=(len(cells), px, px, 3)
    )
    with open_imagery(city.imagery.path) as mosaic, progress(f"ingest {city.id}", len(cells)) as advance:
        resolution = float(mosaic.info.resolution_m)
        valid = mosaic.read_into(images, grid, cells.x, cells.y, advance)
    images.flush()
    return valid, resolution


def _polygons_near(land_use: LandUse | None, cells: pd.DataFrame, grid: Grid) -> gpd.GeoDataFrame | None:
    """Keep the polygons that touch a cell of the city, in the grid CRS."""
    if land_use is None:
        return None
    polygons = land_use.polygons.to_crs(grid.crs)
    tree = shapely.STRtree(polygons.geometry.to_numpy())
    touched = np.unique(tree.query(grid.polygons(cells.x, cells.y), predicate="intersects")[1])
    return polygons.iloc[touched].reset_index(drop=True)


def file_record(path: Path) -> dict[str, Any]:
    """Return path, SHA-256 and size of a file, for the provenance of a study."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            digest.update(block)
    return {"path": str(path), "sha256": digest.hexdigest(), "bytes": path.stat().st_size}
