"""Fields, pastures, farms, allotments, waste ground and building sites."""

from __future__ import annotations

import numpy as np
import shapely
from shapely.geometry import Point

from data.world.geometry import frame, rectangle
from data.world.ground import scatter
from data.world.layout import Block
from data.world.lots import Built, roof_colour
from data.world.scene import CROP, GRASS, METAL_ROOFS, PAVING, SOIL, Colour, Scene, pitched

_CROPS: list[tuple[Colour, float]] = [
    ((168, 152, 104), 0.05),
    ((184, 168, 118), 0.04),
    ((136, 112, 84), 0.09),
    ((122, 100, 76), 0.10),
    ((104, 120, 62), 0.06),
    ((120, 132, 72), 0.05),
    ((146, 134, 92), 0.06),
    ((92, 112, 58), 0.05),
]


def strips(block: Block, scene: Scene, rng: np.random.Generator) -> None:
    """Lay allotments: many small beds of soil and green, with little dark huts."""
    scene.area(block.shape, (118, 124, 84), GRASS)
    centre, along, long_side, short_side = frame(block.shape)
    across = np.array([-along[1], along[0]])
    inner = block.shape.buffer(-2)
    shapely.prepare(inner)
    for i in np.arange(-long_side / 2, long_side / 2, 9.0):
        for j in np.arange(-short_side / 2, short_side / 2, 19.0):
            at = centre + along * (i + 4) + across * (j + 9)
            if not inner.contains(Point(at)):
                continue
            for k in range(4):
                tone = rng.uniform(0.8, 1.15)
                colour: Colour = [(116, 100, 74), (98, 116, 62), (128, 116, 86), (84, 104, 58)][
                    int(rng.integers(4))
                ]
                bed = rectangle(at + across * (k * 4.2 - 6), along, 7.2, 3.6)
                scene.ground.append((bed, tuple(tone * c for c in colour), SOIL))
            if rng.random() < 0.6:
                pitched(scene, rectangle(at + across * 7.5, along, 2.8, 2.2), 2.0, (104, 94, 84))
            if rng.random() < 0.35:
                p = at + rng.normal(0, 3, 2)
                scene.tree(p[0], p[1], rng.uniform(1.2, 2.4), rng.random())


def field(block: Block, scene: Scene, rng: np.random.Generator, grazed: bool = False) -> None:
    """Plough or sow a field with rows along its long side, a grass edge, hedge trees; or leave a pasture."""
    scene.area(block.shape, (108, 116, 74), GRASS)
    _, along, _, _ = frame(block.shape)
    inner = block.shape.buffer(-2.2)
    if grazed:
        tone = rng.uniform(0.92, 1.1)
        scene.area(inner, (112 * tone, 124 * tone, 76 * tone), CROP)
        for x, y in scatter(block.shape.buffer(-6), 70, rng):
            scene.tree(x, y, rng.uniform(2.4, 5), rng.random())
    else:
        colour, depth = _CROPS[int(rng.integers(len(_CROPS)))]
        scene.area(inner, colour, CROP)
        angle = float(np.arctan2(along[1], along[0]))
        if inner.geom_type == "Polygon" and not inner.is_empty:
            scene.furrows.append((np.asarray(inner.exterior.coords), angle, rng.uniform(3.2, 5.0), depth))
    line = block.shape.exterior
    if rng.random() < 0.7:
        for s in np.arange(rng.uniform(0, 20), line.length, rng.uniform(6, 16)):
            if rng.random() < 0.7:
                p = line.interpolate(s + rng.normal(0, 2))
                scene.tree(
                    p.x + rng.normal(0, 1), p.y + rng.normal(0, 1), rng.uniform(1.6, 4.0), rng.random()
                )


def farm(block: Block, scene: Scene, built: Built, slate: float, rng: np.random.Generator) -> None:
    """Set a farm in its field: house, barns and a yard round which the trees stand."""
    field(block, scene, rng, grazed=True)
    point = block.shape.representative_point()
    at = np.array([point.x, point.y])
    _, along, _, short_side = frame(block.shape)
    across = np.array([-along[1], along[0]])
    scene.ground.append((rectangle(at, along, 46, min(40, 0.7 * short_side)), (150, 138, 116), SOIL))
    pitched(scene, rectangle(at + across * 10, along, 17, 9), 5.0, roof_colour(slate, rng))
    pitched(scene, rectangle(at - along * 15 - across * 6, across, 24, 12), 6.0, (134, 128, 122), pitch=0.35)
    if rng.random() < 0.7:
        pitched(
            scene,
            rectangle(at + along * 15 - across * 8, across, 18, 10),
            5.0,
            METAL_ROOFS[int(rng.integers(6))],
            pitch=0.3,
        )
    for _ in range(9):
        p = at + rng.normal(0, 24, 2)
        scene.tree(p[0], p[1], rng.uniform(2.5, 5), rng.random())
    built.dwellings.append((*(at + across * 10), 1.3, False))


def rough(block: Block, scene: Scene, rng: np.random.Generator, building_site: bool = False) -> None:
    """Leave waste ground, or dig a building site."""
    scene.area(block.shape, (150, 132, 104) if building_site else (128, 122, 92), SOIL)
    centre, along, long_side, short_side = frame(block.shape)
    for _ in range(int(rng.integers(3, 8))):
        p = centre + rng.uniform(-0.4, 0.4, 2) * (long_side, short_side)
        if building_site:
            scene.ground.append(
                (rectangle(p, along, rng.uniform(8, 24), rng.uniform(6, 14)), (168, 158, 142), PAVING)
            )
        elif block.shape.contains(Point(p)):
            scene.tree(p[0], p[1], rng.uniform(1.5, 3.5), rng.random())
    for x, y in scatter(block.shape, 22, rng):
        if not building_site:
            scene.tree(x, y, rng.uniform(0.9, 2.4), rng.random())
