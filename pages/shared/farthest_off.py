"""The cells whose prediction is farthest from the census: which they are, and the table that picks one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from pages.shared import frame, maps_first, table_numbers, take_away
from pages.shared.cells_view import CellsView
from pages.shared.language import _

LISTED = 8
HEIGHT = 300  # as the charts beside it


def largest(cells: pd.DataFrame, limit: int) -> pd.DataFrame:
    """Return the cells that are farthest off, in the order of `queries.largest_disagreements`."""
    off = (cells["class"].astype(float) - cells["predicted"].astype(float)).abs().to_numpy()
    if len(cells) > limit:  # of hundreds of thousands, only the last few are put in order
        kept = off >= np.partition(off, -limit)[-limit]
        cells, off = cells[kept], off[kept]
    finer = (cells["class"].astype(float) - cells["expected_class"]).abs()
    order = cells.assign(off=-off, finer=-finer).sort_values(["off", "finer", "y", "x"])
    return order.head(limit).drop(columns=["off", "finer"]).reset_index(drop=True)


def listed(view: CellsView) -> pd.DataFrame:
    """Return the rows of the table: the `largest` of the selected cells that can be compared."""
    return largest(view.compared, LISTED)


def table(view: CellsView, rows: pd.DataFrame, key: str, alt: str) -> list[int]:
    """Draw the cells of `rows` and return which of them the reader has picked: none or one position.

    ``key``: of the table in the session; ``alt``: what it shows, for those who do not see it.
    """
    shown = rows[["class", "predicted"]].copy()
    shown.insert(0, "cell", [frame.short_id(cell_id) for cell_id in view.ids(rows)])
    if view.has_people:
        shown["people"] = rows["individuals"]
    with take_away.listed("disagreements", view.withheld):
        if maps_first.place_kept(HEIGHT):
            return []
        event = st.dataframe(
            table_numbers.written(shown, {}),
            hide_index=True,
            placeholder=table_numbers.MISSING,
            key=key,
            on_select="rerun",
            selection_mode="single-row",
            height=HEIGHT,
            column_config={
                "cell": _("Cell"),
                "class": table_numbers.column(_("In census"), len(rows), width=70),
                "predicted": table_numbers.column(_("Predicted"), len(rows), width=74),
                "people": table_numbers.column(_("Pop."), len(rows), width=54, help=_("People in the cell")),
            },
            alt=alt,
        )
    chosen: list[int] = event["selection"]["rows"]
    return chosen
