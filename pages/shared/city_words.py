"""The sentences and figures of the page City, made from the publication's numbers."""

from __future__ import annotations

from html import escape

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pages.shared.study import is_missing

UNITS = {10: "decile", 5: "quintile"}


def unit(n_classes: int) -> str:
    """Return what a class of K is called.

    >>> unit(10), unit(5), unit(7)
    ('decile', 'quintile', 'class')
    """
    return UNITS.get(n_classes, "class")


def number(value: float, digits: int = 2) -> str:
    """Return a number with a true minus sign.

    >>> number(-0.187)
    '−0.19'
    """
    return f"{value:.{digits}f}".replace("-", "−")


def figures_html(measures: pd.DataFrame, n_classes: int) -> str:
    """Return the row of figures: name, headline within folds, its interval, then pooled value and chance in
    small."""
    one = unit(n_classes)
    # a guess at random among K classes of equal size
    near = (3 * n_classes - 2) / n_classes**2
    wanted = (
        ("accuracy", f"Exact {one}", True, f"by chance {100 / n_classes:.0f} %"),
        ("within_one", f"Within one {one}", True, f"by chance {100 * near:.0f} %"),
        ("spearman", "Spearman correlation", False, ""),
        ("weighted_kappa", "Weighted kappa", False, "by chance 0"),
        ("slope", "Shrinkage slope", False, "1 = no shrinkage"),
        ("moran", "Moran’s I of residuals", False, "0 = scattered at random"),
    )
    return (
        '<div class="carreau-figures">'
        + "".join(
            _figure(measures, measure, name, is_share, aside) for measure, name, is_share, aside in wanted
        )
        + "</div>"
    )


def _figure(measures: pd.DataFrame, measure: str, name: str, is_share: bool, aside: str) -> str:
    head, pooled = row_of(measures, measure, "within_fold"), row_of(measures, measure, "pooled")

    def said(value: float) -> str:
        return f"{100 * value:.1f} %" if is_share else number(value)

    def between(low: float, high: float) -> str:
        if is_share:
            return f"{100 * low:.1f} to {100 * high:.1f} %"
        return f"{number(low)} to {number(high)}"

    if head is None or is_missing(head["value"]):
        why = head["note"] if head is not None and head["note"] else "not published"
        return _figure_html(name, "–", escape(str(why)), aside, "")
    if is_missing(head["low"]):
        interval = f"no interval: {escape(str(head['note']) or 'not published')}"
    else:
        interval = between(head["low"], head["high"])
    if measure == "spearman" and not is_missing(head["null_low"]):
        aside = f"by chance {between(head['null_low'], head['null_high'])}"
    whole = "" if pooled is None or is_missing(pooled["value"]) else f"pooled {said(pooled['value'])}"
    return _figure_html(name, said(head["value"]), interval, aside, whole, str(head["note"]))


def _figure_html(name: str, value: str, interval: str, aside: str, pooled: str, note: str = "") -> str:
    small = " · ".join(part for part in (pooled, aside) if part)
    title = f' title="{escape(note)}"' if note else ""
    return (
        f'<div class="carreau-figure"{title}><div class="name">{escape(name)}</div>'
        f'<div class="value">{value}</div>'
        f'<div class="interval">{interval}</div><div class="aside">{small}</div></div>'
    )


def row_of(measures: pd.DataFrame, measure: str, scope: str) -> pd.Series | None:
    """Return the row of a measure in a scope, None where it is not published."""
    found = measures[(measures["measure"] == measure) & (measures["scope"] == scope)]
    return None if found.empty else found.iloc[0]


def verdict(measures: pd.DataFrame, n_classes: int) -> str:
    """Say whether the ranking beats chance, how often the class is exact, and how much it shrinks."""
    rank, exact = row_of(measures, "spearman", "within_fold"), row_of(measures, "accuracy", "within_fold")
    if rank is None or is_missing(rank["value"]):
        return "No agreement with the census was published for this city."
    value = number(rank["value"])
    if is_missing(rank["null_low"]):
        text = f"Inside folds, the predicted order of cells correlates {value} with the census"
    elif rank["value"] < rank["null_low"]:
        text = (
            f"The predicted order of cells runs against the census: {value}, below anything that incomes "
            "unrelated to the photograph would give"
        )
    elif rank["value"] <= rank["null_high"]:
        text = (
            f"The predicted order of cells cannot be told from chance: {value} lies inside the band that "
            f"incomes unrelated to the photograph would give ({number(rank['null_low'])} to "
            f"{number(rank['null_high'])})"
        )
    else:
        text = (
            f"The predicted order of cells follows the census beyond chance: {value}, above the 95 % band "
            f"of incomes unrelated to the photograph ({number(rank['null_low'])} to "
            f"{number(rank['null_high'])})"
        )
    if exact is not None and not is_missing(exact["value"]):
        text += f"; {100 * exact['value']:.0f} % of cells fall in their exact {unit(n_classes)}"
    slope = row_of(measures, "slope", "within_fold")
    if slope is not None and not is_missing(slope["value"]) and slope["value"] < 0.95:
        text += (
            f", and a step of one {unit(n_classes)} in the census is predicted as {number(slope['value'])}"
        )
    return text + "."


