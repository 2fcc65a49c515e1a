"""Pairs of land-use classes on Patterns: the heatmaps hold the published figures, in the right place."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from pages.shared import pair_chart, palette
from pages.shared.pair_chart import MEASURES
from tests.pages.conftest import RunPage, texts
from tests.pages.synthetic import make_publication
from tests.pages.test_patterns import charts_of, numbers


@pytest.mark.parametrize(
    ("polarity", "measure", "activation", "income", "factor"),
    [("poor", "level", "co_activation", "probability", 0.4), ("rich", "gain", "gain", "income_gain", 1.0)],
)
def test_rows_columns_and_values_are_the_published_ones(
    run_page: RunPage,
    rows: duckdb.DuckDBPyConnection,
    polarity: str,
    measure: str,
    activation: str,
    income: str,
    factor: float,
) -> None:
    test = run_page("patterns", polarity=polarity, pairs=measure)
    assert not test.exception
    figure = charts_of(test)[-1]
    assert [trace["type"] for trace in figure["data"]] == ["heatmap", "heatmap"]
    for trace, value, base in zip(figure["data"], (activation, income), (1.0, factor), strict=True):
        expected = rows.execute(
            f"SELECT code, with_code, {value} FROM class_pair WHERE city_id = 'ker-bihan' AND method = 'cam' "
            f"AND polarity = ? AND {value} IS NOT NULL",
            [polarity],
        ).fetchall()
        z = numbers(trace["z"]).reshape(len(trace["y"]), len(trace["x"]))
        codes = [label.split()[0] for label in trace["y"]]
        assert codes == list(trace["x"])
        shown = {(codes[i], trace["x"][k]): z[i, k] for i, k in zip(*np.nonzero(np.isfinite(z)), strict=True)}
        assert len(shown) > 1
        wanted = {(a, b): np.clip(np.log2(max(v / base, 1e-6)), -1, 1) for a, b, v in expected}
        assert shown == {pair: pytest.approx(wanted[pair]) for pair in shown}
        assert set(wanted) - set(shown) == {(a, b) for a, b in wanted if a not in codes}


@pytest.fixture
def pairs() -> pd.DataFrame:
    """Two classes; water loses most where continuous urban is beside it."""
    return pd.DataFrame(
        {
            "code": ["11100", "11100", "50000", "50000"],
            "name": ["Continuous urban fabric"] * 2 + ["Water"] * 2,
            "with_code": ["11100", "50000", "11100", "50000"],
            "co_activation": [1.0, 1.2, 0.3, 0.9],
            "gain": [1.0, 1.2, 0.33, 1.0],
            "n": [50, 31, 32, 40],
            "probability": [0.4, 0.5, 0.2, 0.4],
            "income_gain": [1.0, 1.25, 0.5, 1.0],
            "n_income": [50, 31, 32, 40],
        }
    )


def test_a_row_is_the_class_looked_at(pairs: pd.DataFrame) -> None:
    figure = pair_chart.heatmaps(pairs, MEASURES["level"], "poor", 0.4, palette._LIGHT)
    assert figure.data[0].text.tolist() == [["1.00", "1.20"], ["0.30", "0.90"]]
    assert figure.data[1].text.tolist() == [["40", "50"], ["20", "40"]]
    np.testing.assert_allclose(figure.data[1].z, [[0, np.log2(1.25)], [-1, 0]], atol=1e-12)
    assert "poor cells" in figure.layout.annotations[1].text


def test_the_sentence_names_the_pair_that_stands_out_and_its_cells(pairs: pd.DataFrame) -> None:
    said = pair_chart.pair_sentence(pairs, MEASURES["gain"], "poor")
    assert "50000 Water where 11100 Continuous urban is in the cell too gets 0.33 times" in said
    assert "less than elsewhere (32 cells)." in said


def test_more_poor_is_brown_and_more_rich_is_teal() -> None:
    for ink in (palette._LIGHT, palette._DARK):
        poor, rich = (pair_chart._around_nothing(one, ink) for one in ("poor", "rich"))
        assert poor == rich[::-1]
        ends = palette.diverging(9, ink.is_dark)
        assert (poor[-1], rich[-1]) == (ends[0], ends[-1])


def test_a_city_with_no_pair_says_so(run_page: RunPage, tmp_path: Path) -> None:
    file = make_publication(tmp_path / "studies" / "bare", cells=160)
    with duckdb.connect(str(file)) as connection:
        connection.execute("UPDATE class_pair SET co_activation = NULL, gain = NULL")
        connection.execute("UPDATE class_pair SET probability = NULL, income_gain = NULL")
    test = run_page("patterns", studies=tmp_path / "studies")
    assert not test.exception
    assert any("No two land-use classes" in info.value for info in test.info)
    assert "Row: the class looked at" not in texts(test)
