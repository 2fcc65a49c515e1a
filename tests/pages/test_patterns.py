"""Patterns: what is drawn equals the publication; controls, addresses, studies that lack something."""

from __future__ import annotations

import base64
import dataclasses
import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.settings import SHIPPED_DEMO
from data.store import pattern_queries
from data.store.open import connect
from data.store.queries import cities
from pages.shared import (
    forest,
    palette,
    pattern_caveats,
)
from tests.pages.conftest import RunPage, texts
from tests.pages.synthetic import make_publication

INKS = palette._LIGHT


def charts_of(test: AppTest) -> list[dict[str, Any]]:
    """Return the figures of the page: forest plot, scatter, index, ratios, pairs."""
    return [json.loads(chart.proto.spec) for chart in test.get("plotly_chart")]


def numbers(values: Any) -> np.ndarray:
    """Return a plotly array, which may be packed."""
    if isinstance(values, dict):
        return np.frombuffer(base64.b64decode(values["bdata"]), dtype=values["dtype"]).astype(float)
    return np.array(values, dtype=float)


def dots(figure: dict[str, Any]) -> dict[str, tuple[float, float, float]]:
    """Return label: (value, low, high) of the dots of a forest plot."""
    found = {}
    for trace in figure["data"]:
        if "error_x" not in trace:
            continue
        x, up, down = (
            numbers(trace["x"]),
            numbers(trace["error_x"]["array"]),
            numbers(trace["error_x"]["arrayminus"]),
        )
        for row, value, above, below in zip(trace["customdata"], x, up, down, strict=True):
            found[row[0]] = (value, value - below, value + above)
    return found


@pytest.mark.parametrize(
    ("relation", "coefficient", "imputed"),
    [("census", "spearman", "0"), ("prediction", "kendall", "1"), ("activation", "pearson", "0")],
)
def test_forest_shows_the_published_figures(
    run_page: RunPage, rows: duckdb.DuckDBPyConnection, relation: str, coefficient: str, imputed: str
) -> None:
    test = run_page("patterns", relation=relation, coefficient=coefficient, imputed=imputed, city="port-azur")
    assert not test.exception
    expected = rows.execute(
        "SELECT code, value - coalesce(null_torus, 0), low - coalesce(null_torus, 0), high - "
        "coalesce(null_torus, 0) "
        "FROM correlation WHERE city_id = 'port-azur' AND relation = ? AND coefficient = ? AND "
        "includes_imputed = ? "
        "AND enough",
        [relation, coefficient, imputed == "1"],
    ).fetchall()
    shown = dots(charts_of(test)[0])
    assert {label.split()[0] for label in shown} == {row[0] for row in expected}
    for code, *figures in expected:
        found = next(values for label, values in shown.items() if label.startswith(code))
        np.testing.assert_allclose(found, figures, atol=1e-9)


@pytest.mark.parametrize(("relation", "by"), [("census", "activation"), ("occlusion", "occlusion")])
def test_scatter_shows_relation_i_and_the_published_pulls(
    run_page: RunPage, rows: duckdb.DuckDBPyConnection, relation: str, by: str
) -> None:
    test = run_page("patterns", relation=relation, city="port-azur")
    expected = {
        row[0]: row[1:]
        for row in rows.execute(
            "SELECT c.code, c.value, p.value - coalesce(p.null_torus, 0), p.high - p.value "
            "FROM correlation c JOIN class_pull p USING (city_id, code, level, includes_imputed) "
            "WHERE city_id = 'port-azur' AND "
            "c.relation = 'census' AND coefficient = 'spearman' AND NOT includes_imputed AND c.enough AND "
            "p.enough AND p.relation = ?",
            [by],
        ).fetchall()
    }
    scatter = charts_of(test)[1]
    assert by in scatter["layout"]["yaxis"]["title"]["text"]
    shown = {}
    for trace in scatter["data"]:
        figures = (numbers(trace["x"]), numbers(trace["y"]), numbers(trace["error_y"]["array"]))
        shown |= dict(
            zip([text.split()[0] for text in trace["text"]], zip(*figures, strict=True), strict=True)
        )
    assert set(shown) == set(expected)
    for code, figures in expected.items():
        np.testing.assert_allclose(shown[code], figures, atol=1e-9)


def test_a_study_without_pulls_says_so(run_page: RunPage, tmp_path: Path) -> None:
    older = make_publication(tmp_path / "studies" / "older", cells=120)
    with duckdb.connect(str(older)) as connection:
        connection.execute("DROP TABLE class_pull")
    test = run_page("patterns", studies=tmp_path / "studies")
    assert not test.exception
    assert "published by an earlier version, without the pull of its classes" in texts(test)


