"""The tables of a result: its cells, and activation by land-use class."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from data.landuse_classes import class_name
from pages.shared import frame, job_result, job_words, state, table_numbers, take_away
from pages.shared.class_names import label
from pages.shared.job_cells import ResultCells
from pages.shared.language import _

_COLUMNS = ["class", "expected_class", "spread", "entropy", "z_standard", "valid_share"]
_DIGITS = {"expected_class": 2, "spread": 2, "entropy": 2, "z_standard": 2}


def cells(view: ResultCells) -> None:
    """Draw the selected cells as a table; a row that is picked is the chosen cell."""
    result, shown = view.result, view.result.cells[view.mask]
    table = shown[_COLUMNS].copy()
    table.insert(0, "cell", [frame.short_id(cell_id) for cell_id in shown.cell_id])
    key = table_key("result.cells", view)
    number = partial(table_numbers.column, rows=len(table))
    with take_away.listed("cells", view.withheld):
        event = st.dataframe(
            table_numbers.written(table, _DIGITS, shares=["valid_share"]),
            hide_index=True,
            placeholder=table_numbers.MISSING,
            height=300,
            key=key,
            on_select="rerun",
            selection_mode="single-row",
            column_config={
                "cell": st.column_config.TextColumn(_("Cell")),
                "class": number(job_words.predicted_title(int(result.summary["n_classes"]))),
                "expected_class": number(_("Expected class"), digits=2),
                "spread": number(_("Spread"), digits=2, help=_("Standard deviation over the networks")),
                "entropy": number(_("Entropy"), digits=2, help=_("0 sure, 1 knows nothing")),
                "z_standard": number(_("z, standardised"), digits=2),
                "valid_share": number(_("Photographed"), share=True),
            },
            alt=_("Every cell with its prediction"),
        )
    choose(event["selection"]["rows"], shown.cell_id.tolist(), key)


def table_key(name: str, view: ResultCells) -> str:
    """Return the key of a table of selected cells: another one for others, or a row picked among all cells
    would be another cell's."""
    return f"{name}.{view.selected.text()}" if view.selected else name


def choose(rows: list[int], ids: list[str], table: str) -> None:
    """Make the row just selected in a table the chosen cell; one that was selected before is not news."""
    before = st.session_state.get(f"{table}.chosen")
    now = ids[rows[0]] if rows and rows[0] < len(ids) else None
    st.session_state[f"{table}.chosen"] = now
    if now is not None and now != before:
        state.put("cell", now)
        st.rerun()


def land_use(activation: pd.DataFrame) -> None:
    """Draw activation by land-use class over the cells whose rows are given."""
    st.header(_("Activation by land-use class"), anchor=False)
    table = job_result.by_class(activation).sort_values("excess", ascending=False)
    table.insert(0, "class", [label(code, class_name(code)) for code in table.code])
    number = partial(table_numbers.column, rows=len(table))
    digits = {"hectares": 1, "excess": 2, "contribution": 2}
    st.dataframe(
        table_numbers.written(table.drop(columns="code"), digits),
        hide_index=True,
        placeholder=table_numbers.MISSING,
        column_config={
            "class": _("Land use"),
            "cells": number(_("Cells")),
            "hectares": number(_("Hectares"), digits=1),
            "excess": number(
                _("Mean excess"), digits=2, help=_("Evidence in the class less that of its cell")
            ),
            "contribution": number(
                _("Contribution"), digits=2, help=_("Adds up to the sum of z over the cells")
            ),
        },
        alt=_("Activation by land-use class"),
    )
    frame.note(land_use_caveat())


def land_use_caveat() -> str:
    """Say what activation by class over one photograph is not."""
    return _(
        "A description of this photograph, without interval: neighbouring cells are alike, and any function "
        "of a photograph relates to land use. Whether the network looks at land use is asked on the page "
        "Patterns, over whole cities."
    )
