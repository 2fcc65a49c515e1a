"""A job on the page: progress while it runs, the reason when it ended badly, the result when it is done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from core import access, again, jobs, keeping
from core.access import Visitor
from core.jobs import JobState
from core.settings import read_settings
from data.errors import CarreauError
from data.grid import format_cell_id
from data.landuse_classes import class_name
from pages.shared import charts, figures, frame, job_result, job_so_far, maps, palette, state, visitor
from pages.shared.class_names import label
from pages.shared.job_result import JobResult
from pages.shared.maps import Picture
from pages.shared.plain_text import fault, inform, plain, warn
from pages.shared.rasters import as_data_url

STATES = {
    "queued": "waiting for the worker",
    "running": "being read",
    "paused": "paused",
    "done": "done",
    "rejected": "not usable",
    "failed": "failed",
    "cancelled": "cancelled",
}
_TICK_S = 1.0


def show(job: str, who: Visitor) -> None:
    """Show a job by id, whatever its state; only those who may change it get the means."""
    now = jobs.state(job)
    mine = access.may_change(jobs.read_job(job, read_settings()), who)
    if now.state == "paused":
        _paused(now, mine)
        job_so_far.show(now)
    elif now.state not in jobs.FINAL:
        _progress(job, mine)
        job_so_far.show(now)
    elif now.state == "done" and now.result is not None:
        _result(now)
    elif now.state == "rejected":
        fault(f"The photograph could not be used. {now.reason}")
    elif now.state == "failed":
        fault(f"The job failed. {now.reason}")
    else:
        inform(f"The job on {now.name} was cancelled {_so_far(now)}; it has no result.")
    if now.state in jobs.FINAL and mine:
        with st.container(horizontal=True):
            if now.state in again.MAY_BE_TRIED:
                _again(now)
            _sharing(now, who)
            _deletion(now)


def leave() -> None:
    """Go back to the form."""
    state.put("job", None)
    state.put(visitor.KEY, None)
    st.rerun()


@st.fragment(run_every=_TICK_S)
def _progress(job: str, mine: bool) -> None:
    """Draw the progress every second; when the job has ended, draw the page anew."""
    now = jobs.state(job)
    if now.state in jobs.FINAL or now.state == "paused":
        st.rerun()
    # a worker that was killed is replaced by the next look at the page; with one alive this only tries a lock
    jobs.ensure_worker()
    st.subheader(plain(now.name), anchor=False)
    st.progress(now.done / now.total if now.total else 0.0, text=plain(progress_text(now)))
    frame.note("This page may be closed: the worker goes on, and this address shows the result.")
    if not mine:
        return
    with st.container(horizontal=True):
        if st.button("Pause", key="job.pause", icon=":material/pause:"):
            jobs.pause(job)
            st.rerun()
        if st.button("Cancel", key="job.cancel", icon=":material/close:"):
            jobs.cancel(job)
            st.rerun()


def _paused(now: JobState, mine: bool) -> None:
    """Say how far a paused job came, and let it go on."""
    st.subheader(plain(now.name), anchor=False)
    st.progress(now.done / now.total if now.total else 0.0, text=f"Paused {_so_far(now)}")
    frame.note("What is finished is kept. Going on, the job waits its turn again.")
    if not mine:
        return
    with st.container(horizontal=True):
        if st.button("Go on", key="job.resume", type="primary", icon=":material/play_arrow:"):
            jobs.resume(now.job)
            jobs.ensure_worker()
            st.rerun()
        if st.button("Cancel", key="job.cancel", icon=":material/close:"):
            jobs.cancel(now.job)
            st.rerun()


def _so_far(now: JobState) -> str:
    return f"after {now.done} of {now.total} cells" if now.total else "before it began"


def _again(now: JobState) -> None:
    """Offer to try a job again that did not come to a result."""
    if st.button("Try again", key="job.again", type="primary", icon=":material/replay:"):
        try:
            state.put("job", again.try_again(now.job))
        except CarreauError as error:
            fault(error)
            return
        jobs.ensure_worker()
        st.rerun()


def _deletion(now: JobState) -> None:
    """Offer to delete the job; a second click confirms."""
    days = read_settings().keep_days
    with st.popover("Delete this job", icon=":material/delete:"):
        st.write(
            f"The photograph and everything made from it go for good. Undeleted, they stay {days} days from "
            "their submission."
        )
        if st.button("Delete for good", key="job.delete", type="primary"):
            keeping.delete(now.job)
            leave()


def _sharing(now: JobState, who: Visitor) -> None:
    """Offer the link to share: it shows the job, and lets nobody change it."""
    with st.popover("Share", icon=":material/share:"):
        st.write("Whoever opens this address sees the photograph and the result, and can change nothing.")
        st.code(f"{st.context.url or '/upload'}?job={now.job}", language=None)
        if who.signed_in:
            asked, settings = jobs.read_job(now.job, read_settings()), read_settings()
            st.toggle(
                "Show it to everybody who signs in and has the address",
                value=access.is_shared(asked, settings),
                key="job.shared",
                on_change=lambda: access.share(asked, settings, bool(st.session_state["job.shared"])),
            )


def progress_text(now: JobState) -> str:
    """Say the stage, the cells dealt with, the time left and the device.

    >>> from datetime import datetime
    >>> progress_text(JobState("j", "running", None, 40, 160, 95.0, 38, 2, None, "CPU, 2 of 2 cores",
    ...                        datetime(2026, 1, 1), "s", "a.tif", "me"))
    'Predicting: 40 of 160 cells, about 2 min left, on CPU, 2 of 2 cores'
    """
    if now.state == "queued" and now.ahead:
        return f"Waiting: {now.ahead} {'job' if now.ahead == 1 else 'jobs'} before this one"
    if now.state == "queued":
        return "Waiting for the worker to start (loading the networks takes some seconds)"
    if not now.total:
        return "Reading the photograph and laying the grid"
    stage = "Putting the result together" if now.done >= now.total else "Predicting"
    text = f"{stage}: {now.done} of {now.total} cells"
    if now.seconds_left is not None and now.done < now.total:
        text += f", about {duration(now.seconds_left)} left"
    if now.device:
        text += f", on {now.device}"
    return text


def duration(seconds: float) -> str:
    """Return seconds in the unit that a person would use.

    >>> duration(7.2), duration(95), duration(7300)
    ('7 s', '2 min', '2.0 h')
    """
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


@st.cache_data(max_entries=8, show_spinner=False)
def _read(folder: str) -> JobResult:
    return job_result.read_result(Path(folder))


def _result(now: JobState) -> None:
    try:
        result = _read(str(now.result))
    except (FileNotFoundError, KeyError) as error:
        fault(f"{now.name}: a part of the result is gone ({error}). Submit the photograph again.")
        return
    summary = result.summary
    kind = "decile" if summary["n_classes"] == 10 else f"class of {summary['n_classes']}"
    frame.note(_origin(summary, now))
    for warning in summary["warnings"]:
        warn(warning)
    left, middle, right = st.columns([40, 30, 30], vertical_alignment="center")
    with_classes, with_evidence = state.switch("classes", True), state.switch("activation", True)
    middle.toggle(
        f"Predicted {kind} on the left map", key="classes", on_change=state.remember, args=("classes",)
    )
    right.toggle(
        "Activation on the right map", key="activation", on_change=state.remember, args=("activation",)
    )
    left.subheader(plain(now.name), anchor=False)
    selected = _map(result, now, with_classes, with_evidence)
    _legend(result, kind, with_classes, with_evidence)
    _figures(result, kind)
    _tables(result, kind, selected)


def _origin(summary: dict, now: JobState) -> str:
    trained = summary["training_resolution_m"]
    seen = f"; they learned from photographs of {trained:.2g} m" if trained else ""
    land_use = f" · land use {frame.escape(str(summary['land_use']))}" if summary["land_use"] else ""
    return (
        f"Mean of {summary['networks']} networks of the study <b>{frame.escape(summary['study_id'])}</b> · "
        f"photograph "
        f"{summary['resolution_m']:.2g} m in {frame.escape(summary['imagery_crs'])}, seen by the network at "
        f"{summary['network_pixel_m']:.2g} m{seen}{land_use} · cells of {summary['cell_size_m']} m in "
        f"{summary['grid_crs']} · {now.created_at:%Y-%m-%d}, {frame.escape(str(summary['device']))}."
    )


def _map(result: JobResult, now: JobState, with_classes: bool, with_evidence: bool) -> str | None:
    """Draw the photograph twice, with classes and with activation; return the id of the chosen cell."""
    pictures = [Picture("both", "photograph", as_data_url(job_result.photograph(result)))]
    if with_classes:
        pictures.append(Picture("left", "classes", as_data_url(job_result.classes_bitmap(result, 0.62))))
    if with_evidence:
        pictures.append(Picture("right", "evidence", as_data_url(job_result.evidence_bitmap(result))))
    ids = list(result.cells.cell_id)
    chosen = st.query_params.get("cell")
    chosen = chosen if chosen in ids else None
    place = result.cells.set_index("cell_id").loc[chosen, ["x", "y"]] if chosen else None
    corner = (int(place.x), int(place.y)) if place is not None else None
    deck = maps.deck_of(result.raster, pictures, None, corner)
    hover = pd.DataFrame(
        {
            "x": result.cells.x,
            "y": result.cells.y,
            "class": pd.array([pd.NA] * len(ids), dtype="Int64"),
            "predicted": result.cells["class"].astype(int),
            "imputed": False,
        }
    )
    maps.map_pair(
        deck,
        result.raster,
        hover,
        place=now.job,
        key="result.maps",
        crs=result.summary["grid_crs"],
        on_click=_choose,
        label=f"Two maps of {now.name}: predicted class left, activation right. Arrow keys pan, "
        "plus and minus zoom, Enter chooses the middle cell.",
    )
    return chosen


def _choose(x: int, y: int, crs: str, size: int) -> None:
    state.put("cell", format_cell_id(x, y, crs, size))


def _legend(result: JobResult, kind: str, with_classes: bool, with_evidence: bool) -> None:
    parts = []
    if with_classes:
        classes = palette.sequential(int(result.summary["n_classes"]))
        parts.append(f"<span>Predicted {kind}: poorest</span>{figures.steps(classes)}<span>richest</span>")
    if with_evidence:
        full = job_result.FULL_EVIDENCE
        parts.append(
            f"<span>Activation (evidence E): −{full:g} poorer</span>{figures.steps(palette.diverging(9))}"
            f"<span>+{full:g} richer, in training standard deviations; clear = none</span>"
        )
    parts.append("<span>Click a cell for its distribution.</span>")
    st.html(f'<div class="carreau-legend">{"".join(parts)}</div>')


def _figures(result: JobResult, kind: str) -> None:
    cells, summary = result.cells, result.summary
    left_out = f"{summary['skipped']} left out: empty pixels" if summary["skipped"] else "none left out"
    at_ends = int(cells["class"].isin([1, summary["n_classes"]]).sum())
    figures.figures(
        [
            ("Cells predicted", str(len(cells)), left_out),
            (
                f"Median {kind}",
                f"{cells['class'].median():g}",
                _span(int(cells["class"].min()), int(cells["class"].max())),
            ),
            (
                "Mean spread",
                f"{cells.spread.mean():.2f} classes",
                f"between the {summary['networks']} networks",
            ),
            (
                "In the lowest or highest",
                f"{at_ends} of {len(cells)}",
                f"a fifth would be {len(cells) / 5:.0f}",
            ),
        ]
    )


def _tables(result: JobResult, kind: str, selected: str | None) -> None:
    left, right = st.columns([62, 38], gap="medium")
    with left:
        st.subheader("Cells", anchor=False)
        shown = result.cells[
            ["cell_id", "class", "expected_class", "spread", "entropy", "z_standard", "valid_share"]
        ]
        st.dataframe(
            shown,
            hide_index=True,
            column_config={
                "cell_id": st.column_config.TextColumn("Cell"),
                "class": st.column_config.NumberColumn(f"Predicted {kind}"),
                "expected_class": st.column_config.NumberColumn("Expected class", format="%.2f"),
                "spread": st.column_config.NumberColumn(
                    "Spread", format="%.2f", help="Standard deviation over the networks"
                ),
                "entropy": st.column_config.NumberColumn(
                    "Entropy", format="%.2f", help="0 sure, 1 knows nothing"
                ),
                "z_standard": st.column_config.NumberColumn("z, standardised", format="%.2f"),
                "valid_share": st.column_config.NumberColumn("Photographed", format="percent"),
            },
        )
        with st.container(horizontal=True):
            _download("GeoParquet", result, "cells.parquet", "application/vnd.apache.parquet")
            _download("GeoPackage", result, "cells.gpkg", "application/geopackage+sqlite3")
            _download("CSV", result, "cells.csv", "text/csv")
            _download("Activation, COG", result, "activation.tif", "image/tiff; application=geotiff")
            _download_all(result)
    with right:
        place = list(result.cells.cell_id).index(selected) if selected else None
        if place is None:
            st.subheader("All cells together", anchor=False)
            charts.draw(
                charts.distribution(result.probabilities.mean(axis=0), None),
                "result.distribution",
                "Mean class distribution of all cells",
            )
            frame.note("Mean of the cells' distributions. Choose a cell on the map to see its own.")
        else:
            st.subheader(f"Cell {str(selected).split('m')[-1]}", anchor=False)
            charts.draw(
                charts.distribution(result.probabilities[place], None),
                "result.distribution",
                f"Class distribution of cell {selected}",
            )
            frame.note("What the mean of the networks states; there is no census value to compare with.")
    if result.activation is not None:
        _land_use(result)
    if summary_census(result) is not None:
        _census(result)


def summary_census(result: JobResult) -> dict[str, Any] | None:
    """Return how the prediction agrees with the reader's census; None where they brought none."""
    found = result.summary.get("census")
    return dict(found) if found else None


