"""From recipe and seed to a study's files: build, rank, place the cues, draw, write."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray
from scipy.stats import spearmanr

from data.world import files, objects
from data.world.city import City, build_city
from data.world.geometry import Points, polygons
from data.world.income import (
    MIX_WEIGHTS,
    Cells,
    census_table,
    euros,
    income_score,
    mix_score,
    rank_of,
    weights_per_share,
)
from data.world.plan import CityPlan, city_plans
from data.world.quarters import quarters, write_quarters
from data.world.relabel import relabelled, shown_by_drawing
from data.world.render import Canvas, draw

RECIPES = {
    "objects": "income shows only through objects inside some classes; the land-use mix is independent of it",
    "nothing": "nothing in the photograph or the land use carries income; the objects are placed by chance",
    "mix": "only the land-use mix carries income; the objects are placed by chance",
    "hidden": "land use goes with income, but the photograph, that of nothing, does not show it",
}


_TO_GRID = pyproj.Transformer.from_crs(2154, 3035, always_xy=True)


@dataclass
class World:
    """One city with its incomes and cues decided, before anything is written."""

    city: City
    recipe: str
    cells: Cells
    shares: pd.DataFrame  # share of each cell's area by land-use code (n, codes)
    drawn: pd.DataFrame  # the same as painted; differs in `hidden` alone
    income: NDArray[np.float64]  # euros per person (n,), before imputation
    households: NDArray[np.float64]
    flats: NDArray[np.float64]
    cues: objects.Cues
    site_cell: NDArray[np.int64]
    land_use: gpd.GeoDataFrame  # EPSG:3035
    outline: shapely.Geometry  # EPSG:3035


def recipes_for(recipe: str, n_cities: int) -> list[str]:
    """Return one recipe a city from one name or a comma list; ValueError names what is allowed.

    >>> recipes_for("objects", 2)
    ['objects', 'objects']
    """
    names = [name.strip() for name in recipe.split(",")]
    names = names * n_cities if len(names) == 1 else names
    wrong = [name for name in names if name not in RECIPES]
    if wrong:
        raise ValueError(f"unknown recipe {wrong[0]!r}: choose among {', '.join(RECIPES)}")
    if len(names) != n_cities:
        raise ValueError(f"{len(names)} recipes for {n_cities} cities: give one name, or one for each city")
    return names


def _to_grid(plan: CityPlan, points: Points) -> Points:
    """Transform metres from the city's centre to EPSG:3035 east and north (n, 2)."""
    return np.stack(_TO_GRID.transform(points[:, 0] + plan.centre[0], points[:, 1] + plan.centre[1]), 1)


