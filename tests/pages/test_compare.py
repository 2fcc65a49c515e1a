"""Patterns of several cities: each city's published figures, its own place in the chart, honest sentences."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from pages.shared import compare_chart, compare_words, forest, index_chart, palette
from tests.pages.conftest import RunPage, texts
from tests.pages.synthetic import make_publication
from tests.pages.test_pattern_words import frame_of
from tests.pages.test_patterns import charts_of, numbers


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Studies with one of three cities, of which the last has no land use."""
    studies = tmp_path_factory.mktemp("three")
    file = make_publication(studies / "three", cells=120, n_cities=3)
    with duckdb.connect(str(file)) as connection:
        connection.execute("DELETE FROM land_use WHERE city_id = 'haut-vent'")
    return studies


def test_every_city_shows_its_published_figures_in_the_row_of_the_class(
    run_page: RunPage, rows: duckdb.DuckDBPyConnection
) -> None:
    test = run_page("patterns", relation="census", city="ker-bihan", **{"with": "port-azur"})
    assert not test.exception
    figure = charts_of(test)[0]
    ticks = [text.split()[0] for text in figure["layout"]["yaxis"]["ticktext"]]
    shown = {
        (trace["name"], row[0].split()[0], ticks[round(y)]): (x, x - below, x + above)
        for trace in figure["data"]
        for row, x, y, below, above in zip(
            trace["customdata"],
            numbers(trace["x"]),
            numbers(trace["y"]),
            numbers(trace["error_x"]["arrayminus"]),
            numbers(trace["error_x"]["array"]),
            strict=True,
        )
    }
    expected = rows.execute(
        "SELECT name, code, value, low, high FROM correlation JOIN city USING (city_id) WHERE relation = "
        "'census' AND coefficient = 'spearman' AND NOT includes_imputed AND enough"
    ).fetchall()
    assert set(shown) == {(name, code, code) for name, code, *_ in expected}
    for name, code, *figures in expected:
        np.testing.assert_allclose(shown[name, code, code], figures, atol=1e-9)


def test_the_indices_of_both_cities_stand_there_with_their_verdicts(
    run_page: RunPage, rows: duckdb.DuckDBPyConnection
) -> None:
    test = run_page("patterns", **{"with": "port-azur"})
    figure = charts_of(test)[1]
    expected = rows.execute(
        "SELECT name, value FROM follow_index JOIN city USING (city_id) WHERE level = 'full' AND NOT "
        "includes_imputed"
    ).fetchall()
    shown = [(trace["name"], x) for trace in figure["data"] for x in numbers(trace["x"])]
    assert sorted(shown) == sorted(expected)
    tied = rows.execute(
        "SELECT count(*) FROM correlation WHERE relation = 'census' AND enough AND level = 'full' "
        "AND coefficient = 'spearman' AND NOT includes_imputed AND q_value <= 0.05"
    ).fetchone()
    assert tied == (0,)
    verdicts = [note["text"] for note in figure["layout"]["annotations"]]
    assert verdicts == ["nothing to follow"] * len(expected)
    said = texts(test)
    assert "(null: map moved in its cell): there is nothing to follow in Kêr-Bihan and Port Azur" in said
    assert "2015, 2012, 2017" in said
    assert "2019, 2012, 2017" in said
    assert "says nothing of which city is richer" in said


def test_the_control_writes_the_address_and_a_wrong_one_is_answered(run_page: RunPage, three: Path) -> None:
    test = run_page("patterns", studies=three, **{"with": "atlantis,haut-vent,port-azur,ker-bihan"})
    assert not test.exception
    assert "“atlantis” and “haut-vent”, which this study does not have with land use" in test.warning[0].value
    control = test.multiselect(key="with")
    assert control.options == ["Port Azur"]
    assert control.value == ["port-azur"]
    control.set_value([]).run()
    assert "with" not in test.query_params
    assert not any("Compare" in warning.value for warning in test.warning)
    test.multiselect(key="with").set_value(["port-azur"]).run()
    assert test.query_params["with"] == "port-azur"
    test.selectbox(key="city").set_value("port-azur").run()  # it is not compared with itself
    assert not test.warning
    assert test.multiselect(key="with").value == []


