"""A selection on City filters map, figures, charts and list alike; what sets it, and what forgets it."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from data.store import queries
from pages.shared import charts, city_errors, layers, linked_selection, selected_figures, take_away
from pages.shared.city_districts import by_district
from pages.shared.selection import NAME, Selection
from tests.conftest import REPOSITORY
from tests.pages.conftest import RunPage, texts
from tests.pages.test_city import _array, _figure

COMPARED = (
    "FROM cell c JOIN prediction p USING (city_id, cell_id) WHERE city_id = 'ker-bihan' AND NOT imputed "
    "AND c.class IS NOT NULL AND p.out_of_fold"
)


def value_of(test: AppTest, name: str) -> str:
    """The figure called so on the page."""
    (text,) = [part for part in texts(test).split('<div class="carreau-figure"') if f">{name}<" in part]
    return text.split('<div class="value">')[1].split("<")[0]


def alpha_of_map(test: AppTest) -> np.ndarray:
    """Opacity of the left map's cells."""
    component = test.get("bidi_component")[0].proto
    data = json.loads(component.json)
    (image,) = [one["image"] for one in data["deck"]["layers"] if one["id"] == "left-cells"]
    return picture_of(image)[..., 3]


def picture_of(url: str) -> np.ndarray:
    """The picture (rows, columns, 4) of a data URL."""
    content = base64.b64decode(url.strip('"').split(",")[1])
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"))


def test_a_range_of_differences_filters_everything(
    run_page: RunPage, rows: duckdb.DuckDBPyConnection
) -> None:
    test = run_page("city", only="d1_3")
    assert not test.exception
    wanted = rows.execute(
        f"SELECT count(*), avg(c.class), avg(p.expected_class), sum(individuals) {COMPARED} "
        "AND p.class::INT - c.class::INT BETWEEN 1 AND 3"
    ).fetchone()
    assert value_of(test, "Cells selected") == str(wanted[0])
    assert value_of(test, "Mean census decile") == f"{wanted[1]:.2f}"
    assert value_of(test, "Mean expected decile") == f"{wanted[2]:.2f}"
    assert "what they were picked by" in texts(test)
    listed = test.dataframe[0].value
    assert (listed["predicted"].astype(int) - listed["class"].astype(int)).between(1, 3).all()
    confusion = _array(_figure(test, "confusion")["data"][0]["customdata"])
    assert confusion.sum() == wanted[0] and np.tril(confusion).sum() == 0
    # the histogram that sets the range shows all
    everything = rows.execute(f"SELECT count(*) {COMPARED}").fetchone()
    assert _array(_figure(test, "differences")["data"][0]["y"]).sum() == everything[0]


def test_a_rectangle_has_intervals_and_fades_the_rest_of_the_map(
    run_page: RunPage, rows: duckdb.DuckDBPyConnection
) -> None:
    west, south = rows.execute("SELECT min(x), min(y) FROM cell WHERE city_id = 'ker-bihan'").fetchone()
    east, north = west + 1400, south + 1600
    test = run_page("city", only=f"r{west}_{south}_{east}_{north}")
    inside = f"AND x >= {west} AND x < {east} AND y >= {south} AND y < {north}"
    wanted = rows.execute(f"SELECT count(*), avg(p.expected_class - c.class) {COMPARED} {inside}").fetchone()
    assert value_of(test, "Cells selected") == str(wanted[0])
    assert value_of(test, "Mean difference") == f"{wanted[1]:.2f}".replace("-", "−")
    assert "what they were picked by" not in texts(test)
    on_map = rows.execute(f"SELECT count(*) FROM cell WHERE city_id = 'ker-bihan' {inside}").fetchone()[0]
    alpha = alpha_of_map(test)
    assert (alpha == 255).sum() == on_map and (alpha == layers.FADED).sum() > on_map
    assert (alpha_of_map(run_page("city")) == layers.FADED).sum() == 0


