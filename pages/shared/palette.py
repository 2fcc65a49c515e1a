"""Colours of maps and charts, light and dark, in one place; no chart keeps a library's default look."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

# Ten steps of viridis from 0.12 to 0.95: readable by deuteranopes, neither end lost on a light or a dark
# panel.
_SEQUENTIAL = (
    "#472B79", "#3F4687", "#34608D", "#2B778E", "#238D8C", "#24A485", "#38B877", "#68CB5C", "#A1DA38",
    "#DDE328",
)  # fmt: skip
# Brown = poorer, teal = richer; safe for deuteranopes. White for no difference: the panel that shows where no
# cell is would swallow any tint of it.
_DIVERGING = (
    "#8C3B12", "#B9632F", "#D9935F", "#EBC3A0", "#FFFFFF", "#ABD0D5", "#6BA9B3", "#2F7C8B", "#0B5362",
)  # fmt: skip
# The same in the dark: no difference is near the panel, and the ends stand out from it.
_DIVERGING_DARK = (
    "#F6B07C", "#D98A52", "#AC6438", "#6F4A3A", "#373F45", "#3C626C", "#4A8B99", "#6CB6C4", "#A4E0E8",
)  # fmt: skip
# Folds have no order: hues far apart, of even weight.
_CATEGORIES = ("#4C7A9C", "#C98A3B", "#7A9E57", "#A3587A", "#8C8AA8", "#5AA8A0", "#B5A642", "#98664A")
# Cities in one chart, the chosen one in ink: as far apart as can be for protanopes and deuteranopes, too.
_CITIES_LIGHT = ("#1E2326", "#0075EB", "#8F4C00", "#29A385", "#862776")
_CITIES_DARK = ("#E8E6E1", "#00AAFF", "#BB4B1B", "#33CC8C", "#AC539D")


@dataclass(frozen=True)
class Inks:
    """Colours of one theme, as #RRGGBB."""

    is_dark: bool
    background: str
    panel: str
    text: str
    muted: str
    grid: str
    border: str
    primary: str
    no_data: str
    hatch: str


_LIGHT = Inks(
    is_dark=False,
    background="#FCFBF8",
    panel="#F1EEE7",
    text="#1E2326",
    muted="#5B6266",
    grid="#E6E2D9",
    border="#D9D4C9",
    primary="#0F5C6E",
    no_data="#C9C4B8",
    hatch="#FCFBF8",
)
_DARK = Inks(
    is_dark=True,
    background="#14181B",
    panel="#1F2529",
    text="#E8E6E1",
    muted="#A3A9AD",
    grid="#2B3237",
    border="#3A4248",
    primary="#5CB8C9",
    no_data="#4A5359",
    hatch="#14181B",
)


_ON_PAPER: ContextVar[bool] = ContextVar("on_paper", default=False)


@contextmanager
def on_paper() -> Iterator[None]:
    """Draw in the light colours whatever the reader's theme: for files."""
    token = _ON_PAPER.set(True)
    try:
        yield
    finally:
        _ON_PAPER.reset(token)


def inks() -> Inks:
    """Return the colours of the reader's theme, light on paper and where the browser has not told yet."""
    if _ON_PAPER.get():
        return _LIGHT
    return _DARK if st.context.theme.type == "dark" else _LIGHT


def sequential(n: int) -> list[str]:
    """Return n colours from poorest (or least) to richest (or most).

    >>> sequential(10)[0], sequential(2)
    ('#472B79', ['#472B79', '#DDE328'])
    """
    return _interpolated(_SEQUENTIAL, n)


def diverging(n: int, is_dark: bool = False) -> list[str]:
    """Return n colours from negative (brown) over the middle to positive (teal); the middle is light, or with
    `is_dark` as dark as the panel, where a light one would glare.

    >>> diverging(3)
    ['#8C3B12', '#FFFFFF', '#0B5362']
    """
    return _interpolated(_DIVERGING_DARK if is_dark else _DIVERGING, n)


