"""Plane geometry of the generated cities: the bend that makes straight plans crooked, and polygon cutting.

All coordinates are metres from the city's centre, x east and y north along the Lambert-93 axes.
"""

from __future__ import annotations

import math

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import LineString, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

Points = NDArray[np.float64]  # (n, 2)


class Bend:
    """A smooth, one-to-one displacement of the plane: towns are planned straight and then bent.

    The sum of the waves' strains stays under 0.4, so the map never folds.
    """

    def __init__(self, rng: np.random.Generator, strength: float = 1.0) -> None:
        lengths = np.array([3600.0, 2300.0, 1500.0, 1050.0, 760.0, 560.0])
        strain = np.array([0.10, 0.10, 0.10, 0.09, 0.07, 0.05]) * strength
        heading = rng.uniform(0, 2 * np.pi, (2, lengths.size))
        self._k = (
            2 * np.pi / lengths * np.stack([np.cos(heading), np.sin(heading)])
        )  # (2 dims, 2 axes, waves)
        self._phase = rng.uniform(0, 2 * np.pi, (2, lengths.size))
        self._amplitude = strain * lengths / (2 * np.pi)
        self.reach = float(
            1.2 * np.hypot(self._amplitude, self._amplitude).sum() / 2
        )  # metres that points move at most, nearly

    def __call__(self, points: Points) -> Points:
        """Move points (n, 2) in metres."""
        x, y = points[:, :1], points[:, 1:]
        moved = [
            (self._amplitude * np.sin(x * self._k[0, axis] + y * self._k[1, axis] + self._phase[axis])).sum(1)
            for axis in (0, 1)
        ]
        return points + np.stack(moved, 1)

    def shape(self, geometry: BaseGeometry, step: float = 18.0) -> BaseGeometry:
        """Bend a geometry whose long edges are first broken every `step` metres."""
        bent = shapely.transform(shapely.segmentize(geometry, step), self)
        return bent if bent.is_valid else shapely.make_valid(bent)


def polygons(geometry: BaseGeometry, smallest: float = 0.0) -> list[Polygon]:
    """Return the polygons of a geometry whose area exceeds `smallest` square metres."""
    if isinstance(geometry, Polygon):
        parts = [geometry]
    else:
        parts = [g for g in getattr(geometry, "geoms", []) if isinstance(g, (Polygon, MultiPolygon))]
        parts = [p for g in parts for p in (g.geoms if isinstance(g, MultiPolygon) else [g])]
    return [p for p in parts if not p.is_empty and p.area > smallest]


def frame(polygon: Polygon) -> tuple[Points, Points, float, float]:
    """Return centre, unit vector of the long side, long and short side of the smallest rectangle around."""
    box = np.asarray(shapely.oriented_envelope(polygon).exterior.coords)[:4]
    first, second = box[1] - box[0], box[2] - box[1]
    a, b = float(np.hypot(*first)), float(np.hypot(*second))
    centre = box.mean(0)
    if a >= b:
        return centre, first / max(a, 1e-9), a, b
    return centre, second / max(b, 1e-9), b, a


def cut(polygon: Polygon, at: Points, along: Points, gap: float) -> tuple[list[Polygon], LineString]:
    """Cut a polygon by a street of width `gap` through `at` in direction `along`; also the street's axis."""
    reach = 6000.0
    line = LineString([at - reach * along, at + reach * along])
    road = shapely.buffer(line, gap / 2, cap_style="flat")
    axis = shapely.intersection(line, polygon)
    return polygons(shapely.difference(polygon, road)), axis


def clip_half_plane(points: Points, normal: Points, offset: float) -> Points:
    """Keep the part of a ring (n, 2) where normal . p <= offset (Sutherland-Hodgman, one plane)."""
    # Plain floats: lots have four to eight corners, and there are some 50,000 cuts a city.
    nx, ny = float(normal[0]), float(normal[1])
    ring: list[list[float]] = points.tolist()
    side = [x * nx + y * ny - offset for x, y in ring]
    if max(side, default=0.0) <= 0:
        return points
    kept: list[list[float]] = []
    for i, (x, y) in enumerate(ring):
        s, after = side[i], side[i + 1 - len(ring)]
        if s <= 0:
            kept.append([x, y])
        if (s < 0) != (after < 0) and s != after:
            u, v = ring[i + 1 - len(ring)]
            share = s / (s - after)
            kept.append([x + share * (u - x), y + share * (v - y)])
    return np.array(kept).reshape(-1, 2)


def ring_area(points: Points) -> float:
    """Return the area of a ring (n, 2), positive whichever way it turns."""
    if len(points) < 3:
        return 0.0
    return abs(signed_area(points))


def signed_area(points: Points) -> float:
    """Return the area of a ring (n, 2), positive if it turns counter-clockwise."""
    x, y = points[:, 0], points[:, 1]
    return float(x[:-1] @ y[1:] - y[:-1] @ x[1:] + x[-1] * y[0] - y[-1] * x[0]) / 2


def rectangle(centre: Points, along: Points, length: float, width: float) -> Points:
    """Return the corners (4, 2) of a rectangle with its long side in direction `along`.

    >>> rectangle(np.zeros(2), np.array([1.0, 0.0]), 4, 2).tolist()
    [[-2.0, -1.0], [2.0, -1.0], [2.0, 1.0], [-2.0, 1.0]]
    """
    # Plain floats: this runs some 200,000 times a city and small NumPy sums cost five times as much.
    x, y, u, v = float(centre[0]), float(centre[1]), float(along[0]), float(along[1])
    ax, ay, bx, by = u * length / 2, v * length / 2, -v * width / 2, u * width / 2
    return np.array(
        [
            [x - ax - bx, y - ay - by],
            [x + ax - bx, y + ay - by],
            [x + ax + bx, y + ay + by],
            [x - ax + bx, y - ay + by],
        ]
    )


def turned(vector: Points, angle: float) -> Points:
    """Turn a vector (2,) by an angle in radians, counter-clockwise."""
    c, s = math.cos(angle), math.sin(angle)
    return np.array([c * vector[0] - s * vector[1], s * vector[0] + c * vector[1]])


def wavy_line(
    start: Points, end: Points, rng: np.random.Generator, sway: float, parts: int = 24
) -> LineString:
    """Return a line from start to end that sways smoothly by about `sway` metres and keeps both ends."""
    t = np.linspace(0, 1, parts)
    direction = end - start
    normal = np.array([-direction[1], direction[0]]) / max(float(np.hypot(*direction)), 1e-9)
    swing = np.zeros(parts)
    for harmonic in (1, 2, 3):
        swing += rng.normal(0, 1 / harmonic) * np.sin(np.pi * harmonic * t)
    return LineString(start + t[:, None] * direction + (sway * swing)[:, None] * normal)
