from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from data.census import census_columns, income_classes, income_thresholds, read_census
from data.errors import InputError, StudyError
from data.grid import format_cell_ids

NAMES = {  # vintage -> id, imputed, individuals, households, income sum, coarser square
    2015: ("IdINSPIRE", "I_est_cr", "Ind", "Men", "Ind_snv", "Id_carr_n"),
    2017: ("Idcar_200m", "I_est_200", "Ind", "Men", "Ind_snv", "Idcar_nat"),
    2019: ("idcar_200m", "i_est_200", "ind", "men", "ind_snv", "idcar_nat"),
    2021: ("idcar_200m", "i_est_200", "ind", "men", "ind_snv", "idcar_nat"),
}


def table(vintage: int = 2015, n: int = 20) -> gpd.GeoDataFrame:
    """n squares in a row; incomes 10,000, 10,100 ...; every fourth imputed."""
    x = 3_466_800 + 200 * np.arange(n)
    y = np.full(n, 2_466_800)
    individuals = 2.5 + np.arange(n)
    imputed = (np.arange(n) % 4 == 0).astype(int)
    ids = format_cell_ids(x, y)
    values = (
        ids, imputed, individuals, individuals / 2, individuals * (10_000 + 100 * np.arange(n)),
        [f"CRS3035RES1000mN2466000E{a // 1000 * 1000}" for a in x],
    )  # fmt: skip
    frame = pd.DataFrame(dict(zip(NAMES[vintage], values, strict=True)))
    return gpd.GeoDataFrame(frame, geometry=shapely.box(x, y, x + 200, y + 200), crs="EPSG:3035")


def write(frame: gpd.GeoDataFrame, path: Path) -> Path:
    if path.suffix == ".csv":
        pd.DataFrame(frame.drop(columns="geometry", errors="ignore")).to_csv(path, index=False)
    else:
        frame.to_file(path)
    return path


def refuse(path: Path, fault: str):
    with pytest.raises(InputError) as caught:
        read_census(path)
    assert fault in caught.value.fault, str(caught.value)
    assert caught.value.remedy
    assert path.stem in caught.value.file


# ------------------------------------------------------------------------------------------------ reading


@pytest.mark.parametrize("vintage", [2015, 2017, 2019, 2021])
@pytest.mark.parametrize("suffix", [".csv", ".gpkg", ".shp"])
def test_every_layout_gives_the_same_cells(tmp_path, vintage, suffix):
    census = read_census(write(table(vintage), tmp_path / f"Filosofi{vintage}_carreaux{suffix}"))
    cells = census.cells
    assert census.vintage == vintage
    assert cells.columns.tolist() == [
        "cell_id", "x", "y", "individuals", "households", "income", "imputed", "group"
    ]  # fmt: skip
    assert cells.x.tolist() == (3_466_800 + 200 * np.arange(20)).tolist()
    assert (cells.y == 2_466_800).all()
    np.testing.assert_allclose(cells.income, 10_000 + 100 * np.arange(20))
    assert cells.imputed.tolist() == [i % 4 == 0 for i in range(20)]
    assert cells.group[4] == "CRS3035RES1000mN2466000E3467000"
    assert cells.group[5] is None
    assert cells.x.dtype == cells.y.dtype == np.int64
    assert cells.imputed.dtype == bool


def test_vintage_between_2019_and_2021_is_left_open(tmp_path):
    folder = tmp_path / "census"
    folder.mkdir()
    assert read_census(write(table(2019), folder / "carreaux_200m_met.gpkg")).vintage is None


def test_nobody_or_no_income_gives_none(tmp_path):
    frame = table()
    frame.loc[0, ["Ind", "Men"]] = 0
    frame.loc[1, "Ind_snv"] = np.nan
    cells = read_census(write(frame, tmp_path / "c.csv")).cells
    assert cells.income.isna().tolist() == [True, True] + [False] * 18


def test_semicolons_and_byte_order_mark(tmp_path):
    path = tmp_path / "c.csv"
    path.write_text(
        pd.DataFrame(table().drop(columns="geometry")).to_csv(index=False, sep=";"), encoding="utf-8-sig"
    )
    assert len(read_census(path).cells) == 20


@pytest.mark.parametrize("suffix", [".csv", ".gpkg"])
def test_where_keeps_cells_by_centre(tmp_path, suffix):
    path = write(table(), tmp_path / f"c{suffix}")
    outline = shapely.box(3_466_800 + 150, 2_466_000, 3_466_800 + 550, 2_468_000)  # centres at 100, 300, 500
    assert (read_census(path, where=outline).cells.x - 3_466_800).tolist() == [200, 400]
    with pytest.raises(InputError, match="in the area asked for"):
        read_census(path, where=shapely.box(0, 0, 1, 1))


