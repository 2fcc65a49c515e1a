"""Lots: blocks cut to plots, and houses, terraces and street fronts set on them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from data.world.geometry import (
    Bend,
    Points,
    clip_half_plane,
    frame,
    rectangle,
    ring_area,
    signed_area,
    turned,
)
from data.world.layout import Block
from data.world.scene import (
    FLAT_ROOFS,
    GRASS,
    PAVING,
    SLATE_ROOFS,
    SOIL,
    TILE_ROOFS,
    Colour,
    Scene,
    flat_roof,
    pitched,
)


@dataclass
class Site:
    """A place that may carry a cue: a garden, a roof or a works yard. Whether it does, the recipe says."""

    x: float
    y: float
    along: Points
    kind: str  # garden, roof, works
    code: str


@dataclass
class Built:
    """What filling the blocks yields beside the scene: cue sites and dwellings."""

    sites: list[Site] = field(default_factory=list)
    dwellings: list[tuple[float, float, float, bool]] = field(
        default_factory=list
    )  # x, y, households, flats?


@dataclass
class Plot:
    """One lot in bent coordinates: its ring and the frame of its street front."""

    ring: Points
    front: Points  # middle of the street side
    along: Points  # unit vector of the street side
    inward: Points  # unit vector into the lot
    width: float
    depth: float


def roof_colour(slate: float, rng: np.random.Generator) -> Colour:
    """Draw a roof's colour: slate with that probability, else tile, each roof a little its own."""
    choice = SLATE_ROOFS if rng.random() < slate else TILE_ROOFS
    base = np.array(choice[int(rng.integers(len(choice)))]) * rng.uniform(0.86, 1.12)
    return tuple(base + rng.normal(0, 3, 3))


def lawn(rng: np.random.Generator) -> Colour:
    """Draw a garden's ground colour, from watered green to summer straw."""
    dry = rng.beta(1.4, 1.8)
    green, straw = np.array([88.0, 106.0, 60.0]), np.array([142.0, 136.0, 96.0])
    return tuple((1 - dry) * green + dry * straw + rng.normal(0, 4, 3))


def plots(
    block: Block, bend: Bend, width: float, rng: np.random.Generator, single_row: float = 30.0
) -> list[Plot]:
    """Cut a block into lots about `width` metres wide, in two rows back to back where it is deep enough."""
    centre, along, long_side, short_side = frame(block.flat)
    across = np.array([-along[1], along[0]])
    ring = np.asarray(block.flat.exterior.coords)[:-1]
    rows = [(-1, 1)] if short_side < single_row else [(-1, 0), (0, 1)]
    middle = float(centre @ across) + (rng.uniform(-0.06, 0.06) * short_side if len(rows) == 2 else 0.0)
    pieces: list[Points] = []
    sides: list[tuple[int, float]] = []
    for low, high in rows:
        strip = ring
        if len(rows) == 2:
            strip = (
                clip_half_plane(ring, across, middle)
                if high == 0
                else clip_half_plane(ring, -across, -middle)
            )
        outward = across if high == 1 and (low == 0 or rng.random() < 0.5) else -across
        if len(strip) < 3:
            continue
        start = float(centre @ along) - long_side / 2
        edge = start
        # The side walls lean a little, about the block's centre: about the origin they would move away.
        tilt = turned(along, rng.normal(0, 0.03))
        lean = float(centre @ tilt - centre @ along)
        while edge < start + long_side - 0.3 * width:
            step = width * rng.uniform(0.8, 1.25)
            if edge + 1.45 * step > start + long_side:
                step = start + long_side - edge + 30
            piece = clip_half_plane(clip_half_plane(strip, -tilt, -edge - lean), tilt, edge + lean + step)
            edge += step
            if len(piece) < 3 or ring_area(piece) < 5.0 * width:
                continue
            side = _street_side(piece, outward)
            if side is not None:
                pieces.append(piece)
                sides.append(side)
    if not pieces:
        return []
    bent = np.split(bend(np.concatenate(pieces)), np.cumsum([len(p) for p in pieces])[:-1])
    return [_plot(ring, *side) for ring, side in zip(bent, sides, strict=True)]