def confusion_sentence(table: NDArray[np.int64], one: str) -> str:
    """Say where the poorest and the richest census class end up; `table` (K, K), census in rows."""
    parts = []
    for row, name in ((0, "poorest"), (len(table) - 1, "richest")):
        total = int(table[row].sum())
        if total == 0:
            continue
        most = int(table[row].argmax())
        share = 100 * table[row, most] / total
        where = "its own" if most == row else f"{one} {most + 1}"
        parts.append(f"the {name} {one} is most often predicted as {where} ({share:.0f} % of {total} cells)")
    if not parts:
        return "No cell has both a census class and an out-of-fold prediction."
    used = int((table.sum(axis=0) > 0).sum())
    text = "; ".join(parts)
    unused = f" {len(table) - used} of {len(table)} classes are never predicted." if used < len(table) else ""
    return text[0].upper() + text[1:] + "." + unused


def solid_bins(bins: pd.DataFrame) -> pd.DataFrame:
    """Return the bins of a calibration that hold at least 30 pairs of cell and class; fewer say nothing."""
    return bins[bins["n"] >= 30]


def calibration_sentence(bins: pd.DataFrame) -> str:
    """Say how far stated probabilities lie from observed shares, and on which side, weighted by pairs."""
    if bins.empty:
        return "No calibration was published for this city."
    error = np.average((bins["probability"] - bins["frequency"]).abs(), weights=bins["n"])
    high = solid_bins(bins)
    high = high[high["probability"] >= 0.2]
    text = f"Stated and observed shares differ by {100 * error:.1f} points on average"
    if high.empty:
        return text + "; the model hardly ever states more than 20 %."
    stated, observed = (
        np.average(high[column], weights=high["n"]) for column in ("probability", "frequency")
    )
    if abs(stated - observed) < 0.02:
        return (
            text
            + f"; where it states 20 % or more, it is right as often as it says ({100 * observed:.0f} %)."
        )
    side = "surer than it should be" if stated > observed else "less sure than it could be"
    return (
        text + f"; where it states 20 % or more ({100 * stated:.0f} % on average), it is right in "
        f"{100 * observed:.0f} %: {side}."
    )


def difference_sentence(cells: pd.DataFrame) -> str:
    """Say how many cells are off by how much, and to which side.

    >>> difference_sentence(pd.DataFrame({"class": [1, 5, 5, 5], "predicted": [4, 5, 4, 6]}))
    '1 of 4 cells is exact, 2 are one class off; 2 are predicted richer than the census, 1 poorer.'
    """
    if cells.empty:
        return "No cell can be compared."
    off = cells["predicted"].astype(int) - cells["class"].astype(int)
    exact, near = int((off == 0).sum()), int((off.abs() == 1).sum())
    richer, poorer = int((off > 0).sum()), int((off < 0).sum())
    return (
        f"{exact} of {len(cells)} cells {'is' if exact == 1 else 'are'} exact, {near} "
        f"{'is' if near == 1 else 'are'} one class off; {richer} {'is' if richer == 1 else 'are'} predicted "
        f"richer than the census, {poorer} poorer."
    )


def disagreement_sentence(rows: pd.DataFrame, one: str) -> str:
    """Say how large the largest disagreements are and which way they go."""
    if rows.empty:
        return "No cell can be compared."
    off = rows["predicted"].astype(int) - rows["class"].astype(int)
    richer, poorer = int((off > 0).sum()), int((off < 0).sum())
    smallest, largest = int(off.abs().min()), int(off.abs().max())
    span = f"{largest}" if smallest == largest else f"{smallest} to {largest}"
    plural = "" if largest == 1 else "s"
    return (
        f"These {len(rows)} cells are {span} {one}{plural} off: {richer} predicted richer than the census, "
        f"{poorer} poorer. Select a row to open the cell."
    )
