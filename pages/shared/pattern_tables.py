"""Tables behind the charts of *Patterns*: headings that people read, drawn only where they are opened."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pages.shared import notes, table_numbers
from pages.shared.class_names import official_name
from pages.shared.language import _, later

# columns of the publication; names beside them stay for whoever takes the table away
HEADINGS = {
    "code": later("Code"),
    "name": later("Class"),
    "polarity": later("Map"),
    "value": later("Value"),
    "low": later("95 % from"),
    "high": later("95 % to"),
    "p_value": later("p"),
    "p_naive": later("p as if cells were independent"),
    "q_value": later("q"),
    "n": later("Cells"),
    "n_present": later("Cells with the class"),
    "n_effective": later("Effective cells"),
    "null_torus": later("Null: map moved in its cell"),
    "null_other": later("Null: map of a like cell"),
    "enough": later("Enough cells"),
    "note": later("Note"),
    "reliance": later("Reliance"),
    "standard_error": later("Standard error"),
    "probability": later("Share in the census"),
    "low census": later("Share, 95 % from"),
    "high census": later("Share, 95 % to"),
    "n census": later("Cells in the census"),
    "enough census": later("Enough cells in the census"),
    "note census": later("Note on the share"),
    "city": later("City"),
}
_DIGITS = {"n": 0, "n_present": 0, "n census": 0, "n_effective": 1}  # counts, floats where one is missing
_CHANCES = ("p_value", "p_naive", "q_value")
_POLARITIES = {"poor": later("poor"), "rich": later("rich")}


def correlation_table(everything: pd.DataFrame, relation: str) -> pd.DataFrame:
    """Return the correlations of a relation for people: names and notes in their language."""
    left_out = ["colour"] if relation == "activation" else ["colour", "null_torus", "null_other"]
    return _in_words(everything.drop(columns=left_out))


def ratio_table(ratios: pd.DataFrame, incomes: pd.DataFrame) -> pd.DataFrame:
    """Return activation ratios and census shares side by side, one row a class and map."""
    both = ratios.merge(
        incomes.drop(columns=["colour"]),
        on=["code", "polarity"],
        how="outer",
        suffixes=("", " census"),
    )
    both["name"] = both["name"].fillna(both["name census"])
    return _in_words(both.drop(columns=["colour", "name census"]))


def _in_words(table: pd.DataFrame) -> pd.DataFrame:
    shown = table.copy()
    shown["name"] = [official_name(name) for name in shown["name"]]
    for column in (name for name in ("note", "note census") if name in shown):
        shown[column] = ["" if pd.isna(note) else notes.said(note) for note in shown[column]]
    if "polarity" in shown:
        shown["polarity"] = [_(_POLARITIES[polarity]) for polarity in shown["polarity"]]
    return shown


def draw_table(title: str, key: str, table: pd.DataFrame) -> None:
    """Draw a table behind a heading that opens it; what is closed is not sent."""
    box = st.expander(title, key=f"table.{key}", on_change="rerun")
    if not box.open:
        return
    named: dict[str, Any] = {
        column: st.column_config.Column(_(HEADINGS[column])) for column in table.columns if column in HEADINGS
    }
    digits = dict.fromkeys(table.select_dtypes("float"), 3) | _DIGITS
    for column in table.select_dtypes("number"):
        named[column] = table_numbers.column(_(HEADINGS[column]), len(table), digits.get(column, 0))
    box.dataframe(
        table_numbers.written(table, digits, chances=_CHANCES),
        hide_index=True,
        placeholder=table_numbers.MISSING,
        column_config=named,
    )