def _street_side(piece: Points, outward: Points) -> tuple[int, float] | None:
    """Find a lot's street side, the longest edge that looks outward, and which way the ring turns."""
    best, size = -1, 3.0
    turn = 1.0 if signed_area(piece) > 0 else -1.0
    ox, oy = turn * float(outward[0]), turn * float(outward[1])
    ring = piece.tolist()
    for i, (x, y) in enumerate(ring):
        u, v = ring[i + 1 - len(ring)]
        length = math.hypot(u - x, v - y)
        if length > size and ((v - y) * ox - (u - x) * oy) / length > 0.75:
            best, size = i, length
    return None if best < 0 else (best, turn)


def _plot(ring: Points, side: int, turn: float) -> Plot:
    """Return the lot with the frame of its street side."""
    a, b = ring[side], ring[(side + 1) % len(ring)]
    width = max(math.dist(a, b), 1e-9)
    along = (b - a) / width
    inward = np.array([-along[1], along[0]]) * turn
    return Plot(ring, (a + b) / 2, along, inward, width, float(((ring - a) @ inward).max()))


def detached(
    plot: Plot,
    code: str,
    scene: Scene,
    built: Built,
    slate: float,
    rng: np.random.Generator,
    grand: float = 1.0,
) -> None:
    """Set a house in its garden: drive, terrace, hedge, trees; the back garden keeps a place for a cue."""
    ground = lawn(rng)
    scene.ground.append((plot.ring, ground, GRASS))
    f, a, d = plot.front, plot.along, plot.inward
    at = lambda s, t: f + s * a + t * d  # noqa: E731
    if plot.width < 9 or plot.depth < 15:
        for _ in range(3):
            p = at(rng.uniform(-0.3, 0.3) * plot.width, rng.uniform(0.3, 0.7) * plot.depth)
            scene.tree(p[0], p[1], rng.uniform(1.6, 3.0), rng.random())
        return
    width = min(plot.width - 4.5, rng.uniform(9, 13.5) * grand)
    deep = rng.uniform(7.8, 10.0) * min(grand, 1.25)
    setback = rng.uniform(3.5, 6.5) * (1.0 if grand < 1.2 else 2.0)
    setback = min(setback, max(1.5, plot.depth - deep - 9))
    side = rng.choice([-1.0, 1.0])
    slack = max(0.0, (plot.width - width) / 2 - 1.0)
    s0 = -side * slack * rng.uniform(0.3, 0.95)
    # Drive from the street along one side, then the house over it.
    drive = side * (plot.width / 2 - 2.0)
    tone = rng.uniform(0.85, 1.1)
    paved: Colour = (
        (146 * tone, 140 * tone, 130 * tone) if rng.random() < 0.6 else (170 * tone, 160 * tone, 138 * tone)
    )
    scene.ground.append(
        (
            np.array(
                [
                    at(drive - 1.5, -0.5),
                    at(drive + 1.5, -0.5),
                    at(drive + 1.5, setback + 5),
                    at(drive - 1.5, setback + 5),
                ]
            ),
            paved,
            PAVING,
        )
    )
    scene.ground.append(
        (
            rectangle(at(s0 + rng.uniform(-2, 2), setback + deep + 1.8), a, rng.uniform(5, 9), 3.8),
            paved,
            PAVING,
        )
    )
    if rng.random() < 0.55:
        scene.car(at(drive, rng.uniform(2.5, max(3.0, setback + 1))), d, rng)
    box = rectangle(at(s0, setback + deep / 2), a, width, deep)
    colour = roof_colour(slate, rng)
    height = rng.choice([3.2, 4.2, 5.6])
    turned_box = box if rng.random() < 0.8 else np.roll(box, -1, axis=0)
    draw = rng.random()
    if draw < 0.06:
        flat_roof(scene, box, height, FLAT_ROOFS[int(rng.integers(5))], rng)
    else:
        pitched(scene, turned_box, height, colour, hip=1.0 if draw < 0.3 else 0.0)
    if rng.random() < 0.38 * grand:
        wing = rectangle(at(s0 + rng.choice([-1, 1]) * (width / 2 - 2.6), setback + deep + 1.2), d, 6.0, 5.0)
        pitched(scene, wing, height - 0.8, colour)
    if rng.random() < 0.45 and slack > 1.0:
        garage = rectangle(at(drive, setback + 5.5), d, 5.8, 3.4)
        if rng.random() < 0.5:
            flat_roof(scene, garage, 2.5, FLAT_ROOFS[int(rng.integers(5))], rng)
        else:
            pitched(scene, garage, 2.4, colour)
    back = setback + deep
    room = plot.depth - back
    cue_side = rng.choice([-1.0, 1.0])
    cue = at(s0 * 0.2 + cue_side * 0.17 * plot.width, back + min(max(6.4, 0.42 * room), max(5.0, room - 4.5)))
    if room > 9.5:
        built.sites.append(Site(cue[0], cue[1], turned(a, rng.normal(0, 0.06)), "garden", code))
    _garden(plot, scene, rng, cue, back, room, grand)
    if rng.random() < 0.6:
        half = plot.width / 2 - 0.5
        hedge: Colour = (62, 78, 46)
        for s in (-half, half):
            if rng.random() < 0.5:
                ring = np.array(
                    [at(s - 0.6, 1), at(s + 0.6, 1), at(s + 0.6, plot.depth - 1), at(s - 0.6, plot.depth - 1)]
                )
                scene.mark(ring, hedge)
                scene.cast(ring, 1.4)
    built.dwellings.append((*at(s0, setback + deep / 2), 1.0, False))


