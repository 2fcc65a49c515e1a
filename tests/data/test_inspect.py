from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from data.grid import format_cell_ids
from data.inspect import inspect
from tests.data.photographs import north_up, texture, write_photograph


def look(path: Path) -> dict:
    report = inspect(path)
    json.dumps(report, allow_nan=False)
    assert report["file"] == str(path)
    assert report["usable"] == (report["reason"] == "")
    return report


def census(n: int) -> pd.DataFrame:
    ids = format_cell_ids(3_466_800 + 200 * np.arange(n), np.full(n, 2_466_800))
    people = np.full(n, 10.0)
    income = 10 * (20_000.0 + 100 * np.arange(n))
    return pd.DataFrame(
        {
            "idcar_200m": ids,
            "i_est_200": [1] + [0] * (n - 1),
            "ind": people,
            "men": people / 2,
            "ind_snv": income,
        }
    )


def test_census_table(tmp_path):
    path = tmp_path / "carreaux.csv"
    census(21).to_csv(path, index=False)
    report = look(path)
    assert (report["kind"], report["usable"], report["cells"], report["imputed"]) == ("census", True, 21, 1)
    assert report["imputed_share"] == pytest.approx(1 / 21, abs=1e-6)
    assert report["income_thresholds"] == [20_000 + 200 * k for k in range(11)]
    assert any("2019 and 2021" in warning for warning in report["warnings"])


def test_too_few_distinct_incomes(tmp_path):
    path = tmp_path / "few.csv"
    census(5).to_csv(path, index=False)
    report = look(path)
    assert not report["usable"]
    assert "at least 10 distinct incomes" in report["reason"]
    assert "few.csv" in report["reason"]


def test_census_that_lacks_a_column_is_still_known_as_one(tmp_path):
    path = tmp_path / "c.gpkg"
    table = census(20).drop(columns="ind")
    gpd.GeoDataFrame(table, geometry=[shapely.box(0, 0, 1, 1)] * 20, crs=3035).to_file(path)
    report = look(path)
    assert (report["kind"], report["usable"]) == ("census", False)
    assert "no column ind" in report["reason"]


def test_land_use(tmp_path):
    path = tmp_path / "lu.gpkg"
    squares = [shapely.box(4e6 + i * 1000, 2.8e6, 4e6 + (i + 1) * 1000, 2.801e6) for i in range(3)]
    gpd.GeoDataFrame({"code_2018": ["11100", "11100", "50000"]}, geometry=squares, crs=3035).to_file(path)
    report = look(path)
    assert (report["kind"], report["usable"], report["polygons"], report["year"]) == (
        "land_use",
        True,
        3,
        2018,
    )
    assert report["codes"]["11100"] == {
        "name": "Continuous urban fabric (S.L. > 80%)", "polygons": 2, "area_km2": 2.0
    }  # fmt: skip
    assert report["boundary"] is False


def test_photographs(tmp_path):
    folder = tmp_path / "tiles"
    folder.mkdir()
    for i in range(2):
        write_photograph(folder / f"{i}.tif", texture(400, 400), north_up(4e6 + 400 * i, 2.8e6 + 400, 1))
    report = look(folder)
    assert (report["kind"], report["usable"], report["cells"], report["tiles"]) == ("imagery", True, 8, 2)
    assert (report["epsg"], report["resolution_m"], report["grid"]) == (3035, 1.0, "EPSG:3035")
    squares = [shapely.box(0, 0, 1, 1)] * 2
    gpd.GeoDataFrame({"NOM": ["./0.tif", "./1.tif"]}, geometry=squares, crs=2154).to_file(
        folder / "dalles.shp"
    )
    assert look(folder / "dalles.shp")["cells"] == 8
    (folder / "1.tif").unlink()
    report = look(folder / "dalles.shp")
    assert (report["kind"], report["usable"]) == ("imagery", False)
    assert "not there" in report["reason"]


def test_what_is_nothing(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "empty.gpkg").touch()
    for name, fault in (("notes.txt", "suffix"), ("empty.gpkg", "empty"), ("absent.tif", "does not exist")):
        report = look(tmp_path / name)
        assert not report["usable"]
        assert fault in report["reason"]


def test_damaged_photograph_is_found_by_decoding(tmp_path):
    image = np.random.default_rng(0).integers(0, 255, (256, 256, 3), dtype=np.uint8)
    path = write_photograph(tmp_path / "p.tif", image, north_up(4e6, 2.8e6 + 256, 1), compress="deflate")
    content = bytearray(path.read_bytes())
    content[1000:-100] = bytes(len(content) - 1100)
    path.write_bytes(content)
    report = look(path)
    assert not report["usable"]
    assert "damaged" in report["reason"] or "no readable" in report["reason"]


REAL = {
    "filosofi/Filosofi2015_carreaux_200m_bordeaux.csv": ("census", True, ""),
    "filosofi/Filosofi2015_carreaux_200m_bordeaux_3035.gpkg": ("census", True, ""),
    "urban_atlas/gpkg_EE003L1_NARVA_UA2012.gpkg": ("land_use", True, ""),
    "urban_atlas/UK568L1_CHESHIRE_WEST_AND_CHESTER_change_2012_2018.gpkg": ("land_use", True, ""),
    "ortho/deeposlandia_aerial_sample.tif": ("imagery", True, ""),
    "ortho/detectree_1091-322_00.tif": ("imagery", True, ""),
    "ortho/ign_pdal_test_data_rgb.tif": ("imagery", False, "covers 50 x 50 m, too small for a 200 m cell"),
    "ortho/riotiler_pix4d_alpha_nodata.tif": ("imagery", False, "covers no whole cell"),
    "ortho/solaris_ms1.tif": ("imagery", False, "float64 values in 4 bands"),
    "ortho/solaris_road_mask_input.tif": ("imagery", False, "one band of uint16 values"),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files(real_dir, name):
    kind, usable, reason = REAL[name]
    report = look(real_dir / name)
    assert (report["kind"], report["usable"]) == (kind, usable), report["reason"]
    assert reason in report["reason"]
    if kind == "census":
        assert report["cells"] == 6735
        assert report["imputed_share"] == pytest.approx(0.32, abs=0.001)
        assert report["income_thresholds"][0] == pytest.approx(11_560.5)
        assert report["income_thresholds"][5] == pytest.approx(24_800.6)
