"""One cell of a result and what the networks make of it: photograph, activation, distribution, land use."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image

from core import cell_photograph
from data.landuse_classes import class_colour, class_name
from pages.shared import cell_words, chart_tables, charts, frame, job_result, photo_viewer, photograph, state
from pages.shared.job_result import JobResult
from pages.shared.language import _, number
from pages.shared.photo_viewer import Shown


def line(result: JobResult, cell_id: str | None) -> None:
    """Say what is known of the chosen cell; the line keeps its place while none is."""
    if cell_id is None:
        frame.note(_("Select a cell on either map to see what is known of it."), width="content")
        return
    cell = result.cells.set_index("cell_id").loc[cell_id]
    parts = [
        _("predicted <b>{k}</b> (expected {expected})").format(
            k=int(cell["class"]), expected=number(cell.expected_class, 1)
        ),
        _("spread of the networks {spread}").format(spread=number(cell.spread, 1)),
    ]
    if result.has_census and cell.census_class > 0:
        census = _("your census <b>{k}</b>, imputed") if _is_imputed(cell) else _("your census <b>{k}</b>")
        parts.append(census.format(k=int(cell.census_class)))
    text = _("Selected <b>{cell}</b>: {facts}.")
    frame.note(text.format(cell=frame.short_id(cell_id), facts=", ".join(parts)), width="content")


def show(result: JobResult, cell_id: str) -> None:
    """Draw the cell from near: photograph with activation, class distribution, where the evidence lies."""
    place = list(result.cells.cell_id).index(cell_id)
    cell = result.cells.iloc[place]
    st.header(_("Cell {cell}").format(cell=frame.short_id(cell_id)), anchor=False)
    left, right = st.columns([42, 58], gap="medium")
    with left:
        _photograph(result, place, cell)
    with right:
        census = int(cell.census_class) if result.has_census and cell.census_class > 0 else None
        charts.draw(
            charts.distribution(result.probabilities[place], census),
            "result.distribution",
            _("Class distribution of cell {cell}").format(cell=frame.short_id(cell_id)),
            data=lambda: chart_tables.distribution(result.probabilities[place], census),
        )
        if census is None:
            frame.note(_("What the mean of the networks states; there is no census value to compare with."))
        else:
            frame.note(
                _(
                    "What the mean of the networks states, and the class of your census, cut inside this "
                    "region: their scales may differ."
                )
            )
        _land_use(result, cell)


def _photograph(result: JobResult, place: int, cell: pd.Series) -> None:
    opacity = int(state.choice("evidence", [str(percent) for percent in range(0, 101, 5)], "60"))
    evidence, reach = result.maps[place], result.reach
    size = int(result.summary["cell_size_m"])
    corner = int(cell.x), int(cell.y)
    try:
        with st.spinner(_("Reading the photograph")):
            jpeg, pixels = _read(str(result.folder), *corner)
    except LookupError:
        jpeg, pixels = _from_preview(result, *corner)
    photo_viewer.viewer(
        Shown(jpeg, pixels, None, photograph.overlay_url(evidence, reach), None),
        corner,
        size,
        place=str(cell.cell_id),
        opacity=opacity,
        label=_("Photograph of cell {cell}, north up").format(cell=frame.short_id(str(cell.cell_id))),
        on_opacity=lambda chosen: state.put("evidence", chosen),
    )
    st.html(photograph.legend_of_evidence(reach))
    rows, columns = evidence.shape
    frame.note(
        _(
            "Activation: {rows} × {columns} values of {metres} m, smoothed between them; here from {low} to "
            "{high}, and the nearer to 0 the paler."
        ).format(
            rows=rows,
            columns=columns,
            metres=number(size / rows, 0 if size % rows == 0 else 1),
            low=number(float(evidence.min()), 2, sign=True),
            high=number(float(evidence.max()), 2, sign=True),
        )
    )


def _land_use(result: JobResult, cell: pd.Series) -> None:
    if result.activation is None:
        return
    rows = result.activation[result.activation.cell_id == cell.cell_id].sort_values("share", ascending=False)
    if rows.empty:
        frame.note(_("No land use is mapped in this cell."))
        return
    rows = rows.assign(
        name_official=[class_name(code) for code in rows.code],
        colour=[class_colour(code) for code in rows.code],
        occlusion=np.nan,  # a job hides nothing from the networks
    )
    z = float(cell.z_standard)
    # the result's own shares are of the mapped ground, and the table is of the cell
    rows = rows.assign(share=rows.area_m2.astype(float) / int(result.summary["cell_size_m"]) ** 2)
    st.html(cell_words.land_use_table(rows, z, float(rows.share.sum())))
    frame.sentence(cell_words.contribution_sentence(rows, z))


def _is_imputed(cell: pd.Series) -> bool:
    return bool(cell.get("census_imputed", False))


@st.cache_data(max_entries=64, show_spinner=False)
def _read(folder: str, x: int, y: int) -> tuple[bytes, int]:
    """Return the photograph at its full resolution as JPEG, and its side in pixels.

    Raises LookupError where it cannot be read.
    """
    job = Path(folder).parent
    found = cell_photograph.read_apart(job, x, y) if (job / "plan.parquet").is_file() else None
    if found is None:
        raise LookupError(folder)
    return found, Image.open(io.BytesIO(found)).width


def _from_preview(result: JobResult, x: int, y: int) -> tuple[bytes, int]:
    """Return the same out of the picture of the whole region, some pixels wide."""
    raster = result.raster
    picture = job_result.photograph(result)
    px = picture.shape[1] // raster.width
    row, column = (int(at) * px for at in raster.pixel(x, y))
    buffer = io.BytesIO()
    part = np.ascontiguousarray(picture[row : row + px, column : column + px, :3])
    Image.fromarray(part).save(buffer, format="JPEG", quality=92)
    return buffer.getvalue(), px