def census_sentence(found: dict[str, Any]) -> str:
    """Say the agreement in a sentence, with its interval and what was left out.

    >>> census_sentence({"column": "income", "n": 40, "imputed": 2, "spearman": {"value": 0.5, "low": 0.25,
    ...     "high": 0.7, "note": ""}})
    'Rank correlation of income with the expected class: 0.50 (0.25 to 0.70), 40 cells, 2 imputed left out.'
    """
    given = found["spearman"]
    left_out = f", {found['imputed']} imputed left out" if found["imputed"] else ""
    if given["value"] is None:
        return f"No correlation can be given for {found['column']}: {given['note']}{left_out}."
    interval = "no interval, " + given["note"]
    if given["low"] is not None:
        interval = f"{given['low']:.2f} to {given['high']:.2f}"
    return (
        f"Rank correlation of {found['column']} with the expected class: "
        f"{given['value']:.2f} ({interval}), {found['n']} cells{left_out}."
    )


def _census(result: JobResult) -> None:
    found = summary_census(result)
    assert found is not None  # noqa: S101 - the caller looked
    st.subheader("Against your census", anchor=False)
    left, right = st.columns([62, 38], gap="medium")
    with left:
        charts.draw(
            charts.against_census(result.cells, str(found["column"])),
            "result.census",
            f"Census value {found['column']} against expected class, a point a cell",
        )
    with right:
        frame.note(
            f"{frame.escape(census_sentence(found))} The interval allows for neighbouring cells being alike. "
            "Expected classes are on the scale of the cities that the networks learned from, and shrink to "
            "the middle: compare ranks, not values."
        )