def test_reliance_stands_beside_each_correlation(run_page: RunPage, rows: duckdb.DuckDBPyConnection) -> None:
    figure = charts_of(run_page("patterns", relation="census"))[0]
    columns: dict[float, list[str]] = {}
    for note in figure["layout"]["annotations"]:
        if note.get("yref") == "y":
            columns.setdefault(note["xshift"], []).append(note["text"])
    cells, reliance = (columns[shift] for shift in sorted(columns))
    order = [tick.split()[0] for tick in figure["layout"]["yaxis"]["ticktext"]]
    known = dict(
        rows.execute(
            "SELECT code, value FROM reliance WHERE city_id = 'ker-bihan' AND NOT includes_imputed"
        ).fetchall()
    )
    expected = [f"{known[code]:+.2f}".replace("-", "−") if code in known else "–" for code in order]
    assert reliance == [text if text not in {"+0.00", "−0.00"} else "0.00" for text in expected]
    assert len(cells) == len(order)


def test_every_row_is_labelled_in_order_and_pale_means_not_significant(
    run_page: RunPage, rows: duckdb.DuckDBPyConnection
) -> None:
    figure = charts_of(run_page("patterns", relation="census"))[0]
    ticks = figure["layout"]["yaxis"]["ticktext"]
    order = rows.execute(
        "SELECT code FROM correlation WHERE city_id = 'ker-bihan' AND relation = 'census' AND "
        "coefficient = 'spearman' AND NOT includes_imputed AND enough ORDER BY value, code"
    ).fetchall()
    assert [tick.split()[0] for tick in ticks] == [row[0] for row in order]
    assert len(figure["layout"]["yaxis"]["tickvals"]) == len(ticks)
    pale = [trace for trace in figure["data"] if "error_x" in trace][1]
    sure = {
        row[0]
        for row in rows.execute(
            "SELECT code FROM correlation WHERE city_id = 'ker-bihan' AND relation = 'census' AND "
            "coefficient = 'spearman' AND NOT includes_imputed AND q_value <= 0.05"
        ).fetchall()
    }
    assert not sure & {row[0].split()[0] for row in pale["customdata"]}
    assert f",{forest.PALE:g})" in pale["error_x"]["color"]


@pytest.mark.parametrize(("method", "estimator"), [("cam", "pooled"), ("paper", "mean")])
def test_ratios_and_incomes_are_the_published_ones(
    run_page: RunPage, rows: duckdb.DuckDBPyConnection, method: str, estimator: str
) -> None:
    test = run_page("patterns", map=method, estimator=estimator)
    assert not test.exception
    expected = rows.execute(
        "SELECT polarity, code, value FROM class_activation WHERE city_id = 'ker-bihan' AND method = ? AND "
        "estimator = ? AND enough",
        [method, estimator],
    ).fetchall()
    incomes = rows.execute(
        "SELECT polarity, code, probability FROM class_income WHERE city_id = 'ker-bihan' AND enough"
    ).fetchall()
    figure = charts_of(test)[3]
    for wanted, axis in ((expected, "x"), (incomes, "x2")):
        shown = {
            (trace["marker"]["symbol"], row[0].split()[0]): value
            for trace in figure["data"]
            if trace.get("xaxis", "x") == axis and "customdata" in trace
            for row, value in zip(trace["customdata"], numbers(trace["x"]), strict=True)
        }
        symbols = {"poor": "circle", "rich": "diamond"}
        assert shown == {(symbols[polarity], code): pytest.approx(value) for polarity, code, value in wanted}


def test_controls_change_the_figures_and_the_address(run_page: RunPage) -> None:
    test = run_page("patterns")
    before = dots(charts_of(test)[0])
    test.button_group(key="relation").set_value("census").run()
    assert test.query_params["relation"] == "census"
    assert dots(charts_of(test)[0]) != before
    test.toggle(key="imputed").set_value(True).run()
    assert test.query_params["imputed"] == "1"
    test.selectbox(key="city").set_value("port-azur").run()
    assert test.query_params["city"] == "port-azur"
    assert not test.exception


def test_the_activation_relation_is_said_to_exist_for_cam_only(run_page: RunPage) -> None:
    test = run_page("patterns", relation="activation", map="paper")
    assert any("signed excess" in info.value for info in test.info)
    assert dots(charts_of(test)[0]) == dots(
        charts_of(run_page("patterns", relation="activation", map="cam"))[0]
    )


def test_caveats_are_on_the_page(run_page: RunPage) -> None:
    said = texts(run_page("patterns", relation="prediction"))
    for caveat in (
        "one signed map turned round",
        "follows from the model's accuracy alone",
        "Dates: incomes 2015, land use 2012",
        "One pixel of the map is 25 m",
        "Too few cells to show",
        "Not being able to tell is not the same as disregard",
    ):
        assert caveat in said.replace("&#x27;", "'"), caveat
    assert "null, the map moved on the torus" in texts(run_page("patterns", relation="activation"))


