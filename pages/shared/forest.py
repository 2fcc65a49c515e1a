"""Charts of land-use classes: forest plot of correlations, scatter of two relations.

Every function takes a frame with one row a class (code, name, colour, figures) and returns a plotly figure;
rows that are not `enough` are never drawn: the page names them in a sentence. Notes and shapes are set at
once: plotly checks all of them again for each one added.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages.shared import chart_labels
from pages.shared.class_names import label
from pages.shared.language import _, number
from pages.shared.palette import Inks, plotly_template, translucent

ROW_PX = 21
# of a forest plot's rows together, so that few classes do not look squeezed beside the scatter
LEAST_PX = 330
PALE = 0.32
Shapes = list[dict[str, Any]]


def significant(frame: pd.DataFrame, suffix: str = "") -> pd.Series:
    """Return which rows are told from zero: q at most 0.05, and an interval without zero.

    The second matters for (iii) only: q is of the coefficient as measured, the interval less its null.
    `suffix` names one of two relations in a merged frame.
    """
    low, high = (frame[column + suffix].astype(float) for column in ("low", "high"))
    return (frame["q_value" + suffix].astype(float) <= 0.05) & ~((low <= 0) & (high >= 0))


def apart_from_zero(frame: pd.DataFrame, suffix: str = "") -> pd.Series:
    """Return which rows have an interval, and one without zero."""
    return (frame["low" + suffix].astype(float) > 0) | (frame["high" + suffix].astype(float) < 0)


def forest(rows: pd.DataFrame, reference: pd.DataFrame | None, axis_title: str, ink: Inks) -> go.Figure:
    """Draw one dot and interval a class, largest value on top; `reference` draws a grey tick (the census
    relation).

    Args:
        rows: code, name, colour, value, low, high, q_value, n_present, n_effective, and reliance where it is
        known; only classes with enough cells.
        reference: code and value of the relation to compare with; None draws no ticks.
        axis_title: what the coefficient is.
        ink: colours of the theme.
    """
    rows = rows.sort_values(["value", "code"], ignore_index=True)
    figure = go.Figure(layout={"template": plotly_template()})
    sure = significant(rows)
    for shown, part in ((True, rows[sure]), (False, rows[~sure])):
        figure.add_trace(_dots(part, ink, 1.0 if shown else PALE))
    if reference is not None:
        ticks = rows[["code"]].assign(row=rows.index).merge(reference[["code", "value"]], on="code").dropna()
        figure.add_trace(
            go.Scatter(
                x=ticks.value,
                y=ticks.row,
                mode="markers",
                name=_("census"),
                marker={"symbol": "line-ns", "size": 12, "line": {"width": 2.5, "color": ink.muted}},
                hovertemplate=_("(i) land use and census: %{x:.2f}") + "<extra></extra>",
            )
        )
    low, high = limits(
        [rows.low, rows.high, rows.value, *([reference.value] if reference is not None else [])]
    )
    class_axis(figure, rows, ink)
    figure.update_xaxes(
        range=[low, high],
        title_text=axis_title,
        zeroline=True,
        zerolinecolor=ink.muted,
        zerolinewidth=1,
        dtick=0.1 if high - low < 0.65 else 0.2,
        tickangle=0,
        tickformat=".1f",
    )
    columns = {_("cells"): [number(n) for n in rows.n_present]}
    if "reliance" in rows:
        columns[_("reliance")] = [_signed(value) for value in rows.reliance]
    written = [
        note
        for place, (title, texts) in enumerate(columns.items())
        for note in _column(title, texts, 44 + 54 * place, ink)
    ]
    figure.update_layout(
        annotations=written,
        height=max(LEAST_PX, len(rows) * ROW_PX) + 66,
        margin={"l": 8, "r": 54 * len(columns) - 8, "t": 20, "b": 8},
    )
    return figure


def scatter(pairs: pd.DataFrame, x_title: str, y_title: str, ink: Inks, height: int = 400) -> go.Figure:
    """Draw the relation (i) of each class against its pull, with both intervals; the quadrants are the signs.

    Args:
        pairs: code, name, colour and value, low, high with suffixes _x and _y; q_value_x.
        x_title: what is on x.
        y_title: what is on y.
        ink: colours of the theme.
        height: in pixels.
    """
    figure = go.Figure(layout={"template": plotly_template()})
    across = limits([pairs[column] for column in ("low_x", "high_x", "value_x")])
    up = padded([pairs[column] for column in ("low_y", "high_y", "value_y")])
    sure = significant(pairs, "_x") & apart_from_zero(pairs, "_y")
    for shown, part in ((False, pairs[~sure]), (True, pairs[sure])):
        figure.add_trace(pair_dots(part, ink, 1.0 if shown else PALE, x_title, y_title))
    strength = pairs.value_x.abs() + pairs.value_y.abs() / (up[1] - up[0]) + 10 * sure
    first = pairs.loc[strength.sort_values(ascending=False).index]
    labels = chart_labels.beside_dots(
        first.value_x.tolist(),
        first.value_y.tolist(),
        [label(code, name) for code, name in zip(first.code, first["name"], strict=True)],
        sure[first.index].tolist(),
        (across, up),
        (430, height - 60),
        ink,
    )
    zero = {"zeroline": True, "zerolinecolor": ink.muted, "zerolinewidth": 1}
    figure.update_xaxes(title_text=x_title, range=across, dtick=0.2, tickformat=".1f", **zero)
    figure.update_yaxes(title_text=y_title, range=up, nticks=7, **zero)
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 12, "t": 12, "b": 8},
        annotations=labels,
        shapes=same_signs(across, up, ink),
    )
    return figure


def same_signs(across: tuple[float, float], up: tuple[float, float], ink: Inks, axes: str = "") -> Shapes:
    """Return the shades of the two quadrants where the signs agree; `axes` is "2" for x2 and y2."""
    return [
        {
            "type": "rect",
            "xref": f"x{axes}",
            "yref": f"y{axes}",
            "x0": 0,
            "y0": 0,
            "x1": x,
            "y1": y,
            "line": {"width": 0},
            "fillcolor": translucent(ink.muted, 0.09),
        }
        for x, y in ((across[1], up[1]), (across[0], up[0]))
    ]


def _dots(part: pd.DataFrame, ink: Inks, opacity: float) -> go.Scatter:
    figures = part[["low", "high", "n_present", "n_effective", "q_value"]].to_numpy()
    names = [label(code, name) for code, name in zip(part.code, part.name, strict=True)]
    return go.Scatter(
        x=part.value,
        y=part.index,
        mode="markers",
        opacity=1,
        marker={
            "size": 11,
            "color": [translucent(colour, opacity) for colour in part.colour],
            "line": {"width": 1.4, "color": translucent(ink.text, min(1.0, opacity + 0.1))},
        },
        error_x={
            "type": "data",
            "symmetric": False,
            "array": part.high - part.value,
            "arrayminus": part.value - part.low,
            "thickness": 2,
            "width": 0,
            "color": translucent(ink.text, opacity),
        },
        customdata=np.column_stack([np.array(names, dtype=object), figures.astype(object)]),
        hovertemplate="<b>%{customdata[0]}</b><br>" + hover_figures() + "<extra></extra>",
    )


def hover_figures() -> str:
    """Return what a dot of a correlation says: value, interval, cells, q (customdata 1 to 5)."""
    return _(
        "%{x:.2f} (95 % %{customdata[1]:.2f} to %{customdata[2]:.2f})<br>present in %{customdata[3]} cells, "
        "worth %{customdata[4]:.0f} independent ones<br>q = %{customdata[5]:.3f}"
    )


def pair_dots(part: pd.DataFrame, ink: Inks, opacity: float, x_title: str, y_title: str) -> go.Scatter:
    """Return the dots of classes with both intervals, in the class's colour."""
    bars = {
        "type": "data",
        "symmetric": False,
        "thickness": 1,
        "width": 0,
        "color": translucent(ink.text, 0.45 * opacity),
    }
    names = [label(code, name) for code, name in zip(part.code, part.name, strict=True)]
    return go.Scatter(
        x=part.value_x,
        y=part.value_y,
        mode="markers",
        text=names,
        marker={
            "size": 12,
            "color": [translucent(colour, opacity) for colour in part.colour],
            "line": {"width": 1.4, "color": translucent(ink.text, min(1.0, opacity + 0.1))},
        },
        error_x={**bars, "array": part.high_x - part.value_x, "arrayminus": part.value_x - part.low_x},
        error_y={**bars, "array": part.high_y - part.value_y, "arrayminus": part.value_y - part.low_y},
        hovertemplate=f"<b>%{{text}}</b><br>{x_title}: %{{x:.2f}}<br>{y_title}: %{{y:.2~g}}<extra></extra>",
    )


