"""Charts of the *Trust* page."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from pages.shared import chart_labels
from pages.shared.language import _
from pages.shared.palette import Inks, plotly_template
from pages.shared.pattern_words import METHODS
from pages.shared.trust_words import BASELINES, method_name

SYMBOLS = {"cam": "circle", "paper": "diamond"}
DASHES = {"cam": "solid", "paper": "dot"}


# a chart of more cities than this has no room for the one chosen
MOST_CITIES = 12


def some_cities(table: pd.DataFrame, city_id: str) -> pd.DataFrame:
    """Return the rows of at most `MOST_CITIES` cities in their order: the chosen one, the first others."""
    cities = list(dict.fromkeys(table.city_id))
    others = [one for one in cities if one != city_id][: MOST_CITIES - 1]
    return table[table.city_id.isin({city_id, *others})]


def agreement(table: pd.DataFrame, ink: Inks) -> go.Figure:
    """Draw one dot and interval a city and map; table has city, method, value, low, high, n."""
    figure = go.Figure(layout={"template": plotly_template()})
    cities = list(dict.fromkeys(table.city))[::-1]
    for method, rows in table[table.value.notna()].groupby("method"):
        shift = 0.12 if method == "cam" else -0.12
        figure.add_trace(
            go.Scatter(
                x=rows.value,
                y=[cities.index(city) + shift for city in rows.city],
                mode="markers",
                name=method_name(method),
                marker={
                    "symbol": SYMBOLS.get(str(method), "square"),
                    "size": 11,
                    "color": ink.text if method == "cam" else ink.background,
                    "line": {"width": 1.6, "color": ink.text},
                },
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": (rows.high - rows.value).fillna(0),
                    "arrayminus": (rows.value - rows.low).fillna(0),
                    "width": 0,
                    "color": ink.text,
                },
                customdata=rows[["city", "low", "high", "n"]].to_numpy(),
                hovertemplate="<b>%{customdata[0]}</b><br>"
                + _("%{x:.2f} (95 % %{customdata[1]:.2f} to %{customdata[2]:.2f}), %{customdata[3]} pairs")
                + "<extra>%{fullData.name}</extra>",
            )
        )
    figure.update_xaxes(
        range=[-0.3, 1.02], title_text=_("Rank correlation with class occlusion"), zeroline=True,
        zerolinecolor=ink.muted,
    )  # fmt: skip
    figure.update_yaxes(
        tickmode="array", tickvals=list(range(len(cities))), ticktext=cities, range=[-0.6, len(cities) - 0.4],
        showgrid=False, zeroline=False,
    )  # fmt: skip
    return _finished(figure, 120 + 60 * len(cities))


def cascade(rows: pd.DataFrame, ink: Inks) -> go.Figure:
    """Draw likeness against the share of weights drawn anew, one line a map and network."""
    figure = go.Figure(layout={"template": plotly_template()})
    shown: set[str] = set()
    for (model, method), part in rows.groupby(["model_id", "method"]):
        part = part.sort_values("position")
        figure.add_trace(
            go.Scatter(
                x=[0.0, *(100 * part.position)],
                y=[1.0, *part.value],
                mode="lines+markers",
                name=method_name(method),
                legendgroup=str(method),
                showlegend=str(method) not in shown,
                line={"color": ink.text, "width": 1.6, "dash": DASHES.get(str(method), "dash")},
                marker={"size": 6, "symbol": SYMBOLS.get(str(method), "square")},
                text=[_("trained"), *part.variant],
                hovertemplate=f"{model}<br>%{{text}}: %{{y:.2f}}<extra>%{{fullData.name}}</extra>",
            )
        )
        shown.add(str(method))
    figure.update_xaxes(title_text=_("Weights drawn anew, from the head down, %"), range=[-2, 102])
    figure.update_yaxes(title_text=_("likeness to the trained map"), range=[0, 1.03])
    return _finished(figure, 300)


def removal(rows: pd.DataFrame, ink: Inks) -> go.Figure:
    """Draw areas under deletion (x) and insertion (y), one mark an order, mean over networks."""
    mean = rows.groupby(["check_name", "method"]).value.mean().unstack("check_name").reset_index()
    mean["text"] = [_(BASELINES[m]) if m in BASELINES else method_name(m) for m in mean.method]
    mean["known"] = mean.method.isin(METHODS)
    mean = mean.sort_values("known", ascending=False, ignore_index=True)  # maps find a place first
    figure = go.Figure(layout={"template": plotly_template()})
    for known, part in mean.groupby("known"):
        figure.add_trace(
            go.Scatter(
                x=part.deletion,
                y=part.insertion,
                mode="markers",
                text=part.text,
                name=_("map") if known else _("baseline"),
                marker={
                    "size": 11,
                    "symbol": [SYMBOLS.get(str(m), "x-thin") for m in part.method],
                    "color": ink.text if known else ink.muted,
                    "line": {"width": 2, "color": ink.text if known else ink.muted},
                },
                hovertemplate="<b>%{text}</b><br>"
                + _("deletion %{x:.2f}, insertion %{y:.2f}")
                + "<extra></extra>",
            )
        )
    across, up = _padded(mean.deletion, 0.16), _padded(mean.insertion, 0.2)
    figure.update_xaxes(title_text=_("Area under deletion (good: small)"), range=across)
    figure.update_yaxes(title_text=_("area under insertion (good: large)"), range=up)
    figure.update_layout(
        annotations=chart_labels.beside_dots(
            mean.deletion.tolist(),
            mean.insertion.tolist(),
            mean.text.tolist(),
            mean.known.tolist(),
            (across, up),
            (430, 200),
            ink,
            chart_labels.FAR,
        )
    )
    return _finished(figure, 300)


def _padded(values: pd.Series, share: float) -> tuple[float, float]:
    """Range of an axis with room for the labels beside the marks."""
    low, high = float(values.min()), float(values.max())
    room = share * max(high - low, 0.1)
    return low - room, high + room


def _finished(figure: go.Figure, height: int) -> go.Figure:
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 12, "t": 26, "b": 8},
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return figure