def test_a_wrong_address_is_answered(run_page: RunPage) -> None:
    test = run_page("patterns", relation="iv", coefficient="r", city="atlantis", map="", estimator="median")
    assert not test.exception
    said = " ".join(warning.value for warning in test.warning)
    assert all(word in said for word in ("“iv”", "“r”", "“atlantis”", "“median”"))
    assert len(charts_of(test)) == 5


def test_a_study_without_land_use_gets_a_sentence(run_page: RunPage, tmp_path: Path) -> None:
    make_publication(tmp_path / "studies" / "bare", cells=60, n_cities=1, with_land_use=False)
    test = run_page("patterns", studies=tmp_path / "studies")
    assert not test.exception
    assert "without land use" in test.info[0].value
    assert not test.get("plotly_chart")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("enough = false", "No land-use class of"),
        ("enough = true, low = NULL, high = NULL, note = 'too few blocks'", "fewer than 30 independent"),
    ],
)
def test_a_city_with_too_little_of_everything(
    run_page: RunPage, tmp_path: Path, change: str, said: str
) -> None:
    file = make_publication(tmp_path / "studies" / "few", cells=160, n_cities=1)
    with duckdb.connect(str(file)) as connection:
        for table in ("correlation", "class_activation", "class_income"):
            connection.execute(f"UPDATE {table} SET {change}")
        connection.execute("UPDATE correlation SET q_value = NULL")
    test = run_page("patterns", studies=tmp_path / "studies")
    assert not test.exception
    assert said in texts(test)


def test_queries_answer_empty_publications(tmp_path: Path) -> None:
    file = make_publication(tmp_path / "bare", cells=60, n_cities=1, with_land_use=False)
    with connect(file) as connection:
        assert pattern_queries.coefficients(connection) == []
        assert pattern_queries.map_methods(connection) == []
        assert pattern_queries.correlations(connection, "ker-bihan", "census", "spearman", False).empty
        assert pattern_queries.map_size(connection, "ker-bihan", "cam") == (8, 8)
        assert pattern_queries.map_size(connection, "ker-bihan", "paper") is None


def test_chance_and_what_was_planted_are_said_before_anything_else(
    run_page: RunPage, rows: duckdb.DuckDBPyConnection
) -> None:
    measures = rows.execute(
        "SELECT * FROM agreement WHERE city_id = 'ker-bihan' AND NOT includes_imputed"
    ).df()
    at = (measures.measure == "spearman") & (measures.scope == "within_fold")
    city = next(c for c in cities(rows) if c.city_id == "ker-bihan")
    able = measures.assign(null_high=measures.null_high.where(~at, -1.0))
    assert pattern_caveats.chance_sentence(able, city) == ""
    luck = measures.assign(
        value=measures.value.where(~at, -0.06),
        null_low=measures.null_low.where(~at, -0.09),
        null_high=measures.null_high.where(~at, 0.09),
    )
    said = pattern_caveats.chance_sentence(luck, city)
    assert "no better than chance (−0.06, by chance −0.09 to +0.09)" in said
    assert "nothing about incomes" in said
    planted = dataclasses.replace(city, recipe="objects", planted_codes=["11220"])
    assert "objects inside 11220 medium-density urban" in pattern_caveats.planted_sentence(planted)
    nothing = dataclasses.replace(city, recipe="nothing", planted_codes=[])
    assert "no land-use class carries income" in pattern_caveats.planted_sentence(nothing)
    hidden = dataclasses.replace(city, recipe="hidden", planted_codes=[])
    assert "income goes with land use, but its photograph does not" in pattern_caveats.planted_sentence(
        hidden
    )
    assert pattern_caveats.planted_sentence(dataclasses.replace(city, recipe=None)) == ""
    assert pattern_caveats.planted_sentence(city) in run_page("patterns").info[0].value


@pytest.mark.skipif(not SHIPPED_DEMO.is_dir(), reason=f"no demo study in {SHIPPED_DEMO}")
def test_one_city_and_several_say_the_same_of_a_city_without_ties(run_page: RunPage) -> None:
    alone = texts(run_page("patterns", studies=SHIPPED_DEMO.parent, city="port-imagine"))
    assert "there is no relation that the network could follow or disregard" in alone
    assert "there is nothing to follow or disregard" in alone
    together = run_page(
        "patterns", studies=SHIPPED_DEMO.parent, city="port-imagine", **{"with": "feinteville"}
    )
    said = texts(together)
    assert "there is nothing to follow in Port-Imaginé" in said
    assert "disregards land use in Port-Imaginé" not in said
