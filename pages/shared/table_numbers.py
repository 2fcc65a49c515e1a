"""Numbers of tables that Streamlit draws on a canvas, written as in the sentences beside them.

A column's own `format` is printf's: a point, a hyphen and no thousands in every language. A pandas Styler
gives what is shown beside the value, so that a reader still sorts by the value.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from pages.shared.language import chance, number, percent

MISSING = "–"
MOST = 500  # rows; a Styler takes 14 ms for these and 0.1 s for a thousand


def written(
    table: pd.DataFrame,
    digits: Mapping[str, int],
    signed: Collection[str] = (),
    shares: Collection[str] = (),
    chances: Collection[str] = (),
) -> pd.DataFrame | Styler:
    """Return a table with its numbers as the page's language writes them, missing ones a dash.

    ``digits``: decimals by column, 0 for those not named; ``signed`` columns have a plus, ``shares`` are
    percent, ``chances`` p- or q-values. A table of more than MOST rows comes back as it is: its columns, of
    `column`, are then written in the browser's own format.

    >>> shown = written(pd.DataFrame({"off": [-0.5, None, 1234.0]}), {"off": 1}, signed=["off"])
    >>> shown.to_string().split()
    ['off', '0', '−0.5', '1', '–', '2', '+1,234.0']
    """
    if len(table) > MOST:
        return table

    def writer(name: str) -> Callable[[Any], str]:
        if name in shares:
            return lambda value: percent(value, digits.get(name, 0))
        if name in chances:
            return chance
        return lambda value: number(value, digits.get(name, 0), sign=name in signed)

    numeric = table.select_dtypes("number").columns
    # a fixed id: with pandas' random one the table would be another at each run, and lose its selection
    return Styler(table, uuid="written").format({name: writer(name) for name in numeric}, na_rep=MISSING)


def column(
    label: str,
    rows: int,
    digits: int = 0,
    *,
    share: bool = False,
    width: Literal["small", "medium", "large"] | int | None = None,
    help: str | None = None,
) -> Any:
    """Return the configuration of a column of numbers of a table of ``rows`` rows, drawn from `written`."""
    if rows <= MOST:  # a format would stand before what is written
        return st.column_config.NumberColumn(label, width=width, help=help)
    return st.column_config.NumberColumn(
        label, width=width, help=help, format="percent" if share else "localized", step=10.0**-digits
    )
