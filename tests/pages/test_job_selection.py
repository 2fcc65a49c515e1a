"""A selection on a result filters maps, figures, charts, tables and files alike, as on the page City."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from streamlit.testing.v1 import AppTest

from pages.shared import job_cells, job_maps, job_result, job_take_away, layers, linked_selection
from pages.shared.job_cells import ResultCells
from pages.shared.selection import NAME, Selection
from tests.pages.conftest import RunPage, texts
from tests.pages.stand_in_job import JOB
from tests.pages.synthetic_result import SOUTH, WEST, K, cells_of, make_result
from tests.pages.test_city import _array, _figure
from tests.pages.test_city_selection import picture_of, value_of

BOX = f"r{WEST + 400}_{SOUTH + 200}_{WEST + 1600}_{SOUTH + 1200}"  # 6 by 5 cells, the lowest without census


@pytest.fixture(scope="module")
def with_census(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_result(tmp_path_factory.mktemp("job") / "result", with_census=True)


@pytest.fixture(scope="module")
def without_census(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_result(tmp_path_factory.mktemp("job") / "result", with_census=False)


@pytest.fixture
def result_page(run_page: RunPage, stand_in: Callable[..., None]) -> Callable[..., AppTest]:
    """Open the result in a folder at an address."""

    def run(folder: Path, **address: str) -> AppTest:
        stand_in(state="done", result=folder, cells=204, done=204, total=204)
        return run_page("upload", job=JOB, **address)

    return run


def inside(cells: pd.DataFrame) -> pd.Series:
    """Which cells have their centre in BOX."""
    west, south, east, north = map(int, BOX[1:].split("_"))
    x, y = cells.x + 100, cells.y + 100
    return (x >= west) & (x < east) & (y >= south) & (y < north)


def compared(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells that compare, with their place in the region on the scale of classes, by sorting."""
    known = cells[(cells.census_class > 0) & (cells.region_class > 0)].sort_values("expected_class")
    known = known.assign(place=0.5 + K * (np.arange(len(known)) + 0.5) / len(known))
    return known[~known.census_imputed]


def table(test: AppTest, key: str) -> pd.DataFrame:
    (found,) = [one for one in test.dataframe if key in one.proto.id]
    return found.value


def layers_of(test: AppTest) -> dict[str, dict]:
    data = json.loads(test.get("bidi_component")[0].proto.json)
    return {layer["id"]: layer for layer in data["deck"]["layers"]}


def test_a_rectangle_filters_everything(result_page: Callable[..., AppTest], with_census: Path) -> None:
    test = result_page(with_census, only=BOX)
    assert not test.exception
    cells = cells_of(with_census)
    kept = cells[inside(cells)]
    assert len(kept) == 30
    said = texts(test)
    assert "a rectangle of 1.2 × 1 km</b>; 30 cells" in said
    assert value_of(test, "Cells selected") == "30"
    assert value_of(test, "Mean spread") == f"{kept.spread.mean():.2f} classes"
    assert value_of(test, "In the lowest or highest") == f"{kept['class'].isin([1, K]).sum()} of 30"
    assert table(test, "result.cells")["z_standard"].tolist() == kept.z_standard.tolist()
    bars = _figure(test, "result.all")["data"][0]
    np.testing.assert_allclose(_array(bars["y"]), 100 * np.stack(kept.probabilities).mean(axis=0))
    classes = _figure(test, "predicted")["data"][0]
    assert _array(classes["y"]).tolist() == [(kept["class"] == k).sum() for k in range(1, K + 1)]
    by_class = test.dataframe[-1].value  # columns 2 to 5 are of the one class, 6 and 7 of the other
    assert sorted(by_class["cells"]) == [10, 20] and by_class["hectares"].sum() == 120
    both = compared(cells)
    both = both[inside(both)]
    assert value_of(test, "Cells compared") == str(len(both))
    assert value_of(test, "Mean census decile") == f"{both.census_class.mean():.2f}"
    assert value_of(test, "Mean predicted decile") == f"{both.place.mean():.2f}"
    off = (both.place - both.census_class).mean()
    assert value_of(test, "Mean difference") == f"{off:.2f}".replace("-", "−")
    assert f"{both.census_individuals.sum():,.0f} people" in said
    assert "Spearman correlation" not in said and "what they were picked by" not in said
    confusion = _array(_figure(test, "confusion")["data"][0]["customdata"])
    wanted = pd.crosstab(both.census_class, both.region_class).stack()
    assert {(i + 1, j + 1): confusion[i, j] for i, j in np.argwhere(confusion)} == wanted[
        wanted > 0
    ].to_dict()
    shown = _figure(test, "differences")["data"][0]
    counted = (both.region_class.astype(int) - both.census_class).value_counts()
    pairs = zip(_array(shown["x"]), _array(shown["y"]), strict=True)
    assert {x: n for x, n in pairs if n} == counted.to_dict()
    scatter = _figure(test, "result.census")["data"][0]
    np.testing.assert_allclose(_array(scatter["y"]), kept.expected_class)


