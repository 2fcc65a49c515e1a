"""The sentences and figures of the page City, made from the publication's numbers."""

from __future__ import annotations

from html import escape

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pages.shared import language, notes
from pages.shared.language import _, later, percent, plural
from pages.shared.study import is_missing

UNITS = {10: later("decile"), 5: later("quintile")}

# measures of agreement; `unit` is what a class is called
MEASURES = {
    "accuracy": later("Exact {unit}"),
    "within_one": later("Within one {unit}"),
    "spearman": later("Spearman correlation"),
    "weighted_kappa": later("Weighted kappa"),
    "slope": later("Shrinkage slope"),
    "moran": later("Moran’s I of residuals"),
    "mean_absolute_error": later("Mean distance, classes"),
    "kendall": later("Kendall’s tau-b"),
    "pearson": later("Pearson correlation"),
}
SHARES = ("accuracy", "within_one")


def unit(n_classes: int) -> str:
    """Return what a class of K is called.

    >>> unit(10), unit(5), unit(7)
    ('decile', 'quintile', 'class')
    """
    return _(UNITS.get(n_classes, later("class")))


def units(n_classes: int) -> str:
    """Return what classes of K are called."""
    return {10: _("deciles"), 5: _("quintiles")}.get(n_classes) or _("classes")


def measure_name(measure: str, n_classes: int) -> str:
    """Return what a measure of agreement on K classes is called.

    >>> measure_name("accuracy", 10), measure_name("within_one", 7), measure_name("slope", 10)
    ('Exact decile', 'Within one class', 'Shrinkage slope')
    """
    return _(MEASURES[measure]).format(unit=unit(n_classes))


def number(value: float, digits: int = 2) -> str:
    """Return a number with two decimals or `digits`, as the reader writes it.

    >>> number(-0.187)
    '−0.19'
    """
    return language.number(value, digits)


def between(low: float, high: float, digits: int = 2) -> str:
    """Return an interval.

    >>> between(-0.1, 0.25)
    '−0.10 to 0.25'
    """
    return _("{low} to {high}").format(low=number(low, digits), high=number(high, digits))


def share_between(low: float, high: float, digits: int = 1) -> str:
    """Return an interval of shares, in percent.

    >>> share_between(0.1, 0.254) == "10.0 to 25.4\u202f%"
    True
    """
    return _("{low} to {high}").format(low=number(100 * low, digits), high=percent(high, digits))


def figures_html(measures: pd.DataFrame, n_classes: int) -> str:
    """Return the row of figures: name, headline within folds, its interval, then pooled value and chance in
    small."""
    # a guess at random among K classes of equal size
    exact, near = 1 / n_classes, (3 * n_classes - 2) / n_classes**2
    by_chance = _("by chance {value}")
    wanted = (
        ("accuracy", by_chance.format(value=percent(exact))),
        ("within_one", by_chance.format(value=percent(near))),
        ("spearman", ""),
        ("weighted_kappa", by_chance.format(value="0")),
        ("slope", _("1 = no shrinkage")),
        ("moran", _("0 = scattered at random")),
    )
    figures = "".join(
        _figure(measures, measure, measure_name(measure, n_classes), aside) for measure, aside in wanted
    )
    return f'<div class="carreau-figures">{figures}</div>'


def _figure(measures: pd.DataFrame, measure: str, name: str, aside: str) -> str:
    is_share = measure in SHARES
    head, pooled = row_of(measures, measure, "within_fold"), row_of(measures, measure, "pooled")

    def said(value: float) -> str:
        return percent(value, 1) if is_share else number(value)

    if head is None or is_missing(head["value"]):
        why = head["note"] if head is not None and head["note"] else _("not published")
        return _figure_html(name, "–", escape(notes.said(why)), aside, "")
    if is_missing(head["low"]):
        interval = _("no interval: {why}").format(why=escape(notes.said(head["note"])) or _("not published"))
    else:
        interval = (share_between if is_share else between)(head["low"], head["high"])
    if measure == "spearman" and not is_missing(head["null_low"]):
        aside = _("by chance {value}").format(value=between(head["null_low"], head["null_high"]))
    whole = ""
    if pooled is not None and not is_missing(pooled["value"]):
        whole = _("pooled {value}").format(value=said(pooled["value"]))
    return _figure_html(name, said(head["value"]), interval, aside, whole, notes.said(head["note"]))


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
        return _("No agreement with the census was published for this city.")
    text = _(_ranking(rank)).format(
        value=number(rank["value"]), low=number(rank["null_low"]), high=number(rank["null_high"])
    )
    if exact is not None and not is_missing(exact["value"]):
        text = _("{verdict}; {share} of cells fall in their exact {unit}").format(
            verdict=text, share=percent(exact["value"]), unit=unit(n_classes)
        )
    slope = row_of(measures, "slope", "within_fold")
    if slope is not None and not is_missing(slope["value"]) and slope["value"] < 0.95:
        text = _("{verdict}, and a step of one {unit} in the census is predicted as {step}").format(
            verdict=text, unit=unit(n_classes), step=number(slope["value"])
        )
    return text + "."


def _ranking(rank: pd.Series) -> str:
    """Return what a correlation within folds says beside the band of chance, as a template."""
    if is_missing(rank["null_low"]):
        return later("Inside folds, the predicted order of cells correlates {value} with the census")
    if rank["value"] < rank["null_low"]:
        return later(
            "The predicted order of cells runs against the census: {value}, below anything that incomes "
            "unrelated to the photograph would give"
        )
    if rank["value"] <= rank["null_high"]:
        return later(
            "The predicted order of cells cannot be told from chance: {value} lies inside the band that "
            "incomes unrelated to the photograph would give ({low} to {high})"
        )
    return later(
        "The predicted order of cells follows the census beyond chance: {value}, above the 95 % band of "
        "incomes unrelated to the photograph ({low} to {high})"
    )


