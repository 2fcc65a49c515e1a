from __future__ import annotations

import re
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from data.errors import InputError
from data.landuse import CLASSES, class_colour, class_name, level_code, read_boundary, read_land_use
from data.landuse_classes import LEVEL1_NAMES, LEVEL2_NAMES, class_table

X, Y = 4_000_000, 2_800_000


def layer(columns: dict[str, list], crs: str | None = "EPSG:3035", size: float = 100) -> gpd.GeoDataFrame:
    n = len(next(iter(columns.values())))
    squares = [shapely.box(X + i * size, Y, X + (i + 1) * size, Y + size) for i in range(n)]
    return gpd.GeoDataFrame(columns, geometry=squares, crs=crs)


def ua2012(codes: list[str]) -> gpd.GeoDataFrame:
    names = [f"item {code}" for code in codes]
    return layer({"COUNTRY": ["FR"] * len(codes), "CODE2012": codes, "ITEM2012": names})


def outline(size: float = 1000) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"FUA": ["x"]}, geometry=[shapely.box(X, Y, X + size, Y + size)], crs="EPSG:3035")


def refuse(path: Path, fault: str, **options):
    with pytest.raises(InputError) as caught:
        read_land_use(path, **options)
    assert fault in caught.value.fault, str(caught.value)
    assert caught.value.remedy
    assert path.stem in caught.value.file


def test_shapefile_of_2012_with_its_boundary(tmp_path):
    path = tmp_path / "FR001L1_PARIS_UA2012.shp"
    ua2012(["11100", "14100", "91000"]).to_file(path)
    outline().to_file(tmp_path / "FR001L1_PARIS_UA2012_Boundary.shp")
    land_use = read_land_use(path)
    assert land_use.polygons.code.tolist() == ["11100", "14100"]
    assert land_use.polygons.crs == "EPSG:3035"
    assert land_use.boundary.area == 1_000_000
    assert land_use.year == 2012
    assert land_use.names == {"11100": CLASSES["11100"].name, "14100": "Green urban areas"}
    assert "1 polygons are not classified" in land_use.warnings[0]


def test_geopackage_of_2018_with_several_layers(tmp_path):
    path = tmp_path / "FR003L2_LYON_UA2018_v013.gpkg"
    layer({"code_2018": ["12220", "50000"], "class_2018": ["a", "b"]}).to_file(
        path, layer="FR003L2_LYON_UA2018"
    )
    outline(2000).to_file(path, layer="FR003L2_LYON_UA2018_Boundary")
    outline(500).to_file(path, layer="FR003L2_LYON_UA2018_UrbanCore")
    land_use = read_land_use(path)
    assert land_use.polygons.code.tolist() == ["12220", "50000"]
    assert land_use.year == 2018
    assert land_use.boundary.area == 4_000_000
    assert read_land_use(path, boundary=shapely.box(0, 0, 1, 1)).boundary.area == 1
    refuse(path, "no polygon layer x", layer="x")


def test_upper_case_geopackage(tmp_path):
    path = tmp_path / "gpkg_EE003L1_NARVA_UA2012.gpkg"
    layer({"CODE_2012": ["31000"], "CLASS_2012": ["Forests"]}).to_file(path, layer="EE003L1_NARVA_UA2012")
    assert read_land_use(path).year == 2012


def test_change_layer_by_year(tmp_path):
    path = tmp_path / "change.gpkg"
    layer({"code_2012": ["21000", "31000"], "code_2018": ["11210", "13300"]}).to_file(path)
    latest = read_land_use(path)
    assert (latest.year, latest.polygons.code.tolist()) == (2018, ["11210", "13300"])
    assert "change layer (2012, 2018)" in latest.warnings[0]
    earlier = read_land_use(path, year=2012)
    assert (earlier.year, earlier.polygons.code.tolist()) == (2012, ["21000", "31000"])
    refuse(path, "no column code_2006", year=2006)


def test_other_polygons_with_a_class(tmp_path):
    path = tmp_path / "zones.gpkg"
    layer({"kind": ["park", "housing"], "n": [1, 2]}).to_file(path)
    refuse(path, "no column CODE2012")
    land_use = read_land_use(path, code_column="KIND")
    assert land_use.polygons.code.tolist() == ["park", "housing"]
    assert land_use.names == {"park": "park", "housing": "housing"}
    assert land_use.year is None
    refuse(path, "no column nothing", code_column="nothing")


def test_codes_stored_as_numbers(tmp_path):
    path = tmp_path / "numbers.gpkg"
    layer({"code_2018": [11100.0, 14100.0]}).to_file(path)
    assert read_land_use(path).polygons.code.tolist() == ["11100", "14100"]


def test_heights_dropped_and_rings_repaired(tmp_path):
    path = tmp_path / "broken.gpkg"
    bow_tie = shapely.Polygon([(X, Y, 5), (X + 100, Y + 100, 5), (X + 100, Y, 5), (X, Y + 100, 5)])
    solid = shapely.force_3d(shapely.box(X, Y + 200, X + 10, Y + 210), 3.0)
    frame = gpd.GeoDataFrame(
        {"code_2018": ["11100", "31000", None]}, geometry=[bow_tie, solid, solid], crs="EPSG:3035"
    )
    frame.to_file(path)
    polygons = read_land_use(path).polygons
    assert len(polygons) == 2
    assert polygons.is_valid.all()
    assert not polygons.has_z.any()
    assert polygons.area.tolist() == pytest.approx([5000, 100])


