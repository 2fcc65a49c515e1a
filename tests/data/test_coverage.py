from __future__ import annotations

import pickle

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
import shapely.affinity
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource
from hypothesis import given, settings
from hypothesis import strategies as st

from data.coverage import LandUseIndex, coarsen, coverage
from data.landuse import polygonal

X, Y, SIZE = 4_000_000.0, 2_800_000.0, 200.0


def voronoi(seed: int, n: int = 25, n_classes: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """A seamless mosaic of polygons over and around the cell."""
    rng = np.random.default_rng(seed)
    points = shapely.MultiPoint(rng.uniform((X - 100, Y - 100), (X + 300, Y + 300), (n, 2)))
    around = shapely.box(X - 400, Y - 400, X + 600, Y + 600)
    shapes = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=around))
    return rng.integers(0, n_classes, len(shapes)).astype(str), shapely.intersection(shapes, around)


def by_clipping(codes, geometries, shape) -> dict[str, np.ndarray]:
    """Reference: every pixel's square clipped with the merged polygons of a class."""
    height, width = shape
    rows, columns = np.mgrid[:height, :width]
    dx, dy = SIZE / width, SIZE / height
    west, north = X + columns * dx, Y + SIZE - rows * dy
    pixels = shapely.box(west, north - dy, west + dx, north)
    return {
        code: shapely.area(shapely.intersection(pixels, shapely.union_all(geometries[codes == code])))
        / (dx * dy)
        for code in np.unique(codes)
    }


def compare(codes, geometries, shape, tolerance=1e-6):
    found, fractions = coverage((codes, geometries), X, Y, SIZE, shape)
    reference = by_clipping(np.asarray(codes), geometries, shape)
    assert found == sorted(code for code, share in reference.items() if share.max() > 1e-9)
    for code, share in zip(found, fractions, strict=True):
        np.testing.assert_allclose(share, reference[code], atol=tolerance)
    return found, fractions


def test_hand_drawn_pixels():
    # a triangle in a cell of 2 x 2 pixels of 100 m: lower left half, row 0 in the north
    triangle = shapely.Polygon([(X, Y), (X + 200, Y), (X, Y + 200)])
    codes, share = coverage((["a"], [triangle]), X, Y, SIZE, (2, 2))
    assert codes == ["a"]
    np.testing.assert_allclose(share[0], [[0.5, 0.0], [1.0, 0.5]], atol=1e-7)
    assert share.dtype == np.float32


def test_hole_and_island():
    ring = shapely.difference(
        shapely.box(X, Y, X + 200, Y + 200), shapely.box(X + 50, Y + 50, X + 150, Y + 150)
    )
    island = shapely.box(X + 75, Y + 75, X + 125, Y + 125)
    codes, share = coverage((["a", "b"], [ring, island]), X, Y, SIZE, (4, 4))
    assert codes == ["a", "b"]
    expected = np.ones((4, 4))
    expected[1:3, 1:3] = 0
    np.testing.assert_allclose(share[0], expected, atol=1e-7)
    expected_island = np.zeros((4, 4))
    expected_island[1:3, 1:3] = 0.25
    np.testing.assert_allclose(share[1], expected_island, atol=1e-7)


def test_thin_road_is_not_lost():
    """A road 3 m wide across pixels of 25 m: no pixel centre lies on it."""
    road = shapely.box(X - 50, Y + 30, X + 300, Y + 33)
    _, share = coverage((["12220"], [road]), X, Y, SIZE, (8, 8))
    assert share.sum() * 25 * 25 == pytest.approx(600, rel=1e-6)
    np.testing.assert_allclose(share[0, 6], 3 / 25, rtol=1e-6)
    assert share[0, :6].sum() == 0


