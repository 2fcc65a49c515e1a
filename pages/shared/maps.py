"""The map pair: layers of deck.gl in the grid's own metres, drawn by a small component; clicks come back as
cells.

Layers are plain dictionaries, as pydeck's JSON holds them: a pydeck Deck would be written and read again at
every run of a page. deck.gl comes from pydeck's wheel, served by Streamlit itself: no network, no vendored
library. Both registrations must stand in an imported module, not in a page script, which runs again and
again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pydeck as pdk
import pyproj
import shapely
import streamlit as st
import streamlit.components.v1 as components_v1
from numpy.typing import NDArray

from pages.shared import maps_first, palette
from pages.shared.district_layer import Districts
from pages.shared.language import _
from pages.shared.rasters import Raster, packed

Deck = list[dict[str, Any]]  # layers of deck.gl, as pydeck's JSON has them
Rings = list[list[list[float]]]  # closed lines of (x, y), metres from a raster's centre

_HERE = Path(__file__).parent
_BUNDLE_NAME = "deck_of_pydeck"
_BUNDLE = components_v1.declare_component(
    _BUNDLE_NAME, path=str(Path(pdk.__file__).parent / "nbextension" / "static")
)
_BUNDLE_URL = f"component/{__name__}.{_BUNDLE_NAME}/index.js"

# lines over so few cells are drawn at half their pixels and more, where mipmaps would only blur them
_CRISP_CELLS = 64

_PAIR = st.components.v2.component(
    "carreau.map_pair",
    html=(_HERE / "map_pair.html").read_text(encoding="utf-8"),
    css=(_HERE / "map_pair.css").read_text(encoding="utf-8"),
    js="".join((_HERE / name).read_text(encoding="utf-8") for name in ("view_address.js", "map_pair.js")),
)


@dataclass(frozen=True)
class Picture:
    """A bitmap over the whole raster, as a data URL; `side` is left, right or both."""

    side: str
    name: str
    url: str


def deck_of(
    raster: Raster,
    pictures: Sequence[Picture],
    outline: bytes | Rings | None,
    selected: tuple[int, int] | None,
) -> Deck:
    """Return the layers of a map pair: pictures in order, the city's outline (WKB in the grid CRS, or its
    `rings`), the selected cell's square.

    Layers are in metres from the raster's centre; their ids begin with left-, right- or both-, which is
    where they are drawn.
    """
    x0, y0 = raster.centre
    half = raster.width * raster.size / 2, raster.height * raster.size / 2
    layers: Deck = [
        {
            "@@type": "BitmapLayer",
            "id": f"{picture.side}-{picture.name}",
            "image": picture.url,
            "bounds": [-half[0], -half[1], half[0], half[1]],
            "textureParameters": _texture(picture.name, raster),
        }
        for picture in pictures
    ]
    ink = palette.inks()
    if outline is not None:
        drawn = rings(outline, raster) if isinstance(outline, bytes) else outline
        layers.append(_outline(drawn, palette.rgb(ink.muted)))
    if selected is not None:
        x, y = selected[0] - x0, selected[1] - y0
        corners = ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0))
        square = [[x + raster.size * east, y + raster.size * north] for east, north in corners]
        layers.append(_frame("both-selected-casing", square, palette.rgb(ink.background), 6))
        layers.append(_frame("both-selected", square, palette.rgb(ink.text), 3))
    return layers


def rings(outline: bytes, raster: Raster) -> Rings:
    """Return the rings of an outline (WKB, grid CRS), in metres from the raster's centre, without what a
    tenth of a cell hides; whole metres, since a pixel is at least one."""
    shape = shapely.simplify(shapely.from_wkb(outline), raster.size / 10)
    return [
        (shapely.get_coordinates(ring) - raster.centre).round().astype(int).tolist()
        for ring in shapely.get_rings(shapely.get_parts(shape))
    ]


def hover_of(
    raster: Raster,
    cells: pd.DataFrame,
    further: NDArray[np.int8] | None = None,
    districts: Districts | None = None,
) -> dict[str, Any]:
    """Return what the tooltip knows of cells (columns as of `map_pair`), for a component's `data`.

    ``further`` (n,): which of the words given to `map_pair` is said of each cell; -1 for none.
    """
    x, y = cells["x"].to_numpy(), cells["y"].to_numpy()
    half = raster.width * raster.size / 2, raster.height * raster.size / 2
    planes = [
        # bit 1: there is a cell, bit 2: its income is imputed
        raster.spread(x, y, 1 + 2 * cells["imputed"].to_numpy(dtype=np.uint8)),
        raster.spread(x, y, cells["class"].fillna(0).astype(int)),
        raster.spread(x, y, cells["predicted"].fillna(0).astype(int)),
    ]
    if further is not None or districts is not None:
        planes.append(raster.spread(x, y, 0 if further is None else further + 1))
    if districts is not None:  # low and high bytes
        planes += [(districts.numbers & 255).astype(np.uint8), (districts.numbers >> 8).astype(np.uint8)]
    return {
        "left": -half[0],
        "top": half[1],
        "size": raster.size,
        "width": raster.width,
        "height": raster.height,
        "x0": raster.west,
        "y0": raster.north,
        "districts": districts.names if districts is not None else [],
        "borders": "" if districts is None else packed([districts.borders.astype("<i2").view(np.uint8)]),
        "hasCensus": bool(cells["class"].notna().any()),
        "planes": packed(planes),
    }


def map_pair(
    deck: Deck,
    raster: Raster,
    cells: pd.DataFrame | dict[str, Any],
    *,
    place: str,
    label: str,
    crs: str,
    on_click: Callable[[int, int, str, int], None] | None = None,
    on_rectangle: Callable[[int, int, int, int], None] | None = None,
    height: int = 400,
    key: str = "maps",
    reach: tuple[float, float, float, float] | None = None,
    further: Sequence[str] = (),
    single: bool = False,
) -> tuple[int, int] | None:
    """Draw two maps that move together; return the lower-left corner (x, y) of the cell just clicked, else
    None.

    With `on_click`, a click also calls `on_click(x, y, crs, size)` before the page is drawn again, as with
    any widget; with `on_rectangle`, a rectangle drawn with Shift held (or its corners marked by the key r)
    calls `on_rectangle(west, south, east, north)`, in metres. `cells` holds x, y, class and predicted
    (NaN where there is none) and imputed, for the tooltip, which needs no server; or it is what `hover_of`
    made of them, whose `further` are places in the words given here. The view is kept while
    `place` stays the same. `crs` gives the direction of north. Whatever lies in
    `reach` (west, south, east, north), by default the raster, is in sight at first. With `single`, only the
    left map is drawn, over the full width, and the address does not hold its view.
    """

    def clicked() -> None:
        cell = st.session_state[key].clicked
        if cell is not None and on_click is not None:
            on_click(int(cell["x"]), int(cell["y"]), crs, raster.size)

    def boxed() -> None:
        box = st.session_state[key].boxed
        if box is not None and on_rectangle is not None:
            on_rectangle(*(int(box[edge]) for edge in ("west", "south", "east", "north")))

    result = _PAIR(
        data={
            "bundle": _BUNDLE_URL,
            "deck": {"layers": deck},
            "place": place,
            "label": label,
            "words": _words() | {"further": list(further)},
            "ink": palette.rgb(palette.inks().text),
            "height": height,
            "single": single,
            "rectangles": on_rectangle is not None,
            "first": maps_first.awaited(),
            "address": not single,
            "north": north_angle(*raster.centre, crs),
            "extent": _extent(raster, reach),
            "hover": hover_of(raster, cells) if isinstance(cells, pd.DataFrame) else cells,
        },
        key=key,
        height=height,
        on_clicked_change=clicked,
        on_boxed_change=boxed,
        on_painted_change=maps_first.painted,
    )
    hit = result.clicked
    return None if hit is None else (int(hit["x"]), int(hit["y"]))


def _words() -> dict[str, Any]:
    """Return the texts of the component in the language of the page, `{value}` filled by itself."""
    return {
        "none": _("none"),
        "census": _("census {value}"),
        "imputed": _("census {value} (imputed)"),
        "predicted": _("predicted {value}"),
        "whole": _("Whole map"),
        "whole_title": _("Show the whole map (key 0)"),
        "closer": _("Closer (key +)"),
        "farther": _("Farther (key −)"),
        "wheel": _("{key} and the wheel zoom"),
        "corner": _("First corner marked: press R at the opposite one"),
        "north": _("North arrow"),
        "still": _("This browser has no WebGL: the maps cannot be moved."),
    }


def _extent(raster: Raster, reach: tuple[float, float, float, float] | None) -> list[float]:
    """Return width and height, in metres about the raster's centre, that hold the raster and `reach`."""
    x0, y0 = raster.centre
    half = [raster.width * raster.size / 2, raster.height * raster.size / 2]
    if reach is not None:
        west, south, east, north = reach
        half = [max(half[0], x0 - west, east - x0), max(half[1], y0 - south, north - y0)]
    return [2 * half[0], 2 * half[1]]


