"""Exact share of every pixel of a cell that each land-use class covers.

Pixel-centre rules lose thin roads and railways (METHOD 7), so areas are exact. The sum runs over polygon
edges, as font rasterisers do: an edge adds its height to every pixel on its right and the trapezoid beside it
to its own pixel; inner rings run the other way round and subtract. All classes of a cell are done in one
NumPy pass, a few times faster than one polygon at a time, and agree with `exactextract` to rounding (tests).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from data.landuse import LandUse, polygonal

# Polygons of more vertices than this are cut into pieces when indexed: Urban Atlas joins the roads of a whole
# district into one polygon of tens of thousands of vertices, all of which every cell beside it would read.
_MOST_VERTICES = 512

# An overlap of less area than this share of a pixel is rounding of the layer's coordinates, not an overlap.
_OVERLAP_TOLERANCE = 1e-7

Region: TypeAlias = tuple[list[str], NDArray[np.object_]]


class LandUseIndex:
    """Land-use polygons prepared for the query of many cells; picklable, safe to share between threads.

    codes (n,) str and geometries (n,) valid polygons, in the CRS of the cells asked for later.
    """

    def __init__(self, codes: Sequence[str], geometries: ArrayLike) -> None:
        geometry = np.asarray(geometries, dtype=object)
        if len(codes) != len(geometry):
            raise ValueError(f"{len(codes)} codes for {len(geometry)} polygons")
        self.classes = sorted(set(map(str, codes)))
        slot_of = {code: slot for slot, code in enumerate(self.classes)}
        slots = np.array([slot_of[str(code)] for code in codes], dtype=np.int64)
        parts, part_of = shapely.get_parts(geometry, return_index=True)
        pieces, piece_of = _pieces(parts)
        self.geometry = shapely.orient_polygons(pieces)  # outer rings anticlockwise, inner rings clockwise
        self.slots = slots[part_of[piece_of]]
        self._tree = shapely.STRtree(self.geometry)

    @classmethod
    def of(cls, land_use: LandUse | gpd.GeoDataFrame) -> LandUseIndex:
        """Index of what `read_land_use` gave, or of a frame with columns code and geometry."""
        frame = land_use.polygons if isinstance(land_use, LandUse) else land_use
        return cls(frame["code"].tolist(), frame.geometry.to_numpy())

    def coverage(
        self, x: float, y: float, size: float, shape: tuple[int, int]
    ) -> tuple[list[str], NDArray[np.float32]]:
        """Share of every pixel that each class covers, in the cell with lower-left corner (x, y) and side
        `size`.

        Returns the codes present (k,), sorted, and fractions float32 (k, h, w), row 0 in the north. Polygons
        of a class are merged; where classes overlap, the area is split equally among them. The sum over k is
        at most 1; what lacks to 1 is unmapped.
        """
        found = self._tree.query(shapely.box(x, y, x + size, y + size))
        if len(found) == 0:
            return [], np.zeros((0, *shape), dtype=np.float32)
        slots, local = np.unique(self.slots[found], return_inverse=True)
        fractions = _rasterise(self.geometry[found], local, None, (x, y, size), shape, len(slots))
        total = fractions.sum(axis=0)
        whole = bool(np.all(np.abs(total - 1) <= 1e-9))
        if not whole:
            # only where every pixel is mapped exactly once is an overlap excluded without looking at the
            # polygons
            split = _split_overlaps(self.geometry[found], local, (x, y, size), shape, len(slots))
            if split is not None:
                fractions = split
                total = fractions.sum(axis=0)
        fractions = np.clip(fractions, 0, None) / np.maximum(total, 1)
        present = fractions.max(axis=(1, 2)) > 1e-9
        codes = [self.classes[slot] for slot in slots[present]]
        return codes, fractions[present].astype(np.float32)

    def polygons_in(self, x: float, y: float, size: float) -> Region:
        """Outlines inside a cell, merged by class: codes (k,), sorted, and polygons (k,) cut to the cell."""
        cell = shapely.box(x, y, x + size, y + size)
        found = self._tree.query(cell, predicate="intersects")
        merged = {}
        for slot in np.unique(self.slots[found]):
            shapes = shapely.intersection(self.geometry[found[self.slots[found] == slot]], cell)
            outline = shapely.union_all(polygonal(shapes))
            if outline.area > 0:
                merged[self.classes[slot]] = outline
        return list(merged), np.array(list(merged.values()), dtype=object)


def coverage(
    polygons: LandUseIndex | LandUse | gpd.GeoDataFrame | tuple,
    x: float,
    y: float,
    size: float,
    shape: tuple[int, int],
) -> tuple[list[str], NDArray[np.float32]]:
    """Share of every pixel of a cell that each class covers: codes (k,) and fractions float32 (k, h, w).

    `polygons`: an index (fast for many cells), a LandUse, a frame with code and geometry, or (codes,
    geometries). See `LandUseIndex.coverage`.

    >>> codes, share = coverage((["31000"], [shapely.box(0, 0, 50, 200)]), 0, 0, 200, (2, 2))
    >>> codes, share[0].tolist()
    (['31000'], [[0.5, 0.0], [0.5, 0.0]])
    """
    if isinstance(polygons, tuple):
        polygons = LandUseIndex(polygons[0], polygons[1])
    elif not isinstance(polygons, LandUseIndex):
        polygons = LandUseIndex.of(polygons)
    return polygons.coverage(x, y, size, shape)


def coarsen(fractions: NDArray, factor: int) -> NDArray:
    """Mean over blocks of factor x factor pixels: (k, h, w) -> (k, h / factor, w / factor), shares kept.

    >>> coarsen(np.array([[[1.0, 0.0], [0.0, 0.0]]]), 2).tolist()
    [[[0.25]]]
    """
    *lead, height, width = fractions.shape
    if factor < 1 or height % factor or width % factor:
        raise ValueError(f"{height} x {width} pixels do not divide into blocks of {factor}")
    blocks = fractions.reshape(*lead, height // factor, factor, width // factor, factor)
    return blocks.mean(axis=(-3, -1), dtype=np.float64).astype(fractions.dtype)


def _pieces(parts: NDArray[np.object_]) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Polygons of few vertices, and for each the index of the part it was cut from."""
    large = np.flatnonzero(shapely.get_num_coordinates(parts) > _MOST_VERTICES)
    if len(large) == 0:
        return parts, np.arange(len(parts))
    small = np.setdiff1d(np.arange(len(parts)), large)
    shapes, origin = list(parts[small]), list(small)
    for index in large:
        pending = [parts[index]]
        while pending:
            polygon = pending.pop()
            west, south, east, north = polygon.bounds
            if shapely.get_num_coordinates(polygon) <= _MOST_VERTICES or max(east - west, north - south) < 1:
                shapes.append(polygon)
                origin.append(index)
                continue
            middle_x, middle_y = (west + east) / 2, (south + north) / 2
            if east - west > north - south:
                halves = shapely.box([west, middle_x], south, [middle_x, east], north)
            else:
                halves = shapely.box(west, [south, middle_y], east, [middle_y, north])
            cut = shapely.get_parts(polygonal(np.atleast_1d(shapely.intersection(polygon, halves))))
            pending.extend(cut[~shapely.is_empty(cut)])
    pieces = np.empty(len(shapes), dtype=object)
    pieces[:] = shapes
    return pieces, np.array(origin, dtype=np.int64)