def test_no_more_cities_than_can_be_told_apart(
    run_page: RunPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_publication(tmp_path / "studies" / "many", cells=80, n_cities=3)
    monkeypatch.setattr("pages.shared.compared_cities.MOST", 1)
    test = run_page("patterns", studies=tmp_path / "studies", **{"with": "haut-vent,port-azur"})
    assert not test.exception
    assert "compare with 2 cities; shown are the first 1" in test.warning[0].value
    assert test.multiselect(key="with").value == ["haut-vent"]


def test_a_study_with_one_city_has_nothing_to_compare_with(run_page: RunPage, tmp_path: Path) -> None:
    make_publication(tmp_path / "studies" / "one", cells=80, n_cities=1)
    test = run_page("patterns", studies=tmp_path / "studies")
    assert not test.exception
    assert not test.multiselect


def test_signs_count_only_where_two_cities_are_told_from_zero() -> None:
    rows = frame_of(
        code=["1", "1", "2", "2", "3", "3", "4", "4"],
        city_id=["a", "b"] * 4,
        value=[0.3, 0.2, 0.3, -0.2, 0.3, 0.2, -0.3, -0.4],
        low=[0.2, 0.1, 0.2, -0.3, 0.2, -0.1, -0.4, -0.5],
        high=[0.4, 0.3, 0.4, -0.1, 0.4, 0.5, -0.2, -0.3],
        q_value=[0.01] * 5 + [0.3, 0.01, 0.01],
    )
    assert compare_words.same_sign(rows) == (3, 2)
    apart = compare_words.farthest_apart(rows)
    assert apart is not None
    assert [(row.code, row.city_id) for row in apart] == [("2", "a"), ("2", "b")]
    touching = rows[rows.code != "2"]
    assert compare_words.farthest_apart(touching) is None


def test_classes_follow_the_chosen_city_and_those_it_lacks_come_last() -> None:
    rows = frame_of(code=["1", "2", "2", "3"], city_id=["a", "a", "b", "b"], value=[0.5, -0.5, 0.9, 0.7])
    cities = [type("C", (), {"city_id": one, "name": one})() for one in "ab"]
    assert compare_chart.class_order(rows, cities).code.tolist() == ["3", "2", "1"]  # from the bottom up
    figure = compare_chart.forest_of_cities(rows, cities, "", ["#000000", "#0072B2"], palette._LIGHT)
    at = {
        (trace.name, code[0][:1]): y
        for trace in figure.data
        for code, y in zip(trace.customdata, trace.y, strict=True)
    }
    assert at["a", "2"] > at["b", "2"]
    assert [round(at[key]) for key in (("b", "3"), ("a", "2"), ("a", "1"))] == [0, 1, 2]


def _seen(colour: str, matrix: list[list[float]]) -> np.ndarray:
    """Return a colour as Oklab, seen by somebody for whom `matrix` holds (Machado et al. 2009)."""
    linear = (np.array(palette.rgb(colour)) / 255) ** 2.2
    linear = np.clip(np.array(matrix) @ linear, 0, 1)
    lms = np.array([[0.412, 0.536, 0.051], [0.212, 0.681, 0.107], [0.088, 0.282, 0.630]]) @ linear
    turn = [[0.210, 0.794, -0.004], [1.978, -2.429, 0.451], [0.026, 0.783, -0.809]]
    return np.array(turn) @ np.cbrt(lms)


@pytest.mark.parametrize("colours", [palette._CITIES_LIGHT, palette._CITIES_DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    "matrix",
    [
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
        [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    ],
    ids=["full", "protanopia", "deuteranopia"],
)
def test_cities_are_told_apart_by_the_colour_blind(colours: tuple[str, ...], matrix: list) -> None:
    seen = [_seen(colour, matrix) for colour in colours]
    assert min(np.linalg.norm(a - b) for k, a in enumerate(seen) for b in seen[:k]) > 0.12
    assert len(set(index_chart.SYMBOLS)) == len(colours)


def test_what_depends_on_the_publication_alone_is_made_once(
    run_page: RunPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    draw = forest.forest
    monkeypatch.setattr(forest, "forest", lambda *given: made.append(1) or draw(*given))
    test = run_page("patterns", coefficient="kendall", relation="prediction", imputed="1")
    first = charts_of(test)
    drawn = len(made)
    test.run()
    assert len(made) == drawn
    assert charts_of(test) == first
    french = run_page("patterns", coefficient="kendall", relation="prediction", imputed="1", lang="fr")
    assert "Corrélation de Kendall" in charts_of(french)[0]["layout"]["xaxis"]["title"]["text"]


def test_empty_pairs_and_indices_draw_nothing_wrong() -> None:
    empty = pd.DataFrame(columns=["city_id", "relation", "null_model", "value", "low", "high", "verdict"])
    figure = index_chart.index_chart(empty, [], [], palette._LIGHT)
    assert not figure.data