def test_squares_clipped_to_an_outline_are_fine(tmp_path):
    frame = table()
    frame.geometry = frame.geometry.intersection(shapely.box(0, 0, 1e7, 2_466_800 + 70))
    assert len(read_census(write(frame, tmp_path / "c.gpkg")).cells) == 20


def test_drawn_in_another_crs_but_right(tmp_path):
    assert len(read_census(write(table().to_crs("EPSG:4326"), tmp_path / "c.gpkg")).cells) == 20


def test_missing_coarser_square_is_told(tmp_path):
    census = read_census(write(table().drop(columns="Id_carr_n"), tmp_path / "c.csv"))
    assert census.cells.group.tolist() == [None] * 20
    assert "kept together" in census.warnings[0]


def test_all_imputed_is_told(tmp_path):
    frame = table()
    frame["I_est_cr"] = 1
    census = read_census(write(frame, tmp_path / "c.csv"))
    assert census.cells.imputed.all()
    assert any("every cell is imputed" in warning and "I_est_cr" in warning for warning in census.warnings)


# ---------------------------------------------------------------------------------------------- bad input


def test_missing_columns_are_named(tmp_path):
    refuse(
        write(table().drop(columns=["Ind_snv", "I_est_cr"]), tmp_path / "c.csv"),
        "i_est_cr/i_est_200, ind_snv",
    )
    refuse(write(table().drop(columns="Ind"), tmp_path / "c.gpkg"), "no column ind ")


def test_duplicate_ids(tmp_path):
    frame = pd.concat([table(), table().iloc[3:5]], ignore_index=True)
    refuse(write(frame, tmp_path / "c.csv"), "2 duplicate ids, the first CRS3035RES200mN2466800E3467400")


def test_ids_that_disagree_with_the_squares(tmp_path):
    frame = table()
    frame.geometry = frame.geometry.translate(200, 0)
    refuse(write(frame, tmp_path / "c.gpkg"), "20 of 20 squares where their ids do not put them")


def test_wrong_crs(tmp_path):
    refuse(write(table().set_crs("EPSG:2154", allow_override=True), tmp_path / "c.gpkg"), "RGF93")
    refuse(write(table().set_crs("EPSG:4326", allow_override=True), tmp_path / "d.gpkg"), "WGS 84")


@pytest.mark.parametrize(
    ("ids", "fault"),
    [
        ("75056", "ids that are none"),
        ("CRS3035RES1000mN2466000E3466000", "squares of 200, 1000 m"),
        ("CRS3035RES200mN2466810E3466800", "off the 200 m grid"),
        ("CRS2975RES200mN2466800E3466800", "several CRS"),
    ],
)
def test_ids_that_cannot_be(tmp_path, ids, fault):
    frame = table()
    frame.loc[0, "IdINSPIRE"] = ids
    refuse(write(frame, tmp_path / "c.csv"), fault)


@pytest.mark.parametrize("suffix", [".csv", ".gpkg", ".shp"])
def test_empty_layers(tmp_path, suffix):
    refuse(write(table().iloc[:0], tmp_path / f"c{suffix}"), "no rows")


@pytest.mark.parametrize("suffix", [".csv", ".gpkg", ".shp", ".dbf"])
@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9])
def test_truncated_files(tmp_path, suffix, kept):
    path = write(table(n=400), tmp_path / f"c{'.shp' if suffix == '.dbf' else suffix}")
    broken = path.with_suffix(suffix)
    content = broken.read_bytes()[: int(broken.stat().st_size * kept)]
    if suffix == ".csv" and kept:
        content = content[: content.rindex(b"\n") + 20]  # inside the first value of a row
    broken.write_bytes(content)
    with pytest.raises(InputError, match=r"truncated|empty"):
        read_census(path)


def test_cut_inside_the_last_value_is_told(tmp_path):
    path = write(table(), tmp_path / "c.csv")
    path.write_bytes(path.read_bytes()[:-3])
    assert "may be truncated" in read_census(path).warnings[0]


def test_values_that_are_no_numbers(tmp_path):
    frame = table().astype({"Ind": object})
    frame.loc[2, "Ind"] = "s"
    refuse(write(frame, tmp_path / "c.csv"), "column Ind holds 's', which is no number")
    frame = table()
    frame.loc[2, "I_est_cr"] = 3
    refuse(write(frame, tmp_path / "d.csv"), "other than 0 and 1")


def test_other_files(tmp_path):
    refuse(tmp_path / "absent.csv", "does not exist")
    (tmp_path / "c.zip").write_bytes(b"PK")
    refuse(tmp_path / "c.zip", "archive")
    (tmp_path / "c.gpkg").write_text("<OGRVRTDataSource/>")
    refuse(tmp_path / "c.gpkg", "not a GeoPackage")
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00\x81\x00")
    refuse(tmp_path / "b.csv", "UTF-8")
    shapefile = write(table(), tmp_path / "c.shp")
    shapefile.with_suffix(".dbf").unlink()
    refuse(shapefile, "no .dbf file")


