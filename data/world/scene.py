"""What stands in a city: polygons, roofs, shadows, crowns and marks, in metres, before anything is drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np
from shapely.geometry.base import BaseGeometry

from data.world.geometry import Points, polygons, rectangle
from data.world.plan import SUN, SUN_HEIGHT

Colour = tuple[float, ...]
# Textures: the index that `render` turns into noise of its own kind.
PLAIN, ASPHALT, GRASS, SOIL, ROOF, WATER, PAVING, CROP, FOREST, METAL = range(10)

TILE_ROOFS: list[Colour] = [
    (164, 106, 80),
    (152, 96, 74),
    (174, 122, 94),
    (140, 92, 74),
    (158, 114, 92),
    (146, 104, 86),
]
SLATE_ROOFS: list[Colour] = [(92, 96, 104), (104, 107, 113), (84, 88, 97), (112, 112, 114), (98, 94, 94)]
FLAT_ROOFS: list[Colour] = [
    (150, 148, 143),
    (172, 170, 164),
    (122, 120, 117),
    (136, 130, 124),
    (184, 182, 178),
]
METAL_ROOFS: list[Colour] = [
    (188, 190, 190),
    (166, 172, 176),
    (146, 152, 160),
    (196, 190, 178),
    (124, 130, 136),
    (158, 150, 142),
]
CAR_COLOURS: list[Colour] = [
    (226, 226, 224),
    (218, 218, 216),
    (206, 207, 208),
    (164, 166, 168),
    (128, 130, 134),
    (84, 86, 92),
    (58, 60, 66),
    (72, 82, 106),
    (142, 62, 54),
    (146, 138, 124),
]

_LIGHT = np.array([SUN[0] * math.cos(SUN_HEIGHT), SUN[1] * math.cos(SUN_HEIGHT), math.sin(SUN_HEIGHT)])
_CAST = -np.array(SUN) / math.tan(SUN_HEIGHT)  # shadow on the ground of one metre of height


@dataclass
class Scene:
    """The city's drawing lists, in the order in which they are painted."""

    ground: list[tuple[Points, Colour, int]] = field(default_factory=list)
    late_ground: list[tuple[Points, Colour, int]] = field(
        default_factory=list
    )  # above the blocks: rail, water
    marks: list[tuple[Points, Colour]] = field(default_factory=list)
    strokes: list[tuple[Points, Colour, float]] = field(default_factory=list)  # lines with a width in metres
    furrows: list[tuple[Points, float, float, float]] = field(
        default_factory=list
    )  # ring, angle, period, depth
    forests: list[Points] = field(default_factory=list)
    shade: list[Points] = field(default_factory=list)
    roofs: list[tuple[Points, Colour, int]] = field(default_factory=list)
    details: list[tuple[Points, Colour]] = field(default_factory=list)
    crowns: list[tuple[float, float, float, float]] = field(default_factory=list)  # x, y, radius, tone 0..1

    def area(self, shape: BaseGeometry, colour: Colour, texture: int, late: bool = False) -> None:
        """Paint the polygons of a geometry on the ground; holes open only by what is painted later."""
        target = self.late_ground if late else self.ground
        for part in polygons(shape):
            target.append((np.asarray(part.exterior.coords), colour, texture))

    def mark(self, points: Points, colour: Colour) -> None:
        """Paint a polygon that lies flat on the ground and takes shadows (cars, stalls, lines)."""
        self.marks.append((points, colour))

    def stroke(self, points: Points, colour: Colour, width: float) -> None:
        """Paint a line of a width in metres on the ground."""
        self.strokes.append((points, colour, width))

    def cast(self, points: Points, height: float) -> None:
        """Cast the shadow of an upright body of that height: the hull of its foot and its shifted foot."""
        both = np.concatenate([points, points + height * _CAST]).astype(np.float32)
        self.shade.append(cv2.convexHull(both)[:, 0].astype(np.float64))

    def car(self, at: Points, along: Points, rng: np.random.Generator) -> None:
        """Park a car: body, dark windscreen band and a small shadow."""
        colour = CAR_COLOURS[int(rng.integers(len(CAR_COLOURS)))]
        body = rectangle(at, along, rng.uniform(3.9, 4.7), 1.85)
        self.shade.append(body + 0.55 * _CAST)
        self.marks.append((body, colour))
        self.marks.append((rectangle(at - 0.25 * along, along, 1.9, 1.5), tuple([0.68 * c for c in colour])))

    def tree(self, x: float, y: float, radius: float, tone: float) -> None:
        """Plant a tree; its shadow is an ellipse on the ground."""
        self.crowns.append((x, y, radius, tone))


