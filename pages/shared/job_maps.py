"""The two maps of a result, as on the page City: what each shows, the photograph beneath, a chosen cell."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image

from core.jobs import JobState
from data.grid import format_cell_id
from pages.shared import figures, job_result, land_use_layer, layers, maps, palette, state
from pages.shared.job_result import JobResult
from pages.shared.language import _, later, number, plural
from pages.shared.maps import Picture
from pages.shared.rasters import as_data_url, hatch_lines, lines_as_data_url
from pages.shared.told import told_name

_TITLES = {
    "census": later("Census"),
    "predicted": later("Predicted"),
    "difference": later("Difference"),
    "uncertainty": later("Uncertainty"),
    "activation": later("Activation"),
    "land_use": later("Land use"),
}
_OVER_PHOTOGRAPH = 158  # of 255: as opaque as a layer is over the photograph


def titles(result: JobResult) -> dict[str, str]:
    """Return what the maps of a result can show."""
    shown = {name: _(title) for name, title in _TITLES.items()}
    if not result.has_census:
        del shown["census"], shown["difference"]
    if not result.has_land_use:
        del shown["land_use"]
    return shown


def show(result: JobResult, now: JobState, quintiles: bool, with_photograph: bool) -> None:
    """Draw both maps with their controls and legends; a click puts the cell into the address."""
    offered, chosen = titles(result), []
    defaults = ("predicted", "activation")
    sides = (_("Left map"), _("Right map"))
    columns = st.columns(2, gap="small")
    for column, side, label, default in zip(columns, ("left", "right"), sides, defaults, strict=True):
        chosen.append(state.choice(side, list(offered), default))
        with column:
            st.segmented_control(
                label,
                list(offered),
                format_func=offered.__getitem__,
                key=side,
                required=True,
                on_change=state.remember,
                args=(side,),
                label_visibility="collapsed",
            )
    pictures, legends = [], []
    if with_photograph:
        pictures.append(Picture("both", "photograph", _photograph_url(str(result.folder))))
    for side, name in zip(("left", "right"), chosen, strict=True):
        url, legend = _picture(result, name, quintiles, _OVER_PHOTOGRAPH if with_photograph else 255)
        pictures.append(Picture(side, "cells", url))
        legends.append(legend)
    if result.imputed.any():
        lines = hatch_lines(result.raster, result.cells.x, result.cells.y, result.imputed)
        hatch = lines_as_data_url(lines, palette.rgb(palette.inks().hatch))
        pictures.append(Picture("both", "hatch", hatch))
    text = _(
        "Two maps of {name}: {left} and {right}. Arrow keys pan, plus and minus zoom, 0 shows the whole "
        "region, Enter selects the middle cell."
    )
    maps.map_pair(
        maps.deck_of(result.raster, pictures, None, _corner(result)),
        result.raster,
        _hover(result),
        place=now.job,
        key="result.maps",
        crs=result.summary["grid_crs"],
        on_click=_choose,
        label=text.format(name=told_name(now.name), left=offered[chosen[0]], right=offered[chosen[1]]),
    )
    for column, legend in zip(st.columns(2, gap="small"), legends, strict=True):
        with column:
            st.html(f'<div class="carreau-legend">{legend}{_hatched(result)}</div>')


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


def _hover(result: JobResult) -> pd.DataFrame:
    cells = result.cells
    census = cells.census_class.replace(0, np.nan) if result.has_census else np.nan
    return pd.DataFrame(
        {
            "x": cells.x,
            "y": cells.y,
            "class": pd.Series(census, index=cells.index, dtype=float).astype("Int64"),
            "predicted": cells["class"].astype(int),
            "imputed": result.imputed,
        }
    )


def _picture(result: JobResult, name: str, quintiles: bool, alpha: int) -> tuple[str, str]:
    """Return a map's bitmap as a data URL, and its legend as HTML."""
    if name == "activation":
        return _evidence_url(str(result.folder)), _evidence_legend()
    if name == "land_use":
        bitmap = job_result.land_use_bitmap(result, alpha)
        return as_data_url(bitmap), land_use_layer.legend(job_result.land_use_classes(result))
    drawn = job_result.layer_of(result, name, quintiles)
    legend = layers.legend(drawn)
    if (drawn.steps < 0).any():
        swatch = f'<span class="chip" style="background:{palette.inks().no_data}"></span>'
        legend += f'<span>·</span><span class="pair">{swatch} {_("no value")}</span>'
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
    return f'<span>·</span><span class="pair">{step} {said}</span>'


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
