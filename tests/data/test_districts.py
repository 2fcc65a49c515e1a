"""Districts: read from any vector file, one a cell, faults named."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from data.districts import cells_in_districts, read_districts
from data.errors import InputError
from data.inspect import inspect

X, Y = 4_000_000, 2_800_000


def squares(ids: list, names: list, size: float = 400, crs: str | None = "EPSG:3035") -> gpd.GeoDataFrame:
    """Squares of two by two cells, side by side from the west."""
    shapes = [shapely.box(X + i * size, Y, X + (i + 1) * size, Y + size) for i in range(len(ids))]
    return gpd.GeoDataFrame({"INSEE_COM": ids, "NOM": names}, geometry=shapes, crs=crs)


def read(path: Path, **options):
    return read_districts(path, **({"id_column": "INSEE_COM", "name_column": "NOM"} | options))


def refuse(path: Path, fault: str, **options) -> InputError:
    with pytest.raises(InputError) as caught:
        read(path, **options)
    assert fault in caught.value.fault, str(caught.value)
    assert caught.value.remedy and path.name in caught.value.file
    return caught.value


@pytest.mark.parametrize("name", ["c.shp", "c.gpkg", "c.parquet"])
def test_every_format_and_another_crs(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    table = squares(["75102", "75101"], ["Bourse", "Été"]).to_crs(2154)
    table.to_parquet(path) if name.endswith("parquet") else table.to_file(path)
    found = read(path)
    assert found.polygons.district_id.tolist() == ["75101", "75102"]  # sorted
    assert found.polygons.name.tolist() == ["Été", "Bourse"]
    assert found.source_crs == "EPSG:2154"
    np.testing.assert_allclose(found.polygons.total_bounds, [X, Y, X + 800, Y + 400], atol=0.05)
    assert found.warnings == ()
    given, several = cells_in_districts(found, [X, X + 200, X + 400, X + 800], [Y, Y + 200, Y, Y])
    assert (given.tolist(), several) == (["75102", "75102", "75101", None], 0)


def test_a_cell_belongs_where_its_centre_lies(tmp_path: Path) -> None:
    path = tmp_path / "c.gpkg"
    cut = X + 301  # a metre east of the second cell's centre
    gpd.GeoDataFrame(
        {"INSEE_COM": ["w", "e"], "NOM": ["West", "East"]},
        geometry=[shapely.box(X, Y, cut, Y + 200), shapely.box(cut, Y, X + 600, Y + 200)],
        crs=3035,
    ).to_file(path)
    given, _ = cells_in_districts(read(path), [X, X + 200, X + 400], [Y, Y, Y])
    assert given.tolist() == ["w", "w", "e"]


def test_ids_as_numbers_parts_of_a_district_and_rows_without_id(tmp_path: Path) -> None:
    path = tmp_path / "c.gpkg"
    squares([1001.0, 1002.0, 1001.0, np.nan], ["A", "B", None, "D"]).to_file(path)
    found = read(path, id_column="insee_com", name_column="nom")  # case does not count
    assert found.polygons.district_id.tolist() == ["1001", "1002"]
    assert found.polygons.name.tolist() == ["A", "B"]
    assert found.polygons.geometry.area.tolist() == pytest.approx([320_000, 160_000])
    assert found.warnings == ("c.gpkg: 1 rows without an id or a polygon are left out.",)
    unnamed = read(path, name_column=None)
    assert unnamed.polygons.name.tolist() == ["1001", "1002"]


def test_overlaps_go_to_the_first_by_id_and_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "c.gpkg"
    table = squares(["b", "a"], ["B", "A"])
    table.loc[1, "geometry"] = shapely.box(X + 200, Y, X + 800, Y + 400)  # over the eastern half of b
    table.to_file(path)
    given, several = cells_in_districts(read(path), [X, X + 200, X + 400], [Y, Y, Y])
    assert (given.tolist(), several) == (["b", "a", "a"], 1)
    said = inspect(path, district_id="INSEE_COM", district_name="NOM")
    assert (said["kind"], said["usable"], said["overlap_km2"]) == ("districts", True, 0.08)
    assert "first by id" in said["warnings"][0]


def test_a_centre_on_a_border_counts_once(tmp_path: Path) -> None:
    path = tmp_path / "c.gpkg"
    squares(["a", "b"], ["A", "B"], size=100).to_file(path)  # the border runs through x + 100
    given, several = cells_in_districts(read(path), [X], [Y])
    assert (given.tolist(), several) == (["a"], 1)


def test_only_what_is_near_is_read(tmp_path: Path) -> None:
    path = tmp_path / "c.gpkg"
    squares([str(i) for i in range(9)], list("abcdefghi")).to_crs(4326).to_file(path)
    near = (X + 900.0, Y + 100.0, X + 1100.0, Y + 300.0)
    assert read(path, near=near).polygons.district_id.tolist() == ["2"]
    fault = refuse(path, "no district near", near=(X + 90_000.0, Y, X + 90_100.0, Y + 100))
    assert "CRS" in fault.remedy


def test_faults_are_named(tmp_path: Path) -> None:
    path = tmp_path / "c.gpkg"
    squares(["a", "a"], ["A", "B"]).to_file(path, layer="one")
    assert "INSEE_COM, NOM" in refuse(path, "has no column CODE", id_column="CODE").remedy
    refuse(path, "gives the id a to several districts (A, B)")
    refuse(path, "has no layer two", layer="two")
    squares(["a", "b"], ["A", "B"]).to_file(path, layer="two")
    refuse(path, "several layers with INSEE_COM (one, two)")
    assert read(path, layer="two").polygons.name.tolist() == ["A", "B"]
    bare = tmp_path / "bare.parquet"
    squares(["a"], ["A"], crs=None).to_parquet(bare)
    assert "Assign" in refuse(bare, "has no CRS").remedy
    points = tmp_path / "points.gpkg"
    table = squares(["a"], ["A"])
    table.set_geometry(table.centroid).to_file(points)
    refuse(points, "no polygon layer")
    table = tmp_path / "table.csv"
    table.write_text("INSEE_COM,NOM\na,A\n")
    refuse(table, "without polygons")
    refuse(tmp_path / "absent.gpkg", "does not exist")
    empty = tmp_path / "empty.gpkg"
    squares([None], ["A"]).to_file(empty)
    refuse(empty, "no polygon with a value of INSEE_COM")
