"""City: the numbers shown are those of the publication; controls change them; bad addresses are answered."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from pages.shared import city_words
from pages.shared.study import OpenStudy
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
    assert (shown["class"].astype(int) - shown["predicted"].astype(int)).abs().tolist() == off.head(
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


def _map_data(test: AppTest, number: int = 0) -> dict:
    return json.loads(test.get("bidi_component")[number].proto.json)


def _images(test: AppTest, number: int = 0) -> dict[str, str]:
    layers = _map_data(test, number)["deck"]["layers"]
    return {layer["id"]: layer["image"] for layer in layers if "image" in layer}


def test_a_run_that_changes_nothing_asks_for_no_cell(
    run_page: RunPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = run_page("city", left="clusters", right="difference")
    before = texts(test)
    asked: list[str] = []
    monkeypatch.setattr(OpenStudy, "once", lambda self, question, *arguments: asked.append(question.__name__))
    monkeypatch.setattr("core.statistics.interval.block_bootstrap", lambda *a, **b: asked.append("interval"))
    test.run()
    assert not test.exception and asked == []
    assert texts(test) == before


def test_clusters_are_those_of_the_publication(run_page: RunPage, rows: duckdb.DuckDBPyConnection) -> None:
    test = run_page("city", left="clusters", imputed="1")
    assert not test.exception
    (all_cells,) = rows.execute(
        "SELECT count(*) FROM local_moran WHERE city_id = 'ker-bihan' AND includes_imputed"
    ).fetchone()
    (out,) = rows.execute(
        "SELECT count(*) FROM local_moran WHERE city_id = 'ker-bihan' AND includes_imputed AND q_value < 0.05"
    ).fetchone()
    said = (
        f"{out} of {all_cells} cells stand out" if out else f"nowhere beyond chance among {all_cells} cells"
    )
    assert said in texts(test)
    assert "too rich among too rich" in _map_data(test)["words"]["further"]


def test_clusters_are_no_choice_where_none_were_published(run_page: RunPage, tmp_path: Path) -> None:
    file = make_publication(tmp_path / "old", n_cities=1, cells=60)
    with duckdb.connect(str(file)) as connection:
        connection.execute("DROP TABLE local_moran")
        connection.execute("DROP TABLE district")
        connection.execute("DROP TABLE cell_district")
    test = run_page("city", studies=tmp_path / "old", left="clusters")
    assert not test.exception
    assert test.button_group(key="left").value == "census"
    assert "clusters" not in str(test.button_group(key="left").options).lower()
    labels = [box.label for box in test.selectbox]
    assert "District" not in labels and "City beside" not in labels  # none published, no second city


def test_photograph_is_shown_where_it_is_there_and_missed_where_not(
    run_page: RunPage, tmp_path: Path
) -> None:
    missing = run_page("city", left="photograph")
    assert not missing.exception
    assert "The photograph cannot be shown" in texts(missing) and "does not exist" in texts(missing)
    assert set(_images(missing)) == {"right-cells", "both-hatch"}
    make_publication(tmp_path / "with", n_cities=1, cells=60, with_photographs=True)
    test = run_page("city", studies=tmp_path / "with", left="photograph")
    assert not test.exception
    assert "photograph of 2017, reduced to" in texts(test)
    url = _images(test)["left-photograph"]
    assert url.startswith("data:image/webp;base64,") and len(url) < 600_000
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))).convert("RGBA"))
    hover = _map_data(test)["hover"]
    assert max(picture.shape[:2]) == 1024
    assert picture.shape[1] / picture.shape[0] == pytest.approx(hover["width"] / hover["height"], rel=0.01)
    assert (picture[..., 3] > 0).mean() > 0.9  # the parcels cover the frame of the cells


def test_two_cities_side_by_side(run_page: RunPage, rows: duckdb.DuckDBPyConnection) -> None:
    test = run_page("city", beside="port-azur", left="uncertainty", only="d1_3")
    assert not test.exception
    assert test.title[0].value == "Kêr-Bihan beside Port Azur"
    shown = texts(test)
    for city_id in ("ker-bihan", "port-azur"):
        value, low, high = rows.execute(
            "SELECT value, low, high FROM agreement WHERE city_id = ? AND measure = 'within_one' AND "
            "scope = 'within_fold' AND NOT includes_imputed",
            [city_id],
        ).fetchone()
        assert f'<div class="value">{100 * value:.1f} %</div>' in shown
        assert f"{100 * low:.1f} to {100 * high:.1f} %" in shown
        poorest, richest = rows.execute(
            "SELECT max(income) FILTER (k = 1), max(income) FILTER (k = 9) FROM threshold WHERE city_id = ? "
            "AND includes_imputed",
            [city_id],
        ).fetchone()
        assert f"{poorest:,.0f} €" in shown and f"{richest:,.0f} €" in shown
    assert "cut inside each city" in shown
    assert "Cells selected" not in shown  # a selection is of one city
    first, second = (_map_data(test, k) for k in (0, 1))
    assert first["single"] and second["single"] and first["place"] != second["place"]
    assert first["rectangles"] is False
    # one scale of uncertainty for both
    (ends,) = {part.split("</span>")[0] for part in shown.split("<span>entropy ")[1:]}
    assert ends
    one, other = (
        _array(_figure(test, f"confusion-{k}")["data"][0]["customdata"]).sum()
        for k in ("ker-bihan", "port-azur")
    )
    counts = rows.execute(
        "SELECT city_id, sum(n) FROM confusion WHERE NOT includes_imputed AND city_id IN ('ker-bihan', "
        "'port-azur') GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert [one, other] == [n for _, n in counts]
    test.selectbox(key="beside").set_value("").run()
    assert "beside" not in test.query_params and not test.exception
    assert test.title[0].value == "Where is the model wrong in Kêr-Bihan?"


@pytest.mark.parametrize("wrong", ["atlantis", "ker-bihan"])
def test_a_second_city_that_is_none_is_left_out(run_page: RunPage, wrong: str) -> None:
    test = run_page("city", beside=wrong)
    assert not test.exception
    assert test.title[0].value == "Where is the model wrong in Kêr-Bihan?"
    said = [box.value for box in test.warning]
    assert said == (
        ["The address asks for “atlantis” beside Kêr-Bihan. Choose one of Port Azur."]
        if wrong == "atlantis"
        else []
    )


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
    assert test.title[0].value.split() == [
        "Kêr-Bihan",
        ":",
        "où",
        "le",
        "modèle",
        "se",
        "trompe\u2011t\u2011il",
        "?",
    ]
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