def test_cells_that_are_not_selected_are_veiled(
    result_page: Callable[..., AppTest], with_census: Path
) -> None:
    assert "both-veil" not in layers_of(result_page(with_census))
    test = result_page(with_census, only=BOX, left="difference")
    drawn = list(layers_of(test))
    assert drawn.index("right-cells") < drawn.index("both-veil") < drawn.index("both-hatch")
    result = job_result.read_result(with_census)
    view = ResultCells(Selection.of(BOX), quintiles=False, with_imputed=False, result=result)
    assert job_maps._veil(view) in layers_of(test)["both-veil"]["image"]
    alpha = picture_of(job_maps._veil(view))[..., 3]
    assert (alpha == 0).sum() == 30 and (alpha == 255 - layers.FADED).sum() == 174
    assert (alpha[6:11, 2:8] == 0).all()  # row 0 is the northernmost of twelve


def test_a_range_of_differences_is_what_cells_were_picked_by(
    result_page: Callable[..., AppTest], with_census: Path
) -> None:
    test = result_page(with_census, only="d1_3", classes="quintiles")
    both = compared(cells_of(with_census))
    off = both.region_class.astype(int) - both.census_class
    assert not test.exception
    assert value_of(test, "Cells compared") == str(off.between(1, 3).sum())
    assert "what they were picked by" in texts(test) and "no correlation is given" in texts(test)
    confusion = _array(_figure(test, "confusion")["data"][0]["customdata"])
    assert confusion.shape == (5, 5) and confusion.sum() == off.between(1, 3).sum()
    assert _array(_figure(test, "differences")["data"][0]["y"]).sum() == len(both)  # it sets the range
    nothing = result_page(with_census, only="c1p9.d0_0")
    assert not nothing.exception and "No cell is selected." in texts(nothing)
    nothing.button(key="selection.clear").click().run()
    assert NAME not in nothing.query_params and "Spearman correlation" in texts(nothing)