def class_axis(figure: go.Figure, rows: pd.DataFrame, ink: Inks, with_swatches: bool = False) -> None:
    """Label every row; `with_swatches` leaves room for `swatches` beside the labels."""
    names = [label(code, name) for code, name in zip(rows.code, rows.name, strict=True)]
    figure.update_yaxes(
        range=[-0.7, len(rows) - 0.3],
        tickmode="array",
        tickvals=list(rows.index),
        ticktext=names,
        showgrid=False,
        zeroline=False,
        tickfont={"size": 12, "color": ink.text},
        ticklabelstandoff=16 if with_swatches else 6,
    )


def swatches(rows: pd.DataFrame, ink: Inks, half: float = 0.2) -> Shapes:
    """Return the classes' Urban Atlas colours beside their labels, for dots that do not carry them."""
    return [
        {
            "type": "rect",
            "xref": "x domain",
            "yref": "y",
            "xsizemode": "pixel",
            "xanchor": 0,
            "x0": -14,
            "x1": -4,
            "y0": row - half,
            "y1": row + half,
            "fillcolor": colour,
            "line": {"width": 1, "color": ink.muted},
        }
        for row, colour in zip(rows.index, rows.colour, strict=True)
    ]


def _signed(value: float) -> str:
    if not np.isfinite(value):
        return "–"
    return number(value, 2, sign=True)


