"""Charts of the pages City and Cell, in plotly; each function returns a figure in the theme's ink."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from pages.shared import chart_data, language, maps_first, palette
from pages.shared.language import _


def draw(
    figure: go.Figure,
    key: str,
    alt: str,
    on_select: Callable[[], None] | None = None,
    by: tuple[Literal["points", "box", "lasso"], ...] = ("points",),
    data: chart_data.Data | None = None,
    withheld: str | None = None,
) -> None:
    """Put a figure on the page with the toolbar and look of this dashboard; `on_select` hears of selections
    made `by` clicks on points or boxes; `data` are its figures, handed out unless `withheld` says why not.
    Numbers on it are written as the reader writes them."""
    wanted = language.separators()
    if figure.layout.separators != wanted:  # a kept figure is not changed at every run
        figure.update_layout(separators=wanted)
    config = chart_data.toolbar(key, withheld)
    with chart_data.beside(key, data, withheld):
        if maps_first.place_kept(figure.layout.height or 450):
            return
        if on_select is None:
            st.plotly_chart(figure, theme=None, key=key, config=config, alt=alt)
        else:
            st.plotly_chart(
                figure, theme=None, key=key, config=config, alt=alt, on_select=on_select, selection_mode=by
            )


def chosen_points(key: str) -> list[dict[str, Any]]:
    """Return the points of the selection just made on the chart drawn with `key` and `on_select`."""
    return list(st.session_state[key]["selection"]["points"])


def confusion(table: NDArray[np.int64], unit: str, chosen: tuple[int, int] | None = None) -> go.Figure:
    """Heatmap of a confusion matrix (K, K), census classes in rows, poorest at the top: percent of each
    census class; `chosen` (census, predicted) is framed. Every cell can be clicked."""
    ink = palette.inks()
    n_classes = len(table)
    share = 100 * table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    classes = [str(k) for k in range(1, n_classes + 1)]
    figure = go.Figure(
        go.Heatmap(
            z=share,
            x=classes,
            y=classes,
            customdata=table,
            showscale=False,
            xgap=1,
            ygap=1,
            zmin=0,
            zmax=max(40.0, share.max()),
            colorscale=palette.scale_for_plotly(palette.shades(8)),
            text=[[f"{v:.0f}" if v >= 0.5 else "" for v in row] for row in share],
            texttemplate="%{text}",
            textfont={"size": 11},
            hoverinfo="skip",
        )
    )
    row, column = np.indices(table.shape)
    figure.add_trace(  # a heatmap sends no clicks: unseen markers over it do
        go.Scatter(
            x=[classes[k] for k in column.ravel()],
            y=[classes[k] for k in row.ravel()],
            mode="markers",
            marker={"symbol": "square", "size": 220 / n_classes, "color": "rgba(0,0,0,0)"},
            selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 1}},
            customdata=np.column_stack([table.ravel(), share.ravel()]),
            hovertemplate=_(
                "census {unit} %{{y}}, predicted %{{x}}<br>%{{customdata[0]}} cells, "
                "%{{customdata[1]:.1f}} % of the census {unit}<extra></extra>"
            ).format(unit=unit),
        )
    )
    outlined = [(k, k, 1) for k in range(n_classes)]  # the right answers
    if chosen is not None:
        outlined.append((chosen[1] - 1, chosen[0] - 1, 3))
    figure.update_layout(
        template=palette.plotly_template(),
        height=300,
        shapes=[
            {
                "type": "rect",
                **{"x0": x - 0.5, "x1": x + 0.5, "y0": y - 0.5, "y1": y + 0.5},
                "line": {"width": width, "color": ink.text},
            }
            for x, y, width in outlined
        ],
        xaxis={
            "title": _("predicted {unit} (% of each census {unit})").format(unit=unit),
            "tickmode": "linear",
            "showgrid": False,
            "type": "category",
            "fixedrange": True,
        },
        yaxis={
            "title": _("census {unit}").format(unit=unit),
            "autorange": "reversed",
            "showgrid": False,
            "type": "category",
            "dtick": 1,
            "fixedrange": True,
        },
    )
    return figure


def differences(counts: NDArray[np.int64], reach: int, chosen: tuple[int, int] | None = None) -> go.Figure:
    """Histogram of predicted less census class: counts (2 reach + 1,) from -reach on; `chosen` (from, to)
    stands out. A dragged box selects a range."""
    at = np.arange(-reach, reach + 1)
    table = palette.diverging(9, palette.inks().is_dark)
    return brushed_bars(
        at,
        counts,
        [table[int(np.clip(k, -4, 4)) + 4] for k in at],
        chosen or (-reach, reach),
        hover=_("predicted %{x:+d} classes: %{y} cells<extra></extra>"),
        title=_("predicted less census, classes"),
        tick=1 if reach < 7 else 2,
    )


def brushed_bars(
    at: NDArray[np.int64],
    cells: NDArray[np.int64],
    colours: Sequence[str],
    chosen: tuple[int, int],
    *,
    hover: str,
    title: str,
    tick: int,
) -> go.Figure:
    """Bars of cells (n,) at whole numbers (n,), in colours (n); those from `chosen[0]` to `chosen[1]` stand
    out. A dragged box selects a range."""
    ink = palette.inks()
    figure = go.Figure(
        go.Bar(
            x=at,
            y=cells,
            marker={
                "color": colours,
                "opacity": np.where((at >= chosen[0]) & (at <= chosen[1]), 1.0, 0.25),
                "line": {"width": 1, "color": ink.muted},
            },
            selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 1}},
            hovertemplate=hover,
        )
    )
    figure.update_layout(
        template=palette.plotly_template(),
        height=260,
        bargap=0.08,
        dragmode="select",
        selectdirection="h",
        xaxis={"title": title, "tickmode": "linear", "dtick": tick, "showgrid": False, "fixedrange": True},
        yaxis={"title": _("cells"), "fixedrange": True},
    )
    return figure


def mean_difference(groups: pd.DataFrame, title: str, every: Sequence[str] = ()) -> go.Figure:
    """Mean of expected less census class, with intervals: columns group (label), value, low, high, n.

    ``every``: the groups that have a place on the axis, in order, whether or not they have a row.
    """
    ink = palette.inks()
    figure = go.Figure(
        go.Scatter(
            x=groups["group"],
            y=groups["value"],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": groups["high"] - groups["value"],
                "arrayminus": groups["value"] - groups["low"],
                "thickness": 1.5,
                "width": 0,
                "color": ink.muted,
            },
            mode="markers",
            customdata=groups["n"],
            marker={"size": 9, "color": ink.primary, "line": {"width": 1, "color": ink.background}},
            hovertemplate=_("%{x}: %{y:+.2f} classes<br>%{customdata} cells<extra></extra>"),
        )
    )
    figure.add_hline(y=0, line={"width": 1, "color": ink.muted, "dash": "dot"})
    figure.update_layout(
        template=palette.plotly_template(),
        height=260,
        xaxis={"title": title, "type": "category", "showgrid": False, "fixedrange": True},
        yaxis={"title": _("expected less census"), "fixedrange": True},
    )
    if every:
        figure.update_xaxes(categoryarray=list(every), range=[-0.5, len(every) - 0.5])
    return figure


def calibration(bins: pd.DataFrame) -> go.Figure:
    """Stated against observed frequency in percent, with intervals; the diagonal is a model that means what
    it says."""
    ink = palette.inks()
    stated, observed = 100 * bins["probability"], 100 * bins["frequency"]
    top = float(max(stated.max(), observed.max(), 100 * bins["high"].fillna(0).max(), 20)) * 1.05
    error = {
        "type": "data",
        "symmetric": False,
        "thickness": 1.3,
        "width": 0,
        "color": ink.muted,
        "array": 100 * bins["high"] - observed,
        "arrayminus": observed - 100 * bins["low"],
    }
    figure = go.Figure(
        [
            go.Scatter(
                x=[0, 100],
                y=[0, 100],
                mode="lines",
                line={"dash": "dot", "width": 1.5, "color": ink.muted},
                hoverinfo="skip",
            ),
            go.Scatter(
                x=stated,
                y=observed,
                error_y=error,
                mode="markers",
                customdata=bins["n"],
                marker={"size": 9, "color": ink.primary, "line": {"width": 1, "color": ink.background}},
                hovertemplate=_(
                    "stated %{x:.0f} %, observed %{y:.1f} %<br>%{customdata} cell and class pairs"
                    "<extra></extra>"
                ),
            ),
        ]
    )
    figure.update_layout(
        template=palette.plotly_template(),
        height=300,
        xaxis={"title": _("probability stated by the model, %"), "range": [0, top], "fixedrange": True},
        yaxis={"title": _("share that was right, %"), "range": [0, top], "fixedrange": True},
    )
    return figure


def against_census(cells: pd.DataFrame, column: str) -> go.Figure:
    """Census value against expected class, a point a cell (columns cell_id, census_value, expected_class)."""
    ink = palette.inks()
    figure = go.Figure(
        go.Scattergl(
            x=cells["census_value"],
            y=cells["expected_class"],
            mode="markers",
            customdata=cells["cell_id"],
            marker={"size": 6, "color": ink.primary, "opacity": 0.55},
            hovertemplate=_("%{customdata}<br>census %{x:,.6g}, expected class %{y:.2f}<extra></extra>"),
        )
    )
    figure.update_layout(
        template=palette.plotly_template(),
        height=300,
        xaxis={"title": _("census: {column}").format(column=escape(column)), "fixedrange": True},
        yaxis={"title": _("expected class"), "fixedrange": True},
    )
    return figure


def distribution(probabilities: NDArray[np.float64], census: int | None) -> go.Figure:
    """Bars of the class distribution in percent; the census class, where there is one, marked."""
    ink = palette.inks()
    n_classes = len(probabilities)
    classes = list(range(1, n_classes + 1))
    figure = go.Figure(
        go.Bar(
            x=classes,
            y=100 * probabilities,
            marker={"color": palette.sequential(n_classes), "line": {"width": 0}},
            hovertemplate=_("class %{x}: %{y:.1f} %<extra></extra>"),
            width=0.82,
        )
    )
    top = 100 * float(probabilities.max())
    if census is not None:
        figure.add_shape(
            type="rect",
            x0=census - 0.47,
            x1=census + 0.47,
            y0=0,
            y1=top * 1.1,
            line={"width": 1.5, "color": ink.text},
        )
        figure.add_annotation(
            x=census,
            y=top * 1.1,
            text=_("census"),
            showarrow=False,
            yanchor="bottom",
            font={"size": 12, "color": ink.text},
        )
    figure.update_layout(
        template=palette.plotly_template(),
        height=190,
        xaxis={
            "title": _("income class, 1 = poorest"),
            "tickmode": "linear",
            "dtick": 1,
            "showgrid": False,
            "fixedrange": True,
        },
        yaxis={"title": _("probability, %"), "range": [0, top * 1.3], "fixedrange": True, "nticks": 5},
    )
    return figure