def lit(colour: Colour, facing: Points, pitch: float) -> Colour:
    """Return the colour of a roof facet that faces `facing` (horizontal unit vector), pitch in radians."""
    across = float(facing[0] * _LIGHT[0] + facing[1] * _LIGHT[1]) * math.sin(pitch)
    light = 0.42 + 0.72 * max(0.0, across + math.cos(pitch) * float(_LIGHT[2]))
    return tuple(min(255.0, c * light) for c in colour)


def _outward(a: Points, b: Points, inner: Points) -> Points:
    dx, dy = float(b[0] - a[0]), float(b[1] - a[1])
    length = max(math.hypot(dx, dy), 1e-9)
    sign = 1.0 if dy * float(a[0] - inner[0]) - dx * float(a[1] - inner[1]) > 0 else -1.0
    return np.array([sign * dy / length, -sign * dx / length])


def pitched(
    scene: Scene, box: Points, height: float, colour: Colour, pitch: float = 0.62, hip: float = 0.0
) -> None:
    """Put a gable roof (hip 0) or hip roof (hip up to 1) on a box (4, 2), its ridge along the first side."""
    p0, p1, p2, p3 = box
    m0, m1 = (p3 + p0) / 2, (p1 + p2) / 2
    middle = (m0 + m1) / 2
    span = math.dist(p1, p2)
    ridge = m1 - m0
    long_side = math.dist(m0, m1)
    inset = min(hip * span / 2, 0.48 * long_side) / max(long_side, 1e-9)
    r0, r1 = m0 + inset * ridge, m1 - inset * ridge
    scene.cast(box, height + 0.18 * span)
    front, back = _outward(p0, p1, middle), _outward(p2, p3, middle)
    scene.roofs.append((np.array([p0, p1, r1, r0]), lit(colour, front, pitch), ROOF))
    scene.roofs.append((np.array([p2, p3, r0, r1]), lit(colour, back, pitch), ROOF))
    if inset > 0:
        scene.roofs.append((np.array([p1, p2, r1]), lit(colour, _outward(p1, p2, middle), pitch), ROOF))
        scene.roofs.append((np.array([p3, p0, r0]), lit(colour, _outward(p3, p0, middle), pitch), ROOF))


def flat_roof(
    scene: Scene,
    box: Points,
    height: float,
    colour: Colour,
    rng: np.random.Generator,
    texture: int = ROOF,
    boxes: int = 0,
) -> None:
    """Put a flat roof with a parapet on a convex polygon (n, 2), and some plant boxes."""
    scene.cast(box, height)
    middle = box.mean(0)
    scene.roofs.append((box, tuple(min(255.0, 1.12 * c) for c in colour), texture))
    reach = np.hypot(*(box - middle).T).mean()
    scene.roofs.append((middle + (box - middle) * max(0.5, 1 - 0.9 / max(reach, 2)), colour, texture))
    along = (box[1] - box[0]) / max(float(np.hypot(*(box[1] - box[0]))), 1e-9)
    for _ in range(boxes):
        t = rng.uniform(0.2, 0.8, 2)
        at = box[0] + t[0] * (box[1] - box[0]) + t[1] * (box[3] - box[0])
        tone = rng.uniform(0.6, 1.25)
        scene.details.append((rectangle(at + 1.2 * _CAST, along, 2.6, 2.0), tuple(0.55 * c for c in colour)))
        scene.details.append((rectangle(at, along, 2.4, 1.8), tuple(min(240.0, tone * c) for c in colour)))
