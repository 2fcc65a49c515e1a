"""Roads, rails, water and motorway: what runs through the whole city, and the life along the kerbs."""

from __future__ import annotations

import numpy as np
import shapely
from shapely import affinity
from shapely.geometry import LineString

from data.world.geometry import Points, polygons
from data.world.ground import scatter, scatter_any
from data.world.layout import Layout, Street
from data.world.scene import ASPHALT, GRASS, PAVING, PLAIN, SOIL, WATER, Scene


def road_surface(street: Street, scene: Scene) -> None:
    """Paint a main road with its pavements, or a country lane; other streets are what blocks leave free."""
    if street.kind in ("main", "ring"):
        scene.area(street.axis.buffer(street.width / 2 + 1.5), (140, 137, 130), PAVING)
        scene.area(street.axis.buffer(street.width / 2 - 2.0), (104, 103, 102), ASPHALT)
    elif street.kind == "lane":
        scene.area(street.axis.buffer(max(1.8, street.width / 2 - 1.8)), (124, 121, 114), ASPHALT)


def _offset(axis: LineString, distance: float) -> list[Points]:
    line = shapely.offset_curve(axis, distance)
    return [
        np.asarray(p.coords)
        for p in getattr(line, "geoms", [line])
        if p.geom_type == "LineString" and p.length > 4
    ]


def _dashes(axis: LineString, scene: Scene, every: float, length: float, width: float) -> None:
    ends = np.arange(6.0, axis.length - 6, every)
    if not len(ends):
        return
    starts = shapely.get_coordinates(shapely.line_interpolate_point(axis, ends))
    stops = shapely.get_coordinates(shapely.line_interpolate_point(axis, ends + length))
    for a, b in zip(starts, stops, strict=True):
        scene.strokes.append((np.array([a, b]), (188, 187, 182), width))


def corridors(layout: Layout, scene: Scene, rng: np.random.Generator) -> None:
    """Paint banks, water, rails, motorway and bridges over the blocks' edges, in that order."""
    R = float(np.sqrt(layout.outline.area / np.pi))
    core = shapely.Point(0, 0).buffer(0.36 * R)
    scene.area(layout.bank.difference(core), (104, 112, 70), GRASS, late=True)
    scene.area(layout.bank.intersection(core), (158, 152, 142), PAVING, late=True)
    scene.area(layout.water.buffer(1.2), (116, 110, 96), PLAIN, late=True)
    for part in polygons(layout.water):
        scene.late_ground.append((np.asarray(part.exterior.coords), (62, 80, 82), WATER))
    for part in polygons(layout.bank.intersection(layout.extent)):
        for x, y in scatter(part, 13, rng):
            if not core.contains(shapely.Point(x, y)) or rng.random() < 0.25:
                scene.tree(x, y, rng.uniform(1.8, 4.5), rng.random())
    for street in layout.streets:
        if street.kind in ("main", "ring"):
            wet = street.axis.intersection(layout.water.buffer(12).union(layout.bank))
            for line in getattr(wet, "geoms", [wet]):
                if line.geom_type == "LineString" and line.length > 4:
                    deck = line.buffer(street.width / 2 + 0.5, cap_style="flat")
                    scene.area(deck, (166, 162, 154), PAVING, late=True)
                    scene.area(
                        line.buffer(street.width / 2 - 2.2, cap_style="square"),
                        (106, 105, 104),
                        ASPHALT,
                        late=True,
                    )
                    shadow = affinity.translate(deck, -2.0, 3.6).intersection(layout.water)
                    scene.shade.extend(np.asarray(p.exterior.coords) for p in polygons(shadow))
    rail = next(s for s in layout.streets if s.kind == "rail")
    scene.area(layout.rail, (124, 122, 92), GRASS, late=True)
    scene.area(rail.axis.buffer(7.2), (138, 128, 116), SOIL, late=True)
    for gauge in (-4.2, 0.0, 4.2):
        for line in _offset(rail.axis, gauge):
            scene.strokes.append((line, (88, 80, 74), 2.6))
        for side in (-0.72, 0.72):
            for line in _offset(rail.axis, gauge + side):
                scene.strokes.append((line, (168, 164, 160), 0.5))
    fast = next(s for s in layout.streets if s.kind == "motorway")
    scene.area(layout.motorway, (110, 118, 74), GRASS, late=True)
    for side in (-8.0, 8.0):
        for line in _offset(fast.axis, side):
            road = LineString(line)
            scene.area(road.buffer(6.2), (112, 111, 110), ASPHALT, late=True)
            for edge in (-4.6, 4.6):
                scene.strokes.extend((p, (186, 185, 180), 0.4) for p in _offset(road, edge))
            _dashes(road, scene, 13, 4.0, 0.4)
            for s in np.arange(0, road.length - 10, 30):
                if rng.random() < 0.5:
                    a, b = road.interpolate(s), road.interpolate(s + 4)
                    along = np.array([b.x - a.x, b.y - a.y]) / 4
                    scene.car(
                        np.array([a.x, a.y]) + np.array([-along[1], along[0]]) * rng.choice([-1.8, 1.8]),
                        along / max(float(np.hypot(*along)), 1e-6),
                        rng,
                    )
    for x, y in scatter_any(
        layout.motorway.difference(fast.axis.buffer(16)).intersection(layout.extent), 13, rng
    ):
        scene.tree(x, y, rng.uniform(1.5, 4), rng.random())


def street_life(layout: Layout, scene: Scene, rng: np.random.Generator) -> None:
    """Paint lane marks, park cars at the kerb, plant avenues."""
    wet = layout.water.buffer(4)
    shapely.prepare(wet)
    closed = shapely.union_all([layout.rail, layout.motorway]).buffer(1)
    shapely.prepare(closed)
    near = layout.extent
    for street in layout.streets:
        if street.kind in ("rail", "motorway", "lane") or not street.axis.intersects(near):
            continue
        dry = street.axis.difference(wet).difference(closed)
        for axis in getattr(dry, "geoms", [dry]):
            if axis.geom_type != "LineString" or axis.length < 20:
                continue
            if street.width >= 11:
                _dashes(axis, scene, 11, 3.5, 0.35)
            half = street.width / 2
            trees_here = rng.random() < 0.45 and axis.distance(shapely.Point(0, 0)) > 500
            for side in (-1, 1):
                kerb = side * (half - (3.2 if street.kind in ("main", "ring") else 2.0))
                n = int((axis.length - 12) / 5.4)
                spots = np.cumsum(rng.uniform(5.4, 7.5, max(n, 0))) + rng.uniform(0, 14)
                spots = spots[spots < axis.length - 6]
                parked = rng.random(len(spots)) < rng.uniform(0.12, 0.6)
                a = shapely.get_coordinates(shapely.line_interpolate_point(axis, spots))
                along = shapely.get_coordinates(shapely.line_interpolate_point(axis, spots + 1.0)) - a
                along /= np.maximum(np.hypot(*along.T), 1e-9)[:, None]
                left = np.stack([-along[:, 1], along[:, 0]], 1)
                for i in np.flatnonzero(parked):
                    scene.car(a[i] + kerb * left[i], along[i], rng)
                shady = (
                    0.75
                    if street.width >= 19
                    else 0.22
                    if street.width <= 12 and axis.length > 90 and trees_here
                    else 0.0
                )
                if shady:
                    for i in np.flatnonzero(~parked & (rng.random(len(spots)) < shady)):
                        x, y = a[i] + side * (half - 0.6) * left[i]
                        scene.tree(x, y, rng.uniform(2.0, 3.2), rng.uniform(0.2, 0.8))
