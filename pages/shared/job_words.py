"""What is said of a job and of its result: states, progress, agreement, titles."""

from __future__ import annotations

import re
from typing import Any

from core.jobs import JobState
from pages.shared import city_words, notes
from pages.shared.language import _, later, number, percent, plural
from pages.shared.told import told_name

_CORES = re.compile(r"CPU, (\d+) of (\d+) cores")
STATES = {
    "queued": later("waiting for the worker"),
    "running": later("being read"),
    "paused": later("paused"),
    "done": later("done"),
    "rejected": later("not usable"),
    "failed": later("failed"),
    "cancelled": later("cancelled"),
}


def state_line(job: JobState) -> str:
    """Say in a line of a list what a job is on and how it stands; cells where it has some."""
    text = _("{name}: {state}").format(name=told_name(job.name), state=_(STATES[job.state]))
    return f"{text}, {cells_text(job.cells)}" if job.state == "done" else text


def cells_text(n: int) -> str:
    """Return a number of cells.

    >>> cells_text(1), cells_text(1200)
    ('1 cell', '1,200 cells')
    """
    return plural("{n} cell", "{n} cells", n).format(n=number(n))


def progress_text(now: JobState) -> str:
    """Say the stage, the cells dealt with, the time left and the device.

    >>> from datetime import datetime
    >>> progress_text(JobState("j", "running", None, 40, 160, 95.0, 38, 2, None, "CPU, 2 of 2 cores",
    ...                        datetime(2026, 1, 1), "s", "a.tif", "me"))
    'Predicting: 40 of 160 cells, about 2 min left, on CPU, 2 of 2 cores'
    """
    if now.state == "queued" and now.ahead:
        waiting = plural("Waiting: {n} job before this one", "Waiting: {n} jobs before this one", now.ahead)
        return waiting.format(n=number(now.ahead))
    if now.state == "queued":
        return _("Waiting for the worker to start (loading the networks takes some seconds)")
    if not now.total:
        return _("Reading the photograph and laying the grid")
    if now.done >= now.total:
        stage = _("Putting the result together: {done} of {total} cells")
    else:
        stage = _("Predicting: {done} of {total} cells")
    parts = [stage.format(done=number(now.done), total=number(now.total))]
    if now.seconds_left is not None and now.done < now.total:
        parts.append(_("about {time} left").format(time=duration(now.seconds_left)))
    if now.device:
        parts.append(_("on {device}").format(device=device_text(now.device)))
    return ", ".join(parts)


def device_text(device: str) -> str:
    """Return a device as `models.device.device_name` names it, in the reader's words.

    >>> device_text("CPU, 2 of 8 cores"), device_text("NVIDIA L4")
    ('CPU, 2 of 8 cores', 'NVIDIA L4')
    """
    cores = _CORES.fullmatch(device)
    if cores is None:
        return device
    text = plural("CPU, {n} of {total} cores", "CPU, {n} of {total} cores", int(cores[1]))
    return text.format(n=cores[1], total=cores[2])


def duration(seconds: float) -> str:
    """Return seconds in the unit that a person would use.

    >>> duration(7.2), duration(95), duration(7300)
    ('7 s', '2 min', '2.0 h')
    """
    if seconds < 90:
        return _("{n} s").format(n=number(max(1, round(seconds))))
    if seconds < 5400:
        return _("{n} min").format(n=number(round(seconds / 60)))
    return _("{n} h").format(n=number(seconds / 3600, 1))


def paused_text(now: JobState) -> str:
    """Say how far a paused job came."""
    if not now.total:
        return _("Paused before it began")
    text = _("Paused after {done} of {total} cells")
    return text.format(done=number(now.done), total=number(now.total))


def cancelled_text(now: JobState) -> str:
    """Say of a cancelled job how far it came."""
    name = told_name(now.name)
    if not now.total:
        return _("The job on {name} was cancelled before it began; it has no result.").format(name=name)
    text = _("The job on {name} was cancelled after {done} of {total} cells; it has no result.")
    return text.format(name=name, done=number(now.done), total=number(now.total))


