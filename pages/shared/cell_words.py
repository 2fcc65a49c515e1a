"""The sentences and the land-use table of the page Cell, made from the publication's numbers."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pages.shared import palette
from pages.shared.city_words import number, unit
from pages.shared.class_names import short_name
from pages.shared.study import is_missing


def distribution_sentence(
    probabilities: NDArray[np.float64], census: int | None, one: str, out_of_fold: bool
) -> str:
    """Say which class is likeliest, how sure that is, and what the census class got."""
    top = int(probabilities.argmax()) + 1
    text = f"The model gives {one} {top} the largest chance, {100 * probabilities[top - 1]:.0f} %"
    if census is None:
        text += "; the census has no income here"
    elif census == top:
        text += ", and the census agrees"
    else:
        text += f"; the census says {census}, which it gives {100 * probabilities[census - 1]:.0f} %"
    by = (
        "the network that never saw this cell"
        if out_of_fold
        else "all folds together; the cell trained none of them"
    )
    return f"{text}. Predicted by {by}."


def contribution_sentence(rows: pd.DataFrame, z_standard: float) -> str:
    """Say how z compares with the training mean and which land uses account for it, the largest parts
    first."""
    side = "above" if z_standard >= 0 else "below"
    text = f"z is {abs(z_standard):.2f} standard deviations {side} the training mean"
    if abs(z_standard) < 0.005:
        text = "z equals the training mean"
    known = rows.dropna(subset=["contribution"])
    if known.empty:
        return text + "."
    parts = [(short_name(row.code, row.name_official), float(row.contribution)) for row in known.itertuples()]
    rest = z_standard - sum(part for _, part in parts)
    if abs(rest) >= 0.05:
        parts.append(("unmapped ground", rest))
    parts.sort(key=lambda part: -abs(part[1]))
    shown, left = (parts, []) if len(parts) <= 4 else (parts[:3], parts[3:])
    said = [f"{signed(value)} from {name[0].lower() + name[1:]}" for name, value in shown]
    if left:
        said.append(f"{signed(sum(value for _, value in left))} from the other {len(left)}")
    return f"{text}: {', '.join(said)}."


def signed(value: float) -> str:
    """Return a number with its sign.

    >>> signed(0.314), signed(-2), signed(-0.001)
    ('+0.31', '−2.00', '+0.00')
    """
    # adding 0.0 turns a rounded -0.0 into 0.0
    return f"{round(value, 2) + 0.0:+.2f}".replace("-", "−")


def land_use_table(rows: pd.DataFrame, z_standard: float | None, mapped_share: float | None) -> str:
    """Return the land use of a cell as an HTML table: area, contribution with a bar, excess, ratios of both
    maps.

    The last line adds up; the unmapped rest has its own line where there is any.
    """
    widest = float(np.nanmax(np.abs(rows["contribution"].to_numpy(float)), initial=0.0)) or 1.0
    body = "".join(_table_row(row, widest) for row in rows.itertuples())
    total = rows["contribution"].sum()
    if z_standard is not None and not rows["contribution"].isna().all():
        rest = z_standard - total
        if mapped_share is not None and mapped_share < 0.995:
            body += _plain_row("Unmapped", 1 - mapped_share, rest, widest)
        body += (
            '<tr class="total"><td>Cell</td><td></td>'
            f"<td>{signed(z_standard)}</td><td></td><td></td><td></td><td></td></tr>"
        )
    return (
        '<table class="carreau-table"><thead><tr><th scope="col">Land use</th><th scope="col">Area</th>'
        '<th scope="col">Contribution</th><th scope="col" aria-label="Contribution as a bar"></th>'
        '<th scope="col">Excess</th><th scope="col">Ratio, rich</th><th scope="col">Ratio, poor</th>'
        "</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


def _table_row(row: Any, widest: float) -> str:
    chip = f'<span class="chip" style="background:{escape(row.colour)}"></span>'
    name = f"{chip} {escape(short_name(row.code, row.name_official))} <small>{escape(row.code)}</small>"
    parts = (row.share, row.contribution, row.excess, row.ratio_rich, row.ratio_poor)
    return _cells(name, *parts, widest, title=row.name_official)


def _plain_row(name: str, share: float, contribution: float, widest: float) -> str:
    return _cells(name, share, contribution, np.nan, np.nan, np.nan, widest, title=name)


def _cells(
    name: str,
    share: float,
    contribution: float,
    excess: float,
    rich: float,
    poor: float,
    widest: float,
    title: str,
) -> str:
    def said(value: float, with_sign: bool) -> str:
        if is_missing(value):
            return "–"
        return signed(value) if with_sign else number(value)

    return (
        f'<tr title="{escape(title)}"><td>{name}</td><td>{100 * share:.1f} %</td>'
        f"<td>{said(contribution, True)}</td>"
        f"<td>{_bar(contribution, widest)}</td><td>{said(excess, True)}</td><td>{said(rich, False)}</td>"
        f"<td>{said(poor, False)}</td></tr>"
    )


def _bar(value: float, widest: float) -> str:
    if is_missing(value):
        return ""
    width = 50 * min(abs(value) / widest, 1)
    left = 50 - width if value < 0 else 50
    colour = palette.diverging(9)[1 if value < 0 else 6 if palette.inks().is_dark else 7]
    return (
        f'<div class="part"><div style="left:{left:.1f}%;width:{width:.1f}%;background:{colour}"></div></div>'
    )


def mirror_note(head: str) -> str:
    """Say what one signed map can and cannot tell under the study's head."""
    if head in ("binomial", "coral"):
        return (
            f"Under the {head} head every class depends on one number, z: the “rich” and the “poor” map are "
            "mirror images of one signed map, one piece of evidence and not two."
        )
    return (
        f"Under the {head} head each class has its own weights; the map shown is the evidence for the "
        "expected class, and maps of single classes may differ from it."
    )


def question(predicted: int | None, census: int | None, n_classes: int) -> str:
    """Return the page's question."""
    if predicted is None:
        return "What is in this cell?"
    if census is not None and census != predicted:
        return f"Why {unit(n_classes)} {predicted} here, and not {census}?"
    return f"Why {unit(n_classes)} {predicted} here?"