def uncertainty(n: int) -> list[str]:
    """Return n colours from sure to unsure; unsure stands out from the panel of the theme."""
    sure_to_unsure = (
        ("#5A3F35", "#B4703C", "#FBE3B0") if inks().is_dark else ("#EFE2BF", "#CC8A4B", "#6E2B12")
    )
    return _interpolated(sure_to_unsure, n)


def categories(n: int) -> list[str]:
    """Return n colours without an order; they repeat after eight.

    >>> len(set(categories(8)))
    8
    """
    return [_CATEGORIES[i % len(_CATEGORIES)] for i in range(n)]


def cities(n: int) -> list[str]:
    """Return n colours (at most 5) for cities in one chart, the first in ink; symbols must tell them, too."""
    return list(_CITIES_DARK if inks().is_dark else _CITIES_LIGHT)[:n]


def scale_for_plotly(colours: list[str]) -> list[tuple[float, str]]:
    """Return a continuous plotly colour scale through the given colours.

    >>> scale_for_plotly(["#000000", "#FFFFFF"])
    [(0.0, '#000000'), (1.0, '#FFFFFF')]
    """
    return [(i / (len(colours) - 1), colour) for i, colour in enumerate(colours)]


def shades(n: int) -> list[str]:
    """Return n steps from the panel of the theme to its primary colour, for counts (a confusion matrix)."""
    ink = inks()
    # in the dark a darker one, on which light figures can be read at every step
    return _interpolated((ink.panel, "#26707F" if ink.is_dark else ink.primary), n)


def rgb(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue (0..255) of #RRGGBB.

    >>> rgb("#0F5C6E")
    (15, 92, 110)
    """
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def rgb_table(colours: list[str]) -> NDArray[np.uint8]:
    """Return colours as an array (n, 3) of uint8."""
    return np.array([rgb(colour) for colour in colours], dtype=np.uint8)


def translucent(colour: str, alpha: float) -> str:
    """Return a CSS colour with the given opacity, which plotly needs spelled out.

    >>> translucent("#FF0000", 0.5)
    'rgba(255,0,0,0.5)'
    """
    red, green, blue = rgb(colour)
    return f"rgba({red},{green},{blue},{alpha:g})"


def plotly_template() -> go.layout.Template:
    """Return the look of every chart: ink of the theme, thin grid, no box; pass `theme=None` to
    st.plotly_chart."""
    return _template(inks())


@lru_cache(maxsize=4)
def _template(ink: Inks) -> go.layout.Template:
    axis = {
        "gridcolor": ink.grid,
        "linecolor": ink.border,
        "zerolinecolor": ink.border,
        "zerolinewidth": 1,
        "tickcolor": ink.border,
        "ticks": "",
        "showline": False,
        "automargin": True,
        "tickfont": {"size": 12, "color": ink.muted},
        "title": {"font": {"size": 12, "color": ink.muted}, "standoff": 8},
    }
    return go.layout.Template(
        layout={
            "font": {"family": "'Source Sans', 'Source Sans Pro', sans-serif", "size": 13, "color": ink.text},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": [ink.primary, _CATEGORIES[1], _CATEGORIES[2], _CATEGORIES[3], _CATEGORIES[0]],
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "xaxis": axis,
            "yaxis": axis,
            "hoverlabel": {
                "bgcolor": ink.panel,
                "bordercolor": ink.border,
                "font": {"color": ink.text, "size": 13},
            },
            "legend": {
                "font": {"size": 12, "color": ink.muted},
                "orientation": "h",
                "y": 1.02,
                "yanchor": "bottom",
            },
            "showlegend": False,
            # without a pointer that hovers the toolbar is always there
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": ink.muted, "activecolor": ink.text},
        }
    )


def _interpolated(stops: tuple[str, ...], n: int) -> list[str]:
    if n < 2:
        return [stops[-1]] * n
    table = rgb_table(list(stops)).astype(float)
    at = np.linspace(0, len(stops) - 1, n)
    mixed = np.stack([np.interp(at, np.arange(len(stops)), table[:, band]) for band in range(3)], axis=1)
    return [f"#{r:02X}{g:02X}{b:02X}" for r, g, b in np.rint(mixed).astype(int)]
