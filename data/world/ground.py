"""What several kinds of block share: random points, car parks."""

from __future__ import annotations

import numpy as np
import shapely
from shapely.geometry import Polygon

from data.world.geometry import Points, polygons, rectangle
from data.world.scene import ASPHALT, Scene


def scatter(shape: Polygon, spacing: float, rng: np.random.Generator) -> Points:
    """Return random points (n, 2) inside a polygon, one for each `spacing` squared."""
    x0, y0, x1, y1 = shape.bounds
    n = rng.poisson((x1 - x0) * (y1 - y0) / spacing**2)
    p = rng.uniform((x0, y0), (x1, y1), (n, 2))
    return p[shapely.contains_xy(shape, p[:, 0], p[:, 1])]


def scatter_any(
    shape: shapely.Geometry, spacing: float, rng: np.random.Generator
) -> list[tuple[float, float]]:
    """Return random points inside every polygon of a geometry."""
    return [(float(x), float(y)) for part in polygons(shape) for x, y in scatter(part, spacing, rng)]


def car_park(
    centre: Points,
    along: Points,
    length: float,
    depth: float,
    fullness: float,
    scene: Scene,
    rng: np.random.Generator,
) -> None:
    """Lay asphalt with rows of stalls 2.5 m wide and fill a share of them with cars."""
    scene.ground.append((rectangle(centre, along, length, depth), (112, 111, 109), ASPHALT))
    across = np.array([-along[1], along[0]])
    n_rows = max(1, int(depth // 16))
    for row in range(n_rows):
        middle = centre + across * ((row + 0.5) * depth / n_rows - depth / 2)
        for side in (-1, 1):
            base = middle + across * side * 5.4
            for i in range(int(length // 2.6)):
                at = base + along * ((i + 0.5) * 2.6 - length / 2)
                edge = at + along * 1.3
                scene.strokes.append(
                    (np.array([edge - across * 2.4, edge + across * 2.4]), (158, 157, 154), 0.2)
                )
                if rng.random() < fullness:
                    scene.car(at + across * rng.normal(0, 0.2), across, rng)
