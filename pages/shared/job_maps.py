"""The two maps of a result, as on the page City: what each shows, the photograph beneath, a chosen cell."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from core.jobs import JobState
from data.grid import format_cell_id
from pages.shared import (
    cluster_layer,
    figures,
    frame,
    job_result,
    land_use_layer,
    layers,
    linked_selection,
    maps,
    palette,
    state,
)
from pages.shared.job_cells import ResultCells
from pages.shared.job_result import JobResult
from pages.shared.language import _, later, number, plural
from pages.shared.maps import Picture
from pages.shared.rasters import as_data_url
from pages.shared.selection import Selection
from pages.shared.told import told_name

_TITLES = {
    "census": later("Census"),
    "predicted": later("Predicted"),
    "difference": later("Difference"),
    "uncertainty": later("Uncertainty"),
    cluster_layer.NAME: cluster_layer.TITLE,
    "activation": later("Activation"),
    "land_use": later("Land use"),
}
_OVER_PHOTOGRAPH = 158  # of 255: as opaque as a layer is over the photograph


def titles(view: ResultCells) -> dict[str, str]:
    """Return what the maps of a result can show."""
    result, shown = view.result, {name: _(title) for name, title in _TITLES.items()}
    if not result.has_census:
        del shown["census"], shown["difference"]
    if not view.has_clusters:
        del shown[cluster_layer.NAME]
    if not result.has_land_use:
        del shown["land_use"]
    return shown


def show(view: ResultCells, now: JobState, with_photograph: bool) -> None:
    """Draw both maps with their controls and legends; a click puts the cell into the address, a rectangle the
    cells in it."""
    result, whole = view.result, view.only(Selection())
    offered, chosen = titles(view), []
    defaults = ("predicted", "activation")
    sides = (_("Left map"), _("Right map"))
    columns = st.columns(2, gap="small")
    for column, side, label, default in zip(columns, ("left", "right"), sides, defaults, strict=True):
        with column:
            chosen.append(frame.one_of(label, side, offered, default))
    pictures, legends = [], []
    if with_photograph:
        pictures.append(Picture("both", "photograph", _photograph_url(str(result.folder))))
    alpha = _OVER_PHOTOGRAPH if with_photograph else 255
    for side, name in zip(("left", "right"), chosen, strict=True):
        url, legend = whole.drawn(_picture, name, alpha)
        pictures.append(Picture(side, "cells", url))
        legends.append(legend)
    if view.selected:
        pictures.append(Picture("both", "veil", view.drawn(_veil)))
    if result.imputed.any():
        pictures.append(Picture("both", "hatch", whole.drawn(_hatch)))
    with_clusters = cluster_layer.NAME in chosen
    text = _(
        "Two maps of {name}: {left} and {right}. Arrow keys pan, plus and minus zoom, 0 shows the whole "
        "region, Enter selects the middle cell, R marks a corner of a rectangle there."
    )
    maps.map_pair(
        maps.deck_of(result.raster, pictures, None, _corner(result)),
        result.raster,
        whole.kept(_hover, with_clusters),
        place=now.job,
        key="result.maps",
        crs=result.summary["grid_crs"],
        on_click=_choose,
        on_rectangle=linked_selection.on_rectangle,
        further=[_(kind) for kind in cluster_layer.KINDS] if with_clusters else (),
        label=text.format(name=told_name(now.name), left=offered[chosen[0]], right=offered[chosen[1]]),
    )
    for column, legend in zip(st.columns(2, gap="small"), legends, strict=True):
        with column:
            st.html(f'<div class="carreau-legend">{legend}{_hatched(result)}</div>')
    if with_clusters:
        frame.sentence(view.drawn(_said_of_clusters))


def selected(result: JobResult) -> str | None:
    """Return the cell of the address where the result has it."""
    asked = st.query_params.get("cell")
    return asked if asked in set(result.cells.cell_id) else None


def _choose(x: int, y: int, crs: str, size: int) -> None:
    state.put("cell", format_cell_id(x, y, crs, size))


def _corner(result: JobResult) -> tuple[int, int] | None:
    chosen = selected(result)
    if chosen is None:
        return None
    place = result.cells.set_index("cell_id").loc[chosen]
    return int(place.x), int(place.y)


def _hover(view: ResultCells, with_clusters: bool) -> dict[str, Any]:
    cells = view.cells
    shown = cells[["x", "y", "class", "imputed"]].assign(predicted=cells["own_class"])
    return maps.hover_of(view.result.raster, shown, view.clusters if with_clusters else None)


def _veil(view: ResultCells) -> str:
    """Return what fades the cells that are not selected, whatever is shown of them: the ground of the map
    over them, so opaque that they look as on the page City."""
    raster, others = view.result.raster, ~view.mask
    veil = np.zeros((raster.height, raster.width, 4), np.uint8)
    at = raster.pixel(view.cells["x"][others], view.cells["y"][others])
    veil[at] = (*palette.rgb(palette.inks().panel), 255 - layers.FADED)
    return as_data_url(veil)


def _hatch(view: ResultCells) -> str:
    cells = view.cells
    return layers.hatch(view.result.raster, cells["x"], cells["y"], cells["imputed"])


def _said_of_clusters(view: ResultCells) -> str:
    return cluster_layer.sentence(view.clusters[view.mask])


def _picture(view: ResultCells, name: str, alpha: int) -> tuple[str, str]:
    """Return a map's bitmap as a data URL, and its legend as HTML."""
    result = view.result
    if name == "activation":
        return _evidence_url(str(result.folder)), _evidence_legend()
    if name == "land_use":
        bitmap = job_result.land_use_bitmap(result, alpha)
        return as_data_url(bitmap), land_use_layer.legend(job_result.land_use_classes(result))
    if name == cluster_layer.NAME:
        drawn = cluster_layer.layer(view.clusters)
    else:
        drawn = job_result.layer_of(result, name, view.quintiles)
    legend = layers.legend(drawn)
    missing = palette.rgb(palette.inks().no_data)
    return as_data_url(job_result.layer_bitmap(result, drawn, missing, alpha)), legend


def _evidence_legend() -> str:
    full = number(job_result.FULL_EVIDENCE)
    poorer = _("−{full} poorer").format(full=full)
    richer = _("+{full} richer, standard deviations of z; clear = none").format(full=full)
    return f"<span>{poorer}</span>{figures.steps(palette.diverging(9))}<span>{richer}</span>"


def _hatched(result: JobResult) -> str:
    if not result.imputed.any():
        return ""
    lines = f"repeating-linear-gradient(135deg,{palette.inks().muted} 0 2px,transparent 2px 5px)"
    n = int(result.imputed.sum())
    said = plural("imputed ({n} cell)", "imputed ({n} cells)", n).format(n=number(n))
    step = f'<span class="step" style="background:{lines}"></span>'
    return f'<span class="pair">{step} {said}</span>'


# A result never changes, and its photograph has millions of pixels: encoded once for all readers.
@st.cache_data(max_entries=8, show_spinner=False)
def _photograph_url(folder: str) -> str:
    picture = Image.open(Path(folder) / "preview.png").convert("RGBA")
    buffer = io.BytesIO()
    picture.save(buffer, format="WEBP", quality=82, method=2)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


@st.cache_data(max_entries=8, show_spinner=False)
def _evidence_url(folder: str) -> str:
    return as_data_url(job_result.evidence_bitmap(job_result.opened(folder)))
