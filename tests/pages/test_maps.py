"""Bitmaps and Deck: every cell at its place, north up, imputed cells hatched, quintiles paired."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import zlib

import duckdb
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from data.store import cell_queries, queries
from pages.shared import cluster_layer, district_layer, land_use_layer, layers, maps, palette
from pages.shared.rasters import (
    Raster,
    as_data_url,
    colour_bitmap,
    hatch_lines,
    lines_as_data_url,
    numbers_as_data_url,
    packed,
    paired,
)

# Three cells: south-west, north-east of it, and far east; (x, y) lower-left corners.
X, Y = np.array([1000, 1200, 1600]), np.array([2000, 2200, 2000])
RASTER = Raster.around(X, Y, 200)
TABLE = palette.rgb_table(["#FF0000", "#00FF00", "#0000FF"])


def test_pixels_are_cells_and_north_is_up() -> None:
    assert (RASTER.width, RASTER.height, RASTER.west, RASTER.north) == (4, 2, 1000, 2400)
    numbers, colours = colour_bitmap(RASTER, X, Y, [0, 1, -1], TABLE, (9, 9, 9))
    picture = colours[numbers]
    assert picture.shape == (2, 4, 4)
    assert picture[1, 0].tolist() == [255, 0, 0, 255]  # the southern row is the lower one
    assert picture[0, 1].tolist() == [0, 255, 0, 255]
    assert picture[1, 3].tolist() == [9, 9, 9, 255]  # a cell without value has the colour of none
    assert (picture[..., 3] > 0).sum() == 3  # no cell, nothing drawn
    numbers, colours = colour_bitmap(RASTER, X, Y, [0, 1, -1], TABLE, (9, 9, 9), [False, True, True], 40)
    assert colours[numbers][..., 3].tolist() == [[0, 40, 0, 0], [255, 0, 0, 40]]
    assert np.array_equal(colours[numbers][..., :3], picture[..., :3])
    assert np.array_equal(_picture_of(numbers_as_data_url(numbers, colours)), colours[numbers])


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=1, max_size=40, unique=True))
def test_every_cell_finds_its_own_pixel(corners: list[tuple[int, int]]) -> None:
    x, y = np.array(corners).T * 200
    raster = Raster.around(x, y, 200)
    row, column = raster.pixel(x, y)
    assert len(set(zip(row.tolist(), column.tolist(), strict=True))) == len(corners)
    assert row.min() == column.min() == 0
    assert row.max() < raster.height
    assert column.max() < raster.width
    # back from the pixel to the corner, as the component does on a click
    assert np.array_equal(raster.west + column * 200, x)
    assert np.array_equal(raster.north - (row + 1) * 200, y)


def test_only_imputed_cells_are_hatched() -> None:
    lines = hatch_lines(RASTER, X, Y, [False, True, False], pixels=8)
    assert lines.shape == (16, 32)
    drawn = lines.reshape(2, 8, 4, 8).any(axis=(1, 3))
    assert drawn.tolist() == [[False, True, False, False], [False, False, False, False]]
    cell = lines[0:8, 8:16]
    assert 0 < cell.mean() < 0.5  # lines, not a filled square
    assert np.array_equal(
        cell, np.roll(cell, (1, -1), axis=(0, 1))
    )  # they rise to the right and join across cells
    picture = _picture_of(lines_as_data_url(lines, (1, 2, 3)))
    assert np.array_equal(picture[..., 3], np.where(lines, 255, 0))
    assert (picture[lines] == (1, 2, 3, 255)).all()


def test_hatch_of_a_wide_city_stays_within_a_texture() -> None:
    raster = Raster(0, 0, 200, 700, 500)
    assert max(hatch_lines(raster, np.array([0]), np.array([-200]), [True]).shape) <= 4096


def test_hover_knows_each_cell_at_its_place() -> None:
    hover = maps.hover_of(RASTER, _cells(), np.array([2, -1, 0], np.int8))
    content = zlib.decompress(base64.b64decode(hover["planes"]))
    flags, census, predicted, further = np.frombuffer(content, np.uint8).reshape(4, 2, 4)
    assert (hover["width"], hover["height"], hover["x0"], hover["y0"]) == (4, 2, 1000, 2400)
    assert flags.tolist() == [[0, 3, 0, 0], [1, 0, 0, 1]]  # the second cell is imputed
    assert census.tolist() == [[0, 10, 0, 0], [1, 0, 0, 0]]
    assert predicted.tolist() == [[0, 9, 0, 0], [10, 0, 0, 4]]
    assert further.tolist() == [[0, 0, 0, 0], [3, 0, 0, 1]]
    assert packed([flags, census, predicted, further]) == hover["planes"]


def test_hover_knows_the_district_of_each_cell() -> None:
    cells = _cells()
    district = pd.Series(pd.Categorical(["b", "a", None], categories=["a", "b"]))
    found = district_layer.of_cells(RASTER, cells["x"], cells["y"], district, {"a": "Anse", "b": "Bourg"})
    assert found.names == ["Anse", "Bourg"] and found.numbers.tolist() == [[0, 1, 0, 0], [2, 0, 0, 0]]
    many = dataclasses.replace(found, numbers=found.numbers * 300)
    hover = maps.hover_of(RASTER, cells, districts=many)
    content = zlib.decompress(base64.b64decode(hover["planes"]))
    further, low, high = np.frombuffer(content, np.uint8).reshape(6, 2, 4)[3:].astype(int)
    assert not further.any() and (low + 256 * high).tolist() == [[0, 300, 0, 0], [600, 0, 0, 0]]


@given(arrays(np.uint16, st.tuples(st.integers(1, 6), st.integers(1, 7)), elements=st.integers(0, 3)))
def test_borders_are_the_edges_between_districts(numbers: np.ndarray) -> None:
    height, width = numbers.shape
    drawn = set()
    for column, row, to_column, to_row in district_layer.borders(numbers).tolist():
        assert (column == to_column) != (row == to_row)
        for step in range(to_column - column + to_row - row):
            edge = (column, row + step, "|") if column == to_column else (column + step, row, "-")
            assert edge not in drawn
            drawn.add(edge)
    known = set()
    for row in range(height):
        for column in range(width):
            here = numbers[row, column]
            if here and column and numbers[row, column - 1] not in (0, here):
                known.add((column, row, "|"))
            if here and row and numbers[row - 1, column] not in (0, here):
                known.add((column, row, "-"))
    assert drawn == known


def _picture_of(url: str) -> np.ndarray:
    content = base64.b64decode(url.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"))


def test_data_url_keeps_every_pixel() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 4), dtype=np.uint8)
    assert as_data_url(picture).startswith("data:image/png;base64,")
    assert np.array_equal(_picture_of(as_data_url(picture)), picture)


def test_quintiles_pair_deciles() -> None:
    assert paired(np.arange(1, 11), 10).tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    with pytest.raises(ValueError, match="ten classes, not 5"):
        paired([1], 5)


def test_what_reaches_beyond_the_cells_is_in_sight() -> None:
    raster = Raster(west=0, north=400, size=200, width=3, height=2)  # centre (300, 200)
    assert maps._extent(raster, None) == [600, 400]
    assert maps._extent(raster, (-50, 100, 500, 380)) == [700, 400]
    assert maps._extent(raster, (100, -100, 400, 450)) == [600, 600]


def test_land_use_lies_where_its_polygons_lie(rows: duckdb.DuckDBPyConnection) -> None:
    cells = queries.city_cells(rows, "ker-bihan")
    raster = Raster.around(cells["x"], cells["y"], 200)
    url, classes = land_use_layer.land_use_map(rows, "ker-bihan", raster)
    drawn = _picture_of(url)
    per_metre = drawn.shape[1] / (raster.width * 200)
    polygons = cell_queries.land_use_polygons(rows, "ker-bihan")
    shapes = shapely.from_wkb([bytes(wkb) for wkb in polygons["geometry"]])
    seen = 0
    for shape, colour in zip(shapes, polygons["colour"], strict=True):
        # well inside one polygon, and in no other: there a pixel has its colour
        middle = shapely.maximum_inscribed_circle(shape)
        centre, radius = shapely.get_point(middle, 0), shapely.length(middle)
        column, row = int((centre.x - raster.west) * per_metre), int((raster.north - centre.y) * per_metre)
        alone = sum(shapely.contains(shapes, centre)) == 1
        if alone and radius > 20 and 0 <= row < drawn.shape[0] and 0 <= column < drawn.shape[1]:
            assert tuple(drawn[row, column]) == (*palette.rgb(colour), 255)
            seen += 1
    assert seen > 10 and {code for code, _, _ in classes} == set(polygons["code"])


def _cells() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "x": X,
            "y": Y,
            "class": pd.array([1, 10, None], dtype="Int64"),
            "predicted": pd.array([10, 9, 4], dtype="Int64"),
            "imputed": [False, True, False],
            "entropy": [0.2, 0.8, 0.5],
            "fold": pd.array([0, 2, None], dtype="Int64"),
        }
    )


@pytest.mark.parametrize(
    ("name", "quintiles", "steps", "n_colours"),
    [
        ("census", False, [0, 9, -1], 10),
        ("census", True, [0, 4, -1], 5),
        ("predicted", False, [9, 8, 3], 10),
        ("predicted", True, [4, 4, 1], 5),
        ("difference", False, [8, 3, -1], 9),  # +9 is shown as +4, -1 one below the middle
        ("difference", True, [8, 4, -1], 9),
        ("uncertainty", False, [0, 6, 3], 7),
        ("fold", False, [0, 2, -1], 3),
    ],
)
def test_layers_cut_values_into_steps(name: str, quintiles: bool, steps: list[int], n_colours: int) -> None:
    drawn = layers.layer(name, _cells(), 10, quintiles)
    assert drawn.steps.tolist() == steps
    assert len(drawn.colours) == n_colours


def test_clusters_are_named_by_the_cell_and_its_neighbours() -> None:
    cells = pd.DataFrame({"x": [400, 0, 200, 400, 0, 200, 400], "y": [0, 0, 0, -200, 200, 200, 200]})
    cells = cells.sort_values(["y", "x"], ignore_index=True)
    moran = cells[1:].assign(
        residual=[-3.0, 3.0, -1.2, -1.2, 1.2, 1.2],
        around=[-2.0, 2.0, -0.5, 0.5, -0.5, 0.5],
        q_value=[0.9, 0.05, 0.01, 0.01, 0.049, 0.01],
    )
    kinds = cluster_layer.steps(cells, moran)
    assert [None if k < 0 else cluster_layer.KINDS[k] for k in kinds] == [
        None,
        "not significant",
        "not significant",
        "too poor among too poor",
        "too poor among too rich",
        "too rich among too poor",
        "too rich among too rich",
    ]
    said = cluster_layer.sentence(kinds)
    assert said.startswith("4 of 6 cells stand out beyond chance: 1 predicted too rich among cells predicted")
    drawn = cluster_layer.layer(kinds)
    assert drawn.colours[3] == palette.diverging(9)[8] and drawn.steps.tolist() == kinds.tolist()


def test_deck_is_in_metres_from_the_centre() -> None:
    outline = shapely.to_wkb(shapely.box(1000, 2000, 1800, 2400))
    deck = maps.deck_of(RASTER, [maps.Picture("left", "cells", "data:,x")], outline, (1200, 2200))
    drawn = {layer["id"]: layer for layer in json.loads(json.dumps(deck))}
    assert list(drawn) == ["left-cells", "both-outline", "both-selected-casing", "both-selected"]
    assert drawn["left-cells"]["bounds"] == [-400, -200, 400, 200]
    assert drawn["left-cells"]["image"] == "data:,x"
    square = np.array(drawn["both-selected"]["data"][0]["path"])
    assert square.min(axis=0).tolist() == [-200, 0]
    assert square.max(axis=0).tolist() == [0, 200]
    lines = np.array([[line["from"], line["to"]] for line in drawn["both-outline"]["data"]])
    assert lines.shape == (4, 2, 2)
    assert lines.min(axis=(0, 1)).tolist() == [-400, -200]
    assert lines.max(axis=(0, 1)).tolist() == [400, 200]
    assert (lines[:-1, 1] == lines[1:, 0]).all() and (lines[-1, 1] == lines[0, 0]).all()


def test_north_arrow_leans_west_of_the_central_meridian() -> None:
    # EPSG:3035 is centred on 10 degrees east; convergence = (lon - 10) sin(lat of the sphere's cone), here
    # some 11 degrees
    assert maps.north_angle(3_200_000, 2_900_000, "EPSG:3035") == pytest.approx(11.5, abs=0.3)
    assert maps.north_angle(5_400_000, 2_900_000, "EPSG:3035") < -8