def _column(title: str, texts: Sequence[str], right_px: int, ink: Inks) -> list[dict[str, Any]]:
    """Return notes with a figure at the end of every row: an interval without its n says too little."""
    place = {"xref": "paper", "x": 1, "xanchor": "right", "xshift": right_px, "showarrow": False}
    font = {"size": 11, "color": ink.muted}
    return [
        *({"y": row, "yref": "y", "text": text, "font": font, **place} for row, text in enumerate(texts)),
        {"yref": "paper", "y": 1, "yanchor": "bottom", "text": title, "font": font, **place},
    ]


def limits(columns: Sequence[pd.Series]) -> tuple[float, float]:
    """Return axis ends on multiples of 0.1 around all values and zero."""
    values = np.concatenate([np.asarray(column, dtype=float) for column in columns] + [np.zeros(1)])
    values = values[np.isfinite(values)]
    low, high = np.floor(values.min() * 10 - 0.2) / 10, np.ceil(values.max() * 10 + 0.2) / 10
    return max(float(low), -1.05), min(float(high), 1.05)


def padded(columns: Sequence[pd.Series]) -> tuple[float, float]:
    """Return axis ends a little beyond all values and zero, whatever their unit."""
    values = np.concatenate([np.asarray(column, dtype=float) for column in columns] + [np.zeros(1)])
    values = values[np.isfinite(values)]
    margin = 0.08 * (values.max() - values.min() or 1.0)
    return float(values.min() - margin), float(values.max() + margin)