def _garden(
    plot: Plot, scene: Scene, rng: np.random.Generator, cue: Points, back: float, room: float, grand: float
) -> None:
    at = lambda s, t: plot.front + s * plot.along + t * plot.inward  # noqa: E731
    if rng.random() < 0.22 and room > 8:
        bed = rectangle(
            at(rng.uniform(-0.25, 0.25) * plot.width, plot.depth - 4.0), plot.along, rng.uniform(4, 8), 3.6
        )
        scene.ground.append((bed, (112, 98, 72), SOIL))
        scene.furrows.append((bed, float(rng.uniform(0, 3)), 1.6, 0.16))
    if rng.random() < 0.2 and room > 9:
        hut = rectangle(
            at(rng.choice([-1, 1]) * (0.5 * plot.width - 2.2), plot.depth - 2.5), plot.along, 2.6, 2.2
        )
        pitched(scene, hut, 2.0, (112, 100, 88))
    trees = rng.poisson(2.2 * min(2.5, plot.width * plot.depth / 480) * (1.25 if grand > 1.2 else 1.0))
    for _ in range(trees):
        behind = rng.random() < 0.78
        t = rng.uniform(back + 3, max(back + 3.5, plot.depth - 1.5)) if behind else rng.uniform(1.5, 4)
        p = at(rng.uniform(-0.46, 0.46) * plot.width, t)
        radius = rng.uniform(1.2, 2.6) if rng.random() < 0.6 else rng.uniform(2.4, 4.4)
        # A cue under a crown would be unseen; the place is kept free whether or not a cue comes.
        if float(np.hypot(*(p - cue))) > radius + 5.2:
            scene.tree(p[0], p[1], radius, rng.random())


def terrace(
    plot: Plot, code: str, scene: Scene, built: Built, slate: float, colour: Colour, rng: np.random.Generator
) -> None:
    """Set a row house: the full width of its lot, a narrow garden behind."""
    scene.ground.append(
        (
            plot.ring,
            lawn(rng) if rng.random() < 0.75 else (140, 134, 124),
            GRASS if rng.random() < 0.75 else PAVING,
        )
    )
    at = lambda s, t: plot.front + s * plot.along + t * plot.inward  # noqa: E731
    if plot.depth < 11:
        return
    setback = 1.6
    deep = 9.0 + rng.normal(0, 0.3)
    box = rectangle(at(0, setback + deep / 2), plot.along, plot.width + 0.3, deep)
    tint = (
        tuple(np.array(colour) * rng.uniform(0.92, 1.08)) if rng.random() < 0.75 else roof_colour(slate, rng)
    )
    pitched(scene, box, 5.8 + rng.normal(0, 0.25), tint)
    if rng.random() < 0.6:
        s = rng.choice([-1, 1]) * max(0.0, plot.width / 2 - 1.9)
        annex = rectangle(at(s, setback + deep + 2.2), plot.along, 3.4, 5.0)
        flat_roof(scene, annex, 2.8, FLAT_ROOFS[int(rng.integers(5))], rng)
    if rng.random() < 0.5:
        p = at(rng.uniform(-0.3, 0.3) * plot.width, plot.depth - rng.uniform(2, 6))
        scene.tree(p[0], p[1], rng.uniform(1.2, 2.8), rng.random())
    if rng.random() < 0.25 and plot.depth > 22:
        hut = rectangle(at(rng.uniform(-0.2, 0.2) * plot.width, plot.depth - 2.0), plot.along, 2.8, 2.2)
        pitched(scene, hut, 2.0, (116, 106, 96))
    built.dwellings.append((*at(0, setback + deep / 2), 1.0, False))
