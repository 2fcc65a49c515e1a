"""The index of one or several cities, with interval and verdict, beside what would count as following."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from core.statistics.index import MIX_REFERENCE
from data.store.queries import City
from pages.shared.index_words import ROWS, VERDICTS
from pages.shared.language import _
from pages.shared.palette import Inks, plotly_template

# hue is never the only cue
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "triangle-down")
LINE_PX = 22


def offsets(n: int, reach: float = 0.7) -> list[float]:
    """Return where n cities stand within a row of height 1, the first on top.

    >>> offsets(1), offsets(2)
    ([0.0], [0.175, -0.175])
    """
    return [reach * ((n - 1) / 2 - k) / n for k in range(n)]


def index_chart(
    indices: pd.DataFrame, cities: Sequence[City], colours: Sequence[str], ink: Inks
) -> go.Figure:
    """Draw one dot, interval and verdict a city and kind of index.

    Args:
        indices: city_id, relation, null_model, value, low, high, verdict, n_classes of several cities.
        cities: in the order in which they are drawn, at most five.
        colours: of the cities.
        ink: colours of the theme.
    """
    kinds = [one for one in ROWS if _of(indices, one).value.notna().any()][::-1]
    figure = go.Figure(layout={"template": plotly_template()})
    verdicts = []
    for city, colour, symbol, offset in zip(cities, colours, SYMBOLS, offsets(len(cities)), strict=False):
        rows = pd.concat([_of(indices, one).assign(row=row) for row, one in enumerate(kinds)] or [indices])
        rows = rows[(rows.city_id == city.city_id) & rows.value.notna()]
        if rows.empty:
            continue
        figure.add_trace(
            go.Scatter(
                x=rows.value,
                y=rows.row + offset,
                mode="markers",
                name=city.name,
                marker={"symbol": symbol, "size": 10, "color": colour},
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": (rows.high - rows.value).fillna(0),
                    "arrayminus": (rows.value - rows.low).fillna(0),
                    "thickness": 2,
                    "width": 0,
                    "color": colour,
                },
                customdata=rows[["low", "high", "n_classes"]].to_numpy(),
                hovertemplate="<b>%{fullData.name}</b><br>"
                + _("%{x:.2f} (95 % %{customdata[0]:.2f} to %{customdata[1]:.2f}), %{customdata[2]} classes")
                + "<extra></extra>",
            )
        )
        verdicts += [
            {
                "xref": "paper",
                "x": 1,
                "xanchor": "left",
                "xshift": 8,
                "y": row + offset,
                "text": _(VERDICTS[verdict]),
                "showarrow": False,
                "font": {"size": 12, "color": ink.text},
            }
            for row, verdict in zip(rows.row, rows.verdict, strict=True)
        ]
    figure.update_xaxes(
        range=[-1.03, 1.03], dtick=0.5, tickformat=".1f", zeroline=True, zerolinecolor=ink.muted,
        title_text=_("Index, 95 % interval"),
    )  # fmt: skip
    figure.update_yaxes(
        tickmode="array", tickvals=list(range(len(kinds))), ticktext=[_(ROWS[one]) for one in kinds],
        range=[-0.6, len(kinds) - 0.4], showgrid=False, zeroline=False,
        tickfont={"size": 12, "color": ink.text},
    )  # fmt: skip
    figure.update_layout(
        height=len(kinds) * max(44, LINE_PX * len(cities)) + 58,
        margin={"l": 8, "r": 118, "t": 8, "b": 8},
        annotations=verdicts,
        shapes=[_halfway(row, one[0], ink) for row, one in enumerate(kinds)],
    )
    return figure


def _of(indices: pd.DataFrame, one: tuple[str, str]) -> pd.DataFrame:
    return indices[(indices.relation == one[0]) & (indices.null_model == one[1])]


def _halfway(row: int, relation: str, ink: Inks) -> dict[str, object]:
    """Return the mark at half of what cities show whose income is land use alone."""
    at = MIX_REFERENCE[relation] / 2
    return {
        "type": "line",
        "x0": at,
        "x1": at,
        "y0": row - 0.45,
        "y1": row + 0.45,
        "line": {"width": 1.5, "dash": "dot", "color": ink.muted},
    }
