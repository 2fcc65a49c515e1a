"""City: the numbers shown are those of the publication; controls change them; bad addresses are answered."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pages.shared import city_words
from tests.pages.conftest import RunPage, texts
from tests.pages.synthetic import make_publication


def _figure(test: AppTest, key: str) -> dict:
    (found,) = (chart for chart in test.get("plotly_chart") if chart.key == key)
    return json.loads(found.proto.spec)


def _array(packed: dict | list) -> np.ndarray:
    """Plotly packs arrays as base64 with a dtype and shape."""
    if isinstance(packed, list):
        return np.array(packed)
    values = np.frombuffer(base64.b64decode(packed["bdata"]), dtype=packed["dtype"])
    return values.reshape([int(n) for n in str(packed.get("shape", len(values))).split(",")])


def _agreement(
    rows: duckdb.DuckDBPyConnection, measure: str, imputed: bool, scope: str = "within_fold"
) -> pd.Series:
    return (
        rows.execute(
            "SELECT * FROM agreement WHERE city_id = 'ker-bihan' AND measure = ? AND scope = ? AND "
            "includes_imputed = ?",
            [measure, scope, imputed],
        )
        .df()
        .iloc[0]
    )


def test_figures_are_the_publications(run_page: RunPage, rows: duckdb.DuckDBPyConnection) -> None:
    test = run_page("city")
    assert not test.exception
    assert test.title[0].value == "Where is the model wrong in Kêr-Bihan?"
    shown = texts(test)
    for measure in ("accuracy", "within_one"):
        row = _agreement(rows, measure, imputed=False)
        assert f'<div class="value">{100 * row.value:.1f} %</div>' in shown
        assert f"{100 * row.low:.1f} to {100 * row.high:.1f} %" in shown
    for measure in ("spearman", "weighted_kappa", "slope", "moran"):
        row = _agreement(rows, measure, imputed=False)
        assert f'<div class="value">{row.value:.2f}</div>' in shown
        assert f"pooled {_agreement(rows, measure, imputed=False, scope='pooled').value:.2f}" in shown
    assert "by chance −0.19 to 0.18" in shown
    assert "Invented cities" in shown
    assert "Income <b>2015</b>" in shown
    assert "land use <b>2012</b>" in shown
    assert "photograph <b>2017</b>" in shown


def test_imputed_switch_changes_figures_and_address(
    run_page: RunPage, rows: duckdb.DuckDBPyConnection
) -> None:
    test = run_page("city")
    test.toggle(key="imputed").set_value(True).run()
    assert test.query_params["imputed"] == "1"
    row = _agreement(rows, "within_one", imputed=True)
    assert row.value != _agreement(rows, "within_one", imputed=False).value
    assert f'<div class="value">{100 * row.value:.1f} %</div>' in texts(test)
    total = rows.execute(
        "SELECT sum(n) FROM confusion WHERE city_id = 'ker-bihan' AND includes_imputed"
    ).fetchone()
    assert _array(_figure(test, "confusion")["data"][0]["customdata"]).sum() == total[0]


def test_list_is_ordered_by_disagreement(run_page: RunPage, rows: duckdb.DuckDBPyConnection) -> None:
    shown = run_page("city").dataframe[0].value
    frame = rows.execute(
        "SELECT c.class, p.class AS predicted FROM cell c JOIN prediction p USING (city_id, cell_id) WHERE "
        "city_id = 'ker-bihan' AND NOT imputed AND c.class IS NOT NULL"
    ).df()
    off = (frame["class"].astype(int) - frame["predicted"].astype(int)).abs().sort_values(ascending=False)
    assert len(shown) == 8
    assert (shown["Census"].astype(int) - shown["Predicted"].astype(int)).abs().tolist() == off.head(
        8
    ).tolist()


def test_quintiles_pair_deciles_on_map_and_confusion(
    run_page: RunPage, rows: duckdb.DuckDBPyConnection
) -> None:
    test = run_page("city", classes="quintiles")
    assert not test.exception
    table = _array(_figure(test, "confusion")["data"][0]["customdata"])
    assert table.shape == (5, 5)
    expected = rows.execute(
        "SELECT sum(n) FROM confusion WHERE city_id = 'ker-bihan' AND NOT includes_imputed AND census_class "
        "IN (3, 4) AND predicted_class IN (5, 6)"
    ).fetchone()
    assert table[1, 2] == expected[0]
    assert "census quintile" in _figure(test, "confusion")["layout"]["yaxis"]["title"]["text"]
    assert "Exact decile" in texts(test)  # the figures stay on deciles and say so
    test.button_group(key="classes").set_value("deciles").run()
    assert test.query_params["classes"] == "deciles"
    assert _array(_figure(test, "confusion")["data"][0]["customdata"]).shape == (10, 10)


def test_map_choice_lives_in_the_address(run_page: RunPage) -> None:
    test = run_page("city", left="difference", right="nonsense")
    assert test.button_group(key="left").value == "difference"
    assert test.button_group(key="right").value == "predicted"
    assert "≥ +4" in texts(test)
    test.button_group(key="right").set_value("fold").run()
    assert test.query_params["right"] == "fold"
    assert "<span>fold</span>" in texts(test)


@pytest.mark.parametrize("layer", ["census", "predicted", "difference", "uncertainty", "fold"])
def test_every_layer_draws(run_page: RunPage, layer: str) -> None:
    test = run_page("city", left=layer, right=layer, city="port-azur")
    assert not test.exception
    assert not test.error
    assert test.title[0].value == "Where is the model wrong in Port Azur?"


def test_city_is_carried_to_other_pages(run_page: RunPage) -> None:
    test = run_page("city", city="port-azur")
    test.switch_page("pages/cell.py").run()
    assert test.selectbox(key="city").value == "port-azur"
    assert test.query_params["city"] == "port-azur"


def test_unknown_city_is_answered(run_page: RunPage) -> None:
    test = run_page("city", city="atlantis")
    assert not test.exception
    assert "“atlantis”, which this study does not have" in test.warning[0].value
    assert "Kêr-Bihan, Port Azur" in test.warning[0].value
    assert test.title[0].value == "Where is the model wrong in Kêr-Bihan?"


def test_selected_cell_is_described(run_page: RunPage, rows: duckdb.DuckDBPyConnection) -> None:
    cell_id, census, predicted = rows.execute(
        "SELECT cell_id, c.class, p.class FROM cell c JOIN prediction p USING (city_id, cell_id) WHERE "
        "city_id = 'ker-bihan' AND c.class IS NOT NULL ORDER BY cell_id LIMIT 1"
    ).fetchone()
    test = run_page("city", cell=cell_id)
    assert f"census <b>{census}</b>" in texts(test)
    assert f"predicted <b>{predicted}</b>" in texts(test)
    (link,) = test.get("page_link")
    assert link.proto.page == "cell"
    test.selectbox(key="city").set_value("port-azur").run()
    assert "cell" not in test.query_params  # another city has other cells


def test_empty_installation_says_what_to_do(run_page: RunPage, tmp_path: Path) -> None:
    test = run_page("city", studies=tmp_path / "nothing")
    assert not test.exception
    assert test.title[0].value == "No study is published yet"
    assert "python -m core run" in test.markdown[0].value


def test_city_without_land_use(run_page: RunPage, tmp_path: Path) -> None:
    make_publication(tmp_path / "bare", n_cities=1, cells=60, with_land_use=False)
    test = run_page("city", studies=tmp_path / "bare")
    assert not test.exception
    assert "no land use" in texts(test)


def _measures(**values: tuple[float, float, float]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "measure": measure,
                "scope": "within_fold",
                "value": value,
                "low": value - 0.1,
                "high": value + 0.1,
                "null_low": low,
                "null_high": high,
                "note": "",
            }
            for measure, (value, low, high) in values.items()
        ]
    )


def test_city_speaks_french(run_page: RunPage, rows: duckdb.DuckDBPyConnection) -> None:
    test = run_page("city", lang="fr", only="d1_3")
    assert not test.exception
    assert test.title[0].value.split() == ["Kêr-Bihan", ":", "où", "le", "modèle", "se", "trompe-t-il", "?"]
    assert "prédits plus riches de 1 à 3 classes" in texts(test)
    assert "Moyenne au recensement (décile)" in texts(test)
    whole = run_page("city", lang="fr")
    row = _agreement(rows, "within_one", imputed=False)
    assert f'<div class="value">{100 * row.value:.1f} %</div>'.replace(".", ",") in texts(whole)
    assert _figure(whole, "confusion")["layout"]["separators"] == ",\u202f"
    words = json.loads(whole.get("bidi_component")[0].proto.json)["words"]
    assert words["predicted"] == "prédiction {value}"


def test_verdict_says_chance_when_it_is_chance() -> None:
    nan = float("nan")
    said = city_words.verdict(_measures(spearman=(0.05, -0.19, 0.18), accuracy=(0.1, nan, nan)), 10)
    assert said.startswith("The predicted order of cells cannot be told from chance: 0.05")
    assert "−0.19 to 0.18" in said
    assert "beyond chance" in city_words.verdict(_measures(spearman=(0.6, -0.19, 0.18)), 10)
    assert "runs against the census" in city_words.verdict(_measures(spearman=(-0.4, -0.19, 0.18)), 10)


def test_sentences_follow_the_numbers() -> None:
    table = np.array([[1, 3, 0], [0, 2, 0], [0, 0, 5]])
    assert city_words.confusion_sentence(table, "class").replace("\u202f%", " %") == (
        "The poorest class is most often predicted as class 2 (75 % of 4 cells); the richest class is most "
        "often predicted as its own (100 % of 5 cells)."
    )
    bins = pd.DataFrame({"probability": [0.05, 0.4], "frequency": [0.05, 0.3], "n": [900, 100]})
    assert city_words.calibration_sentence(bins).startswith("Stated and observed shares differ by 1.0 points")
    assert "surer than it should be" in city_words.calibration_sentence(bins)


def test_missing_interval_gives_its_reason() -> None:
    frame = _measures(accuracy=(0.2, float("nan"), float("nan"))).assign(
        low=float("nan"), high=float("nan"), note="too few blocks (12)"
    )
    assert "no interval: too few blocks (12)" in city_words.figures_html(frame, 10)