def _cells(outline: shapely.Geometry) -> Cells:
    x0, y0, x1, y1 = (np.array(outline.bounds) // 200 * 200).astype(int)
    east, north = np.meshgrid(np.arange(x0, x1 + 200, 200), np.arange(y0, y1 + 200, 200))
    corner = np.stack([east.ravel(), north.ravel()], 1)
    return Cells(corner[shapely.contains_xy(outline, corner[:, 0] + 100, corner[:, 1] + 100)])


def cell_of(points: Points, cells: Cells) -> NDArray[np.int64]:
    """Return the index of the cell that holds each EPSG:3035 point (n, 2); -1 outside all cells."""
    low = cells.corner.min(0)
    grid = np.full(tuple((cells.corner.max(0) - low) // 200 + 1), -1, np.int64)
    grid[tuple(((cells.corner - low) // 200).T)] = np.arange(len(cells.corner))
    at = np.floor((points - low) / 200).astype(int)
    inside = ((at >= 0) & (at < grid.shape)).all(1)
    result = np.full(len(points), -1, np.int64)
    result[inside] = grid[tuple(at[inside].T)]
    return result


def land_use_shares(land_use: gpd.GeoDataFrame, cells: Cells) -> pd.DataFrame:
    """Return the exact share of each cell's area under each code (n, codes)."""
    east, north = cells.corner.T.astype(float)
    squares = shapely.box(east, north, east + 200, north + 200)
    shapes = land_use.geometry.to_numpy()
    which, square = shapely.STRtree(squares).query(shapes, predicate="intersects")
    area = shapely.area(shapely.intersection(shapes[which], squares[square]))
    long = pd.DataFrame({"cell": square, "code": land_use["code"].to_numpy()[which], "area": area / 40_000})
    return (
        long.pivot_table(index="cell", columns="code", values="area", aggfunc="sum")
        .reindex(range(len(cells.corner)))
        .fillna(0.0)
    )


def make_world(plan: CityPlan, recipe: str, seed: int, index: int) -> World:
    """Build a city and decide its incomes and cues. Layout, chance and noise do not depend on the recipe."""
    city = build_city(plan, seed, index)
    change = lambda shape: shapely.transform(shape, lambda p: _to_grid(plan, p))  # noqa: E731
    outline = change(city.layout.outline)
    # Centimetres, as in the official layers; rounding heals slivers that turned inside out.
    parts = [
        (c, p)
        for c, s in city.land_use
        for p in polygons(shapely.set_precision(shapely.make_valid(change(s)), 0.01), 50)
    ]
    land_use = gpd.GeoDataFrame({"code": [c for c, _ in parts]}, geometry=[p for _, p in parts], crs=3035)
    cells = _cells(outline)
    n = len(cells.corner)
    homes = np.array(city.built.dwellings, float).reshape(-1, 4)
    home_cell = cell_of(_to_grid(plan, homes[:, :2]), cells)
    inside = home_cell >= 0
    households = np.bincount(home_cell[inside], homes[inside, 2], n).astype(np.float64)
    flats = np.bincount(home_cell[inside], homes[inside, 2] * homes[inside, 3], n).astype(np.float64)
    shares = land_use_shares(land_use, cells)
    lived = households >= 0.5
    middle = cells.corner + 100.0
    distance = np.hypot(*(middle - middle.mean(0)).T) / 1000
    score = np.zeros(n)
    chosen = Cells(cells.corner[lived])
    score[lived] = income_score(
        recipe, chosen, shares[lived], distance[lived], np.random.default_rng([seed, index, 10])
    )
    rank = np.full(n, 0.5)
    rank[lived] = rank_of(score[lived])
    chance = np.random.default_rng([seed, index, 11])
    uniform = chance.random(len(city.built.sites))
    by_chance = np.where(lived, rank_of(chance.random(n)), 0.5)
    sites = city.built.sites
    places = np.array([[s.x, s.y] for s in sites]).reshape(-1, 2)
    site_cell = cell_of(_to_grid(plan, places), cells)
    cues = objects.place_cues(sites, uniform, site_cell, rank if recipe == "objects" else by_chance)
    drawn = shares
    if recipe == "hidden":
        deal = np.random.default_rng([seed, index, 12])
        land_use = relabelled(land_use, cells.corner[lived], rank[lived], deal)
        shares = land_use_shares(land_use, cells)
    return World(
        city, recipe, cells, shares, drawn, euros(rank), households, flats, cues, site_cell, land_use, outline
    )


def photograph(
    world: World, seed: int, index: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], float, float]:
    """Draw a world: RGB (H, W, 3), valid mask (H, W), and the upper-left corner in EPSG:2154 metres."""
    plan, scene = world.city.plan, world.city.scene
    objects.draw_cues(scene, world.city.built.sites, world.cues)
    r = plan.resolution
    x0, y0, x1, y1 = world.city.layout.extent.bounds
    left = np.floor((plan.centre[0] + x0) / r) * r - plan.centre[0]
    top = np.ceil((plan.centre[1] + y1) / r) * r - plan.centre[1]
    canvas = Canvas(left, top, int(np.ceil((x1 - left) / r)), int(np.ceil((top - y0) / r)), r)
    draw(scene, canvas, np.random.default_rng([seed, index, 20]), world.city.layout.water)
    valid = canvas.mask([np.asarray(world.city.layout.extent.exterior.coords)]) > 127
    holes = np.random.default_rng([seed, index, 21])
    for _ in range(2):
        angle, reach = holes.uniform(0, 2 * np.pi), holes.uniform(0.55, 0.85) * plan.radius
        ring = (
            shapely.Point(reach * np.cos(angle), reach * np.sin(angle))
            .buffer(holes.uniform(90, 150))
            .exterior
        )
        valid &= canvas.mask([np.asarray(ring.coords)]) < 128
    return canvas.rgb, valid, left + plan.centre[0], top + plan.centre[1]


def oracle(world: World) -> float:
    """Return the rank correlation with income of what the photograph truly shows, over the inhabited cells.

    The cue score in `objects` and `nothing`, the weighted land-use mix in `mix`; in `hidden`, where it should
    be small, what the drawn classes could say of income at best.
    """
    lived = world.households >= 0.5
    income = world.income[lived]
    if world.recipe == "hidden":
        return shown_by_drawing(world.drawn[lived], income)
    score = world.cues.score(world.site_cell, len(world.cells.corner))[lived]
    if world.recipe == "mix":
        score = mix_score(world.shares[lived])
    return float(spearmanr(score, income).statistic)


def write_world(
    out: Path, recipe: str, seed: int, size: str, progress: bool = True, settings: str = ""
) -> Path:
    """Write a generated study below `out` and return the path of its study file.

    `recipe`: one of RECIPES for all cities, or a comma list with one a city. `settings`: TOML text
    that is put before the cities; by default what suits the size.
    ValueError for an unknown recipe or size. The same recipe, seed and size give the same content.
    """
    plans = city_plans(size)
    names = recipes_for(recipe, len(plans))
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    entries = []
    for index, (plan, name) in enumerate(zip(plans, names, strict=True)):
        start = time.monotonic()
        entry, note = _write_city(out, plan, name, seed, index, size)
        entries.append(entry)
        if progress:
            print(
                f"{plan.name} ({index + 1}/{len(plans)}): {note}, {time.monotonic() - start:.0f} s",
                file=sys.stderr,
                flush=True,
            )
    path = out / "study.toml"
    path.write_text(files.study_text(size, seed, settings, entries), encoding="utf-8")
    return path


def planted(world: World) -> dict[str, float]:
    """Return the classes that carry income: strength of their objects, or weight of a cell full of one."""
    if world.recipe == "mix":
        weights = weights_per_share(world.shares[world.households >= 0.5])
        return {code: round(weight, 3) for code, weight in weights.items()}
    return objects.PLANTED if world.recipe == "objects" else {}


def _write_city(out: Path, plan: CityPlan, recipe: str, seed: int, index: int, size: str) -> tuple[dict, str]:
    world = make_world(plan, recipe, seed, index)
    rgb, valid, left, top = photograph(world, seed, index)
    folder = out / plan.id
    table = census_table(
        world.cells,
        world.income,
        world.households,
        world.flats,
        plan.commune,
        np.random.default_rng([seed, index, 30]),
    )
    position = {name: i for i, name in enumerate(world.cells.ids)}
    rows = np.array([position[name] for name in table["IdINSPIRE"]])
    census = files.write_census(folder / "census", plan, table, world.cells.corner[rows])
    land_use = files.write_land_use(folder / "land_use", plan, world.land_use, world.outline)
    named = quarters(plan, world.city.layout.outline, np.random.default_rng([seed, index, 40]))
    districts = write_quarters(folder / "districts", plan, named)
    files.write_photo(folder / "imagery", plan, rgb, valid, left, top)
    score = oracle(world)
    share = world.cues.area / (float(valid.sum()) * plan.resolution**2)
    counts = world.cues.score(world.site_cell, len(world.cells.corner))
    lived = np.flatnonzero(world.households >= 0.5)
    files.write_truth(
        folder / "truth.json",
        {
            "recipe": recipe,
            "meaning": RECIPES[recipe],
            "seed": seed,
            "size": size,
            "city": plan.id,
            "city_index": index,
            "planted": planted(world),
            "land_use_weights": MIX_WEIGHTS if recipe in ("mix", "hidden") else {},
            "oracle_spearman": round(score, 4),
            "object_pixel_share": round(share, 6),
            "counterfactual": "the same seed and size with recipe 'nothing': same layout, chance and noise",
            "cells": {
                "id": [world.cells.ids[i] for i in lived],
                "cue_score": [int(counts[i]) for i in lived],
                "income": [round(float(world.income[i]), 1) for i in lived],
                "households": [round(float(world.households[i]), 1) for i in lived],
            },
        },
    )
    entry = {
        "plan": plan,
        "recipe": recipe,
        "oracle": score,
        "share": share,
        "census": census.relative_to(out).as_posix(),
        "land_use": land_use.relative_to(out).as_posix(),
        "imagery": f"{plan.id}/imagery",
        "districts": districts.relative_to(out).as_posix(),
        "truth": f"{plan.id}/truth.json",
    }
    imputed = int(table["I_est_cr"].sum())
    note = f"{recipe}, {len(table)} cells, {imputed} imputed, oracle {score:.2f}, cues {100 * share:.2f} %"
    return entry, note