@lru_cache(maxsize=256)
def north_angle(x: float, y: float, crs: str) -> float:
    """Return the direction of geographic north at a place of the grid, degrees clockwise from the grid's up.

    >>> round(north_angle(3_200_000, 2_900_000, "EPSG:3035"), 1)
    11.5
    """
    # the projection alone: a transformer to EPSG:4326 takes forty times as long, in every thread anew
    projection = pyproj.Proj(crs)
    longitude, latitude = projection(x, y, inverse=True)
    ahead = projection(longitude, latitude + 0.01)
    return float(np.degrees(np.arctan2(ahead[0] - x, ahead[1] - y)))


def _texture(name: str, raster: Raster) -> dict[str, str]:
    """Return how deck.gl scales a picture: cells stay crisp, a photograph and lines are smoothed."""
    if name not in ("hatch", "photograph"):
        return {"minFilter": "nearest", "magFilter": "nearest"}
    scaled = {"minFilter": "linear", "magFilter": "linear" if name == "photograph" else "nearest"}
    if name == "hatch" and max(raster.width, raster.height) <= _CRISP_CELLS:
        return scaled
    return scaled | {"mipmapFilter": "linear"}


def _outline(drawn: Rings, colour: tuple[int, int, int]) -> dict[str, Any]:
    # without a graphics card a PathLayer's shaders take 0.8 s to compile, those of single lines 0.2 s
    return {
        "@@type": "LineLayer",
        "id": "both-outline",
        "data": [{"from": start, "to": end} for ring in drawn for start, end in pairwise(ring)],
        "getSourcePosition": "@@=from",
        "getTargetPosition": "@@=to",
        "getColor": [*colour, 255],
        "widthUnits": "pixels",
        "getWidth": 1,
    }


def _frame(name: str, ring: list[list[float]], colour: tuple[int, int, int], width: float) -> dict[str, Any]:
    return {
        "@@type": "PathLayer",
        "id": name,
        "data": [{"path": ring}],
        "getPath": "@@=path",
        "getColor": [*colour, 255],
        "widthUnits": "pixels",
        "getWidth": width,
        "jointRounded": False,
    }
