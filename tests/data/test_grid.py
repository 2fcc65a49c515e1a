from __future__ import annotations

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from data.grid import (
    EUROPE,
    LAEA,
    Grid,
    cell_id_crs,
    format_cell_id,
    format_cell_ids,
    grid_for,
    grid_for_bounds,
    parse_cell_id,
    parse_cell_ids,
)

corner = st.integers(-50_000, 50_000).map(lambda n: n * 200)


@given(corner, corner, st.sampled_from(["EPSG:3035", "EPSG:32614", "EPSG:2975"]))
def test_cell_id_round_trip(x, y, crs):
    cell_id = format_cell_id(x, y, crs)
    assert parse_cell_id(cell_id) == (x, y)
    assert cell_id_crs(cell_id) == crs
    assert format_cell_ids([x], [y], crs).tolist() == [cell_id]
    parsed = parse_cell_ids([cell_id]).iloc[0]
    assert (parsed.x, parsed.y, f"EPSG:{parsed.epsg}") == (x, y, crs)


def test_cell_id_puts_north_before_east():
    assert parse_cell_id("CRS3035RES200mN2029800E4253000") == (4253000, 2029800)


@pytest.mark.parametrize("text", ["", "CRS3035RES200mE4253000N2029800", "CRS3035RES200mN20E4x", "x"])
def test_what_is_no_cell_id(text):
    with pytest.raises(ValueError, match="not a cell id"):
        parse_cell_id(text)
    assert parse_cell_ids([text]).isna().all(axis=None)


def test_whole_cells_and_cells_by_centre():
    grid = Grid(LAEA)
    outline = shapely.box(
        90, -10, 650, 310
    )  # whole: 200-400, 400-600 in one row; centres at 100..500 and 100, 300
    assert grid.cells_within(outline)[["x", "y"]].to_numpy().tolist() == [[200, 0], [400, 0]]
    by_centre = grid.cells_within(outline, whole=False)
    assert by_centre[["x", "y"]].to_numpy().tolist() == [[x, y] for y in (0, 200) for x in (0, 200, 400)]


def test_rounding_does_not_lose_a_whole_cell():
    assert len(Grid().cells_within(shapely.box(1e-9, 0, 200, 200 - 1e-7))) == 1
    assert len(Grid().cells_within(shapely.box(0.01, 0, 200, 200))) == 0


def test_hole_removes_cells():
    ring = shapely.difference(shapely.box(0, 0, 600, 600), shapely.box(250, 250, 350, 350))
    assert len(Grid().cells_within(ring)) == 8
    assert len(Grid().cells_within(ring, whole=False)) == 8


def test_empty_outline():
    assert len(Grid().cells_within(shapely.Polygon())) == 0


# metres: a subnormal number over 200 is 0, and says nothing of the grid
@given(st.floats(-1e6, 1e6, allow_subnormal=False), st.floats(-1e6, 1e6, allow_subnormal=False))
def test_cell_of_holds_its_point(x, y):
    left, bottom = Grid().cell_of(x, y)
    assert left <= x < left + 200
    assert bottom <= y < bottom + 200
    assert left % 200 == 0 == bottom % 200


def test_europe_is_the_area_of_use_of_laea():
    assert np.allclose(pyproj.CRS(LAEA).area_of_use.bounds, EUROPE)


@given(st.floats(-179.9, 179.9), st.floats(-79, 83))
def test_local_zone_is_the_one_whose_meridian_is_near(lon, lat):
    grid = grid_for(lon, lat)
    if grid.crs == LAEA:
        return
    meridian = {p.name: p.value for p in pyproj.CRS(grid.crs).coordinate_operation.params}
    assert abs(meridian["Longitude of natural origin"] - lon) <= 3 + 1e-9
    assert (meridian["False northing"] == 0) == (lat >= 0)


def test_grid_for_places():
    assert grid_for(-157.86, 21.31).crs == "EPSG:32604"  # Honolulu
    assert grid_for(180.0, -17).crs == "EPSG:32701"  # the antimeridian itself
    assert grid_for(0, 89).crs == "EPSG:32661"
    assert grid_for_bounds((2679062, 1247700, 2679500, 1248000), "EPSG:2056").crs == LAEA
    with pytest.raises(ValueError, match="not a place"):
        grid_for(float("inf"), 0)


def test_grid_refuses_what_has_no_code():
    with pytest.raises(ValueError, match="EPSG"):
        Grid("PROJ:foo")
