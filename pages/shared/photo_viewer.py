"""The viewer of a cell's photograph: zoom and pan, the map over it and the outlines staying where they are.

A component must be registered in an imported module, not in a page script, which runs again and again.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import shapely
import streamlit as st
from shapely.geometry.base import BaseGeometry

from pages.shared.language import _, language

KEY = "viewer"
_HERE = Path(__file__).parent
_VIEWER = st.components.v2.component(
    "carreau.photo_viewer",
    html=(_HERE / "photo_viewer.html").read_text(encoding="utf-8"),
    css=(_HERE / "photo_viewer.css").read_text(encoding="utf-8"),
    js="".join((_HERE / name).read_text(encoding="utf-8") for name in ("view_address.js", "photo_viewer.js")),
)


@dataclass(frozen=True)
class Shown:
    """What lies on the sheet: JPEGs of the cell and of the three by three cells around it, the side of the
    first in pixels, the data URL of a picture to lay over the cell, and land-use polygons as
    `cell_queries.polygons_in_square` gives them."""

    photograph: bytes | None
    pixels: int
    around: bytes | None
    evidence: str | None
    polygons: pd.DataFrame | None


def viewer(
    shown: Shown,
    corner: tuple[int, int],
    size: int,
    *,
    place: str,
    opacity: int,
    label: str,
    on_opacity: Callable[[int], None],
) -> None:
    """Draw the viewer; `corner` is the cell's lower-left one in metres, `opacity` 0 to 100.

    The view is kept while `place` stays the same. `on_opacity` is called with the opacity that the reader
    chose; until then the server has no part in it.
    """

    def chosen() -> None:
        value = st.session_state[KEY].evidence
        if value is not None:
            on_opacity(int(value))

    with st.container(key="photo-viewer"):
        _VIEWER(
            data={
                "photograph": None if shown.photograph is None else _jpeg_url(shown.photograph),
                "around": None if shown.around is None else _jpeg_url(shown.around),
                "evidence": shown.evidence,
                "outlines": [] if shown.polygons is None else outlines(shown.polygons, corner, size),
                "pixels": shown.pixels,
                "size": size,
                "place": place,
                "opacity": opacity,
                "language": language(),
                "texts": _texts(label),
            },
            key=KEY,
            on_evidence_change=chosen,
        )


def _texts(label: str) -> dict[str, str]:
    keys = _("Arrow keys move, + and − zoom, 0 shows the whole.")
    return {
        "label": f"{label}. {keys}",
        "keys": keys,
        "photograph": label,
        "around": _("Photograph of the eight cells around"),
        "evidence": _("Evidence map"),
        "outlines": _("Land-use outlines"),
        "opacity": _("Map over the photograph"),
        "percent": "{n}\u202f%",
        "closer": _("Closer (key +)"),
        "farther": _("Farther (key −)"),
        "whole": _("Whole"),
    }


def outlines(polygons: pd.DataFrame, corner: tuple[int, int], size: int) -> list[dict[str, str]]:
    """Return each polygon's rings as an SVG path in metres east and south of the cell's north-western
    corner, and its colour."""
    return [
        {"path": _path(geometry, corner, size), "colour": str(colour)}
        for colour, geometry in zip(polygons["colour"], polygons["geometry"], strict=True)
    ]


def _path(geometry: BaseGeometry, corner: tuple[int, int], size: int) -> str:
    parts = []
    for ring in shapely.get_rings(shapely.get_parts(geometry)):
        places = shapely.get_coordinates(ring)
        east, south = places[:, 0] - corner[0], corner[1] + size - places[:, 1]
        parts.append("M" + "L".join(f"{e:.1f} {s:.1f}" for e, s in zip(east, south, strict=True)) + "Z")
    return "".join(parts)


def _jpeg_url(picture: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(picture).decode("ascii")
