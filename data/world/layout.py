"""Streets and blocks: main roads, river, railway and motorway cut the town into districts, these into blocks.

Everything is planned straight (`flat` coordinates) and then bent once (`geometry.Bend`), so that streets
curve together with what stands along them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import shapely
from shapely.geometry import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

from data.world.geometry import Bend, Points, cut, frame, polygons, wavy_line
from data.world.plan import CityPlan
from data.world.styles import RINGS, STYLES


@dataclass
class Street:
    """A street's axis (bent, metres), its width and what kind it is."""

    axis: LineString
    width: float
    kind: str  # main, ring, street, lane, rail, motorway


@dataclass
class Block:
    """Land between streets: one kind of use, drawn from the plan's own random numbers."""

    flat: Polygon
    shape: Polygon
    kind: str
    style: str
    rho: float  # distance from the centre over the radius
    number: int


@dataclass
class Layout:
    """The whole plan of a city in metres from its centre, Lambert-93 axes."""

    bend: Bend
    outline: Polygon
    extent: Polygon  # the outline and a margin: what is drawn
    blocks: list[Block] = field(default_factory=list)
    streets: list[Street] = field(default_factory=list)
    districts: list[tuple[Polygon, str]] = field(default_factory=list)  # shape, base material
    water: BaseGeometry = field(default_factory=Polygon)
    bank: BaseGeometry = field(default_factory=Polygon)
    rail: BaseGeometry = field(default_factory=Polygon)
    motorway: BaseGeometry = field(default_factory=Polygon)


def _pick(weights: dict[str, float], rng: np.random.Generator) -> str:
    names = list(weights)
    share = np.array([weights[n] for n in names])
    return names[int(rng.choice(len(names), p=share / share.sum()))]


def _outline(plan: CityPlan, rng: np.random.Generator) -> Polygon:
    angle = np.linspace(0, 2 * np.pi, 240, endpoint=False)
    radius = np.full(angle.size, plan.radius)
    for harmonic in (2, 3, 4, 5):
        swing = rng.normal(0, 0.11 / harmonic)
        radius += plan.radius * swing * np.cos(harmonic * angle + rng.uniform(0, 2 * np.pi))
    # The same area whatever the lobes, so that the number of cells hardly varies with the seed.
    radius *= plan.radius / np.sqrt((radius**2).mean())
    return Polygon(np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1))


def _direction(angle: float) -> Points:
    return np.array([np.cos(angle), np.sin(angle)])


def _through(
    plan: CityPlan, angle: float, offset: float, rng: np.random.Generator, sway: float
) -> LineString:
    """Return a swaying line across the whole city at `offset` metres to the left of the centre."""
    far, along = 1.7 * plan.radius, _direction(angle)
    side = offset * np.array([-along[1], along[0]])
    return wavy_line(side - far * along, side + far * along, rng, sway, 60)


def _main_roads(plan: CityPlan, rng: np.random.Generator) -> list[tuple[LineString, float, str]]:
    """Return boulevards, radials, forks and rings as flat lines with width and kind."""
    roads: list[tuple[LineString, float, str]] = []
    R, n = plan.radius, plan.n_radials
    spokes = 2 * np.pi * (np.arange(n) + rng.uniform(-0.27, 0.27, n)) / n + rng.uniform(0, 6)
    for i, angle in enumerate(spokes):
        start = _direction(angle + rng.normal(0, 0.5)) * (0.0 if i % 3 == 0 else 0.14 * R)
        end = _direction(angle + rng.normal(0, 0.13)) * 1.75 * R
        roads.append((wavy_line(start, end, rng, 0.045 * R, 40), 17.0 if i % 2 else 21.0, "main"))
        middle = _direction(angle) * rng.uniform(0.42, 0.62) * R
        if rng.random() < 0.75:
            target = _direction(angle + np.pi / n + rng.normal(0, 0.1)) * 1.75 * R
            roads.append((wavy_line(middle, target, rng, 0.05 * R, 30), 13.0, "main"))
    for share, width in ((0.145, 22.0), (0.36, 20.0), (0.68, 14.0)):
        angle = np.linspace(0, 2 * np.pi, 90)
        radius = (
            share
            * R
            * (
                1
                + 0.10 * np.sin(2 * angle + rng.uniform(0, 6))
                + 0.06 * np.sin(3 * angle + rng.uniform(0, 6))
            )
        )
        ring = LineString(np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1))
        roads.append((ring, width, "ring" if width > 15 else "main"))
    return roads