def _rasterise(
    geometry: NDArray[np.object_],
    slots: NDArray[np.int64],
    weights: NDArray[np.float64] | None,
    cell: tuple[float, float, float],
    shape: tuple[int, int],
    n_slots: int,
) -> NDArray[np.float64]:
    """Sum of weight x covered share of each pixel by slot, float64 (n_slots, h, w); needs oriented rings."""
    x, y, size = cell
    height, width = shape
    rings, polygon_of = shapely.get_rings(geometry, return_index=True)
    points, ring_of = shapely.get_coordinates(rings, return_index=True)
    column = (points[:, 0] - x) * (width / size)
    row = (y + size - points[:, 1]) * (height / size)
    same_ring = ring_of[1:] == ring_of[:-1]
    u0, u1, v0, v1 = column[:-1], column[1:], row[:-1], row[1:]
    # level edges add nothing, nor do edges above, below or to the right of the cell
    useful = same_ring & (v0 != v1) & (np.minimum(u0, u1) < width)
    useful &= (np.minimum(v0, v1) < height) & (np.maximum(v0, v1) > 0)
    u0, u1, v0, v1 = u0[useful], u1[useful], v0[useful], v1[useful]
    polygon = polygon_of[ring_of[1:][useful]]
    edge, start, stop = _cut_at_pixels(u0, u1, v0, v1, height, width)
    du, dv = (u1 - u0)[edge], (v1 - v0)[edge]
    middle = (start + stop) / 2
    r = np.floor(v0[edge] + middle * dv).astype(np.int64)
    c = np.floor(u0[edge] + middle * du).astype(np.int64)
    inside = (r >= 0) & (r < height) & (c < width)
    edge, r, c, du, dv = edge[inside], r[inside], c[inside], du[inside], dv[inside]
    start, stop, middle = start[inside], stop[inside], middle[inside]
    rise = (
        stop - start
    ) * dv  # rows count downwards: anticlockwise rings fall on their left side, so rise > 0
    if weights is not None:
        rise = rise * weights[polygon[edge]]
    # left of the cell an edge still has the whole cell on its right
    beside = np.where(c < 0, 0.0, u0[edge] + middle * du - c)
    c = np.maximum(c, 0)
    base = (slots[polygon[edge]] * height + r) * (width + 1) + c
    cells = n_slots * height * (width + 1)
    sums = (
        np.bincount(base, rise * (1 - beside), cells)
        + np.bincount(base + 1, rise * beside, cells + 1)[:cells]
    )
    return np.cumsum(sums.reshape(n_slots, height, width + 1), axis=2)[:, :, :width]


