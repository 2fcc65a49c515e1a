"""Values of polygons laid over cells: by hand, as integrated by points, and Filosofi by cell."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from data.cell_values import read_cell_values, value_columns
from data.errors import InputError
from data.grid import Grid
from data.landuse import read_land_use

GRID = Grid("EPSG:3035")
X0, Y0 = 4_000_000, 2_800_000


def cells(columns: int = 3, rows: int = 2) -> pd.DataFrame:
    x, y = np.meshgrid(X0 + 200 * np.arange(columns), Y0 + 200 * np.arange(rows))
    return GRID.frame(x.ravel(), y.ravel())


def write(path, values, shapes, crs="EPSG:3035", **columns):
    gpd.GeoDataFrame({"value": values, **columns}, geometry=shapes, crs=crs).to_file(path, driver="GPKG")
    return path


def test_means_by_area_worked_out_by_hand(tmp_path):
    shapes = [
        shapely.box(X0, Y0, X0 + 300, Y0 + 200),  # all of cell 1, half of cell 2
        shapely.box(X0 + 300, Y0, X0 + 400, Y0 + 200),  # the other half of cell 2
        shapely.box(X0 + 400, Y0, X0 + 490, Y0 + 200),  # 45 % of cell 3
        shapely.box(X0, Y0 + 200, X0 + 200, Y0 + 300),  # half of cell 4
    ]
    path = write(tmp_path / "values.gpkg", [10.0, 30.0, 7.0, 5.0], shapes)
    found = read_cell_values(path, GRID, cells())
    np.testing.assert_allclose(found.values, [10, 20, np.nan, 5, np.nan, np.nan])
    assert not found.imputed.any() and found.column == "value" and found.warnings == ()


@settings(max_examples=15)
@given(st.integers(0, 2**31 - 1))
def test_another_grid_in_another_crs_as_integrated_by_points(tmp_path_factory, seed):
    rng = np.random.default_rng(seed)
    size = float(rng.uniform(90, 400))
    east, north = np.meshgrid(np.arange(-2, 12) * size, np.arange(-2, 12) * size)
    corner = gpd.GeoSeries([shapely.Point(X0, Y0)], crs="EPSG:3035").to_crs("EPSG:2154").iloc[0]
    shapes = [shapely.box(corner.x + e, corner.y + n, corner.x + e + size, corner.y + n + size)
              for e, n in zip(east.ravel(), north.ravel(), strict=True)]  # fmt: skip
    values = rng.normal(size=len(shapes))
    path = write(tmp_path_factory.mktemp("v") / "v.gpkg", values, shapes, "EPSG:2154")
    here = cells()
    found = read_cell_values(path, GRID, here).values
    along = (np.arange(80) + 0.5) * 200 / 80
    for index, cell in enumerate(here.itertuples()):
        px, py = np.meshgrid(cell.x + along, cell.y + along)
        points = gpd.GeoSeries(gpd.points_from_xy(px.ravel(), py.ravel()), crs="EPSG:3035").to_crs(
            "EPSG:2154"
        )
        column = np.floor((points.x - corner.x) / size).astype(int) + 2
        row = np.floor((points.y - corner.y) / size).astype(int) + 2
        inside = (column >= 0) & (column < 14) & (row >= 0) & (row < 14)
        if inside.mean() > 0.99:
            assert found[index] == pytest.approx(values[row[inside] * 14 + column[inside]].mean(), abs=0.03)


def test_a_text_that_is_none_is_damage(tmp_path):
    """Found by `bench fuzz`: a text column decodes when it is used, far from where the file is read."""
    codes = pa.array([b"11100", b"31\x9b00"], pa.binary()).cast(pa.string(), safe=False)
    gpd.GeoDataFrame(
        {"code_2018": ["11100", "31000"]}, geometry=shapely.box([0, 1], 0, [1, 2], 1), crs="EPSG:3035"
    ).to_parquet(tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")
    place = table.schema.get_field_index("code_2018")
    damaged = table.set_column(place, "code_2018", codes).replace_schema_metadata(table.schema.metadata)
    pq.write_table(damaged, tmp_path / "b.parquet")
    assert read_land_use(tmp_path / "a.parquet") is not None
    with pytest.raises(InputError, match=r"b\.parquet: cannot be read"):
        read_land_use(tmp_path / "b.parquet")


def test_geoparquet_gives_the_same(tmp_path):
    path = write(tmp_path / "values.gpkg", [10.0], [shapely.box(X0, Y0, X0 + 300, Y0 + 400)], name=["a"])
    gpd.read_file(path).to_parquet(tmp_path / "values.parquet")
    assert value_columns(tmp_path / "values.parquet") == ["value"]
    found = [read_cell_values(one, GRID, cells()).values for one in (path, tmp_path / "values.parquet")]
    np.testing.assert_array_equal(*found)
    whole = (tmp_path / "values.parquet").read_bytes()
    bad = [
        ("cut", whole[:-9], "truncated"),
        ("no", b"PAR1" * 9, "cannot be read"),
        ("zip", b"PK" * 9, "not a"),
    ]
    for name, content, fault in bad:
        (tmp_path / f"{name}.parquet").write_bytes(content)
        with pytest.raises(InputError, match=fault):
            read_cell_values(tmp_path / f"{name}.parquet", GRID, cells())
    pd.DataFrame({"value": [1.0]}).to_parquet(tmp_path / "table.parquet")
    with pytest.raises(InputError, match="no geometry"):
        value_columns(tmp_path / "table.parquet")


def test_overlaps_are_said_and_gaps_in_values_left_out(tmp_path):
    whole = shapely.box(X0, Y0, X0 + 600, Y0 + 400)
    path = write(tmp_path / "two.gpkg", [1.0, 3.0, np.nan], [whole, whole, whole])
    found = read_cell_values(path, GRID, cells())
    np.testing.assert_allclose(found.values, 2)
    assert "overlap" in found.warnings[0]


def test_columns_are_chosen_or_asked_for(tmp_path):
    whole = [shapely.box(X0, Y0, X0 + 600, Y0 + 400)]
    path = write(tmp_path / "many.gpkg", [1.0], whole, income=[5], name=["a"], shape_area=[9.0])
    assert value_columns(path) == ["value", "income"]
    assert read_cell_values(path, GRID, cells(), "income").values.tolist() == [5.0] * 6
    with pytest.raises(InputError, match="several columns of numbers.*value, income"):
        read_cell_values(path, GRID, cells())
    with pytest.raises(InputError, match="no column of numbers name"):
        read_cell_values(path, GRID, cells(), "name")


def test_what_cannot_serve(tmp_path):
    far = write(tmp_path / "far.gpkg", [1.0], [shapely.box(0, 0, 1, 1)])
    with pytest.raises(InputError, match="no value for any cell"):
        read_cell_values(far, GRID, cells())
    points = gpd.GeoDataFrame({"value": [1.0]}, geometry=[shapely.Point(X0, Y0)], crs="EPSG:3035")
    points.to_file(tmp_path / "points.gpkg", driver="GPKG")
    with pytest.raises(InputError, match="no polygon layer"):
        read_cell_values(tmp_path / "points.gpkg", GRID, cells())


def test_filosofi_is_matched_by_cell(tmp_path):
    here = cells()
    ids = [f"CRS3035RES200mN{y}E{x}" for x, y in zip(here.x, here.y, strict=True)]
    table = pd.DataFrame(
        {"Idcar_200m": ids, "I_est_200": [0, 0, 1, 0, 0, 0], "Ind": 10.0, "Men": [1, 2, 3, 4, 5, 6],
         "Ind_snv": np.arange(6) * 1000.0}
    )  # fmt: skip
    squares = GRID.polygons(here.x, here.y)
    path = tmp_path / "carreaux_200m_met.gpkg"
    gpd.GeoDataFrame(table[::-1], geometry=squares[::-1], crs="EPSG:3035").to_file(path, driver="GPKG")
    found = read_cell_values(path, GRID, here)
    assert found.values.tolist() == [0.0, 100.0, 200.0, 300.0, 400.0, 500.0]
    assert found.imputed.tolist() == [False, False, True, False, False, False]
    assert found.individuals.tolist() == [10.0] * 6 and found.households.tolist() == [1, 2, 3, 4, 5, 6]