def calibration_of(rows: duckdb.DuckDBPyConnection, inside: str) -> pd.DataFrame:
    """Stated and observed percent and pairs, a row a bin of at least 30, by loops over cells."""
    found = []
    for census, stated in rows.execute(f"SELECT c.class, probabilities {COMPARED} {inside}").fetchall():
        found += [(min(int(p * 10), 9), 100 * p, 100 * (k == census)) for k, p in enumerate(stated, 1)]
    table = pd.DataFrame(found, columns=["bin", "stated", "observed"])
    bins = table.groupby("bin").agg(
        stated=("stated", "mean"), observed=("observed", "mean"), n=("observed", "size")
    )
    return bins[bins.n >= 30]


def calibration_shown(test: AppTest) -> pd.DataFrame:
    marks = _figure(test, "calibration")["data"][1]
    names = {"stated": "x", "observed": "y", "n": "customdata"}
    return pd.DataFrame({name: _array(marks[key]).astype(float) for name, key in names.items()})


def test_calibration_is_that_of_a_place_and_never_of_an_error(
    run_page: RunPage, rows: duckdb.DuckDBPyConnection
) -> None:
    west, south = rows.execute("SELECT min(x), min(y) FROM cell WHERE city_id = 'ker-bihan'").fetchone()
    rectangle = f"r{west}_{south}_{west + 1400}_{south + 1600}"
    inside = f"AND x >= {west} AND x < {west + 1400} AND y >= {south} AND y < {south + 1600}"
    place = run_page("city", only=rectangle)
    wanted = calibration_of(rows, inside)
    np.testing.assert_allclose(calibration_shown(place), wanted, rtol=1e-5)
    assert "Calibration is that of the selected cells" in texts(place)
    whole = calibration_of(rows, "")
    assert len(wanted) < len(whole) or not np.allclose(wanted, whole)
    by_error = run_page("city", only="d1_3")
    np.testing.assert_allclose(calibration_shown(by_error), whole, rtol=1e-5)
    assert "Of the whole city: cells picked by how far off they are" in texts(by_error)
    both = run_page("city", only=f"d1_3.{rectangle}")
    np.testing.assert_allclose(calibration_shown(both), wanted, rtol=1e-5)
    assert "Of the selected place, whatever the error" in texts(both)
    assert not place.exception and not by_error.exception and not both.exception


def test_a_district_filters_everything(run_page: RunPage, rows: duckdb.DuckDBPyConnection) -> None:
    test = run_page("city", only="z01")
    assert not test.exception
    inside = (
        "AND (city_id, cell_id) IN (SELECT (city_id, cell_id) FROM cell_district WHERE district_id = '01')"
    )
    wanted = rows.execute(f"SELECT count(*), avg(c.class) {COMPARED} {inside}").fetchone()
    assert value_of(test, "Cells selected") == str(wanted[0])
    assert value_of(test, "Mean census decile") == f"{wanted[1]:.2f}"
    assert "what they were picked by" not in texts(test)
    assert "district Rive-Ouest" in texts(test)
    on_map = rows.execute(f"SELECT count(*) FROM cell WHERE city_id = 'ker-bihan' {inside}").fetchone()[0]
    assert (alpha_of_map(test) == 255).sum() == on_map
    assert _array(_figure(test, "confusion")["data"][0]["customdata"]).sum() == wanted[0]
    assert _array(_figure(test, "differences")["data"][0]["y"]).sum() == wanted[0]
    listed = set(test.dataframe[0].value["cell"])
    ids = rows.execute(f"SELECT c.x, c.y {COMPARED} {inside}").fetchall()
    assert listed <= {f"N{y} E{x}" for x, y in ids}


def test_districts_are_chosen_and_joined_with_other_parts(run_page: RunPage) -> None:
    test = run_page("city", only="d1_3")
    assert test.selectbox(key="selection.district").options == ["All districts", "Rive-Est", "Rive-Ouest"]
    test.selectbox(key="selection.district").set_value("02").run()
    assert test.query_params[NAME] == "d1_3.z02"
    assert "predicted 1 to 3 classes richer, district Rive-Est" in texts(test)
    test.selectbox(key="selection.district").set_value("").run()
    assert test.query_params[NAME] == "d1_3" and not test.exception
    unknown = run_page("city", only="znowhere")
    assert not unknown.exception and "Cells selected" not in texts(unknown)