@given(st.integers(0, 10_000), st.sampled_from([(8, 8), (5, 7), (1, 1)]))
@settings(max_examples=25, deadline=None)
def test_equals_clipping(seed, shape):
    codes, shapes = voronoi(seed)
    keep = np.random.default_rng(seed).random(len(shapes)) < 0.8  # some land unmapped
    compare(codes[keep], shapes[keep], shape)
    _, whole = compare(codes, shapes, shape)
    np.testing.assert_allclose(whole.sum(axis=0), 1, atol=1e-6)


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_equals_clipping_for_crossing_outlines(seed):
    """Jagged stars whose rings run along pixel borders and through corners, made valid."""
    rng = np.random.default_rng(seed)
    corners = rng.integers(-2, 11, (12, 2)) * 25 + (X, Y)
    star = polygonal(np.array([shapely.Polygon(corners)], dtype=object))
    if star[0].area > 0:
        compare(["a"], star, (8, 8))


@given(st.integers(0, 10_000))
@settings(max_examples=8, deadline=None)
def test_overlaps_are_split_equally(seed):
    rng = np.random.default_rng(seed)
    corner = rng.uniform((X - 50, Y - 50), (X + 150, Y + 150), (4, 2))
    side = rng.uniform(20, 150, (4, 2))
    boxes = shapely.box(*corner.T, *(corner + side).T)
    codes = np.array(["a", "b", "c", "b"])
    found, fractions = coverage((codes, boxes), X, Y, SIZE, (8, 8))
    # reference: a fine lattice of points, each giving 1 / (number of classes there) to each class
    at = (np.arange(400) + 0.5) * SIZE / 400
    px, py = np.meshgrid(X + at, Y + SIZE - at)
    inside = np.stack(
        [
            np.any([shapely.contains_xy(boxes[i], px, py) for i in np.flatnonzero(codes == code)], axis=0)
            for code in "abc"
        ]
    )
    weights = inside / np.maximum(inside.sum(axis=0), 1)
    expected = weights.reshape(3, 8, 50, 8, 50).mean(axis=(2, 4))
    for code, share in zip(found, fractions, strict=True):
        np.testing.assert_allclose(share, expected["abc".index(code)], atol=0.025)
    total = fractions.sum(axis=0)
    assert total.max(initial=0) <= 1 + 1e-6
    union = shapely.intersection(shapely.union_all(boxes), shapely.box(X, Y, X + SIZE, Y + SIZE)).area
    assert fractions.sum() * 25 * 25 == pytest.approx(union, abs=1e-2)


def test_overlap_hidden_in_a_half_mapped_pixel_is_found():
    """Two classes over the same quarter of a pixel: their sum stays below 1, yet each must get an eighth."""
    quarter = shapely.box(X, Y, X + 100, Y + 100)
    codes, share = coverage((["a", "b"], [quarter, quarter]), X, Y, SIZE, (1, 1))
    assert codes == ["a", "b"]
    np.testing.assert_allclose(share[:, 0, 0], [0.125, 0.125], atol=1e-7)


def test_same_class_twice_is_merged():
    box = shapely.box(X, Y, X + 100, Y + 200)
    codes, share = coverage((["a", "a"], [box, box]), X, Y, SIZE, (2, 2))
    np.testing.assert_allclose(share[0], [[1, 0], [1, 0]], atol=1e-7)
    assert codes == ["a"]


def test_equals_exactextract_at_128_pixels():
    codes, shapes = voronoi(3, n=40)
    shapes = shapely.segmentize(shapes, 7.3)
    found, fractions = coverage((codes, shapes), X, Y, SIZE, (128, 128))
    raster = NumPyRasterSource(
        np.zeros((128, 128)), xmin=X, ymin=Y, xmax=X + SIZE, ymax=Y + SIZE, srs_wkt=pyproj.CRS(3035).to_wkt()
    )
    merged = [shapely.union_all(shapes[codes == code]) for code in found]
    frame = gpd.GeoDataFrame({"code": found}, geometry=merged, crs=3035)
    answer = exact_extract(raster, frame, ["cell_id", "coverage"], include_cols=["code"], output="pandas")
    for code, ids, shares in zip(answer.code, answer.cell_id, answer.coverage, strict=True):
        expected = np.zeros(128 * 128)
        expected[ids] = shares
        np.testing.assert_allclose(fractions[found.index(code)].ravel(), expected, atol=1e-6)


