"""Every chart with its figures: a small button on the chart that hands them out as CSV.

Nothing is put together before the button is pressed: a page gives a frame, or a function that makes one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any, TypeAlias

import pandas as pd
import streamlit as st

from pages.shared.language import _

Data: TypeAlias = pd.DataFrame | Callable[[], pd.DataFrame]

# The toolbar saves the chart as SVG in the browser; nothing else in it is of use here.
_NO_USE = ["zoom", "pan", "select", "lasso", "zoomIn", "zoomOut", "autoScale", "resetScale"]


def file_stem(key: str) -> str:
    """Return the name of a chart's files without suffix: study, city and what it shows, as on the page.

    Characters that a file system may not take are left out.
    """
    # a job's result has no city of a study, though one may still be chosen on the other pages
    names = () if st.session_state.get("address.page") == "upload" else ("study", "city")
    parts = [str(st.session_state[name]) for name in names if name in st.session_state]
    shown = re.sub(r"-\d+$", "", key)  # a chart that selects gets another key when the selection is cleared
    return "-".join(re.sub(r"[^\w-]", "", part) for part in ("carreau", *parts, shown) if part)


def toolbar(key: str, withheld: str | None) -> dict[str, Any]:
    """Return plotly's settings for a chart: its picture is saved as SVG, or not at all where withheld."""
    removed = [*_NO_USE, "toImage"] if withheld else _NO_USE
    return {
        "displaylogo": False,
        "modeBarButtonsToRemove": removed,
        "toImageButtonOptions": {"format": "svg", "filename": file_stem(key)},
    }


@contextmanager
def beside(key: str, data: Data | None, withheld: str | None) -> Iterator[None]:
    """Draw a chart in this context, and in its lower right corner the button that hands out its figures.

    ``withheld``: why they are not handed out; None where they are.
    """
    if data is None:
        yield
        return
    with st.container(key=f"chart-of-{key}"):
        yield
        with st.container(key=f"chart-data-{key}"):
            if withheld:
                with st.popover("CSV", type="tertiary"):
                    st.html(f'<p class="carreau-note">{escape(withheld)}</p>')
                return
            st.download_button(
                "CSV",
                data=lambda: as_csv(data),
                file_name=f"{file_stem(key)}.csv",
                mime="text/csv",
                on_click="ignore",
                key=f"data.{key}",
                type="tertiary",
                help=_("The figures of this chart, with their intervals, as a table."),
            )


def as_csv(data: Data) -> bytes:
    """Return a frame, or that which a function makes, as CSV in UTF-8.

    >>> as_csv(pd.DataFrame({"n": [1]}))
    b'n\\n1\\n'
    """
    frame = data if isinstance(data, pd.DataFrame) else data()
    return frame.to_csv(index=False, float_format="%.8g").encode()  # no figure is surer than that