def test_histogram_and_groups_are_those_of_the_cells(
    run_page: RunPage, rows: duckdb.DuckDBPyConnection
) -> None:
    test = run_page("city")
    histogram = _figure(test, "differences")["data"][0]
    wanted = dict(
        rows.execute(f"SELECT p.class::INT - c.class::INT, count(*) {COMPARED} GROUP BY 1").fetchall()
    )
    shown = {int(x): int(y) for x, y in zip(_array(histogram["x"]), _array(histogram["y"]), strict=True) if y}
    assert shown == wanted


def test_show_all_and_another_city_forget_it(run_page: RunPage) -> None:
    test = run_page("city", only="c3p4.d1_1")
    assert "census decile 3 predicted as 4, predicted 1 class richer" in texts(test)
    test.button(key="selection.clear").click().run()
    assert NAME not in test.query_params and not test.exception
    again = run_page("city", only="d0_0")
    again.selectbox(key="city").set_value("port-azur").run()
    assert NAME not in again.query_params and again.query_params["city"] == "port-azur"


def test_a_selection_without_a_cell_says_so(run_page: RunPage) -> None:
    test = run_page("city", only="r0_0_200_200")
    assert not test.exception
    assert "No cell that can be compared with the census is selected." in texts(test)


def test_clicks_and_brushes_set_their_part_and_a_second_click_takes_it_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address: dict[str, str] = {NAME: "r0_0_400_400"}
    monkeypatch.setattr(st, "query_params", address)
    monkeypatch.setattr(st, "session_state", {})
    points: list[dict[str, str | int]] = [{"x": "7", "y": "3"}]
    monkeypatch.setattr(charts, "chosen_points", lambda key: points)
    linked_selection.on_confusion()
    assert address[NAME] == "c3p7.r0_0_400_400"
    linked_selection.on_confusion()
    assert address[NAME] == "r0_0_400_400"
    points = [{"x": 2}, {"x": -1}, {"x": 0}]
    linked_selection.on_differences()
    assert Selection.of(address[NAME]) == Selection(difference=(-1, 2), rectangle=(0, 0, 400, 400))
    points = []
    linked_selection.on_differences()
    linked_selection.on_rectangle(200, 200, 600, 400)
    assert address[NAME] == "r200_200_600_400"


def test_groups_by_hand() -> None:
    """Sixty cells, half of them one class too rich, half right; under 30 cells a group is left out."""
    cells = pd.DataFrame(
        {
            "class": [4] * 30 + [5] * 30 + [6] * 29,
            "expected_class": [5.0] * 30 + [5.0] * 30 + [1.0] * 29,
            "x": np.arange(89) % 10 * 200,
            "y": np.arange(89) // 10 * 200,
            "individuals": np.arange(89) * 10.0,
        }
    )
    found = selected_figures.by_group(cells, cells["class"].astype("category"), None, 200)
    assert found[["group", "value", "n"]].values.tolist() == [["4", 1.0, 30], ["5", 0.0, 30]]
    groups = city_errors.density_groups(cells)
    assert groups.notna().all() and groups.value_counts().between(17, 18).all()
    assert city_errors.density_label(groups.cat.categories[0]) == "0 to 176"
    alike = city_errors.density_groups(cells.assign(individuals=7.0)).unique().tolist()
    assert [city_errors.density_label(group) for group in alike] == ["all"]


def handed_out(test: AppTest) -> list[str]:
    return [e.proto.label for e in test.get("download_button") if "-take." in e.proto.id]


def places(test: AppTest) -> str:
    """The keys of the page's containers."""

    def below(block: Any) -> str:
        inside = "".join(below(child) for child in getattr(block, "children", {}).values())
        return f"{getattr(block, 'proto', '') or ''}{inside}"

    return below(test.main)


def test_few_households_are_not_handed_out(run_page: RunPage, rows: duckdb.DuckDBPyConnection) -> None:
    x, y, households = rows.execute(
        "SELECT x, y, households FROM cell WHERE city_id = 'ker-bihan' ORDER BY households LIMIT 1"
    ).fetchone()
    assert households < 11
    one = run_page("city", only=f"r{x}_{y}_{x + 200}_{y + 200}")
    assert not one.exception and handed_out(one) == []
    assert "fewer than 11 households together" in texts(one)
    # nor by the toolbar that Streamlit draws over a table: frame.css hides it in such a place
    assert "withheld-disagreements" in places(one) and "withheld-disagreements" not in places(
        run_page("city")
    )
    assert "withheld-" in (REPOSITORY / "pages" / "shared" / "frame.css").read_text()
    assert handed_out(run_page("city")) == ["CSV", "GeoParquet", "GeoPackage"]


