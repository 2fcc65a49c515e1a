"""The photograph of a cell on the page: what may lie over it, the viewer, legends, and what is said of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from data.errors import InputError
from data.store import cell_queries
from data.store.queries import City
from pages.shared import explanation, frame, photo_viewer, photograph, state
from pages.shared.class_names import short_name
from pages.shared.language import _, number
from pages.shared.photo_viewer import Shown
from pages.shared.plain_text import warn
from pages.shared.study import OpenStudy
from pages.shared.told import told


def section(here: OpenStudy, city: City, cell: dict[str, Any]) -> None:
    """Draw the controls, the viewer and the lines under it."""
    corner, size = (int(cell["x"]), int(cell["y"])), here.row.cell_size_m
    evidence = here.ask(cell_queries.evidence_map, city.city_id, cell["cell_id"])
    asked = explanation.controls(here, enabled=evidence is not None)
    outlined, around = _switches(city)
    opacity = int(state.choice("evidence", [str(percent) for percent in range(0, 101, 5)], "60"))

    jpeg, pixels, wide, said = _read(here, city, corner, around)
    polygons = None
    if outlined:
        reach = size if wide else 0
        square = corner[0] - reach, corner[1] - reach, size + 2 * reach
        polygons = here.ask(cell_queries.polygons_in_square, city.city_id, *square)
    drawn, legend, asked = _over_it(here, city, cell["cell_id"], evidence, asked)
    photo_viewer.viewer(
        Shown(jpeg, pixels, wide, drawn, polygons),
        corner,
        size,
        place=f"{cell['cell_id']} {wide is not None}",
        opacity=opacity,
        label=_("Photograph of cell {cell}, north up").format(cell=frame.short_id(cell["cell_id"])),
        on_opacity=lambda chosen: state.put("evidence", chosen),
    )
    if evidence is not None:
        st.html(legend)
    if polygons is not None:
        st.html(_classes(polygons))
    frame.note(f"{frame.escape(said)} {_of_the_map(here, evidence, asked)}".strip())


def _switches(city: City) -> tuple[bool, bool]:
    """Draw the switches; return whether outlines and the cells around are to be shown."""
    left, right = st.columns([1.2, 1], gap="small")
    with left:
        outlined = state.switch("outlines", city.has_land_use)
        st.toggle(
            _("Land-use outlines"),
            key="outlines",
            disabled=not city.has_land_use,
            on_change=state.remember,
            args=("outlines",),
        )
    with right:
        around = state.switch("around")
        st.toggle(_("Photograph around the cell"), key="around", on_change=state.remember, args=("around",))
    return outlined and city.has_land_use, around


def _read(
    here: OpenStudy, city: City, corner: tuple[int, int], around: bool
) -> tuple[bytes | None, int, bytes | None, str]:
    """Return the photograph, its side in pixels, that of the cells around where asked for, and what to say.

    Without a photograph: nothing, one pixel a metre, nothing, the reason.
    """
    size = here.row.cell_size_m
    try:
        path = str(photograph.imagery_path(str(here.publication.study_file), city.city_id))
        jpeg, pixels = photograph.read_photograph(path, here.row.grid_crs, size, *corner)
        wide = photograph.read_around(path, here.row.grid_crs, size, *corner) if around else None
    except InputError as error:
        return None, size, None, _("The photograph cannot be shown: {error}").format(error=told(error))
    metres = _trimmed(size / pixels)
    if city.imagery_year is None:
        text = _("Photograph, {metres} m a pixel, turned to the census grid, north up.")
    else:
        text = _("Photograph of {year}, {metres} m a pixel, turned to the census grid, north up.")
    return jpeg, pixels, wide, text.format(year=city.imagery_year, metres=metres)


def _over_it(
    here: OpenStudy,
    city: City,
    cell_id: str,
    evidence: NDArray[np.float32] | None,
    asked: explanation.Asked,
) -> tuple[str | None, str, explanation.Asked]:
    """Return the picture to lay over the photograph as a data URL, its legend, and which map it is."""
    reach = here.ask(cell_queries.evidence_reach, city.city_id)
    legend = photograph.legend_of_evidence(reach)
    if evidence is None:
        return None, legend, asked
    if asked.method != explanation.EVIDENCE:
        try:
            made = explanation.drawn(here, city.city_id, cell_id, asked)
            legend = explanation.legend(asked, here.row.n_classes)
            return photograph.overlay_url(made, explanation.reach(made)), legend, asked
        except explanation.NotDrawnError as error:
            text = _("This map cannot be drawn: {error} Shown instead: the evidence map.")
            warn(text.format(error=told(error)))
    return photograph.overlay_url(evidence, reach), legend, explanation.Asked(explanation.EVIDENCE, "z")


def _classes(polygons: pd.DataFrame) -> str:
    """Return the legend of the outlines as HTML."""
    present = polygons.drop_duplicates("code").sort_values("code")
    chips = "".join(
        f'<span class="pair"><span class="chip" style="background:{frame.escape(colour)}"></span> '
        f"{frame.escape(short_name(code, name))}</span>"
        for code, name, colour in zip(present["code"], present["name"], present["colour"], strict=True)
    )
    return f'<div class="carreau-legend">{chips}</div>'


def _of_the_map(here: OpenStudy, evidence: NDArray[np.float32] | None, asked: explanation.Asked) -> str:
    if evidence is None:
        return _("No evidence map: this cell was not predicted.")
    if asked.method != explanation.EVIDENCE:
        return explanation.sentence(asked, here.row.head)
    rows, columns = evidence.shape
    return _(
        "Evidence map: {rows} × {columns} values of {metres} m, smoothed between them; here from {low} to "
        "{high}, and the nearer to 0 the paler."
    ).format(
        rows=rows,
        columns=columns,
        metres=_trimmed(here.row.cell_size_m / rows),
        low=number(float(evidence.min()), 2, sign=True),
        high=number(float(evidence.max()), 2, sign=True),
    )


def _trimmed(metres: float) -> str:
    """Return a length with as many decimals as it needs, two at most."""
    digits = next((n for n in (0, 1) if round(metres, n) == round(metres, 2)), 2)
    return number(metres, digits)
