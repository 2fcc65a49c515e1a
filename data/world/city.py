"""One city from its plan: fill the blocks, lay rails and roads, and say which land is used how."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry import Polygon, box

from data.world import country, fronts, leisure, lots, works
from data.world.corridors import corridors, road_surface, street_life
from data.world.geometry import polygons, rectangle
from data.world.ground import scatter
from data.world.layout import Block, Layout, lay_out
from data.world.plan import CityPlan
from data.world.scene import ASPHALT, GRASS, PAVING, Scene

CODE_OF_KIND = {
    "terrace": "11210",
    "slabs": "11210",
    "houses": "11220",
    "villas": "11230",
    "estate": "11240",
    "hall": "12100",
    "retail": "12100",
    "school": "12100",
    "port": "12300",
    "park": "14100",
    "cemetery": "14100",
    "sport": "14200",
    "allotment": "14200",
    "forest": "31000",
    "field": "21000",
    "pasture": "23000",
    "farm": "23000",
    "orchard": "22000",
    "wasteland": "13400",
    "construction": "13300",
}
LOT_WIDTH = {"houses": 19.0, "villas": 31.0, "estate": 62.0, "terrace": 7.6}
_ROAD_SQUARE = 600.0  # Urban Atlas keeps a town's streets in pieces; ours are cut on this grid


@dataclass
class City:
    """A generated city before income: what is drawn, who lives where, and how the land is used."""

    plan: CityPlan
    layout: Layout
    scene: Scene
    built: lots.Built
    land_use: list[tuple[str, Polygon]]  # code, shape in metres from the centre (Lambert-93 axes)


def _rng(seed: int, *names: int) -> np.random.Generator:
    return np.random.default_rng([seed, *names])


def code_of(block: Block, draw: float) -> str | None:
    """Return a block's Urban Atlas code; None for squares, which belong to the streets."""
    if block.kind == "perimeter":
        return "11100" if block.style == "core" or draw < 0.78 else "11210"
    if block.kind == "green":
        return "14100" if block.shape.area > 1500 else None
    return CODE_OF_KIND.get(block.kind)


def build_city(plan: CityPlan, seed: int, index: int) -> City:
    """Build a city: every block has its own generator, so one block's change never moves another's chance."""
    layout = lay_out(plan, _rng(seed, index, 1))
    scene, built = Scene(), lots.Built()
    for shape, base in layout.districts:
        ground = ((106, 105, 103), ASPHALT) if base == "asphalt" else ((112, 118, 78), GRASS)
        scene.area(shape.buffer(7), *ground)
    for street in layout.streets:
        road_surface(street, scene)
    land_use: list[tuple[str, Polygon]] = []
    for block in layout.blocks:
        rng = _rng(seed, index, 2, block.number)
        code = code_of(block, rng.random())
        _fill(block, code or "", layout, scene, built, plan, rng)
        if code is None:
            continue
        shape = block.shape if block.shape.is_valid else shapely.make_valid(block.shape)
        if block.kind == "farm":
            yard = _farmyard(block)
            land_use.extend(("11300", p) for p in polygons(shapely.intersection(shape, yard), 400))
            shape = shapely.difference(shape, yard)
        land_use.extend((code, p) for p in polygons(shape, 300))
    corridors(layout, scene, _rng(seed, index, 3))
    street_life(layout, scene, _rng(seed, index, 4))
    land_use = _complete(land_use, layout, _rng(seed, index, 5))
    return City(plan, layout, scene, built, land_use)


def _farmyard(block: Block) -> Polygon:
    point = block.shape.representative_point()
    _, along, _, short_side = lots.frame(block.shape)
    return Polygon(rectangle(np.array([point.x, point.y]), along, 66, min(58, 0.95 * short_side)))