def _cut_at_pixels(
    u0: NDArray, u1: NDArray, v0: NDArray, v1: NDArray, height: int, width: int
) -> tuple[NDArray[np.int64], NDArray, NDArray]:
    """Cut edges at pixel borders: index of the edge, and the piece's start and stop along it (0 to 1)."""
    edges = np.arange(len(u0))
    keys = [2.0 * edges, 2.0 * edges + 1]
    for a, b, limit in ((u0, u1, width), (v0, v1, height)):
        low = np.clip(np.ceil(np.minimum(a, b)), 0, limit + 1).astype(np.int64)
        high = np.clip(np.floor(np.maximum(a, b)), -1, limit).astype(np.int64)
        count = np.maximum(high - low + 1, 0) * (a != b)
        edge = np.repeat(edges, count)
        step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        along = (low[edge] + step - a[edge]) / (b[edge] - a[edge])
        keys.append(2.0 * edge + np.clip(along, 0, 1))
    # one sort for all edges: edge e owns the interval [2e, 2e + 1]
    cuts = np.sort(np.concatenate(keys))
    edge = np.floor(cuts / 2).astype(np.int64)
    within = (edge[1:] == edge[:-1]) & (cuts[1:] > cuts[:-1])
    edge = edge[1:][within]
    return edge, cuts[:-1][within] - 2.0 * edge, cuts[1:][within] - 2.0 * edge


def _split_overlaps(
    geometry: NDArray[np.object_],
    slots: NDArray[np.int64],
    cell: tuple[float, float, float],
    shape: tuple[int, int],
    n_slots: int,
) -> NDArray[np.float64] | None:
    """Coverage, overlaps merged within and split equally among classes, or None where nothing overlaps."""
    x, y, size = cell
    clipped = polygonal(shapely.intersection(geometry, shapely.box(x, y, x + size, y + size)))
    kept = shapely.area(clipped) > 0
    clipped, slots = clipped[kept], slots[kept]
    tolerance = _OVERLAP_TOLERANCE * size * size / (shape[0] * shape[1])
    if shapely.area(clipped).sum() - shapely.union_all(clipped).area <= tolerance:
        return None
    present = np.unique(slots)
    merged = np.array([shapely.union_all(clipped[slots == slot]) for slot in present], dtype=object)
    # faces of the drawing that all outlines make together: inside a face the set of classes is constant
    lines = shapely.union_all(shapely.boundary(merged))
    faces = shapely.get_parts(shapely.polygonize([lines]))
    probes = shapely.point_on_surface(faces)
    face, member = np.nonzero(
        np.array([shapely.intersects(merged, probe) for probe in probes]).reshape(-1, len(merged))
    )
    share = 1.0 / np.bincount(face, minlength=len(faces))[face]
    return _rasterise(shapely.orient_polygons(faces)[face], present[member], share, cell, shape, n_slots)