# ---------------------------------------------------------------------------------------------- classes


def test_quintiles_by_hand():
    # positions k * 10 / 5 = 0, 2, 4, 6, 8, 10: thresholds are incomes themselves, and belong to the class
    # above
    classes, limits = income_classes(np.arange(11) * 10.0, 5)
    assert limits.tolist() == [0, 20, 40, 60, 80, 100]
    assert classes.tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5]
    assert classes.dtype == np.uint8


def test_thresholds_between_incomes_by_hand():
    # n = 4, K = 2: position 1.5 lies midway between 20 and 40
    assert income_thresholds([40, 10, 20, np.nan, 100], 2).tolist() == [10, 30, 100]


def test_equal_incomes_equal_classes_and_missing_zero():
    classes, limits = income_classes([5, 5, 5, 1, 9, np.nan, np.inf], 3)
    assert limits.tolist() == pytest.approx([1, 5, 5, 9])
    assert classes.tolist() == [3, 3, 3, 1, 3, 0, 0]


incomes = st.lists(st.integers(0, 60) | st.floats(5_000, 60_000), min_size=10, max_size=80)


@given(incomes, st.integers(2, 10))
def test_classes_follow_their_definition(values, k):
    values = np.array(values, dtype=float)
    if len(np.unique(values)) < k:
        with pytest.raises(StudyError, match=f"{k} income classes need at least {k} distinct"):
            income_classes(values, k)
        return
    classes, limits = income_classes(values, k)
    np.testing.assert_allclose(limits, np.quantile(values, np.linspace(0, 1, k + 1)), rtol=1e-12, atol=1e-9)
    assert (np.diff(limits) >= 0).all()
    assert (limits[0], limits[-1]) == (values.min(), values.max())
    for value, klass in zip(values, classes, strict=True):
        assert limits[klass - 1] <= value
        assert value < limits[klass] or klass == k
    order = np.argsort(values, kind="stable")
    assert (np.diff(classes[order].astype(int)) >= 0).all()


def test_a_quantile_that_is_an_income_is_exact():
    """Positions like 0.3 * 10 are no whole numbers in floats, which would class the income itself too low."""
    for n in range(11, 2000, 10):
        values = np.sqrt(np.arange(n) + 2.0) * 1234.56789
        whole = np.arange(11) * (n - 1) // 10
        assert (income_thresholds(values, 10) == values[whole]).all()


def test_thresholds_of_other_cells():
    limits = income_thresholds([10, 20, 30, 40, 50], 2)
    classes, same = income_classes([1, 29.9, 30, 99], 2, limits)
    assert classes.tolist() == [1, 1, 2, 2]
    assert same is not None
    with pytest.raises(ValueError, match="rising"):
        income_classes([1, 2], 2, [3, 2, 1])


def test_columns_in_any_case():
    assert census_columns(["IDINSPIRE", "IND_SNV"]) == {"cell_id": "IDINSPIRE", "snv": "IND_SNV"}


# -------------------------------------------------------------------------------------------- real files


def test_real_bordeaux(real_dir):
    folder = real_dir / "filosofi"
    package = read_census(folder / "Filosofi2015_carreaux_200m_bordeaux_3035.gpkg")
    text = read_census(folder / "Filosofi2015_carreaux_200m_bordeaux.csv")
    for census in (package, text):
        assert len(census.cells) == 6735
        assert census.vintage == 2015
        assert census.warnings == ()
        assert round(census.cells.imputed.mean(), 2) == 0.32
        percentiles = np.percentile(census.cells.income, [0, 10, 50, 90, 100]).round()
        assert percentiles.tolist() == [11_561, 18_767, 24_801, 30_625, 40_710]
    pd.testing.assert_frame_equal(
        package.cells.sort_values("cell_id", ignore_index=True),
        text.cells.sort_values("cell_id", ignore_index=True),
    )
    classes, _ = income_classes(package.cells.income, 10)
    assert np.abs(np.bincount(classes)[1:] - 673.5).max() < 2


def test_real_shared_imputed_incomes_lie_in_one_group(real_dir):
    """INSEE gives one income to all imputed squares of its `Groupe`: our group must never cut one."""
    path = real_dir / "filosofi" / "Filosofi2015_carreaux_200m_bordeaux.csv"
    cells = read_census(path).cells
    cells["groupe"] = pd.read_csv(path, usecols=["Groupe"]).Groupe
    imputed = cells[cells.imputed]
    assert imputed.group.notna().all()
    assert (imputed.groupby("groupe").group.nunique() == 1).all()
    spread = imputed.groupby("groupe").income.agg(lambda incomes: incomes.max() - incomes.min())
    assert spread.max() < 0.06