def test_without_a_census_a_range_of_predicted_classes_selects(
    result_page: Callable[..., AppTest], without_census: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = cells_of(without_census)
    test = result_page(without_census, only="p8_10.d1_3.z01")  # neither errors nor districts are known
    assert not test.exception
    kept = cells[cells["class"] >= 8]
    assert "Shown: <b>predicted class 8 to 10</b>" in texts(test)
    assert value_of(test, "Cells selected") == str(len(kept))
    assert table(test, "result.cells")["class"].tolist() == kept["class"].tolist()
    bars = _figure(test, "predicted")["data"][0]
    assert _array(bars["y"]).sum() == 204  # it sets the range
    assert _array(bars["marker"]["opacity"]).tolist() == [0.25] * 7 + [1.0] * 3
    assert not [one for one in test.get("plotly_chart") if one.key in ("confusion", "differences")]
    everything = result_page(without_census)
    assert "drag over the predicted classes" in texts(everything)
    assert "confusion" not in texts(everything)
    # a brush sets its part; another photograph forgets it
    address = {NAME: BOX}
    monkeypatch.setattr("streamlit.query_params", address)
    monkeypatch.setattr("streamlit.session_state", {})
    monkeypatch.setattr("pages.shared.charts.chosen_points", lambda key: [{"x": 9}, {"x": 7}])
    linked_selection.on_predicted()
    assert address[NAME] == f"{BOX}.p7_9"


def test_another_photograph_forgets_the_selection(
    result_page: Callable[..., AppTest], without_census: Path
) -> None:
    test = result_page(without_census, only=BOX)
    next(one for one in test.button if one.label == "Another photograph").click().run()
    assert not test.exception and NAME not in test.query_params


def test_files_hold_the_selected_cells(with_census: Path, tmp_path: Path) -> None:
    result = job_result.read_result(with_census)
    view = ResultCells(Selection.of(BOX), quintiles=False, with_imputed=False, result=result)
    cells = cells_of(with_census)
    kept = cells[inside(cells)]
    csv = pd.read_csv(io.BytesIO(job_take_away.file_of(view, "a box", "cells.csv")()))
    whole = pd.read_csv(with_census / "cells.csv")
    pd.testing.assert_frame_equal(csv, whole[whole.cell_id.isin(kept.cell_id)].reset_index(drop=True))
    parquet = gpd.read_parquet(io.BytesIO(job_take_away.file_of(view, "a box", "cells.parquet")()))
    assert parquet.cell_id.tolist() == kept.cell_id.tolist() and parquet.crs.to_epsg() == 3035
    (tmp_path / "cells.gpkg").write_bytes(job_take_away.file_of(view, "a box", "cells.gpkg")())
    assert gpd.read_file(tmp_path / "cells.gpkg").cell_id.tolist() == kept.cell_id.tolist()
    (tmp_path / "a.tif").write_bytes(job_take_away.file_of(view, "a box", "activation.tif")())
    with rasterio.open(tmp_path / "a.tif") as part, rasterio.open(with_census / "activation.tif") as all_:
        # two by two values a cell, in half precision
        np.testing.assert_allclose(part.read(1), all_.read(1)[12:22, 4:16], rtol=1e-3)
    with zipfile.ZipFile(io.BytesIO(job_take_away.file_of(view, "a box", "all")())) as archive:
        summary = json.loads(archive.read("summary.json"))
        assert (summary["selection"], summary["selected"], summary["cells"]) == ("a box", 30, 204)
        rows = pd.read_parquet(io.BytesIO(archive.read("activation.parquet")))
        assert set(rows.cell_id) == set(kept.cell_id)
        assert {"cells.qml", "activation.qml"} <= set(archive.namelist())


def handed_out(test: AppTest) -> list[str]:
    return [e.proto.label for e in test.get("download_button") if "-download." in e.proto.id]


def test_few_households_of_the_census_are_not_handed_out(
    result_page: Callable[..., AppTest], with_census: Path, without_census: Path
) -> None:
    row = SOUTH + 1000  # cells of two households each
    five, six = (f"r{WEST}_{row}_{WEST + 200 * n}_{row + 200}" for n in (5, 6))
    few = result_page(with_census, only=five)
    assert not few.exception and handed_out(few) == []
    assert "fewer than 11 households together" in texts(few)
    assert [e for e in few.get("download_button") if "-data.result.census" in e.proto.id] == []
    assert handed_out(result_page(with_census, only=six))[:3] == ["CSV", "GeoParquet", "GeoPackage"]
    # without a census, or where it has no value, there is nothing to keep secret
    assert handed_out(result_page(without_census, only=five))[0] == "CSV"
    lowest = f"r{WEST}_{SOUTH}_{WEST + 400}_{SOUTH + 200}"
    assert handed_out(result_page(with_census, only=lowest))[0] == "CSV"


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_errors_of_a_census_are_mapped_and_grouped_as_on_city(
    result_page: Callable[..., AppTest], with_census: Path, lang: str
) -> None:
    test = result_page(with_census, left="clusters", only=BOX, lang=lang)
    assert not test.exception
    result = job_result.read_result(with_census)
    view = ResultCells(Selection(), quintiles=False, with_imputed=False, result=result)
    both = compared(cells_of(with_census))
    assert (view.clusters >= 0).sum() == len(both)  # each touches another
    assert str(len(both[inside(both)])) in next(
        text for text in texts(test).split("carreau-sentence") if "clust" in text or "regroup" in text
    )
    whole = result_page(with_census, lang=lang)
    groups = _figure(whole, "by-density")["data"][0]
    assert _array(groups["customdata"]).sum() == len(both)  # fifths of at least 30
    first = both[both.census_individuals <= np.quantile(both.census_individuals, 0.2).round()]
    assert _array(groups["y"])[0] == pytest.approx((first.place - first.census_class).mean())


def test_a_result_does_not_have_what_only_cities_have(with_census: Path, without_census: Path) -> None:
    asked = Selection.of("d1_1.z3.p2_4")
    result = job_result.read_result(with_census)
    known = job_cells.known(asked, result, 10)
    assert known == Selection(difference=(1, 1), predicted=(2, 4))
    corner = Selection(confusion=(10, 8))
    assert job_cells.known(corner, result, 10) == corner
    assert not job_cells.known(corner, result, 5)  # quintiles have no such cell: all cells are shown
    known = job_cells.known(asked, job_result.read_result(without_census), 10)
    assert known == Selection(predicted=(2, 4))


def test_cells_of_a_result_are_picked_by_numbers(
    result_page: Callable[..., AppTest], with_census: Path, without_census: Path
) -> None:
    test = result_page(without_census)
    assert [one.key for one in test.slider] == ["picked.own"]
    assert "picked.census" not in {one.key for one in test.selectbox}
    test.slider(key="picked.own").set_value((8, 10))
    next(one for one in test.button if one.label == "Pick out").click().run()
    assert test.query_params[NAME] == "p8_10"
    wanted = int((cells_of(without_census)["class"] >= 8).sum())
    assert value_of(test, "Cells selected") == str(wanted)
    assert {one.key for one in result_page(with_census).slider} >= {"picked.own", "picked.difference"}
