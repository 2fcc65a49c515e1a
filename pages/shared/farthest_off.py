"""The cells whose prediction is farthest from the census: which they are, and the table that picks one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from pages.shared import frame, maps_first, take_away
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
    shown = {
        _("Cell"): [frame.short_id(cell_id) for cell_id in view.ids(rows)],
        _("Census"): rows["class"],
        _("Predicted"): rows["predicted"],
    }
    if view.has_people:
        shown[_("People")] = rows["individuals"]
    with take_away.listed("disagreements", view.withheld):
        if maps_first.place_kept(HEIGHT):
            return []
        event = st.dataframe(
            pd.DataFrame(shown),
            hide_index=True,
            key=key,
            on_select="rerun",
            selection_mode="single-row",
            height=HEIGHT,
            column_config={
                _("Census"): st.column_config.NumberColumn(width=88),
                _("Predicted"): st.column_config.NumberColumn(width=76),
                _("People"): st.column_config.NumberColumn(width=60, format="%d"),
            },
            alt=alt,
        )
    chosen: list[int] = event["selection"]["rows"]
    return chosen
