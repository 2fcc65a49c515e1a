"""Chart of the activation ratio of the poor and the rich map, beside the incomes where a class is present."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pages.shared.class_names import label
from pages.shared.forest import ROW_PX, class_axis, swatches
from pages.shared.language import _, later, percent
from pages.shared.palette import Inks, plotly_template


@dataclass(frozen=True)
class Polarity:
    """How the poor or the rich map is drawn: hue for each theme, symbol, and offset within its row."""

    hover_ratio: str
    hover_share: str
    light: str
    dark: str
    symbol: str
    offset: float

    def colour(self, ink: Inks) -> str:
        """Return the hue for the reader's theme."""
        return self.dark if ink.is_dark else self.light


# The ends of the diverging palette; symbols differ too, so hue is never the only cue.
POLARITIES = {
    "poor": Polarity(
        later("Poor: activation ratio %{x:.2f}"),
        later("Poor: share of cells %{x:.2f}"),
        "#B9632F",
        "#D9935F",
        "circle",
        0.17,
    ),
    "rich": Polarity(
        later("Rich: activation ratio %{x:.2f}"),
        later("Rich: share of cells %{x:.2f}"),
        "#0B5362",
        "#6BA9B3",
        "diamond",
        -0.17,
    ),
}


def ratios(activation: pd.DataFrame, income: pd.DataFrame, n_classes: int, ink: Inks) -> go.Figure:
    """Draw the activation ratio of the poor and the rich map beside P(poor) and P(rich), one row a class.

    Args:
        activation: code, name, colour, polarity, value, low, high, n; only rows with enough cells.
        income: code, name, colour, polarity, probability, low, high, n; only rows with enough cells.
        n_classes: number of income classes K; gives the share of the lowest and highest 40 %.
        ink: colours of the theme.
    """
    classes = pd.concat([activation, income])[["code", "name", "colour"]].drop_duplicates("code")
    rich = activation[activation.polarity == "rich"].set_index("code").value
    poor = activation[activation.polarity == "poor"].set_index("code").value
    order = (rich - poor).reindex(classes.code).fillna((rich - 1).reindex(classes.code)).fillna(-np.inf)
    classes = classes.assign(order=order.to_numpy()).sort_values(["order", "code"], ignore_index=True)
    figure = make_subplots(
        rows=1, cols=2, shared_yaxes=True, horizontal_spacing=0.05, column_widths=[0.54, 0.46]
    )
    figure.update_layout(template=plotly_template())
    row_of = dict(zip(classes.code, classes.index, strict=True))
    for column, frame, value in ((1, activation, "value"), (2, income, "probability")):
        for name, polarity in POLARITIES.items():
            part = frame[frame.polarity == name]
            if len(part):
                figure.add_trace(_polarity_dots(part, polarity, row_of, value, ink), row=1, col=column)
    class_axis(figure, classes, ink, with_swatches=True)
    top = float(np.nanmax([activation.high.max(), activation.value.max(), 1.5])) if len(activation) else 2.0
    share = round(0.4 * n_classes) / n_classes
    figure.update_xaxes(
        range=[0, top * 1.04], title_text=_("Activation ratio; 1 = in proportion to area"), col=1, row=1
    )
    ticks = [0, 0.2, 0.4, 0.6, 0.8, 1]
    figure.update_xaxes(
        range=[0, 1],
        tickvals=ticks,
        ticktext=[percent(tick) for tick in ticks],
        title_text=_("Share of the cells with the class"),
        col=2,
        row=1,
    )
    lines = [
        {"type": "line", "xref": f"x{axis}", "yref": f"y{axis} domain", "x0": x, "x1": x, "y0": 0, "y1": 1}
        | {"line": {"color": ink.muted, "width": 1, "dash": dash}}
        for axis, x, dash in (("", 1, "solid"), ("2", share, "dot"))
    ]
    figure.update_layout(
        height=len(classes) * (ROW_PX + 5) + 62,
        margin={"l": 8, "r": 16, "t": 8, "b": 8},
        shapes=[*swatches(classes, ink), *lines],
    )
    return figure


def _polarity_dots(
    part: pd.DataFrame, polarity: Polarity, row_of: dict[str, int], value: str, ink: Inks
) -> go.Scatter:
    colour = polarity.colour(ink)
    names = [label(code, name) for code, name in zip(part.code, part.name, strict=True)]
    figures = part[["low", "high", "n"]].to_numpy().astype(object)
    return go.Scatter(
        x=part[value],
        y=[row_of[code] + polarity.offset for code in part.code],
        mode="markers",
        marker={
            "size": 9,
            "symbol": polarity.symbol,
            "color": colour,
            "line": {"width": 1, "color": ink.text},
        },
        error_x={
            "type": "data",
            "symmetric": False,
            "array": part.high - part[value],
            "arrayminus": part[value] - part.low,
            "thickness": 2,
            "width": 0,
            "color": colour,
        },
        customdata=np.column_stack([np.array(names, dtype=object), figures]),
        hovertemplate="<b>%{customdata[0]}</b><br>"
        + _(polarity.hover_ratio if value == "value" else polarity.hover_share)
        + " "
        + _("(95 % %{customdata[1]:.2f} to %{customdata[2]:.2f}), n = %{customdata[3]}")
        + "<extra></extra>",
    )