def _districts(
    face: Polygon, largest: float, rng: np.random.Generator, roads: list[tuple[LineString, float, str]]
) -> list[Polygon]:
    """Split a face between main roads by collector streets until every part is a district."""
    done, todo = [], [face]
    while todo:
        part = todo.pop()
        if part.area < largest * rng.uniform(0.7, 1.5):
            done.append(part)
            continue
        centre, along, _, _ = frame(part)
        across = np.array([-along[1], along[0]])
        turn = rng.normal(0, 0.22)
        direction = np.array(
            [
                np.cos(turn) * across[0] - np.sin(turn) * across[1],
                np.sin(turn) * across[0] + np.cos(turn) * across[1],
            ]
        )
        pieces, axis = cut(part, centre + rng.normal(0, 25, 2), direction, 12.0)
        if len(pieces) < 2:
            done.append(part)
            continue
        roads.extend((a, 12.0, "street") for a in _lines(axis))
        todo.extend(p for p in pieces if p.area > 900)
    return done


def _lines(geometry: BaseGeometry) -> list[LineString]:
    parts = getattr(geometry, "geoms", [geometry])
    return [p for p in parts if isinstance(p, LineString) and p.length > 12]


def _blocks(
    district: Polygon, style: str, rng: np.random.Generator
) -> tuple[list[Polygon], list[tuple[LineString, float]]]:
    """Cut a district into blocks; T-junctions and unequal blocks come from cutting one piece at a time."""
    rule = STYLES[style]
    longest, widest = rule["size"]
    blocks: list[Polygon] = []
    axes: list[tuple[LineString, float]] = []
    todo = [(district, 0)]
    while todo:
        part, level = todo.pop()
        centre, along, long_side, short_side = frame(part)
        wide = widest * rng.uniform(0.85, 1.35)
        length = longest * rng.uniform(0.65, 1.4)
        if level > 9 or (long_side <= length and short_side <= wide) or part.area < 0.4 * wide * wide:
            blocks.append(part)
            continue
        # Too wide and already short: cut lengthwise; else across.
        lengthwise = short_side > wide and (long_side < 1.25 * short_side or long_side <= length)
        crook = rng.normal(0, rule["crook"])
        base = along if lengthwise else np.array([-along[1], along[0]])
        direction = np.array(
            [
                base[0] * np.cos(crook) - base[1] * np.sin(crook),
                base[0] * np.sin(crook) + base[1] * np.cos(crook),
            ]
        )
        span = short_side if lengthwise else long_side
        shift = np.array([-direction[1], direction[0]]) * span * rng.uniform(-0.11, 0.11)
        width = rule["streets"][min(level, 2)]
        pieces, axis = cut(part, centre + shift, direction, width)
        if len(pieces) < 2:
            blocks.append(part)
            continue
        axes.extend((a, width) for a in _lines(axis))
        todo.extend((p, level + 1) for p in pieces if p.area > 250)
    return blocks, axes


