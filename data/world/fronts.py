"""Old blocks: tall houses wall to wall along the streets, and the life of the yards behind them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from shapely.geometry.base import BaseGeometry

from data.world.geometry import Points, frame, polygons, rectangle, signed_area, turned
from data.world.layout import Block
from data.world.lots import Built, Site, lawn, roof_colour
from data.world.scene import ASPHALT, FLAT_ROOFS, GRASS, PAVING, Scene, flat_roof, pitched


def perimeter(
    block: Block, code: str, scene: Scene, built: Built, slate: float, rng: np.random.Generator
) -> None:
    """Line a block's streets with tall houses wall to wall; wings, sheds, trees and cars live in the yard."""
    shape = block.shape.simplify(1.2)
    scene.area(shape, (134, 130, 122), PAVING)
    deep = rng.uniform(9.5, 12.5)
    while deep > 7 and shape.buffer(-deep).area < 0.10 * shape.area:
        deep -= 1.0
    ring = np.asarray(shape.exterior.coords)
    yard = shape.buffer(-deep - 0.5)
    if not yard.is_empty and yard.area > 150:
        green = rng.random()
        scene.area(
            yard, (108, 118, 78) if green < 0.45 else (152, 144, 130), GRASS if green < 0.45 else PAVING
        )
        _yard(yard, scene, rng, slate)
    turn = np.sign(signed_area(ring[:-1]))
    block_slate = float(np.clip(slate + rng.normal(0, 0.3), 0.02, 0.98))
    floors = rng.choice([3, 4, 4, 5]) if block.rho < 0.2 else rng.choice([2, 3, 3, 4])
    for a, b in pairwise(ring):
        length = float(np.hypot(*(b - a)))
        if length < 5:
            continue
        along = (b - a) / length
        inward = np.array([-along[1], along[0]]) * turn
        n = max(1, round(length / rng.uniform(9, 14)))
        cuts = np.linspace(0, length, n + 1)
        cuts[1:-1] += rng.normal(0, 1.2, n - 1)
        for s0, s1 in pairwise(cuts):
            if rng.random() < 0.04:
                continue  # a gap: a carriage entrance or a lost house
            d = deep + rng.normal(0, 0.7)
            box = np.array(
                [a + s0 * along, a + s1 * along, a + s1 * along + d * inward, a + s0 * along + d * inward]
            )
            height = max(4.0, 3.0 * (floors + rng.choice([-1, 0, 0, 0, 1])))
            if rng.random() < 0.12:
                flat_roof(
                    scene, box, height, FLAT_ROOFS[int(rng.integers(5))], rng, boxes=int(rng.integers(0, 3))
                )
            else:
                pitched(scene, box, height, roof_colour(block_slate, rng), pitch=0.66)
            middle = box.mean(0)
            _roof_life(box, scene, rng)
            if s1 - s0 > 6:
                spot = middle + inward * d * 0.22 * rng.choice([-1, 1])
                built.sites.append(Site(spot[0], spot[1], along, "roof", code))
            built.dwellings.append((middle[0], middle[1], (s1 - s0) * d * height / 3.0 / 95.0 * 0.75, True))
            if rng.random() < 0.33 and yard.area > 500:
                back = 0.5 * (box[2] + box[3]) + inward * 4.0
                wing = rectangle(back + along * rng.uniform(-1, 1), inward, 8.0, min(5.5, s1 - s0))
                pitched(scene, wing, height * 0.55, roof_colour(block_slate, rng))


def _roof_life(box: Points, scene: Scene, rng: np.random.Generator) -> None:
    """Add chimneys and small dormers, a metre or two across."""
    for _ in range(int(rng.integers(0, 3))):
        t = rng.uniform(0.12, 0.88, 2)
        p = box[0] + t[0] * (box[1] - box[0]) + t[1] * (box[3] - box[0])
        along = (box[1] - box[0]) / max(float(np.hypot(*(box[1] - box[0]))), 1e-9)
        tone = rng.choice([70.0, 96.0, 150.0])
        scene.details.append((rectangle(p, along, 1.5, 1.1), (tone, tone * 0.95, tone * 0.92)))


def _yard(yard: BaseGeometry, scene: Scene, rng: np.random.Generator, slate: float) -> None:
    for part in polygons(yard, 120):
        centre, along, long_side, short_side = frame(part)
        n = int(part.area / 190) + 1
        for _ in range(min(n, 14)):
            p = (
                centre
                + along * rng.uniform(-0.42, 0.42) * long_side
                + np.array([-along[1], along[0]]) * rng.uniform(-0.4, 0.4) * short_side
            )
            draw = rng.random()
            if draw < 0.42:
                scene.tree(p[0], p[1], rng.uniform(1.6, 4.0), rng.random())
            elif draw < 0.62:
                hut = rectangle(p, along, rng.uniform(3, 6.5), rng.uniform(2.5, 4.5))
                if rng.random() < 0.5:
                    pitched(scene, hut, 2.6, roof_colour(slate, rng))
                else:
                    flat_roof(scene, hut, 2.6, FLAT_ROOFS[int(rng.integers(5))], rng)
            elif draw < 0.80:
                scene.car(p, turned(along, rng.choice([0.0, np.pi / 2]) + rng.normal(0, 0.05)), rng)
            else:
                patch = rectangle(p, along, rng.uniform(5, 12), rng.uniform(4, 8))
                scene.ground.append(
                    (patch, lawn(rng), GRASS) if rng.random() < 0.6 else (patch, (120, 118, 114), ASPHALT)
                )
