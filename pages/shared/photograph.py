"""Photographs of cells, and the evidence map as a picture to lay over them, with its legend.

Every picture covers exactly its cell: x runs from its west to its east edge, row 0 is its north.
"""

from __future__ import annotations

import base64
import io
import threading
from html import escape
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from core.study import no_photograph, photographs_of
from data.grid import Grid
from data.imagery import Mosaic, open_imagery
from pages.shared import palette
from pages.shared.language import _, number

# A cell at 20 cm; a finer photograph would only be scaled down by the browser.
MAX_PIXELS = 1000
# Three by three cells at 50 cm; the middle one is drawn over it at full resolution.
AROUND_PIXELS = 1200
THUMBNAIL_PIXELS = 200


def imagery_path(study_file: str, city_id: str) -> Path:
    """Return where the study file says the photograph of a city is; InputError where it does not say."""
    file = Path(study_file)
    changed = file.stat().st_mtime_ns if file.is_file() else 0
    path = _photographs(study_file, changed).get(city_id)
    if path is None:
        raise no_photograph(file, city_id)
    return path


# by its time: what is not there is asked for again by every cell
@st.cache_data(max_entries=8, show_spinner=False)
def _photographs(study_file: str, changed: int) -> dict[str, Path]:
    return photographs_of(Path(study_file))


@st.cache_data(max_entries=64, show_spinner=False)
def read_photograph(path: str, crs: str, size: int, x: int, y: int) -> tuple[bytes, int]:
    """Return the photograph of a cell as JPEG at its full resolution (at most 1000 px), and its side in
    pixels.

    Raises InputError where the photograph is not there or cannot be read.
    """
    mosaic, turn = _mosaic(path)
    resolution = min(tile.resolution_m for tile in mosaic.tiles)
    pixels = int(np.clip(round(size / resolution), 32, MAX_PIXELS))
    with turn:
        picture, _valid = mosaic.read_cell(Grid(crs, size), x, y, pixels)
    return _jpeg(picture, 92), pixels


@st.cache_data(max_entries=64, show_spinner=False)
def read_around(path: str, crs: str, size: int, x: int, y: int) -> bytes:
    """Return the photograph of a cell and the eight around it as JPEG, three cells wide and high.

    Where there is no photograph it has the mean colour of the rest. Raises InputError as `read_photograph`.
    """
    mosaic, turn = _mosaic(path)
    resolution = min(tile.resolution_m for tile in mosaic.tiles)
    pixels = int(np.clip(round(3 * size / resolution), 96, AROUND_PIXELS))
    with turn:
        picture, _valid = mosaic.read_cell(Grid(crs, 3 * size), x - size, y - size, pixels)
    return _jpeg(picture, 85)


@st.cache_data(max_entries=512, show_spinner=False)
def read_thumbnail(path: str, crs: str, size: int, x: int, y: int) -> bytes:
    """Return a small photograph of a cell as JPEG; raises InputError as `read_photograph`."""
    mosaic, turn = _mosaic(path)
    with turn:
        picture, _valid = mosaic.read_cell(Grid(crs, size), x, y, THUMBNAIL_PIXELS)
    return _jpeg(picture, 80)


@st.cache_resource(max_entries=8, ttl=3600, show_spinner=False)
def _mosaic(path: str) -> tuple[Mosaic, threading.Lock]:
    """Return the photographs of a city, described once, and the turn of whoever reads: handles are no
    threads' to share."""
    return open_imagery(path), threading.Lock()


def _jpeg(picture: NDArray[np.uint8], quality: int) -> bytes:
    buffer = io.BytesIO()
    # no colour is shared between pixels where single ones are looked at
    Image.fromarray(picture).save(
        buffer, format="JPEG", quality=quality, subsampling=0 if quality > 90 else "4:2:0"
    )
    return buffer.getvalue()


def overlay(evidence: NDArray[np.float32], reach: float, pixels: int = 256) -> NDArray[np.uint8]:
    """Return an evidence map (h, w) as RGBA (pixels, pixels, 4): brown against, teal for, opaque at +-
    reach, clear at 0.

    Resized half-pixel bilinear, edges held: value (i, j) stays in the middle of its own part of the cell.
    """
    smooth = np.asarray(
        Image.fromarray(evidence.astype(np.float32)).resize((pixels, pixels), Image.Resampling.BILINEAR)
    )
    level = np.clip(smooth / reach, -1, 1)
    table = palette.rgb_table(palette.diverging(9))
    # the strong ends of the palette: its pale middle would veil the photograph where the map says nothing
    colour = np.where((level < 0)[..., None], table[1], table[7])
    picture = np.zeros((pixels, pixels, 4), dtype=np.uint8)
    picture[..., :3] = colour
    picture[..., 3] = np.rint(255 * np.abs(level))
    return picture


@st.cache_data(max_entries=256, show_spinner=False)
def overlay_url(evidence: NDArray[np.float32], reach: float) -> str:
    """Return `overlay` as the data URL of a PNG; kept, since to pack it takes longer than the rest of a
    page."""
    buffer = io.BytesIO()
    Image.fromarray(overlay(evidence, reach)).save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def legend(below: str, above: str) -> str:
    """Return the legend of an overlay as HTML: brown to clear to teal, with the words of either end."""
    brown, teal = palette.diverging(9)[1], palette.diverging(9)[7]
    no_brown, no_teal = palette.translucent(brown, 0), palette.translucent(teal, 0)
    ramp = f"linear-gradient(90deg,{brown},{no_brown} 50%,{no_teal} 50%,{teal})"
    return (
        f'<div class="carreau-legend"><span>{escape(below)}</span>'
        f'<span class="ramp" style="background:{ramp}"></span><span>{escape(above)}</span></div>'
    )


def legend_of_evidence(reach: float) -> str:
    """Return the legend of the evidence map, in standard deviations of z."""
    return legend(
        _("poorer {low}").format(low=number(-reach, 1)),
        _("{high} richer, standard deviations of z").format(high=number(reach, 1, sign=True)),
    )
