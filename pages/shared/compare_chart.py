"""Charts of several cities: their correlations class by class, and the scatter of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from data.store.queries import City
from pages.shared.class_names import label
from pages.shared.forest import (
    PALE,
    apart_from_zero,
    class_axis,
    hover_figures,
    limits,
    padded,
    pair_dots,
    same_signs,
    significant,
    swatches,
)
from pages.shared.index_chart import SYMBOLS, offsets
from pages.shared.language import _
from pages.shared.palette import Inks, plotly_template, translucent

CITY_PX = 10
BETWEEN_PX = 12


def class_order(rows: pd.DataFrame, cities: Sequence[City]) -> pd.DataFrame:
    """Return each class once (code, name, colour), smallest value of the first city first, then of the mean.

    Classes that the first city does not have stand at the bottom.
    """
    first = rows[rows.city_id == cities[0].city_id].set_index("code").value
    classes = rows.groupby("code", as_index=False).agg(
        name=("name", "first"), colour=("colour", "first"), mean=("value", "mean")
    )
    classes["own"] = classes.code.map(first)
    return classes.sort_values(["own", "mean", "code"], na_position="first", ignore_index=True)


def forest_of_cities(
    rows: pd.DataFrame, cities: Sequence[City], axis_title: str, colours: Sequence[str], ink: Inks
) -> go.Figure:
    """Draw one dot and interval a city and class, cities below one another within the row of their class.

    Args:
        rows: city_id, code, name, colour, value, low, high, q_value, n_present, n_effective, classes with
        enough cells only.
        cities: in the order in which they are drawn, at most five; the first orders the classes.
        axis_title: what the coefficient is.
        colours: of the cities.
        ink: colours of the theme.
    """
    classes = class_order(rows, cities)
    row_of = dict(zip(classes.code, classes.index, strict=True))
    sure = significant(rows)
    figure = go.Figure(layout={"template": plotly_template()})
    for city, colour, symbol, offset in zip(cities, colours, SYMBOLS, offsets(len(cities)), strict=False):
        for shown, opacity in ((True, 1.0), (False, PALE)):
            part = rows[(rows.city_id == city.city_id) & (sure == shown)]
            if len(part):
                at = part.code.map(row_of) + offset
                figure.add_trace(_city_dots(part, city, at, symbol, translucent(colour, opacity)))
    low, high = limits([rows.low, rows.high, rows.value])
    class_axis(figure, classes, ink, with_swatches=True)
    figure.update_xaxes(
        range=[low, high],
        title_text=axis_title,
        zeroline=True,
        zerolinecolor=ink.muted,
        dtick=0.1 if high - low < 0.65 else 0.2,
        tickangle=0,
        tickformat=".1f",
    )
    bands = [
        {"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": row - 0.5, "y1": row + 0.5}
        | {"line": {"width": 0}, "fillcolor": translucent(ink.muted, 0.07), "layer": "below"}
        for row in classes.index[::2]
    ]
    figure.update_layout(
        height=len(classes) * (BETWEEN_PX + CITY_PX * len(cities)) + 66,
        margin={"l": 8, "r": 12, "t": 8, "b": 8},
        shapes=[*bands, *swatches(classes, ink, 5 / (BETWEEN_PX + CITY_PX * len(cities)))],
    )
    return figure


def _city_dots(part: pd.DataFrame, city: City, at: pd.Series, symbol: str, colour: str) -> go.Scatter:
    names = [label(code, name) for code, name in zip(part.code, part.name, strict=True)]
    figures = part[["low", "high", "n_present", "n_effective", "q_value"]].to_numpy()
    return go.Scatter(
        x=part.value,
        y=at,
        mode="markers",
        name=city.name,
        marker={"size": 9, "symbol": symbol, "color": colour},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": part.high - part.value,
            "arrayminus": part.value - part.low,
            "thickness": 1.6,
            "width": 0,
            "color": colour,
        },
        customdata=np.column_stack([np.array(names, dtype=object), figures.astype(object)]),
        hovertemplate="<b>%{fullData.name}</b><br>%{customdata[0]}<br>" + hover_figures() + "<extra></extra>",
    )


def scatters(
    pairs: dict[str, pd.DataFrame], cities: Sequence[City], x_title: str, y_title: str, ink: Inks
) -> go.Figure:
    """Draw relation (i) of each class against its pull, one small chart a city, all with the same axes.

    Args:
        pairs: by city_id: as `forest.scatter` takes them; cities without any are left out.
        cities: in the order of the charts.
        x_title: what is on x.
        y_title: what is on y.
        ink: colours of the theme.
    """
    shown = [city for city in cities if len(pairs.get(city.city_id, ()))]
    every = [pairs[city.city_id] for city in shown]
    across = limits([part[column] for part in every for column in ("low_x", "high_x", "value_x")])
    up = padded([part[column] for part in every for column in ("low_y", "high_y", "value_y")])
    n_rows = (len(shown) + 1) // 2
    figure = make_subplots(
        rows=n_rows,
        cols=2,
        shared_xaxes="all",
        shared_yaxes="all",
        horizontal_spacing=0.04,
        vertical_spacing=0.11 / n_rows,
        subplot_titles=[city.name for city in shown],
    )
    shades = []
    for place, part in enumerate(every):
        sure = significant(part, "_x") & apart_from_zero(part, "_y")
        for is_sure, opacity in ((False, PALE), (True, 1.0)):
            dots = pair_dots(part[sure == is_sure], ink, opacity, x_title, y_title)
            dots.marker.size = 8
            figure.add_trace(dots, row=place // 2 + 1, col=place % 2 + 1)
        shades += same_signs(across, up, ink, "" if place == 0 else str(place + 1))
    zero = {"zeroline": True, "zerolinecolor": ink.muted, "zerolinewidth": 1}
    figure.update_xaxes(range=across, nticks=6, tickangle=0, tickformat=".1f", **zero)
    figure.update_yaxes(range=up, nticks=5, **zero)
    figure.update_xaxes(title_text=x_title, row=n_rows)
    figure.update_yaxes(title_text=_("pull, sd of z"), col=1)
    figure.update_annotations(font={"size": 12, "color": ink.text})
    figure.update_layout(
        template=plotly_template(),
        height=190 * n_rows + 50,
        margin={"l": 8, "r": 8, "t": 24, "b": 8},
        shapes=shades,
    )
    return figure