def lay_out(plan: CityPlan, rng: np.random.Generator) -> Layout:
    """Plan a city: every number from `rng`, so that the same generator state gives the same city."""
    R = plan.radius
    bend = Bend(rng, plan.bend * min(1.0, R / 2200))
    outline = _outline(plan, rng)
    layout = Layout(bend, outline, outline.buffer(150))
    roads = _main_roads(plan, rng)
    river = _through(plan, plan.river_angle, rng.uniform(0.16, 0.24) * R, rng, 0.10 * R)
    rail = _through(
        plan, plan.river_angle + rng.uniform(0.5, 1.1), -rng.uniform(0.26, 0.34) * R, rng, 0.03 * R
    )
    fast = _through(
        plan, plan.river_angle + rng.uniform(1.5, 2.2), rng.uniform(0.60, 0.70) * R, rng, 0.05 * R
    )
    water = shapely.buffer(river, plan.river_width / 2)
    sea = Polygon()
    if plan.coast:
        shore = _through(plan, plan.river_angle + 1.5 * np.pi + 0.1, -0.86 * R, rng, 0.05 * R)
        sea = shapely.buffer(shore, -1.2 * R, single_sided=True)
        water = water.union(sea)
    inside = Point(0, 0).buffer(1.45 * R)
    roads = [(a, w, k) for axis, w, k in roads for a in _lines(axis.difference(sea))]
    rail, fast = (max(_lines(a.difference(sea)), key=lambda part: part.length) for a in (rail, fast))
    lines = [a for a, _, _ in roads] + [rail, fast, river, LineString(inside.exterior.coords)]
    if plan.coast:
        land = max(polygons(outline.difference(bend.shape(sea.buffer(-60)))), key=lambda part: part.area)
        layout.outline, layout.extent = land, land.buffer(150)
    faces = [
        f
        for f in shapely.get_parts(shapely.polygonize([shapely.union_all(lines)]))
        if f.centroid.within(inside)
    ]
    corridors = shapely.union_all(
        [a.buffer(w / 2, cap_style="flat") for a, w, _ in roads]
        + [rail.buffer(13), fast.buffer(25), water.buffer(11)]
    )
    near = outline.buffer(150 + bend.reach)
    number = 0
    for face in faces:
        for land in polygons(face.difference(corridors), 900):
            if not land.intersects(near):
                continue
            largest = 40_000 + 110_000 * min(1.0, float(np.hypot(*land.centroid.coords[0])) / (0.7 * R))
            for district in _districts(land, min(largest, 0.05 * R * R), rng, roads):
                style = _style(plan, district, rng, sea, rail, fast)
                pieces, axes = _blocks(district, style, rng)
                layout.districts.extend((p, STYLES[style]["base"]) for p in polygons(bend.shape(district)))
                kind = "lane" if STYLES[style]["base"] == "verge" else "street"
                layout.streets.extend(Street(bend.shape(a), w, kind) for a, w in axes)
                for piece in pieces:
                    number += 1
                    use = _pick(STYLES[style]["kinds"], rng)
                    block = _block(piece, use, style, bend, R, number)
                    if block.shape.intersects(layout.extent):
                        layout.blocks.append(block)
    _bend_corridors(layout, roads, rail, fast, water, bend)
    return layout


def _style(
    plan: CityPlan,
    district: Polygon,
    rng: np.random.Generator,
    sea: BaseGeometry,
    rail: LineString,
    fast: LineString,
) -> str:
    rho = float(np.hypot(*district.centroid.coords[0])) / plan.radius
    style = _pick(next(chances for limit, chances in RINGS if rho < limit), rng)
    draw = rng.random()
    if not sea.is_empty and district.distance(sea) < 60 and draw < 0.45:
        return "port"
    if 0.30 < rho < 0.95 and min(district.distance(rail), district.distance(fast)) < 40 and draw < 0.22:
        return "works"
    return style


def _block(piece: Polygon, use: str, style: str, bend: Bend, R: float, number: int) -> Block:
    short_side = frame(piece)[3]
    rho = float(np.hypot(*piece.centroid.coords[0])) / R
    if piece.area < 900 or short_side < 16:
        use = "square" if rho < 0.3 else "green"
    elif use in ("sport", "slabs", "retail", "school", "farm") and (short_side < 45 or piece.area < 4000):
        use = {"slabs": "terrace", "retail": "hall", "farm": "pasture"}.get(use, "park")
    shape = max(polygons(bend.shape(piece)), key=lambda part: part.area)
    return Block(piece, shape, use, style, rho, number)


def _bend_corridors(
    layout: Layout, roads: list, rail: LineString, fast: LineString, water: BaseGeometry, bend: Bend
) -> None:
    """Bend the lines that cut the city, and take bridges out of the water."""
    dry = [(LineString(), 0.0, "none")]
    for axis, width, kind in roads:
        layout.streets.append(Street(bend.shape(axis), width, kind))
        dry.append((axis, width, kind))
    layout.streets.append(Street(bend.shape(rail), 16.0, "rail"))
    layout.streets.append(Street(bend.shape(fast), 30.0, "motorway"))
    bridges = shapely.union_all([a.buffer(w / 2, cap_style="flat") for a, w, k in dry if w and k != "street"])
    motorway = fast.buffer(24)
    track = rail.buffer(12).difference(motorway)
    crossings = shapely.union_all([bridges, fast.buffer(15), rail.buffer(8)])
    layout.water = bend.shape(water.difference(crossings))
    layout.bank = bend.shape(water.buffer(14).difference(water))
    layout.rail = bend.shape(track.difference(water.difference(crossings)).difference(bridges))
    layout.motorway = bend.shape(motorway.difference(water.difference(crossings)))
