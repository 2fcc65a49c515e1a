"""The charts of a report, drawn as SVG in the dashboard's colours: one function a chart, figures given."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pages.report.drawing import SIZE, Drawing, Scale
from pages.shared import chart_labels, palette
from pages.shared.language import _, number
from pages.shared.palette import Inks

HALF, WHOLE = 330, 680  # pixels: a picture beside another, and one alone
SMALL = 10.5


def confusion(table: NDArray[np.int64]) -> Drawing:
    """Draw a confusion matrix (K, K), census in rows, poorest on top: percent of each census class."""
    ink = palette.inks()
    n = len(table)
    share = 100 * table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    left, top = 42, 6
    step = (HALF - left - 6) / n
    high = min(step, 21.2)
    drawing = Drawing(HALF, top + n * high + 40)
    colours = palette.shades(33)
    most = max(40.0, float(share.max()))
    for row in range(n):
        for column in range(n):
            x, y, value = left + column * step, top + row * high, share[row, column]
            drawing.rect(x, y, step - 1, high - 1, colours[round(32 * value / most)])
            if value >= 0.5:
                colour = ink.background if value > 0.55 * most else ink.text
                drawing.text(x + step / 2, y + high / 2 + 4, number(value), colour, anchor="middle")
        drawing.rect(left + row * step, top + row * high, step - 1, high - 1, None, ink.text, 1)
        middle = (row + 0.5) * step
        drawing.text(
            left - 6, top + (row + 0.5) * high + 4, str(row + 1), ink.muted, anchor="end", size=SMALL
        )
        drawing.text(left + middle, top + n * high + 13, str(row + 1), ink.muted, anchor="middle", size=SMALL)
    bottom = top + n * high + 31
    drawing.text(left + n * step / 2, bottom, _("predicted class"), ink.muted, anchor="middle")
    drawing.text(12, top + n * high / 2, _("census class"), ink.muted, anchor="middle", turned=True)
    return drawing


def calibration(bins: pd.DataFrame) -> Drawing:
    """Draw stated against observed shares in percent; the diagonal is a model that means what it says."""
    ink = palette.inks()
    stated, observed = 100 * bins["probability"], 100 * bins["frequency"]
    top = 1.05 * float(max(stated.max(), observed.max(), 100 * bins["high"].fillna(0).max(), 20))
    drawing = Drawing(HALF, 258)
    x = Scale(0, top, 46, HALF - 8)
    y = Scale(0, top, 258 - 42, 8)
    _axes(drawing, x, y, _("stated by the model, %"), _("was right, %"), ink)
    drawing.line(x(0), y(0), x(top), y(top), ink.muted, 1.2, "2 3")
    for row in bins.itertuples():
        at = x(100 * row.probability)
        _bar(drawing, (at, at), [y(100 * end) for end in (row.low, row.high)], row.low, ink.muted)
        drawing.circle(at, y(100 * row.frequency), 4.2, ink.primary, ink.background)
    return drawing


def by_group(groups: pd.DataFrame, title: str) -> Drawing:
    """Draw mean differences with intervals by group: columns group, value, low, high."""
    ink = palette.inks()
    ends = [v for name in ("value", "low", "high") for v in groups[name].astype(float) if np.isfinite(v)]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    room = 0.08 * (high - low or 1.0)
    drawing = Drawing(HALF, 210)
    y = Scale(low - room, high + room, 210 - 44, 8)
    x = Scale(-0.5, len(groups) - 0.5, 46, HALF - 8)
    _grid(drawing, x, y, _("expected less census, classes"), ink)
    drawing.line(x.start, y(0), x.end, y(0), ink.muted, 1, "2 3")
    for at, row in enumerate(groups.itertuples()):
        _bar(drawing, (x(at), x(at)), [y(row.low), y(row.high)], row.low, ink.muted)
        drawing.circle(x(at), y(row.value), 4.2, ink.primary, ink.background)
        drawing.text(x(at), 210 - 29, str(row.group), ink.muted, anchor="middle", size=SMALL)
    drawing.text((x.start + x.end) / 2, 210 - 10, title, ink.muted, anchor="middle")
    return drawing


def forest(rows: pd.DataFrame, names: Sequence[str], sure: Sequence[bool], title: str) -> Drawing:
    """Draw one dot and interval a land-use class, in its colour; those not told from 0 are pale.

    ``rows``: value, low, high, colour and, for grey ticks, reference; in the order from the top.
    """
    ink = palette.inks()
    step, top, left = 16.5, 8, 178
    height = top + len(rows) * step + 40
    drawing = Drawing(HALF, height)
    columns = ["value", "low", "high", *(["reference"] if "reference" in rows else [])]
    known = rows[columns].to_numpy(float).ravel()
    known = known[np.isfinite(known)]
    x = Scale(
        max(min(0.0, float(known.min(initial=0))) - 0.04, -1.05),
        min(max(0.0, float(known.max(initial=0))) + 0.04, 1.05),
        left,
        HALF - 10,
    )
    _columns(drawing, x, top, height - 40, title, ink, about=4)
    for at, (row, name, is_sure) in enumerate(zip(rows.itertuples(), names, sure, strict=True)):
        y = top + (at + 0.5) * step
        drawing.text(left - 8, y + 4, _cut(name, 34), ink.text, anchor="end", size=SMALL)
        if "reference" in rows and np.isfinite(row.reference):
            drawing.line(x(row.reference), y - 5.5, x(row.reference), y + 5.5, ink.muted, 2)
        line = ink.text if is_sure else ink.no_data
        _bar(drawing, [x(row.low), x(row.high)], (y, y), row.low, line, 1.5)
        drawing.circle(x(row.value), y, 4.4, str(row.colour), ink.text, 1 if is_sure else 0.4)
    return drawing


def scatter(
    pairs: pd.DataFrame, names: Sequence[str], sure: Sequence[bool], titles: tuple[str, str]
) -> Drawing:
    """Draw relation (i) against the pull of each class with both intervals; shaded: the signs agree.

    ``pairs``: value, low, high with suffixes _x and _y, colour. Labels where there is room, sure ones first.
    """
    ink = palette.inks()
    drawing = Drawing(HALF, 296)
    x = Scale(*_padded(pairs, "_x"), 54, HALF - 8)
    y = Scale(*_padded(pairs, "_y"), 296 - 42, 8)
    for right, up in ((x.end, y.end), (x.start, y.start)):
        corner = min(x(0), right), min(y(0), up)
        drawing.rect(*corner, abs(right - x(0)), abs(up - y(0)), ink.panel)
    _axes(drawing, x, y, *titles, ink)
    drawing.line(x(0), y.start, x(0), y.end, ink.muted)
    drawing.line(x.start, y(0), x.end, y(0), ink.muted)
    order = sorted(range(len(pairs)), key=lambda at: bool(sure[at]))
    for at in order:
        row, is_sure = pairs.iloc[at], bool(sure[at])
        px, py = x(row.value_x), y(row.value_y)
        line = ink.muted if is_sure else ink.no_data
        _bar(drawing, (x(row.low_x), x(row.high_x)), (py, py), row.low_x, line, 0.8)
        _bar(drawing, (px, px), (y(row.low_y), y(row.high_y)), row.low_y, line, 0.8)
        drawing.circle(px, py, 4.6, str(row.colour), ink.text, 1 if is_sure else 0.4)
    where = [(x(row.value_x), y(row.value_y)) for row in pairs.itertuples()]
    # the sure ones and, of those, the farthest from nothing choose their place first
    far = [abs(px - x(0)) + abs(py - y(0)) for px, py in where]
    first = sorted(range(len(pairs)), key=lambda at: (not sure[at], -far[at]))
    across, above = [where[at][0] - x.start for at in first], [y.start - where[at][1] for at in first]
    size = x.end - x.start, y.start - y.end
    texts = [_cut(names[at], 34) for at in first]
    for label in chart_labels.placed(
        across, above, texts, ((0, size[0]), (0, size[1])), size, chart_labels.FAR
    ):
        anchor, shift = ("end", -9) if label.anchor == "right" else ("start", 9)
        colour = ink.text if sure[first[label.at]] else ink.muted
        px, py = x.start + across[label.at] + shift, y.start - above[label.at] - label.shift + 4
        drawing.text(px, py, texts[label.at], colour, anchor=anchor, size=SMALL)
    return drawing


def ratios(
    rows: pd.DataFrame, order: Sequence[str], names: dict[str, str], colours: dict[str, str]
) -> Drawing:
    """Draw the activation ratio of the poor and the rich map, one row a class (codes in `order`)."""
    ink = palette.inks()
    step, top, left = 21, 26, 190
    height = top + len(order) * step + 40
    drawing = Drawing(HALF, height)
    most = float(np.nanmax([rows["high"].max(), rows["value"].max(), 1.5])) * 1.04
    x = Scale(0, most, left, HALF - 10)
    _columns(drawing, x, top, height - 40, _("activation ratio; 1 = in proportion to area"), ink, about=4)
    drawing.line(x(1), top, x(1), height - 40, ink.muted, 1)
    at = dict(zip(order, range(len(order)), strict=True))
    hues = {"poor": palette.diverging(9)[1], "rich": palette.diverging(9)[8]}
    for code in order:
        y = top + (at[code] + 0.5) * step
        drawing.rect(left - 15, y - 4, 8, 8, colours[code], ink.muted, 0.7)
        drawing.text(left - 20, y + 4, _cut(names[code], 32), ink.text, anchor="end", size=SMALL)
    for row in rows.itertuples():
        offset = -4 if row.polarity == "poor" else 4
        y = top + (at[row.code] + 0.5) * step + offset
        hue = hues[str(row.polarity)]
        _bar(drawing, [x(row.low), x(row.high)], (y, y), row.low, hue, 1.5)
        mark = drawing.circle if row.polarity == "poor" else drawing.diamond
        mark(x(row.value), y, 3.8 if row.polarity == "poor" else 4.6, hue, ink.text)
    drawing.circle(left, 10, 3.8, hues["poor"], ink.text)
    drawing.text(left + 8, 14, _("poor map"), ink.muted, size=SMALL)
    drawing.diamond(left + 72, 10, 4.6, hues["rich"], ink.text)
    drawing.text(left + 81, 14, _("rich map"), ink.muted, size=SMALL)
    return drawing


def _padded(pairs: pd.DataFrame, suffix: str) -> tuple[float, float]:
    values = pairs[[f"{name}{suffix}" for name in ("value", "low", "high")]].to_numpy(float).ravel()
    values = np.append(values[np.isfinite(values)], 0.0)
    room = 0.08 * (values.max() - values.min() or 1.0)
    return float(values.min() - room), float(values.max() + room)


def _bar(
    drawing: Drawing,
    across: Sequence[float],
    up: Sequence[float],
    low: float,
    colour: str,
    width: float = 1.3,
) -> None:
    """Draw an interval from one end to the other, nothing where there is none."""
    if pd.notna(low):
        drawing.line(across[0], up[0], across[1], up[1], colour, width)


def _grid(drawing: Drawing, x: Scale, y: Scale, title: str, ink: Inks) -> None:
    """Draw horizontal grid lines with their values, and the title of the upright axis."""
    digits = y.digits()
    for tick in y.ticks():
        drawing.line(x.start, y(tick), x.end, y(tick), ink.grid)
        drawing.text(x.start - 6, y(tick) + 4, number(tick, digits), ink.muted, anchor="end", size=SMALL)
    drawing.text(11, (y.start + y.end) / 2, title, ink.muted, anchor="middle", turned=True)


def _axes(drawing: Drawing, x: Scale, y: Scale, across: str, up: str, ink: Inks) -> None:
    _grid(drawing, x, y, up, ink)
    digits = x.digits()
    for tick in x.ticks():
        drawing.line(x(tick), y.start, x(tick), y.end, ink.grid)
        drawing.text(x(tick), y.start + 15, number(tick, digits), ink.muted, anchor="middle", size=SMALL)
    drawing.text((x.start + x.end) / 2, y.start + 33, across, ink.muted, anchor="middle")


def _columns(
    drawing: Drawing, x: Scale, top: float, bottom: float, title: str, ink: Inks, about: int
) -> None:
    """Draw upright grid lines, the one at 0 stronger, and the title under the axis."""
    digits = x.digits(about)
    for tick in x.ticks(about):
        drawing.line(x(tick), top, x(tick), bottom, ink.muted if tick == 0 else ink.grid)
        drawing.text(x(tick), bottom + 14, number(tick, digits), ink.muted, anchor="middle", size=SMALL)
    width = len(title) * SIZE * 0.45
    centre = min((x.start + x.end) / 2, x.end - width / 2)
    drawing.text(centre, bottom + 32, title, ink.muted, anchor="middle")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