def _download(title: str, result: JobResult, name: str, kind: str) -> None:
    path = result.folder / name
    if not path.is_file():  # a result of an earlier version
        return
    st.download_button(
        title,
        data=path.read_bytes,
        file_name=f"{Path(result.summary['name']).stem}-{name}",
        mime=kind,
        on_click="ignore",
        icon=":material/download:",
        key=f"download.{name}",
    )


def _download_all(result: JobResult) -> None:
    """Offer every file of the result with QGIS styles and the caveats, as one archive."""
    stem = Path(result.summary["name"]).stem
    st.download_button(
        "All, with QGIS styles",
        data=lambda: job_result.archive(result),
        file_name=f"{stem}-carreau.zip",
        mime="application/zip",
        on_click="ignore",
        icon=":material/folder_zip:",
        key="download.all",
    )


def _land_use(result: JobResult) -> None:
    st.subheader("Activation by land-use class", anchor=False)
    assert result.activation is not None  # noqa: S101 - the caller looked
    table = job_result.by_class(result.activation).sort_values("excess", ascending=False)
    table.insert(0, "class", [label(code, class_name(code)) for code in table.code])
    st.dataframe(
        table.drop(columns="code"),
        hide_index=True,
        column_config={
            "class": "Land use",
            "cells": st.column_config.NumberColumn("Cells"),
            "hectares": st.column_config.NumberColumn("Hectares", format="%.1f"),
            "excess": st.column_config.NumberColumn(
                "Mean excess", format="%.2f", help="Evidence in the class less that of its cell"
            ),
            "contribution": st.column_config.NumberColumn(
                "Contribution", format="%.2f", help="Adds up to the sum of z over the cells"
            ),
        },
    )
    frame.note(
        "A description of this photograph, without interval: neighbouring cells are alike, and any function "
        "of a photograph "
        "relates to land use. Whether the network looks at land use is asked on the page Patterns, over "
        "whole cities."
    )


def _span(low: int, high: int) -> str:
    return f"all in class {low}" if low == high else f"from {low} to {high}"
