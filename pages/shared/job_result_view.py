"""The result of a job, in the order of the page City: maps, a chosen cell, figures, tables, the census."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from core.jobs import JobState
from pages.shared import (
    chart_tables,
    charts,
    city_words,
    figures,
    frame,
    job_cell,
    job_cells,
    job_census,
    job_classes,
    job_maps,
    job_result,
    job_tables,
    job_take_away,
    linked_selection,
    state,
)
from pages.shared.job_cells import ResultCells
from pages.shared.language import _, day, number, plural
from pages.shared.plain_text import fault, plain, warn
from pages.shared.told import told, told_name


def show(now: JobState) -> None:
    """Draw a finished job's result."""
    try:
        result = job_result.opened(str(now.result))
    except (FileNotFoundError, KeyError) as error:
        text = _("{name}: a part of the result is gone ({what}). Submit the photograph again.")
        fault(text.format(name=told_name(now.name), what=error))
        return
    n_classes = int(result.summary["n_classes"])
    quintiles, with_photograph = _controls(now, n_classes)
    selected = job_cells.known(linked_selection.selection(), result, 5 if quintiles else n_classes)
    linked_selection.say_wrong(selected)
    view = ResultCells(selected, quintiles, with_imputed=False, result=result)
    frame.note(frame.escape(origin(result.summary, now)))
    _warnings(result.summary["warnings"])
    job_maps.show(view, now, with_photograph)
    chosen = job_maps.selected(result)
    with st.container(horizontal=True, vertical_alignment="center", key="selected-cell"):
        job_cell.line(result, chosen)
    _selection(view, now)
    if chosen is not None:
        job_cell.show(result, chosen)
    if view.mask.any():
        figures.figures(headline(view))
    else:
        frame.sentence(_("No cell is selected."))
    if result.summary.get("census"):
        job_census.show(view)
    _cells(view)
    if result.activation is not None:
        job_tables.land_use(result.activation[result.activation.cell_id.isin(view.cells.cell_id[view.mask])])


def _selection(view: ResultCells, now: JobState) -> None:
    """Say what is selected, or how to select; with what can be taken away of it."""
    unit = city_words.unit(5 if view.quintiles else view.n_classes)
    if view.result.has_agreement:
        how = _(
            "Pick cells out: drag a rectangle on a map with Shift (or press R at two corners), click in the "
            "confusion matrix, drag over the differences or the predicted classes."
        )
    else:
        how = _(
            "Pick cells out: drag a rectangle on a map with Shift (or press R at two corners), drag over the "
            "predicted classes."
        )
    said = linked_selection.said(view, unit)
    linked_selection.bar(view, unit, how, lambda: job_take_away.menu(view, now, said))


def _controls(now: JobState, n_classes: int) -> tuple[bool, bool]:
    """Draw the line of the photograph's name; return (quintiles, photograph beneath the maps)."""
    title, classes, beneath = st.columns([52, 22, 26], vertical_alignment="center", gap="small")
    title.header(plain(told_name(now.name)), anchor=False)
    quintiles = False
    if n_classes == 10:
        with classes:
            quintiles = frame.quintiles_control(linked_selection.on_classes)
    with_photograph = state.switch("photograph", True)
    beneath.toggle(_("Photograph beneath"), key="photograph", on_change=state.remember, args=("photograph",))
    return quintiles, with_photograph


def origin(summary: dict[str, Any], now: JobState) -> str:
    """Say by which networks of which study, of what photograph, on what cells, when."""
    networks = plural(
        "Mean of {n} network of the study {study}",
        "Mean of {n} networks of the study {study}",
        summary["networks"],
    ).format(n=number(summary["networks"]), study=summary["study_id"])
    trained = summary["training_resolution_m"]
    seen = (
        _(
            "photograph {metres} m in {crs}, seen by the network at {seen} m, as were those of {trained} m "
            "that it learned from"
        )
        if trained
        else _("photograph {metres} m in {crs}, seen by the network at {seen} m")
    ).format(
        metres=metres(summary["resolution_m"]),
        crs=summary["imagery_crs"],
        seen=metres(summary["network_pixel_m"]),
        trained=metres(trained or 0.0),
    )
    parts = [networks, seen]
    if summary["land_use"]:
        parts.append(_("land use {file}").format(file=summary["land_use"]))
    if summary.get("census"):
        name = summary["census"].get("name") or summary["census"]["column"]
        parts.append(_("census {file}").format(file=name))
    parts.append(_("cells of {size} m in {crs}").format(size=summary["cell_size_m"], crs=summary["grid_crs"]))
    parts.append(f"{day(now.created_at)}, {summary['device']}")
    return " · ".join(parts) + "."


