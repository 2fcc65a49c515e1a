"""Works halls, stores, quays and estates of flats."""

from __future__ import annotations

import numpy as np
import shapely
from shapely.geometry import LineString, Point, Polygon

from data.world.geometry import Points, frame, rectangle, turned
from data.world.ground import car_park, scatter, scatter_any
from data.world.layout import Block
from data.world.lots import Built, Site
from data.world.scene import ASPHALT, FLAT_ROOFS, GRASS, METAL, METAL_ROOFS, PAVING, Scene, flat_roof, pitched


def hall(
    block: Block, scene: Scene, built: Built, code: str, rng: np.random.Generator, retail: bool = False
) -> None:
    """Set works halls or stores: roof lights, yards with lorries; before a store a full car park."""
    scene.area(block.shape, (124, 122, 118), ASPHALT)
    centre, along, long_side, short_side = frame(block.shape)
    across = np.array([-along[1], along[0]])
    inner = block.shape.buffer(-5)
    verge = block.shape.difference(block.shape.buffer(-4))
    if rng.random() < 0.6:
        scene.area(verge, (114, 122, 80), GRASS)
        scene.area(block.shape.buffer(-4), (124, 122, 118), ASPHALT)
        for x, y in scatter(verge, 16, rng):
            scene.tree(x, y, rng.uniform(1.5, 3.2), rng.random())
    share = rng.uniform(0.34, 0.5) if retail else rng.uniform(0.45, 0.75)
    halls: list[Polygon] = []
    n = max(1, int(long_side // rng.uniform(60, 110)))
    for i in range(n):
        span = long_side / n
        middle = (
            centre
            + along * ((i + 0.5) * span - long_side / 2)
            + across * short_side * rng.uniform(0.08, 0.16) * rng.choice([-1, 1])
        )
        length, deep = span * rng.uniform(0.6, 0.82), short_side * share
        for _ in range(6):
            box = rectangle(middle, along, length, deep)
            if inner.contains(Polygon(box)):
                break
            length, deep = 0.86 * length, 0.86 * deep
        else:
            continue
        if length < 12 or deep < 10:
            continue
        _hall_roof(box, along, length, deep, scene, rng)
        halls.append(Polygon(box))
        if not retail and rng.random() < 0.55:
            wing = rectangle(
                middle
                + along * length * rng.uniform(-0.3, 0.3)
                + across * rng.choice([-1, 1]) * (deep / 2 + 6),
                along,
                rng.uniform(14, 30),
                14,
            )
            if inner.contains(Polygon(wing)):
                flat_roof(scene, wing, 6.0, FLAT_ROOFS[int(rng.integers(5))], rng, boxes=3)
                halls.append(Polygon(wing))
        spot = middle + along * length * rng.uniform(-0.2, 0.2)
        for k in (-0.26, 0.26):
            p = spot + along * k * length
            built.sites.append(Site(p[0], p[1], along, "works", code))
        for side in (-1, 1):
            yard = middle + across * side * (deep / 2 + 9)
            if retail and inner.contains(Polygon(rectangle(yard + across * side * 2, along, length, 17))):
                car_park(yard + across * side * 2, along, length, 17, 0.62, scene, rng)
            else:
                _lorries(yard, along, length, inner, scene, rng)
    _yard_life(inner.difference(shapely.union_all(halls).buffer(5)), along, scene, rng)


def _yard_life(free: shapely.Geometry, along: Points, scene: Scene, rng: np.random.Generator) -> None:
    """Fill a works' open ground: car parks, stacked goods, worn patches, strips of weeds."""
    if free.is_empty:
        return
    shapely.prepare(free)
    used: list[Polygon] = []
    for x, y in scatter_any(free, 21, rng):
        at, direction = np.array([x, y]), along if rng.random() < 0.7 else np.array([-along[1], along[0]])
        draw = rng.random()
        length, depth = (
            (rng.uniform(18, 44), 16.0) if draw < 0.5 else (rng.uniform(8, 22), rng.uniform(4, 11))
        )
        spot = Polygon(rectangle(at, direction, length + 2, depth + 2))
        if not free.contains(spot) or any(spot.intersects(u) for u in used):
            continue
        used.append(spot)
        if draw < 0.5:
            car_park(at, direction, length, depth, rng.uniform(0.2, 0.8), scene, rng)
        elif draw < 0.66:
            scene.ground.append((rectangle(at, direction, length, depth), (118, 122, 88), GRASS))
            scene.tree(x, y, rng.uniform(1.5, 3.5), rng.random())
        elif draw < 0.8:
            tone = rng.uniform(0.85, 1.2)
            scene.ground.append(
                (rectangle(at, direction, length, depth), (134 * tone, 130 * tone, 122 * tone), PAVING)
            )
        else:
            for i in np.arange(-length / 2 + 1.5, length / 2 - 1, rng.uniform(2.8, 4.5)):
                goods = rectangle(
                    at + direction * i,
                    np.array([-direction[1], direction[0]]),
                    depth * rng.uniform(0.5, 0.95),
                    2.4,
                )
                tone = rng.uniform(0.6, 1.25)
                scene.cast(goods, 2.2)
                scene.roofs.append(
                    (
                        goods,
                        [
                            (130 * tone, 128 * tone, 122 * tone),
                            (104 * tone, 116 * tone, 106 * tone),
                            (150 * tone, 142 * tone, 126 * tone),
                        ][int(rng.integers(3))],
                        METAL,
                    )
                )


def _hall_roof(
    box: Points, along: Points, length: float, deep: float, scene: Scene, rng: np.random.Generator
) -> None:
    colour = METAL_ROOFS[int(rng.integers(len(METAL_ROOFS)))]
    draw = rng.random()
    if draw < 0.55:
        bays = max(1, round(deep / 22))
        across = (box[3] - box[0]) / bays
        for b in range(bays):
            bay = np.array(
                [
                    box[0] + b * across,
                    box[1] + b * across,
                    box[1] + (b + 1) * across,
                    box[0] + (b + 1) * across,
                ]
            )
            pitched(scene, bay, 7.0, colour, pitch=0.16)
            scene.roofs[-2:] = [(r, c, METAL) for r, c, _ in scene.roofs[-2:]]
    else:
        flat_roof(scene, box, 8.0, colour, rng, METAL, boxes=int(rng.integers(2, 7)))
    if rng.random() < 0.6:
        n = int(length // 9)
        for i in range(n):
            p = box[0] + (box[1] - box[0]) * (i + 0.5) / n
            q = p + (box[3] - box[0])
            light = np.array([p + 0.2 * (q - p), p + 0.42 * (q - p)])
            for a, b in (light, light + 0.38 * (q - p)):
                scene.details.append(
                    (
                        np.array([a - 0.6 * along, a + 0.6 * along, b + 0.6 * along, b - 0.6 * along]),
                        tuple(min(235.0, 1.1 * c) for c in colour),
                    )
                )


def _lorries(
    at: Points, along: Points, length: float, inner: Polygon, scene: Scene, rng: np.random.Generator
) -> None:
    across = np.array([-along[1], along[0]])
    for _ in range(int(rng.integers(0, 7))):
        p = at + along * rng.uniform(-0.5, 0.5) * length + across * rng.normal(0, 3)
        if not inner.contains(Point(p)):
            continue
        if rng.random() < 0.5:
            box = rectangle(p, across, 13.0, 2.6)
            scene.cast(box, 3.4)
            tone = rng.choice([222.0, 205.0, 150.0, 110.0])
            scene.roofs.append((box, (tone, tone, tone * 0.99), METAL))
            scene.roofs.append((rectangle(p + across * 7.6, across, 2.2, 2.5), (70, 74, 86), METAL))
        else:
            scene.car(p, turned(across, rng.normal(0, 0.1)), rng)


def port(block: Block, scene: Scene, rng: np.random.Generator) -> None:
    """Lay a quay: paved ground, sheds, stacks, gantry rails."""
    scene.area(block.shape, (142, 138, 130), PAVING)
    centre, along, long_side, short_side = frame(block.shape)
    across = np.array([-along[1], along[0]])
    inner = block.shape.buffer(-6)
    shapely.prepare(inner)
    for i in np.arange(-0.4, 0.41, 0.2):
        p = centre + along * i * long_side + across * rng.uniform(-0.1, 0.1) * short_side
        box = rectangle(p, along, 0.16 * long_side, 0.4 * short_side)
        if rng.random() < 0.65 and inner.contains(Polygon(box)):
            _hall_roof(box, along, 0.16 * long_side, 0.4 * short_side, scene, rng)
    for x, y in scatter(inner, 26, rng):
        if rng.random() < 0.5:
            tone = rng.uniform(0.7, 1.15)
            box = rectangle(np.array([x, y]), along, 12, 5)
            scene.cast(box, 3)
            scene.roofs.append(
                (
                    box,
                    ((128 * tone, 122 * tone, 112 * tone), (104 * tone, 108 * tone, 112 * tone))[
                        int(rng.integers(2))
                    ],
                    METAL,
                )
            )
        else:
            scene.car(np.array([x, y]), along, rng)


def slabs(block: Block, scene: Scene, built: Built, code: str, rng: np.random.Generator) -> None:
    """Set parallel blocks of flats in common lawns with car parks between."""
    scene.area(block.shape, (112, 122, 78), GRASS)
    centre, along, long_side, short_side = frame(block.shape)
    if rng.random() < 0.5 and short_side > 70:
        along, long_side, short_side = np.array([-along[1], along[0]]), short_side, long_side
    across = np.array([-along[1], along[0]])
    safe = block.shape.buffer(-7)
    shapely.prepare(safe)
    gap = rng.uniform(34, 44)
    n = max(1, int((short_side - 24) // gap) + 1)
    roof = FLAT_ROOFS[int(rng.integers(5))]
    for i in range(n):
        middle = centre + across * ((i - (n - 1) / 2) * gap) + along * rng.normal(0, 5)
        length = min(long_side - 26, rng.uniform(44, 90))
        box = rectangle(middle, along, length, 12.5)
        if length > 22 and safe.contains(Polygon(box)):
            floors = int(rng.choice([4, 5, 6, 9]))
            flat_roof(scene, box, 2.9 * floors, roof, rng, boxes=5)
            built.dwellings.extend(
                (*(middle + along * t * length), length * 12.5 * floors / 95 * 0.85 / 4, True)
                for t in (-0.38, -0.13, 0.13, 0.38)
            )
        lot = middle + across * gap / 2
        if i < n - 1 and rng.random() < 0.75:
            park = rectangle(lot, along, min(long_side - 30, 60), 16.5)
            if long_side > 56 and safe.contains(Polygon(park)):
                car_park(lot, along, min(long_side - 30, 60), 16.5, 0.6, scene, rng)
                continue
        path = LineString([lot - along * long_side * 0.45, lot + along * long_side * 0.45]).intersection(
            block.shape
        )
        if path.geom_type == "LineString" and path.length > 20:
            scene.strokes.append((np.asarray(path.coords), (168, 158, 138), 2.2))
    for x, y in scatter(block.shape.buffer(-3), 15, rng):
        scene.tree(x, y, rng.uniform(2, 4.6), rng.random())
