"""Numbers of tables on a canvas: written as in sentences while a table is small, by the browser beyond."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.io.formats.style import Styler

from pages.shared.language import number, percent, speaking
from pages.shared.table_numbers import MISSING, MOST, column, written


def displayed(table: Styler) -> list[list[str]]:
    """Return what a reader sees, row by row, as Streamlit takes it from a Styler."""
    table._compute()  # type: ignore[attr-defined]
    body = table._translate(False, False)["body"]  # type: ignore[attr-defined]
    return [[cell["display_value"] for cell in row if cell["type"] == "td"] for row in body]


@pytest.mark.parametrize("language", ["en", "fr"])
@given(values=st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9)), min_size=1, max_size=20))
def test_a_table_says_its_numbers_as_sentences_do(language: str, values: list[float | None]) -> None:
    table = pd.DataFrame({"off": values, "share": values, "n": values}, dtype=float)
    with speaking(language):
        shown = written(table, {"off": 2}, signed=["off"], shares=["share"])
        assert isinstance(shown, Styler)
        for value, row in zip(values, displayed(shown), strict=True):
            assert row == (
                [MISSING] * 3
                if value is None
                else [number(value, 2, sign=True), percent(value), number(value)]
            )
    pd.testing.assert_frame_equal(shown.data, table)  # a reader sorts by the values themselves


def test_a_chance_is_never_nothing() -> None:
    shown = written(pd.DataFrame({"p_value": [1e-9, 0.04]}), {}, chances=["p_value"])
    assert isinstance(shown, Styler)
    assert displayed(shown) == [["<\u202f0.001"], ["0.040"]]


def test_texts_and_yes_or_no_are_left_alone() -> None:
    table = pd.DataFrame(
        {"code": ["11100", "<b>"], "enough": [True, False], "fold": pd.array([1, None], "UInt8")}
    )
    shown = written(table, {})
    assert isinstance(shown, Styler)
    assert displayed(shown) == [["11100", True, "1"], ["<b>", False, MISSING]]


def test_a_table_stays_the_same_table_from_run_to_run() -> None:
    # with another id at each run Streamlit would take it for another table, and a chosen row would be lost
    table = pd.DataFrame({"off": [0.5]})
    assert written(table, {"off": 1}).uuid == written(table, {"off": 1}).uuid


def test_a_long_table_is_written_by_the_browser() -> None:
    table = pd.DataFrame({"off": [0.5] * (MOST + 1)})
    assert written(table, {"off": 2}) is table
    config = column("Difference", len(table), 2)["type_config"]
    assert (config["format"], config["step"]) == ("localized", 0.01)
    assert column("Difference", MOST, 2)["type_config"].get("format") is None
    assert column("Share", len(table), share=True)["type_config"]["format"] == "percent"