def confusion_sentence(table: NDArray[np.int64], one: str) -> str:
    """Say where the poorest and the richest census class end up; `table` (K, K), census in rows."""
    ends = (
        (
            0,
            later("the poorest {unit} is most often predicted as its own ({share} of {n} cells)"),
            later("the poorest {unit} is most often predicted as {unit} {found} ({share} of {n} cells)"),
        ),
        (
            len(table) - 1,
            later("the richest {unit} is most often predicted as its own ({share} of {n} cells)"),
            later("the richest {unit} is most often predicted as {unit} {found} ({share} of {n} cells)"),
        ),
    )
    parts = []
    for row, own, another in ends:
        total = int(table[row].sum())
        if total == 0:
            continue
        most = int(table[row].argmax())
        parts.append(
            _(own if most == row else another).format(
                unit=one,
                found=most + 1,
                share=percent(table[row, most] / total),
                n=language.number(total),
            )
        )
    if not parts:
        return _("No cell has both a census class and an out-of-fold prediction.")
    text = parts[0] if len(parts) == 1 else _("{first}; {second}").format(first=parts[0], second=parts[1])
    text = text[0].upper() + text[1:] + "."
    used = int((table.sum(axis=0) > 0).sum())
    if used == len(table):
        return text
    unused = _("{unused} of {n} classes are never predicted.")
    return f"{text} {unused.format(unused=len(table) - used, n=len(table))}"


def solid_bins(bins: pd.DataFrame) -> pd.DataFrame:
    """Return the bins of a calibration that hold at least 30 pairs of cell and class; fewer say nothing."""
    return bins[bins["n"] >= 30]


def calibration_sentence(bins: pd.DataFrame) -> str:
    """Say how far stated probabilities lie from observed shares, and on which side, weighted by pairs."""
    if bins.empty:
        return _("No calibration was published for this city.")
    error = np.average((bins["probability"] - bins["frequency"]).abs(), weights=bins["n"])
    points = number(100 * error, 1)
    high = solid_bins(bins)
    high = high[high["probability"] >= 0.2]
    if high.empty:
        return _(
            "Stated and observed shares differ by {points} points on average; the model hardly ever states "
            "more than 20 %."
        ).format(points=points)
    stated, observed = (
        np.average(high[column], weights=high["n"]) for column in ("probability", "frequency")
    )
    if abs(stated - observed) < 0.02:
        text = _(
            "Stated and observed shares differ by {points} points on average; where it states 20 % or more, "
            "it is right about as often as it says ({stated} stated on average, {observed} right)."
        )
    elif stated > observed:
        text = _(
            "Stated and observed shares differ by {points} points on average; where it states 20 % or more "
            "({stated} on average), it is right in {observed}: surer than it should be."
        )
    else:
        text = _(
            "Stated and observed shares differ by {points} points on average; where it states 20 % or more "
            "({stated} on average), it is right in {observed}: less sure than it could be."
        )
    return text.format(points=points, stated=percent(stated), observed=percent(observed))


def difference_sentence(reach: int, counts: NDArray[np.int64]) -> str:
    """Say how many cells are off by how much, and to which side; `counts` from -reach to reach classes.

    >>> difference_sentence(3, np.array([0, 0, 1, 1, 1, 0, 1]))
    '1 of 4 cells is exact, 2 are one class off; 2 are predicted richer than the census, 1 poorer.'
    """
    total = int(counts.sum())
    if not total:
        return _("No cell can be compared.")
    exact, near = int(counts[reach]), int(counts[reach - 1] + counts[reach + 1])
    richer, poorer = int(counts[reach + 1 :].sum()), int(counts[:reach].sum())
    said = language.number
    return _("{exact}, {near}; {sides}.").format(
        exact=plural("{n} of {all} cells is exact", "{n} of {all} cells are exact", exact).format(
            n=said(exact), all=said(total)
        ),
        near=plural("{n} is one class off", "{n} are one class off", near).format(n=said(near)),
        sides=plural(
            "{n} is predicted richer than the census, {poorer} poorer",
            "{n} are predicted richer than the census, {poorer} poorer",
            richer,
        ).format(n=said(richer), poorer=said(poorer)),
    )


def disagreement_sentence(rows: pd.DataFrame, n_classes: int) -> str:
    """Say how large the largest disagreements are and which way they go."""
    if rows.empty:
        return _("No cell can be compared.")
    off = rows["predicted"].astype(int) - rows["class"].astype(int)
    richer, poorer = int((off > 0).sum()), int((off < 0).sum())
    smallest, largest = int(off.abs().min()), int(off.abs().max())
    if not largest:
        text = plural(
            "{n} cell, predicted exactly. Select a row to open the cell.",
            "These {n} cells are predicted exactly. Select a row to open the cell.",
            len(rows),
        )
    elif smallest != largest:
        text = _(
            "These {n} cells are {smallest} to {largest} {units} off: {richer} predicted richer than the "
            "census, {poorer} poorer. Select a row to open the cell."
        )
    else:
        text = _(
            "These {n} cells are {largest} {units} off: {richer} predicted richer than the census, {poorer} "
            "poorer. Select a row to open the cell."
        )
    return text.format(
        n=len(rows),
        smallest=smallest,
        largest=largest,
        units=unit(n_classes) if largest == 1 else units(n_classes),
        richer=richer,
        poorer=poorer,
    )
