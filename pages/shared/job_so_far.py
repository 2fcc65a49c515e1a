"""What a running job has predicted so far: a picture of one pixel a cell that grows by finished chunks."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core import jobs
from core.jobs import JobState
from core.settings import read_settings
from data.errors import CarreauError
from pages.shared import figures, frame, job_words, palette
from pages.shared.job_result import paint_classes
from pages.shared.language import _, number, plural
from pages.shared.rasters import Raster, as_data_url

_TICK_S = 3.0
_KEPT = "job.so_far"


@dataclass
class SoFar:
    """A picture of the cells predicted so far, and the parts that are in it already."""

    job: str
    raster: Raster
    picture: NDArray[np.uint8]  # (rows, columns, 4), row 0 north
    parts: set[int] = field(default_factory=set)
    cells: int = 0
    classes: int = 0


@st.fragment(run_every=_TICK_S)
def show(now: JobState) -> None:
    """Draw the cells that are predicted; nothing before the first chunk is done."""
    found = _grown(now.job)
    if found is None or not found.cells:
        return
    height, width = found.picture.shape[:2]
    alt = plural(
        "Predicted class of the {n} cell done so far",
        "Predicted classes of the {n} cells done so far",
        found.cells,
    ).format(n=number(found.cells))
    # the ground shows how far the region reaches that is still to come
    look = (
        f"background:{palette.inks().panel};border-radius:4px;image-rendering:pixelated;"
        f"width:min(100%,{28 * width / height:.2f}rem);aspect-ratio:{width}/{height}"
    )
    st.html(f'<img alt="{frame.escape(alt)}" src="{as_data_url(found.picture)}" style="{look}">')
    so_far = plural("So far: {n} cell, north up.", "So far: {n} cells, north up.", found.cells)
    frame.note(so_far.format(n=number(found.cells)))
    steps = figures.steps(palette.sequential(found.classes))
    poorest = _("{title}: poorest").format(title=job_words.predicted_title(found.classes))
    st.html(f'<div class="carreau-legend"><span>{poorest}</span>{steps}<span>{_("richest")}</span></div>')


def _grown(job: str) -> SoFar | None:
    """Return the picture with the parts finished since the last look; None before there is a plan."""
    from core import region_plan  # brings geopandas, which a page without a running job need not wait for

    try:
        folder = jobs.folder_of(job, read_settings())
        kept: SoFar | None = st.session_state.get(_KEPT)
        if kept is None or kept.job != job:
            plan = region_plan.read_plan(folder)
            raster = Raster.around(plan.cells.x, plan.cells.y, plan.grid.size)
            kept = SoFar(job, raster, np.zeros((raster.height, raster.width, 4), np.uint8))
            st.session_state[_KEPT] = kept
        _add_parts(kept, folder)
    except (FileNotFoundError, CarreauError):  # not planned yet, or deleted in the meantime
        return None
    return kept


def _add_parts(kept: SoFar, folder: Path) -> None:
    from core import region_parts

    for part in region_parts.finished_parts(folder):
        if part in kept.parts:
            continue
        cells = region_parts.part_cells(folder, part)
        kept.parts.add(part)
        if cells.empty:
            continue
        kept.classes = len(cells.probabilities.iloc[0])
        paint_classes(kept.picture, kept.raster, cells, kept.classes)
        kept.cells += len(cells)