def test_the_three_files_say_the_same(rows: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    cells = queries.city_cells(rows, "ker-bihan").head(40)
    csv = pd.read_csv(io.BytesIO(take_away.as_csv(cells)))
    parquet = gpd.read_parquet(io.BytesIO(take_away.as_geoparquet(cells, "EPSG:3035", 200)))
    (tmp_path / "a.gpkg").write_bytes(take_away.as_geopackage(cells, "EPSG:3035", 200, "about it"))
    package = gpd.read_file(tmp_path / "a.gpkg")
    for frame in (parquet, package):
        assert frame.crs.to_epsg() == 3035
        np.testing.assert_array_equal(frame.total_bounds[:2], [cells.x.min(), cells.y.min()])
        assert (frame.geometry.area == 40_000).all()
        plain = pd.DataFrame(frame.drop(columns="geometry"))
        pd.testing.assert_frame_equal(plain, csv, check_dtype=False, rtol=1e-6, atol=6e-5)
    assert csv["census_class"].dropna().tolist() == cells["class"].dropna().astype(float).tolist()


@pytest.mark.parametrize("selected", [None, "z01"])
def test_files_say_the_district_of_each_cell(
    run_page: RunPage,
    rows: duckdb.DuckDBPyConnection,
    monkeypatch: pytest.MonkeyPatch,
    selected: str | None,
) -> None:
    made: dict[str, Callable[[], bytes]] = {}
    monkeypatch.setattr(take_away, "row", lambda *given: made.update({f.said: f.make for f in given[3]}))
    assert not run_page("city", city="ker-bihan", **({"only": selected} if selected else {})).exception
    found = pd.read_csv(io.BytesIO(made["CSV"]()), dtype={"district": str})
    known = rows.execute(
        "SELECT cell_id, district_id, name FROM cell LEFT JOIN cell_district USING (city_id, cell_id) "
        "LEFT JOIN district USING (city_id, district_id) WHERE city_id = 'ker-bihan' "
        "AND ($1 IS NULL OR district_id = $1) ORDER BY cell_id",
        [selected and selected[1:]],
    ).df()
    assert len(known) > 20 and found["cell_id"].tolist() == known["cell_id"].tolist()
    assert found["district"].tolist() == known["district_id"].tolist()
    assert found["district_name"].tolist() == known["name"].tolist()
    package = gpd.read_parquet(io.BytesIO(made["GeoParquet"]()))
    assert package["district_name"].tolist() == known["name"].tolist()


def test_districts_are_listed_by_how_far_off_they_are_and_a_row_selects_one(
    run_page: RunPage, rows: duckdb.DuckDBPyConnection
) -> None:
    test = run_page("city", list="districts")
    assert not test.exception
    wanted = rows.execute(
        "SELECT d.name, count(*) AS n, avg(c.class) AS census, avg(p.expected_class - c.class) AS off "
        "FROM cell c JOIN prediction p USING (city_id, cell_id) JOIN cell_district USING (city_id, cell_id) "
        "JOIN district d USING (city_id, district_id) "
        "WHERE c.city_id = 'ker-bihan' AND c.class IS NOT NULL AND p.out_of_fold AND NOT c.imputed "
        "GROUP BY d.name HAVING n >= 30 ORDER BY abs(off) DESC"
    ).df()
    shown = test.dataframe[0].value
    assert shown["name"].tolist() == wanted["name"].tolist() and len(wanted) == 2
    assert shown["n"].tolist() == wanted["n"].tolist()
    np.testing.assert_allclose(shown["off"], wanted["off"], atol=0.006)
    np.testing.assert_allclose(shown["census"], wanted["census"], atol=0.06)
    way = "too rich" if wanted["off"].iloc[0] > 0 else "too poor"
    assert f"Farthest off on average: {wanted['name'].iloc[0]}, predicted" in texts(test)
    assert way in texts(test)
    ids = dict(rows.execute("SELECT name, district_id FROM district WHERE city_id = 'ker-bihan'").fetchall())
    second = ids[wanted["name"].iloc[1]]
    test.session_state["districts-"] = {"selection": {"rows": [1], "columns": [], "cells": []}}
    test.run()
    assert test.query_params[NAME] == f"z{second}" and not test.exception
    # its row is ticked; without the tick all districts are shown again
    test.session_state[f"districts-1-{second}"] = {"selection": {"rows": [], "columns": [], "cells": []}}
    test.run()
    assert NAME not in test.query_params and not test.exception
    # of one district the list still shows all
    assert len(run_page("city", list="districts", only="z01").dataframe[0].value) == 2


def test_a_district_of_few_cells_is_not_listed() -> None:
    district = pd.Categorical(["few"] * 29 + [None] * 40 + ["imputed"] * 31 + ["many"] * 31)
    cells = pd.DataFrame({"district": district, "class": 5, "predicted": 6}).assign(expected_class=5.5)
    found = by_district(cells, (cells["district"] != "imputed").to_numpy(bool))
    assert found.values.tolist() == [["many", 31, 5.0, 0.5, 1.0]]


def test_a_confusion_cell_goes_with_deciles_and_quintiles(
    run_page: RunPage, rows: duckdb.DuckDBPyConnection
) -> None:
    test = run_page("city", only="c3p5")
    test.button_group(key="classes").set_value("quintiles").run()
    assert test.query_params[NAME] == "c2p3" and not test.exception
    wanted = rows.execute(
        f"SELECT count(*) {COMPARED} AND c.class IN (3, 4) AND p.class IN (5, 6)"
    ).fetchone()
    assert value_of(test, "Cells selected") == str(wanted[0])
    assert "census quintile 2 predicted as 3" in texts(test)
    test.button_group(key="classes").set_value("deciles").run()
    assert NAME not in test.query_params  # it would be four cells
    # an address that pairs them wrongly shows all cells
    wrong = run_page("city", only="c10p8", classes="quintiles")
    assert "Cells selected" not in texts(wrong) and not wrong.exception
    assert "selection “c10p8”, which means nothing here" in wrong.warning[0].value
    part = run_page("city", only="c3p7.z999")
    assert "selection “c3p7.z999”, of which only “c3p7” means something here" in part.warning[0].value
    assert "census decile 3 predicted as 7" in texts(part)
    assert not run_page("city", only="c3p7.d-2_4").warning


def test_an_address_that_means_nothing_is_answered(run_page: RunPage) -> None:
    test = run_page("city", only="xyz", list="zzz", left="nowhere")
    said = [warning.value for warning in test.warning]
    assert len(said) == 3 and not test.exception
    assert any("selection “xyz”, which means nothing here" in one for one in said)
    assert any("“zzz” under “List”; shown instead: Cells" in one for one in said)
    assert any("“nowhere” under “Left map”; shown instead: Census" in one for one in said)


def test_cells_are_picked_by_numbers_as_by_charts(run_page: RunPage) -> None:
    test = run_page("city")
    test.selectbox(key="picked.census").set_value(3)
    test.selectbox(key="picked.predicted").set_value(7)
    test.slider(key="picked.difference").set_value((1, 9))
    submit = next(one for one in test.button if one.label == "Pick out")
    submit.click().run()
    assert not test.exception and test.query_params[NAME] == "c3p7.d1_9"
    assert "census decile 3 predicted as 7" in texts(test)
    # the menu says what is selected, and one class alone is no cell of the matrix
    assert test.selectbox(key="picked.predicted").value == 7
    assert test.slider(key="picked.difference").value == (1, 9)
    test.selectbox(key="picked.census").set_value(0)
    test.slider(key="picked.difference").set_value((-9, 9))
    next(one for one in test.button if one.label == "Pick out").click().run()
    assert NAME not in test.query_params and "Cells selected" not in texts(test)


def test_the_menu_of_numbers_follows_what_a_chart_picked(run_page: RunPage) -> None:
    test = run_page("city", only="d-2_1", classes="quintiles")
    assert test.slider(key="picked.difference").value == (-2, 1)
    assert test.selectbox(key="picked.census").options == ["any", "1", "2", "3", "4", "5"]