def test_reprojected_to_the_grid_asked_for(tmp_path):
    path = tmp_path / "austin.gpkg"
    frame = gpd.GeoDataFrame(
        {"code_2018": ["11100"]},
        geometry=[shapely.box(617_000, 3_344_000, 617_100, 3_344_100)],
        crs="EPSG:26914",
    )
    frame.to_file(path)
    polygons = read_land_use(path, crs="EPSG:32614").polygons
    assert polygons.crs == "EPSG:32614"
    assert polygons.total_bounds == pytest.approx([617_000, 3_344_000, 617_100, 3_344_100], abs=2)


def test_bad_layers(tmp_path):
    layer({"code_2018": ["11100"]}, crs=None).to_file(tmp_path / "no_crs.gpkg")
    refuse(tmp_path / "no_crs.gpkg", "no CRS")
    layer({"code_2018": ["11100"]}).set_crs("EPSG:4326", allow_override=True).to_file(
        tmp_path / "wrong_crs.gpkg"
    )
    refuse(tmp_path / "wrong_crs.gpkg", "cannot hold")
    layer({"code_2018": ["11100"]}).iloc[:0].to_file(tmp_path / "none.gpkg")
    refuse(tmp_path / "none.gpkg", "is empty")
    layer({"code_2018": ["91000", "92000"]}).to_file(tmp_path / "unclassified.gpkg")
    refuse(tmp_path / "unclassified.gpkg", "no polygon with a class")
    points = layer({"code_2018": ["11100"]})
    points.geometry = points.centroid
    points.to_file(tmp_path / "points.gpkg")
    refuse(tmp_path / "points.gpkg", "no polygon layer")
    two = tmp_path / "two.gpkg"
    layer({"code_2018": ["11100"]}).to_file(two, layer="a")
    layer({"code_2018": ["11100"]}).to_file(two, layer="b")
    refuse(two, "several land-use layers (a, b)")
    assert len(read_land_use(two, layer="b").polygons) == 1
    (tmp_path / "table.csv").write_text("code_2018\n11100\n")
    refuse(tmp_path / "table.csv", "without polygons")


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".dbf"])
@pytest.mark.parametrize("kept", [0.0, 0.4, 0.9])
def test_truncated_layers(tmp_path, suffix, kept):
    path = tmp_path / ("lu.gpkg" if suffix == ".gpkg" else "lu.shp")
    layer({"code_2018": ["11100"] * 500}).to_file(path)
    broken = path.with_suffix(suffix)
    broken.write_bytes(broken.read_bytes()[: int(broken.stat().st_size * kept)])
    with pytest.raises(InputError, match=r"truncated|empty"):
        read_land_use(path)


def test_boundary_file(tmp_path):
    outline(300).to_file(tmp_path / "city.gpkg")
    assert read_boundary(tmp_path / "city.gpkg").area == 90_000
    assert read_boundary(tmp_path / "city.gpkg", crs="EPSG:2154").area == pytest.approx(90_000, rel=0.01)


# ------------------------------------------------------------------------------------------------- legend


def test_legend_is_the_official_one():
    official = re.findall(
        r"\d{5}",
        "11100 11210 11220 11230 11240 11300 12100 12210 12220 12230 12300 12400 13100 13300 13400 14100 "
        "14200 21000 22000 23000 24000 25000 31000 32000 33000 40000 50000",
    )
    assert set(official) | {"20000", "30000"} == set(CLASSES)
    for code, known in CLASSES.items():
        assert known.code == code
        assert known.level1 in LEVEL1_NAMES
        assert known.level2 in LEVEL2_NAMES
        assert re.fullmatch("#[0-9A-F]{6}", known.colour)
    colours = [CLASSES[code].colour for code in official]
    assert len(set(colours)) == len(official)


def test_the_papers_merging_has_its_size():
    assert len({known.paper_class for known in CLASSES.values()}) == 19
    assert {known.paper_group for known in CLASSES.values()} == {
        "urban fabric", "functional", "infrastructure", "nature", "no use"
    }  # fmt: skip
    group_of: dict[str, str] = {}
    for known in CLASSES.values():
        assert group_of.setdefault(known.paper_class, known.paper_group) == known.paper_group


def test_levels():
    for level in (1, 2, "full", "paper"):
        for code in CLASSES:
            merged = level_code(code, level)
            assert class_name(merged, level)
            assert class_colour(merged, level).startswith("#")
        assert level_code("meadow", level) == "meadow"
    assert class_name("99999") == "99999"
    with pytest.raises(ValueError, match="none of"):
        level_code("11100", 3)
    table = class_table(["14100", "12210"])
    assert table.parent.tolist() == ["14", "12"]


# --------------------------------------------------------------------------------------------- real files


def test_real_layers(real_dir):
    folder = real_dir / "urban_atlas"
    narva = read_land_use(folder / "gpkg_EE003L1_NARVA_UA2012.gpkg")
    assert narva.polygons.code.tolist() == ["12100", "31000"]
    assert narva.polygons.area.tolist() == pytest.approx(
        [124_101.86, 57_508.87], rel=1e-5
    )  # the file's own AREA
    assert (narva.year, narva.boundary) == (2012, None)
    (path,) = folder.glob("UK568L1_*.gpkg")
    for year, first in ((None, "13300"), (2012, "11230")):
        change = read_land_use(path, year=year)
        assert len(change.polygons) == 1064
        assert change.polygons.code[0] == first
        assert set(change.polygons.code) <= set(CLASSES)
        assert change.polygons.is_valid.all()
