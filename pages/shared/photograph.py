"""The photograph of a cell with the evidence map over it and land-use outlines: one stack of aligned layers.

Everything covers exactly the cell: x runs from its west to its east edge, row 0 of every picture is its
north.
"""

from __future__ import annotations

import base64
import io
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
import streamlit as st
from numpy.typing import NDArray
from PIL import Image
from shapely.geometry.base import BaseGeometry

from core.study import imagery_of
from data.grid import Grid
from data.imagery import open_imagery
from pages.shared import palette
from pages.shared.rasters import as_data_url

# A cell at 20 cm; a finer photograph would only be scaled down by the browser.
MAX_PIXELS = 1000


@st.cache_data(max_entries=64, show_spinner=False)
def imagery_path(study_file: str, city_id: str) -> Path:
    """Return where the study file says the photograph of a city is; InputError where it does not say."""
    return imagery_of(Path(study_file), city_id)


@st.cache_data(max_entries=64, show_spinner="Reading the photograph")
def read_photograph(path: str, crs: str, size: int, x: int, y: int) -> tuple[bytes, int]:
    """Return the photograph of a cell as JPEG at its full resolution (at most 1000 px), and its side in
    pixels.

    Raises InputError where the photograph is not there or cannot be read.
    """
    with open_imagery(path) as mosaic:
        resolution = min(tile.resolution_m for tile in mosaic.tiles)
        pixels = int(np.clip(round(size / resolution), 32, MAX_PIXELS))
        picture, _ = mosaic.read_cell(Grid(crs, size), x, y, pixels)
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="JPEG", quality=92, subsampling=0)
    return buffer.getvalue(), pixels


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


def stack(
    photograph: bytes | None,
    evidence: NDArray[np.uint8] | None,
    opacity: float,
    polygons: pd.DataFrame | None,
    corner: tuple[int, int],
    size: int,
    label: str,
) -> str:
    """Return the layers as HTML, square and as wide as their column; `opacity` (0..1) is the evidence's.

    `polygons` as `cell_queries.polygons_in_square` gives them; `corner` the cell's lower-left corner in
    metres.
    """
    layers = []
    if photograph is not None:
        url = "data:image/jpeg;base64," + base64.b64encode(photograph).decode("ascii")
        layers.append(f'<img alt="{escape(label)}" src="{url}">')
    if evidence is not None:
        layers.append(f'<img alt="Evidence map" src="{as_data_url(evidence)}" style="opacity:{opacity:g}">')
    if polygons is not None:
        layers.append(_outlines(polygons, corner, size))
    return f'<div class="carreau-photo">{"".join(layers)}{_scale_bar(size)}</div>'


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
    return legend(f"poorer −{reach:.1f}", f"+{reach:.1f} richer, standard deviations of z")


def _outlines(polygons: pd.DataFrame, corner: tuple[int, int], size: int) -> str:
    """Return an image over the whole cell: each polygon's edge in its colour on a dark casing."""
    paths = [
        (colour, _path(geometry, corner, size))
        for colour, geometry in zip(polygons["colour"], polygons["geometry"], strict=True)
    ]
    casing = "".join(f'<path d="{d}" stroke="#14181B" stroke-width="1.5" opacity="0.75"/>' for _, d in paths)
    lines = "".join(f'<path d="{d}" stroke="{escape(colour)}" stroke-width="0.8"/>' for colour, d in paths)
    picture = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" width="1000" height="1000" '
        'fill="none" '
        f'stroke-linejoin="round">{casing}{lines}</svg>'
    )
    # as an image: an svg element would be taken out of the page's HTML as unsafe
    url = "data:image/svg+xml;base64," + base64.b64encode(picture.encode()).decode("ascii")
    return f'<img alt="Land-use outlines" src="{url}">'


def _path(geometry: BaseGeometry, corner: tuple[int, int], size: int) -> str:
    parts = []
    for ring in shapely.get_rings(shapely.get_parts(geometry)):
        places = shapely.get_coordinates(ring)
        east, south = places[:, 0] - corner[0], corner[1] + size - places[:, 1]
        parts.append("M" + "L".join(f"{e:.1f} {s:.1f}" for e, s in zip(east, south, strict=True)) + "Z")
    return "".join(parts)


def _scale_bar(size: int) -> str:
    return f'<div class="bar" style="width:{100 * 50 / size:g}%">50 m</div>'
