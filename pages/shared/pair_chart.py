"""Heatmaps of pairs of land-use classes: what the maps, and the census, give to a class beside another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots
from scipy import stats

from pages.shared import palette
from pages.shared.class_names import label
from pages.shared.language import _, later, number, percent
from pages.shared.palette import Inks

ROW_PX = 25
FURTHEST = 1.0  # of the scale: twice as much, or half


@dataclass(frozen=True)
class Measure:
    """What a pair is measured by, in the activation and in the census, and how both are said."""

    title: str
    activation: str  # columns of class_pair
    income: str
    activation_title: str
    income_titles: dict[str, str]  # by polarity


MEASURES = {
    "level": Measure(
        later("Level"),
        "co_activation",
        "probability",
        later("Activation ratio of the row, the column present"),
        {
            "poor": later("Share of poor cells, row and column present"),
            "rich": later("Share of rich cells, row and column present"),
        },
    ),
    "gain": Measure(
        later("Gain"),
        "gain",
        "income_gain",
        later("Activation ratio, over that of the row anywhere"),
        {
            "poor": later("Share of poor cells, over that of the row anywhere"),
            "rich": later("Share of rich cells, over that of the row anywhere"),
        },
    ),
}


TOO_FEW = {
    "poor": later("No two land-use classes share 30 cells predicted poor: too few for a pair."),
    "rich": later("No two land-use classes share 30 cells predicted rich: too few for a pair."),
}
_READING = {
    "poor": later(
        "Row: the class looked at; column: the class that is in the cell too; brown: more than elsewhere, "
        "teal: less, full colour from twice or half on. Left over cells predicted poor, right over cells "
        "with an income, of which {share} in a city count as poor. Blank: under 30 cells. Activation ratios "
        "are means over cells, the paper's estimator; the diagonal is the class's usual one, to which the "
        "sentence compares. No intervals: read single pairs as hints."
    ),
    "rich": later(
        "Row: the class looked at; column: the class that is in the cell too; teal: more than elsewhere, "
        "brown: less, full colour from twice or half on. Left over cells predicted rich, right over cells "
        "with an income, of which {share} in a city count as rich. Blank: under 30 cells. Activation ratios "
        "are means over cells, the paper's estimator; the diagonal is the class's usual one, to which the "
        "sentence compares. No intervals: read single pairs as hints."
    ),
}


def shown_codes(pairs: pd.DataFrame, measure: Measure) -> list[str]:
    """Return the classes that have a value with another class, by code."""
    apart = pairs[pairs.code != pairs.with_code]
    known = apart[apart[measure.activation].notna() | apart[measure.income].notna()]
    return sorted(set(known.code) | set(known.with_code))


def heatmaps(pairs: pd.DataFrame, measure: Measure, polarity: str, share: float, ink: Inks) -> go.Figure:
    """Draw activation left and census right, one row and one column a class.

    Colours go by the factor over what stands for "as elsewhere": 1 for ratios and gains, ``share`` (that of
    the whole city) for the share of poor or rich cells.

    Args:
        pairs: code, name, with_code, co_activation, gain, n, probability, income_gain, n_income.
        measure: one of `MEASURES`.
        polarity: poor or rich.
        share: of the cells of the city, in 0..1, that count as poor or rich.
        ink: colours of the theme.
    """
    codes = shown_codes(pairs, measure)
    names = pairs.drop_duplicates("code").set_index("code").name
    labels = [label(code, names.get(code, code)) for code in codes]
    figure = make_subplots(
        rows=1,
        cols=2,
        shared_yaxes=True,
        horizontal_spacing=0.03,
        subplot_titles=(_(measure.activation_title), _(measure.income_titles[polarity])),
    )
    for column, value, count in ((1, measure.activation, "n"), (2, measure.income, "n_income")):
        as_share = value == "probability"
        table = _square(pairs, value, codes)
        factor = np.log2(np.maximum(table / (share if as_share else 1.0), 1e-6))
        drawn = np.full(table.shape, "", dtype=object)
        known = np.isfinite(table)
        drawn[known] = [number(100 * v) if as_share else number(v, 2) for v in table[known]]
        figure.add_trace(
            go.Heatmap(
                z=np.clip(factor, -FURTHEST, FURTHEST),
                x=codes,
                y=labels,
                zmin=-FURTHEST,
                zmax=FURTHEST,
                colorscale=palette.scale_for_plotly(_around_nothing(polarity, ink)),
                showscale=False,
                xgap=1,
                ygap=1,
                text=drawn,
                texttemplate="%{text}",
                textfont={"size": 10},
                customdata=_square(pairs, count, codes),
                hoverongaps=False,
                hovertemplate="<b>%{y}</b><br>"
                + (_("with %{x}: %{text} %") if as_share else _("with %{x}: %{text}"))
                + "<br>"
                + _("%{customdata:.0f} cells")
                + "<extra></extra>",
            ),
            row=1,
            col=column,
        )
    figure.update_xaxes(type="category", tickangle=-60, showgrid=False, fixedrange=True)
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False, fixedrange=True)
    figure.update_annotations(font={"size": 13, "color": ink.muted})
    figure.update_layout(
        template=palette.plotly_template(),
        height=len(codes) * ROW_PX + 110,
        margin={"l": 8, "r": 8, "t": 30, "b": 8},
    )
    return figure


def _around_nothing(polarity: str, ink: Inks) -> list[str]:
    """Return the diverging scale from less to more: more poor is brown, more rich is teal, as everywhere."""
    colours = palette.diverging(9, ink.is_dark)
    return colours[::-1] if polarity == "poor" else colours


def _square(pairs: pd.DataFrame, value: str, codes: list[str]) -> NDArray[np.float64]:
    table = pairs.pivot(index="code", columns="with_code", values=value)
    return table.reindex(index=codes, columns=codes).to_numpy(float)


def pair_sentence(pairs: pd.DataFrame, measure: Measure, polarity: str) -> str:
    """Say whether the maps give more where the census does, pair by pair, and which pair stands out most.

    >>> frame = pd.DataFrame({"code": ["11100"], "name": ["a"], "with_code": ["11100"], "gain": [1.0],
    ...     "co_activation": [1.0], "n": [40], "probability": [0.4], "income_gain": [1.0], "n_income": [40]})
    >>> pair_sentence(frame, MEASURES["gain"], "poor")
    'No two land-use classes share 30 cells predicted poor: too few for a pair.'
    """
    apart = pairs[(pairs.code != pairs.with_code) & pairs[measure.activation].notna()]
    if apart.empty:
        return _(TOO_FEW[polarity])
    gains = apart[apart.gain.notna()]
    furthest = gains.loc[np.log(gains.gain).abs().idxmax()]
    names = pairs.drop_duplicates("code").set_index("code").name
    text = (
        _(
            "Farthest from its usual share: {name} where {other} is in the cell too gets {gain} times its "
            "usual activation ratio, more than elsewhere ({n} cells)."
        )
        if furthest.gain > 1
        else _(
            "Farthest from its usual share: {name} where {other} is in the cell too gets {gain} times its "
            "usual activation ratio, less than elsewhere ({n} cells)."
        )
    )
    said = text.format(
        name=label(furthest.code, furthest["name"]),
        other=label(furthest.with_code, names.get(furthest.with_code, furthest.with_code)),
        gain=number(furthest.gain, 2),
        n=number(furthest.n),
    )
    both = apart[apart[measure.income].notna()]
    if len(both) < 10:
        return said
    rank = stats.spearmanr(both[measure.activation], both[measure.income]).statistic
    if not np.isfinite(rank):
        return said
    alike = _(
        "Over {n} pairs, activation and census rank alike by {rank} (rank correlation, no interval: pairs "
        "share their cells)."
    ).format(n=number(len(both)), rank=number(rank, 2))
    return f"{said} {alike}"


def reading(polarity: str, share: float) -> str:
    """Say how to read the two heatmaps; `share` of the cells of the city counts as poor or rich."""
    return _(_READING[polarity]).format(share=percent(share))
