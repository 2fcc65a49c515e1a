"""Schools, sports grounds and parks."""

from __future__ import annotations

import numpy as np
import shapely
from shapely.geometry import LineString, Point, Polygon

from data.world.geometry import Points, frame, rectangle
from data.world.ground import car_park, scatter
from data.world.layout import Block
from data.world.lots import roof_colour
from data.world.scene import ASPHALT, FLAT_ROOFS, GRASS, WATER, Colour, Scene, flat_roof, pitched

_LINE: Colour = (206, 206, 200)


def school(block: Block, scene: Scene, slate: float, rng: np.random.Generator) -> None:
    """Set a school or a public building: wings round a play yard, a marked court, lawns with trees."""
    scene.area(block.shape, (116, 122, 82), GRASS)
    centre, along, long_side, short_side = frame(block.shape)
    across = np.array([-along[1], along[0]])
    inner = block.shape.buffer(-4)
    court = rectangle(centre + across * short_side * 0.12, along, 0.5 * long_side, 0.42 * short_side)
    scene.ground.append((court, (132, 128, 124), ASPHALT))
    colour = roof_colour(slate, rng)
    for p, direction, length in (
        (centre - across * short_side * 0.28, along, 0.62 * long_side),
        (centre - along * long_side * 0.33, across, 0.6 * short_side),
        (centre + along * long_side * 0.33, across, 0.5 * short_side),
    ):
        box = rectangle(p, direction, length, 11.0)
        if inner.contains(Polygon(box)) and length > 12:
            if rng.random() < 0.5:
                pitched(scene, box, 7.0, colour)
            else:
                flat_roof(scene, box, 7.0, FLAT_ROOFS[int(rng.integers(5))], rng, boxes=3)
    pitch_lines(
        centre + across * short_side * 0.14,
        along,
        min(26, 0.4 * long_side),
        min(15, 0.3 * short_side),
        (150, 92, 76),
        scene,
        ASPHALT,
    )
    for x, y in scatter(inner, 17, rng):
        if not Polygon(court).buffer(2).contains(Point(x, y)):
            scene.tree(x, y, rng.uniform(1.8, 3.8), rng.random())


def pitch_lines(
    centre: Points, along: Points, length: float, width: float, colour: Colour, scene: Scene, texture: int
) -> None:
    """Paint a playing field with its outline, halfway line and circle."""
    box = rectangle(centre, along, length, width)
    scene.ground.append(
        (rectangle(centre, along, length + 4, width + 4), tuple(0.96 * c for c in colour), texture)
    )
    scene.ground.append((box, colour, texture))
    scene.strokes.append((np.concatenate([box, box[:1]]), _LINE, 0.5))
    across = np.array([-along[1], along[0]])
    scene.strokes.append((np.array([centre - across * width / 2, centre + across * width / 2]), _LINE, 0.5))
    angle = np.linspace(0, 2 * np.pi, 25)
    scene.strokes.append((centre + 0.13 * width * np.stack([np.cos(angle), np.sin(angle)], 1), _LINE, 0.4))