def _fill(
    block: Block,
    code: str,
    layout: Layout,
    scene: Scene,
    built: lots.Built,
    plan: CityPlan,
    rng: np.random.Generator,
) -> None:
    kind = block.kind
    urban = block.style not in ("rural", "forest", "villas", "leisure")
    if urban:
        scene.area(block.shape.buffer(1.6, join_style="mitre"), (142, 139, 133), PAVING)
    slate = float(np.clip(plan.slate + rng.normal(0, 0.18), 0.03, 0.97))
    if kind == "perimeter":
        fronts.perimeter(block, code, scene, built, slate, rng)
    elif kind in ("houses", "villas", "estate"):
        grand = {"houses": 1.0, "villas": 1.25, "estate": 1.7}[kind]
        scene.area(block.shape, (108, 118, 76), GRASS)
        for plot in lots.plots(block, layout.bend, LOT_WIDTH[kind] * rng.uniform(0.85, 1.15), rng):
            lots.detached(plot, code, scene, built, slate, rng, grand)
    elif kind == "terrace":
        scene.area(block.shape, (122, 122, 92), GRASS)
        colour = lots.roof_colour(slate, rng)
        for plot in lots.plots(block, layout.bend, LOT_WIDTH[kind], rng, single_row=24):
            lots.terrace(plot, code, scene, built, slate, colour, rng)
    elif kind == "slabs":
        works.slabs(block, scene, built, code, rng)
    elif kind in ("hall", "retail"):
        works.hall(block, scene, built, code, rng, kind == "retail")
    elif kind == "school":
        leisure.school(block, scene, slate, rng)
    elif kind == "sport":
        leisure.sport(block, scene, rng)
    elif kind in ("park", "green", "cemetery"):
        leisure.park(block, scene, rng)
    elif kind == "allotment":
        country.strips(block, scene, rng)
    elif kind in ("field", "orchard", "pasture"):
        country.field(block, scene, rng, kind == "pasture")
        if kind == "orchard":
            _orchard(block, scene, rng)
    elif kind == "farm":
        country.farm(block, scene, built, slate, rng)
    elif kind == "forest":
        scene.area(block.shape, (64, 76, 46), GRASS)
        scene.forests.extend(np.asarray(p.exterior.coords) for p in polygons(block.shape.buffer(-2)))
        edge = block.shape.exterior
        for s in np.arange(0, edge.length, 6.0):
            p = edge.interpolate(s + rng.normal(0, 2))
            scene.tree(
                p.x + rng.normal(0, 1.5),
                p.y + rng.normal(0, 1.5),
                rng.uniform(2, 4.5),
                rng.uniform(-0.3, 0.6),
            )
    elif kind == "port":
        works.port(block, scene, rng)
    elif kind in ("wasteland", "construction"):
        country.rough(block, scene, rng, kind == "construction")
    else:
        scene.area(block.shape, (158, 150, 138), PAVING)
        for x, y in scatter(block.shape.buffer(-3), 14, rng):
            scene.tree(x, y, rng.uniform(1.8, 3.2), rng.random())


def _orchard(block: Block, scene: Scene, rng: np.random.Generator) -> None:
    centre, along, long_side, short_side = lots.frame(block.shape)
    across = np.array([-along[1], along[0]])
    inner = block.shape.buffer(-5)
    shapely.prepare(inner)
    for i in np.arange(-long_side / 2, long_side / 2, 5.0):
        for j in np.arange(-short_side / 2, short_side / 2, 6.5):
            x, y = centre + along * i + across * j + rng.normal(0, 0.3, 2)
            if shapely.contains_xy(inner, x, y):
                scene.tree(x, y, rng.uniform(1.3, 2.1), rng.random())


def _complete(
    blocks: list[tuple[str, Polygon]], layout: Layout, rng: np.random.Generator
) -> list[tuple[str, Polygon]]:
    """Clip to the outline, add water, rail, motorway and the streets between; leave a little unmapped."""
    outline = layout.outline
    shapely.prepare(outline)
    taken = shapely.union_all([layout.water, layout.rail, layout.motorway])
    shapely.prepare(taken)
    parts: list[tuple[str, Polygon]] = []
    for code, shape in blocks:
        if taken.intersects(shape):
            shape = shapely.difference(shape, taken)
        if not outline.contains(shape):
            shape = shapely.intersection(shape, outline)
        parts.extend((code, p) for p in polygons(shape, 250))
    motorway = shapely.intersection(layout.motorway, outline)
    rail = shapely.intersection(layout.rail.difference(layout.motorway), outline)
    water = shapely.intersection(layout.water.difference(motorway).difference(rail), outline)
    for code, shape in (("12210", motorway), ("12230", rail), ("50000", water)):
        parts.extend((code, p) for p in polygons(shape, 100))
    shapes = np.array([p for _, p in parts], dtype=object)
    tree = shapely.STRtree(shapes)
    x0, y0, x1, y1 = outline.bounds
    for x in np.arange(x0, x1, _ROAD_SQUARE):
        for y in np.arange(y0, y1, _ROAD_SQUARE):
            square = shapely.intersection(box(x, y, x + _ROAD_SQUARE, y + _ROAD_SQUARE), outline)
            if square.is_empty:
                continue
            rest = shapely.difference(square, shapely.union_all(shapes[tree.query(square)]))
            parts.extend(("12220", p) for p in polygons(rest, 60))
    # One or two in a hundred blocks are left unmapped, as at the edges of the real layers.
    keep = rng.random(len(parts)) > 0.012
    return [p for p, k in zip(parts, keep, strict=True) if k or p[0] in ("12210", "12230", "50000", "12220")]