def predicted_title(n_classes: int) -> str:
    """Return what the predicted class is called.

    >>> predicted_title(10), predicted_title(7)
    ('Predicted decile', 'Predicted class of 7')
    """
    if n_classes == 10:
        return _("Predicted decile")
    return _("Predicted class of {k}").format(k=n_classes)


def census_sentence(found: dict[str, Any]) -> str:
    """Say the agreement in a sentence, with its interval and what was left out.

    >>> census_sentence({"column": "x", "n": 40, "imputed": 2, "spearman": {"value": 0.5, "low": 0.25,
    ...     "high": 0.7, "note": ""}})
    'Rank correlation of x with the expected class: 0.50 (0.25 to 0.70), 40 cells, 2 imputed cells left out.'
    """
    given, imputed = found["spearman"], found["imputed"]
    left_out = ""
    if imputed:
        text = plural("{n} imputed cell left out", "{n} imputed cells left out", imputed)
        left_out = ", " + text.format(n=number(imputed))
    if given["value"] is None:
        text = _("No correlation can be given for {column}: {why}")
        return text.format(column=found["column"], why=notes.said(given["note"])) + left_out + "."
    text = _("Rank correlation of {column} with the expected class: {value} ({interval}), {cells}").format(
        column=found["column"],
        value=number(given["value"], 2),
        interval=interval_text(given),
        cells=cells_text(found["n"]),
    )
    return text + left_out + "."


def interval_text(given: dict[str, Any], share: bool = False) -> str:
    """Return an interval, or why there is none; in percent for a share.

    >>> interval_text({"low": 0.25, "high": 0.7, "note": ""}), interval_text({"low": None, "note": "few"})
    ('0.25 to 0.70', 'no interval, few')
    """
    if given["low"] is None:
        return _("no interval, {why}").format(why=notes.said(given["note"]))
    low, high = given["low"], given["high"]
    if share:
        return _("{low} to {high}").format(low=number(100 * low, 1), high=percent(high, 1))
    return _("{low} to {high}").format(low=number(low, 2), high=number(high, 2))


def agreement_figures(agreement: dict[str, Any], n_classes: int) -> list[tuple[str, str, str]]:
    """Return (name, value, interval and chance) of the measures of `core.region_census.region_agreement`."""
    near = (3 * n_classes - 2) / n_classes**2  # of a guess at random among K classes of equal size
    by_chance = {
        "accuracy": percent(1 / n_classes),
        "within_one": percent(near),
        "spearman": _null_band(agreement["spearman"]),
        "weighted_kappa": "0",
        "moran": "0",
    }
    rows = []
    for measure, chance in by_chance.items():
        title, share = city_words.measure_name(measure, n_classes), measure in city_words.SHARES
        given = agreement[measure]
        if given["value"] is None:
            rows.append((title, "–", notes.said(given["note"])))
            continue
        value = percent(given["value"], 1) if share else number(given["value"], 2)
        aside = interval_text(given, share)
        if chance:
            aside += " · " + _("by chance {value}").format(value=chance)
        rows.append((title, value, aside))
    return rows


def _null_band(given: dict[str, Any]) -> str:
    if given["null_low"] is None:
        return ""
    return interval_text({"low": given["null_low"], "high": given["null_high"], "note": ""})


def agreement_verdict(agreement: dict[str, Any]) -> str:
    """Say whether the order of the cells follows the census beyond chance; empty where it cannot be said."""
    given = agreement["spearman"]
    if given["value"] is None or given["null_low"] is None:
        return ""
    if given["value"] > given["null_high"]:
        text = _(
            "The predicted order of cells follows your census beyond chance: {value}, above the 95 % band of "
            "values unrelated to the photograph ({low} to {high})."
        )
    elif given["value"] < given["null_low"]:
        text = _(
            "The predicted order of cells runs against your census: {value}, below the 95 % band of values "
            "unrelated to the photograph ({low} to {high})."
        )
    else:
        text = _(
            "The predicted order of cells cannot be told from chance: {value} lies inside the 95 % band of "
            "values unrelated to the photograph ({low} to {high})."
        )
    return text.format(
        value=number(given["value"], 2), low=number(given["null_low"], 2), high=number(given["null_high"], 2)
    )