def sport(block: Block, scene: Scene, rng: np.random.Generator) -> None:
    """Lay pitches, a running track where there is room, courts, a club house, a car park, a belt of trees."""
    scene.area(block.shape, (104, 122, 70), GRASS)
    centre, along, long_side, short_side = frame(block.shape)
    across = np.array([-along[1], along[0]])
    inner = block.shape.buffer(-6)
    used: list[Polygon] = []

    def place(at: Points, length: float, width: float) -> bool:
        box = Polygon(rectangle(at, along, length + 4, width + 4))
        if inner.contains(box) and not any(u.intersects(box) for u in used):
            used.append(box)
            return True
        return False

    for row in np.arange(-0.5, 0.51, 0.25):
        for column in np.arange(-0.5, 0.51, 0.125):
            at = centre + along * column * long_side + across * row * short_side
            draw = rng.random()
            if long_side > 190 and draw < 0.4 and place(at, 176, 92):
                angle = np.linspace(0, 2 * np.pi, 60)
                bow = np.sign(np.cos(angle)) * 45 * (np.abs(np.cos(angle)) > 1e-6)
                for radius, colour, texture in ((44, (158, 84, 66), ASPHALT), (34.5, (96, 124, 62), GRASS)):
                    ring = (
                        at
                        + np.outer(bow + radius * np.cos(angle), along)
                        + np.outer(radius * np.sin(angle), across)
                    )
                    scene.ground.append((ring, colour, texture))
                pitch_lines(at, along, 92, 56, (92, 126, 60), scene, GRASS)
            elif draw < 0.6 and place(at, 102, 64):
                pitch_lines(
                    at, along, 100, 62, (94, 128, 62) if rng.random() < 0.7 else (84, 112, 72), scene, GRASS
                )
            elif draw < 0.85 and place(at, 36, 18):
                pitch_lines(
                    at,
                    along,
                    32,
                    15,
                    ((162, 96, 70), (96, 128, 96), (150, 140, 130))[int(rng.integers(3))],
                    scene,
                    ASPHALT,
                )
            elif place(at, 38, 16):
                if rng.random() < 0.4:
                    flat_roof(scene, rectangle(at, along, 30, 12), 5.0, FLAT_ROOFS[int(rng.integers(5))], rng)
                else:
                    car_park(at, along, 38, 16, 0.4, scene, rng)
    free = block.shape.difference(shapely.union_all(used).buffer(3)) if used else block.shape
    for x, y in scatter(free.buffer(-2), 17, rng):
        scene.tree(x, y, rng.uniform(2, 4.5), rng.random())


def park(block: Block, scene: Scene, rng: np.random.Generator) -> None:
    """Lay lawns, winding paths, groves and, in the large ones, a pond."""
    tone = rng.uniform(0.9, 1.12)
    scene.area(block.shape, (106 * tone, 116 * tone, 74 * tone), GRASS)
    centre, along, long_side, short_side = frame(block.shape)
    across = np.array([-along[1], along[0]])
    pond = Polygon()
    if block.shape.area > 14_000 and rng.random() < 0.8:
        angle = np.linspace(0, 2 * np.pi, 40)
        radius = (
            0.19
            * short_side
            * (
                1
                + 0.25 * np.sin(2 * angle + rng.uniform(0, 6))
                + 0.15 * np.sin(3 * angle + rng.uniform(0, 6))
            )
        )
        ring = (
            centre
            + along * rng.uniform(-0.15, 0.15) * long_side
            + np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
        )
        pond = Polygon(ring)
        scene.area(pond.buffer(2.0), (128, 132, 92), GRASS)
        scene.area(pond, (66, 84, 78), WATER)
    t = np.linspace(-0.55, 0.55, 30)
    small = block.shape.area < 7000
    for k in range(2 if small else 3):
        sway = (rng.uniform(0.0, 0.03) if small else rng.uniform(0.05, 0.14)) * short_side
        curve = np.outer(t * long_side, along) + np.outer(
            sway * np.sin(2 * np.pi * t * rng.uniform(0.5, 1.1) + rng.uniform(0, 6))
            + (0.0 if small else (k - 1) * 0.2) * short_side,
            across,
        )
        path = (
            LineString(centre + turned_rows(curve, (0.9 if small else 0.25) * k + rng.normal(0, 0.2)))
            .intersection(block.shape)
            .difference(pond.buffer(4))
        )
        for line in getattr(path, "geoms", [path]):
            if line.geom_type == "LineString" and line.length > 8:
                scene.strokes.append((np.asarray(line.coords), (166, 157, 138), 2.2))
    wet = pond.buffer(3)
    for x, y in scatter(block.shape.buffer(-3), 30, rng):
        for _ in range(int(rng.integers(1, 9))):
            p = np.array([x, y]) + rng.normal(0, 8, 2)
            if block.shape.contains(Point(p)) and not wet.contains(Point(p)):
                scene.tree(p[0], p[1], rng.uniform(2.2, 5.4), rng.random())


def turned_rows(points: Points, angle: float) -> Points:
    """Turn points (n, 2) about the origin."""
    c, s = np.cos(angle), np.sin(angle)
    return points @ np.array([[c, s], [-s, c]])
