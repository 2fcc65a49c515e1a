"""What is taken away is what was shown: charts' CSV against their marks, tables against the publication."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.shared import chart_data, chart_tables, charts, table_menu
from tests.pages.conftest import RunPage, texts
from tests.pages.test_city import _array, _figure

Taken = dict[str, tuple[pd.DataFrame, str | None]]


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Taken:
    """The figures that each chart of the page hands out, read back from its CSV, and why some are not."""
    found: Taken = {}
    beside = chart_data.beside

    @contextmanager
    def recorded(key: str, data: Any, withheld: str | None) -> Iterator[None]:
        assert data is not None, f"chart {key} hands out no figures"
        found[key] = (pd.read_csv(io.BytesIO(chart_data.as_csv(data)), dtype={"code": str}), withheld)
        with beside(key, data, withheld):
            yield

    monkeypatch.setattr(chart_data, "beside", recorded)
    return found


def buttons(test: AppTest, key: str) -> list[str]:
    """Labels of the download buttons whose keys begin so."""
    return [e.proto.label for e in test.get("download_button") if f"-{key}" in e.proto.id]


def drawn(figure: dict, axis: str) -> list[float]:
    """Values of all marks that have a text on hover, over the traces of a chart."""
    values = [
        _array(trace[axis])
        for trace in figure["data"]
        if trace.get("hovertemplate") and trace.get("name") != "census"
    ]
    return sorted(np.round(np.concatenate([v.astype(float) for v in values]), 6).tolist())


def given(frame: pd.DataFrame, column: str) -> list[float]:
    return sorted(np.round(frame[column].dropna().astype(float), 6).tolist())


def test_charts_of_city(run_page: RunPage, taken: Taken) -> None:
    test = run_page("city")
    assert not test.exception and not any(why for _, why in taken.values())
    confusion = _array(_figure(test, "confusion")["data"][0]["customdata"])
    frame = taken["confusion"][0]
    assert frame["cells"].tolist() == confusion.ravel().tolist()
    assert frame.loc[frame["cells"] > 0, "percent_of_census_class"].between(0, 100).all()
    assert frame.iloc[confusion.shape[1]][["census_class", "predicted_class"]].tolist() == [2, 1]
    histogram = _figure(test, "differences")["data"][0]
    frame = taken["differences"][0]
    assert dict(zip(_array(histogram["x"]), _array(histogram["y"]), strict=True)) == dict(
        zip(frame["predicted_less_census_classes"], frame["cells"], strict=True)
    )
    frame = taken["calibration"][0]
    shown = drawn(_figure(test, "calibration"), "y")
    np.testing.assert_allclose(shown, [100 * v for v in given(frame, "observed_share")], atol=1e-3)


def test_mean_differences_by_group() -> None:
    groups = pd.DataFrame(
        {
            "group": ["1", "2"],
            "value": [1.5, -0.25],
            "low": [1.0, np.nan],
            "high": [2.0, np.nan],
            "n": [40, 31],
        }
    )
    frame = chart_tables.mean_difference(groups, "census_class")
    figure = charts.mean_difference(groups, "x")
    assert list(frame) == ["census_class", "expected_less_census_classes", "low_95", "high_95", "cells"]
    assert frame["expected_less_census_classes"].tolist() == list(figure.data[0].y)
    assert frame["high_95"].isna().tolist() == [False, True]


@pytest.mark.parametrize("relation", ["census", "activation", "occlusion"])
def test_charts_of_patterns(run_page: RunPage, taken: Taken, relation: str) -> None:
    test = run_page("patterns", relation=relation)
    assert not test.exception
    by = "occlusion" if relation == "occlusion" else "activation"
    value = f"{relation}_spearman" + ("_less_null" if relation == "activation" else "")
    frame = taken["forest"][0]
    assert drawn(_figure(test, "forest"), "x") == given(frame, value)
    assert {"code", "name", "low_95", "high_95", "q_value", "effective_cells"} <= set(frame)
    frame = taken["scatter"][0]
    assert drawn(_figure(test, "scatter"), "x") == given(frame, "census_correlation")
    assert drawn(_figure(test, "scatter"), "y") == given(frame, f"pull_by_{by}")
    frame = taken["ratios"][0]
    shown = given(frame, "activation_ratio") + given(frame, "share_of_cells_in_census")
    assert drawn(_figure(test, "ratios"), "x") == sorted(shown)


def test_charts_of_cities_together(run_page: RunPage, taken: Taken) -> None:
    test = run_page("patterns", city="ker-bihan", **{"with": "port-azur"})
    assert not test.exception
    for key in ("forest-cities", "index-cities", "scatters"):
        assert taken[key][0]["city"].unique().tolist() == ["Kêr-Bihan", "Port Azur"], key
    assert drawn(_figure(test, "scatters"), "y") == given(taken["scatters"][0], "pull_by_activation")
    test = run_page("city", city="ker-bihan", beside="port-azur")
    assert not test.exception
    cells = [taken[f"confusion-{city}"][0]["cells"].sum() for city in ("ker-bihan", "port-azur")]
    assert cells[0] != cells[1] and buttons(test, "data.calibration-port-azur") == ["CSV"]


def test_charts_of_trust_and_cell(run_page: RunPage, taken: Taken) -> None:
    test = run_page("trust")
    assert not test.exception
    assert drawn(_figure(test, "reliance"), "x") == given(
        taken["reliance"][0], "reliance_rank_correlation_lost"
    )
    assert taken["cascade"][0]["check"].unique().tolist() == ["cascade"]
    cell = run_page("cell")
    bars = _figure(cell, "distribution")["data"][0]
    np.testing.assert_allclose(100 * taken["distribution"][0]["probability"], _array(bars["y"]))


def test_calibration_of_a_selection_is_withheld_with_it_and_that_of_the_city_is_not(
    run_page: RunPage, taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARREAU_LEAST_HOUSEHOLDS", "1000000")
    test = run_page("city", only="z01")
    assert not test.exception
    assert "1,000,000 households" in (taken["calibration"][1] or "")
    assert buttons(test, "data.calibration") == []
    (chart,) = (one for one in test.get("plotly_chart") if one.key == "calibration")
    assert "toImage" in json.loads(chart.proto.config)["modeBarButtonsToRemove"]
    by_error = run_page("city", only="d1_3")
    assert taken["calibration"][1] is None and taken["differences"][1] is None  # the latter shows all
    assert buttons(by_error, "data.calibration") == ["CSV"] and buttons(by_error, "data.confusion") == []


def test_few_households_take_no_figures_and_no_picture(
    run_page: RunPage, rows: duckdb.DuckDBPyConnection, taken: Taken
) -> None:
    x, y = rows.execute(
        "SELECT x, y FROM cell JOIN prediction p USING (city_id, cell_id) WHERE city_id = 'ker-bihan' AND "
        "NOT imputed AND cell.class IS NOT NULL AND p.out_of_fold ORDER BY households LIMIT 1"
    ).fetchone()
    test = run_page("city", only=f"r{x}_{y}_{x + 200}_{y + 200}")
    assert not test.exception
    assert "fewer than 11 households" in (taken["differences"][1] or "")
    assert "calibration" not in taken  # ten pairs of cell and class show nothing
    assert buttons(test, "data.differences") == [] and buttons(test, "take.csv") == []
    assert "fewer than 11 households together" in texts(test)
    (chart,) = (one for one in test.get("plotly_chart") if one.key == "differences")
    assert "toImage" in json.loads(chart.proto.config)["modeBarButtonsToRemove"]
    # the report and the tables are of the whole city
    assert buttons(test, "report.en") == ["PDF", "HTML"]


def test_a_city_of_few_households_has_no_files_but_the_reason(
    run_page: RunPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARREAU_LEAST_HOUSEHOLDS", "1000000")
    test = run_page("city")
    assert "fewer than 1,000,000 households" in texts(test)
    assert buttons(test, "take.") == buttons(test, "report.") == buttons(test, "map.") == []


def test_nothing_is_made_before_it_is_asked_for(run_page: RunPage, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> bytes:
        raise AssertionError("made too early")

    monkeypatch.setattr(chart_data, "as_csv", never)
    monkeypatch.setattr(table_menu, "table_file", never)
    for page in ("city", "patterns", "trust"):
        test = run_page(page)
        assert not test.exception and buttons(test, "data.")


def test_maps_shown_are_the_ones_offered(run_page: RunPage) -> None:
    test = run_page("city", left="difference", right="land_use")
    assert buttons(test, "map.difference") == buttons(test, "map.land_use") == ["PNG", "SVG"]
    assert buttons(test, "map.census") == []


def test_tables_are_the_publications(publication: Path, rows: duckdb.DuckDBPyConnection) -> None:
    for table in (*table_menu.CITY, *table_menu.PATTERNS, *table_menu.TRUST):
        csv = pd.read_csv(
            io.BytesIO(table_menu.table_file(publication, table, "ker-bihan", "csv", "about")),
            dtype={"code": str, "with_code": str},
        )
        content = table_menu.table_file(publication, table, "ker-bihan", "parquet", "about it")
        parquet = pq.read_table(io.BytesIO(content))
        where = "" if table == "trust_check" else "WHERE city_id = 'ker-bihan'"
        (n,) = rows.execute(f"SELECT count(*) FROM {table} {where}").fetchone()
        assert len(csv) == parquet.num_rows == n > 0, table
        assert parquet.schema.metadata[b"description"] == b"about it"
        assert all((field.metadata or {}).get(b"description") for field in parquet.schema), table
    named = parquet.schema.names
    assert "class_name" not in named
    correlations = pd.read_csv(
        io.BytesIO(table_menu.table_file(publication, "correlation", "ker-bihan", "csv", "")),
        dtype={"code": str},
    )
    assert {"low", "high", "p_value", "q_value", "class_name"} <= set(correlations)
    assert correlations["class_name"].notna().all()


def test_files_are_named_by_what_they_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict[str, str] = {"study": "demo", "city": "port/../azur", "address.page": "city"}
    monkeypatch.setattr(st, "session_state", state)
    assert chart_data.file_stem("confusion-3") == "carreau-demo-portazur-confusion"
    state["address.page"] = "upload"
    assert chart_data.file_stem("classes") == "carreau-classes"
