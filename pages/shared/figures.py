"""Plain figures in a line: a name, a value, an aside; `st.metric`'s arrow would mean nothing here."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st


def figures(rows: Sequence[tuple[str, str, str]]) -> None:
    """Draw (name, value, aside) side by side; texts are escaped."""
    body = "".join(
        f'<div class="carreau-figure"><div class="name">{escape(name)}</div>'
        f'<div class="value">{escape(value)}</div><div class="aside">{escape(aside)}</div></div>'
        for name, value, aside in rows
    )
    st.html(f'<div class="carreau-figures">{body}</div>')


def steps(colours: Sequence[str]) -> str:
    """Return swatches of a legend as HTML, for a place inside `carreau-legend`."""
    swatches = "".join(f'<span class="step" style="background:{colour}"></span>' for colour in colours)
    return f'<span class="steps">{swatches}</span>'