def metres(value: float) -> str:
    """Return a resolution with two significant digits.

    >>> metres(1.0006), metres(0.2), metres(1.5625), metres(0.156), metres(12.3)
    ('1', '0.2', '1.6', '0.16', '12')
    """
    short = float(f"{value:.2g}")
    return number(short, next((n for n in (0, 1, 2) if round(short, n) == short), 3))


def _warnings(warnings: list[str]) -> None:
    """Draw what stands between the reader and the result, in one box."""
    said = [frame.tight(told(text)) for text in warnings]
    if len(said) == 1:
        warn(said[0])
    elif said:
        st.warning("\n".join(f"* {plain(text)}" for text in said))


def headline(view: ResultCells) -> list[tuple[str, str, str]]:
    """Return (name, value, aside) of the figures of the selected cells, of which there are some."""
    result, cells, n_classes = view.result, view.result.cells[view.mask], view.n_classes
    low, high = int(cells["class"].min()), int(cells["class"].max())
    span = (
        _("all in class {k}").format(k=low)
        if low == high
        else _("from {low} to {high}").format(low=low, high=high)
    )
    at_ends = int(cells["class"].isin([1, n_classes]).sum())
    middle = float(cells["class"].median())
    median = _("Median decile") if n_classes == 10 else _("Median class of {k}").format(k=n_classes)
    networks = plural("between the {n} network", "between the {n} networks", result.summary["networks"])
    return [
        _how_many(view),
        (median, number(middle, 0 if middle.is_integer() else 1), span),
        (
            _("Mean spread"),
            plural("{n} class", "{n} classes", cells.spread.mean()).format(n=number(cells.spread.mean(), 2)),
            networks.format(n=number(result.summary["networks"])),
        ),
        (
            _("In the lowest or highest"),
            _("{n} of {total}").format(n=number(at_ends), total=number(len(cells))),
            _("{n} if classes were as frequent as in training").format(n=number(2 * len(cells) / n_classes)),
        ),
    ]


def _how_many(view: ResultCells) -> tuple[str, str, str]:
    n, skipped = len(view.cells), int(view.result.summary["skipped"])
    if view.selected:
        return _("Cells selected"), number(view.n_selected), _("of {n} predicted").format(n=number(n))
    left_out = (
        plural(
            "{n} left out: empty pixels or one colour", "{n} left out: empty pixels or one colour", skipped
        ).format(n=number(skipped))
        if skipped
        else _("none left out")
    )
    return _("Cells predicted"), number(n), left_out


def _cells(view: ResultCells) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        job_classes.show(view)
    if view.n_selected:
        with right:
            _together(view)
    st.header(_("Cells"), anchor=False)
    job_tables.cells(view)


def _together(view: ResultCells) -> None:
    """Draw the mean of the distributions of the selected cells."""
    st.header(_("Selected cells together") if view.selected else _("All cells together"), anchor=False)
    mean = view.kept(_mean_distribution)
    charts.draw(
        view.drawn(_distribution),
        "result.all",
        _("Mean class distribution of the selected cells")
        if view.selected
        else _("Mean class distribution of all cells"),
        data=lambda: chart_tables.distribution(mean, None),
    )
    frame.note(_("Mean of the cells’ distributions. Choose a cell on the map to see its own."))


def _distribution(view: ResultCells) -> go.Figure:
    return charts.distribution(view.kept(_mean_distribution), None)


def _mean_distribution(view: ResultCells) -> NDArray[np.float64]:
    mean: NDArray[np.float64] = view.result.probabilities[view.mask].mean(axis=0)
    return mean