def exact(geometry: shapely.Geometry, side: int) -> np.ndarray:
    """Coverage (side, side) of each pixel of the cell by a geometry, by exactextract."""
    raster = NumPyRasterSource(
        np.zeros((side, side)),
        xmin=X,
        ymin=Y,
        xmax=X + SIZE,
        ymax=Y + SIZE,
        srs_wkt=pyproj.CRS(3035).to_wkt(),
    )
    share = np.zeros(side * side)
    cell = shapely.box(X, Y, X + SIZE, Y + SIZE)
    if shapely.area(shapely.intersection(geometry, cell)) > 0:
        frame = gpd.GeoDataFrame(geometry=[geometry], crs=3035)
        answer = exact_extract(raster, frame, ["cell_id", "coverage"], output="pandas")
        share[answer.cell_id[0]] = answer.coverage[0]
    return share.reshape(side, side)


def ragged_town(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A mosaic with gaps, courts (holes with something else inside or nothing), slivers of 10 cm to 3 m, and
    blocks whose edges lie on the cell's border or just beyond."""
    rng = np.random.default_rng(seed)
    codes, shapes = voronoi(seed)
    kept = rng.random(len(shapes)) < 0.75
    codes, shapes = codes[kept], shapes[kept]
    court = shapely.box(*(corner := rng.uniform((X, Y), (X + 120, Y + 120))), *(corner + rng.uniform(10, 80)))
    west, width = rng.uniform(X - 5, X + 200), rng.choice([0.1, 1.0, 3.0])
    road = shapely.affinity.rotate(
        shapely.box(west, Y - 50, west + width, Y + 250), rng.choice([0, 17.3, 90]), origin=(X + 100, Y + 100)
    )
    edge = shapely.box(X + SIZE - rng.choice([0, 25]), Y + 25, X + SIZE + 50, Y + SIZE)
    beyond = shapely.box(X - 50, Y, X, Y + SIZE)  # touches the cell, covers none of it
    parts = [*shapely.difference(shapes, shapely.union_all([court, road, edge]))]
    parts += [road.difference(edge), edge.difference(court), beyond]
    parts += [court.difference(road)] * int(rng.random() < 0.5)
    named = [*codes, "road", "edge", "beyond", "court"][: len(parts)]
    keep = [shapely.area(part) > 0 for part in parts]
    return np.array(named)[keep], polygonal(np.array(parts, dtype=object)[keep])


@given(st.integers(0, 10_000), st.sampled_from([1, 8, 13]))
@settings(max_examples=30, deadline=None)
def test_equals_exactextract_with_holes_slivers_gaps_and_edges_on_the_border(seed, side):
    codes, shapes = ragged_town(seed)
    found, fractions = coverage((codes, shapes), X, Y, SIZE, (side, side))
    cell = shapely.box(X, Y, X + SIZE, Y + SIZE)
    for code in np.unique(codes):
        merged = shapely.union_all(shapes[codes == code])
        expected = exact(merged, side)
        share = fractions[found.index(code)] if code in found else np.zeros((side, side))
        np.testing.assert_allclose(share, expected, rtol=1e-3, atol=1e-6)
        area = shapely.area(shapely.intersection(merged, cell)) / SIZE**2
        assert share.sum(dtype=float) / side**2 == pytest.approx(area, rel=1e-6, abs=1e-8)


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_overlaps_equal_exactextract_of_the_parts(seed):
    """Two classes that overlap: each has what it covers alone, and half of what both do."""
    rng = np.random.default_rng(seed)
    first, second = (
        shapely.Point(rng.uniform((X, Y), (X + 200, Y + 200))).buffer(rng.uniform(20, 120), quad_segs=5)
        for _ in "ab"
    )
    found, fractions = coverage((["a", "b"], [first, second]), X, Y, SIZE, (8, 8))
    both = exact(first.intersection(second), 8) / 2
    for code, mine, other in (("a", first, second), ("b", second, first)):
        expected = exact(mine.difference(other), 8) + both
        share = fractions[found.index(code)] if code in found else np.zeros((8, 8))
        np.testing.assert_allclose(share, expected, rtol=1e-3, atol=2e-6)


def test_large_polygons_cut_for_the_index_give_the_same():
    """A comb of 4,000 vertices, like the roads of a district, over many cells."""
    teeth = np.arange(1000)
    u = X - 400 + teeth
    top = Y + np.where(teeth % 2, 350.0, -50.0)
    ring = np.concatenate([np.stack([u, top], 1), [(X + 600, Y - 200), (X - 400, Y - 200)]])
    comb = polygonal(np.array([shapely.Polygon(ring)], dtype=object))
    assert shapely.get_num_coordinates(comb[0]) > 900
    index = LandUseIndex(["a"], comb)
    assert shapely.get_num_coordinates(index.geometry).max() <= 512
    _, share = index.coverage(X, Y, SIZE, (8, 8))
    np.testing.assert_allclose(share[0], by_clipping(np.array(["a"]), comb, (8, 8))["a"], atol=1e-6)


def test_totals_are_conserved_over_cells():
    codes, shapes = voronoi(11, n=60)
    index = LandUseIndex(codes, shapes)
    area = dict.fromkeys(np.unique(codes), 0.0)
    for x in (X - 200, X, X + 200):
        for y in (Y - 200, Y, Y + 200):
            for code, share in zip(*index.coverage(x, y, SIZE, (16, 16)), strict=True):
                area[code] += float(share.sum(dtype=float)) * (SIZE / 16) ** 2
    window = shapely.box(X - 200, Y - 200, X + 400, Y + 400)
    for code, found in area.items():
        within = shapely.intersection(shapes[codes == code], window)
        assert found == pytest.approx(shapely.area(within).sum(), abs=0.01)


def test_nothing_there():
    codes, share = coverage((["a"], [shapely.box(0, 0, 1, 1)]), X, Y, SIZE, (4, 4))
    assert codes == []
    assert share.shape == (0, 4, 4)
    beside = shapely.box(X - 50, Y, X, Y + 200)  # touches the cell's edge only
    assert coverage((["a"], [beside]), X, Y, SIZE, (4, 4))[0] == []


def test_coarsen_keeps_shares():
    rng = np.random.default_rng(0)
    fine = rng.random((3, 12, 8)).astype(np.float32)
    coarse = coarsen(fine, 4)
    assert coarse.shape == (3, 3, 2)
    assert coarse[1, 0, 1] == pytest.approx(fine[1, :4, 4:].mean(), rel=1e-6)
    codes, shapes = voronoi(5)
    _, at_16 = coverage((codes, shapes), X, Y, SIZE, (16, 16))
    _, at_4 = coverage((codes, shapes), X, Y, SIZE, (4, 4))
    np.testing.assert_allclose(coarsen(at_16, 4), at_4, atol=1e-6)
    with pytest.raises(ValueError, match="do not divide"):
        coarsen(fine, 5)


def test_outlines_in_a_cell():
    codes, shapes = voronoi(7)
    index = LandUseIndex(codes, shapes)
    found, outlines = index.polygons_in(X, Y, SIZE)
    assert found == sorted(found)
    assert shapely.area(outlines).sum() == pytest.approx(SIZE * SIZE)
    same, fractions = index.coverage(X, Y, SIZE, (8, 8))
    assert same == found
    np.testing.assert_allclose(fractions.sum(axis=(1, 2)) * 625, shapely.area(outlines), rtol=1e-5)


def test_index_from_a_frame_and_in_another_process():
    codes, shapes = voronoi(9)
    frame = gpd.GeoDataFrame({"code": pd.Series(codes)}, geometry=shapes, crs=3035)
    index = pickle.loads(pickle.dumps(LandUseIndex.of(frame)))  # noqa: S301
    expected = coverage((codes, shapes), X, Y, SIZE, (8, 8))
    for answer in (index.coverage(X, Y, SIZE, (8, 8)), coverage(frame, X, Y, SIZE, (8, 8))):
        assert answer[0] == expected[0]
        np.testing.assert_array_equal(answer[1], expected[1])
