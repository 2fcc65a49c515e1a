"""The quarters of a generated city: a share-out of its ground that has nothing to do with incomes."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from data.world.geometry import Points
from data.world.plan import CityPlan

CENTRE = "Centre"
NAMES = (
    "Les Tanneries",
    "Bellevue",
    "Les Quatre-Vents",
    "La Fontaine",
    "Croix-Blanche",
    "Les Maraîchers",
    "Le Moulin-Neuf",
    "Les Ormeaux",
    "La Gare",
)
KM2_A_QUARTER = 4.0
FEWEST, MOST = 3, len(NAMES) + 1


def quarters(plan: CityPlan, outline: shapely.Geometry, random: np.random.Generator) -> gpd.GeoDataFrame:
    """Share out the outline (metres from the city's centre) among named quarters, in EPSG:2154.

    Columns as in the contours of IRIS that INSEE and IGN publish. The quarters are those nearest to points
    drawn from ``random``, moved once to the middle of their quarter; the one nearest the centre is its name.
    """
    n = int(np.clip(round(outline.area / 1e6 / KM2_A_QUARTER), FEWEST, MOST))
    points = _inside(outline, n, random)
    middles = [shapely.get_coordinates(part.centroid)[0] for part in _nearest(points, outline)]
    parts = _nearest(np.array(middles), outline)
    distance = [shapely.distance(part.centroid, outline.centroid) for part in parts]
    names = list(random.permutation(NAMES)[: n - 1])
    names.insert(int(np.argmin(distance)), CENTRE)
    numbers = [f"{number:02d}01" for number in range(1, n + 1)]
    return gpd.GeoDataFrame(
        {
            "INSEE_COM": plan.commune,
            "NOM_COM": plan.name,
            "IRIS": numbers,
            "CODE_IRIS": [plan.commune + number for number in numbers],
            "NOM_IRIS": names,
            "TYP_IRIS": "H",
        },
        geometry=[shapely.transform(part, lambda xy: xy + np.array(plan.centre)) for part in parts],
        crs=2154,
    )


def write_quarters(folder: Path, plan: CityPlan, table: gpd.GeoDataFrame) -> Path:
    """Write quarters as a shapefile, or as GeoParquet beside a census of 2019; returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    if plan.census_year == 2015:
        path = folder / "CONTOURS-IRIS.shp"
        table.to_file(path)
    else:
        path = folder / "contours-iris.parquet"
        table.to_parquet(path)
    return path


def _inside(outline: shapely.Geometry, n: int, random: np.random.Generator) -> Points:
    """Draw ``n`` points (n, 2) in the outline."""
    west, south, east, north = outline.bounds
    found: list[np.ndarray] = []
    while len(found) < n:
        point = random.uniform((west, south), (east, north))
        if shapely.contains_xy(outline, *point):
            found.append(point)
    return np.array(found)


def _nearest(points: Points, outline: shapely.Geometry) -> list[shapely.Geometry]:
    """Cut the outline into the parts nearest to each point (Voronoi), in the points' order."""
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(points), extend_to=outline))
    order = [int(np.flatnonzero(shapely.contains_xy(cells, *point))[0]) for point in points]
    return [shapely.intersection(cells[place], outline) for place in order]
