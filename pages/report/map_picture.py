"""A map for paper: cells as squares, imputed ones hatched, outline, scale bar, north arrow and legend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pages.report.drawing import Drawing, text_width
from pages.shared import palette
from pages.shared.language import _, number
from pages.shared.maps import north_angle
from pages.shared.rasters import Raster, as_data_url, colour_bitmap, hatch_lines

_LONGEST = 1500  # pixels of the bitmap; flat colours stay small, and squares stay crisp on paper
SMALL = 10.5
PANEL = "#E4DFD3"  # darker than the middle of the differences, which would else be lost in it


@dataclass(frozen=True)
class Ground:
    """What the maps of a city share: where its cells lie, its outline (WKB, grid CRS), its grid, borders of
    districts as of `district_layer.borders`."""

    raster: Raster
    cells: pd.DataFrame
    outline: bytes
    crs: str
    north: float = field(default=0.0)
    borders: NDArray[np.int16] | None = None

    @staticmethod
    def of(cells: pd.DataFrame, outline: bytes, crs: str, size: int) -> Ground:
        """Return the ground of a city's cells (frame of `queries.city_cells`)."""
        raster = Raster.around(cells["x"], cells["y"], size)
        return Ground(raster, cells, outline, crs, north_angle(*raster.centre, crs))


@dataclass(frozen=True)
class Key:
    """A legend: swatches in order with a text before and after (a ramp), or one text each, and one after."""

    colours: tuple[str, ...]
    first: str = ""
    last: str = ""
    texts: tuple[str, ...] = ()


def cells_bitmap(
    ground: Ground,
    steps: NDArray[np.int64],
    colours: Sequence[str],
    selected: NDArray[np.bool_] | None = None,
) -> str:
    """Return cells in the colours of their steps (-1: no value) with imputed ones hatched, as a data URL.

    With ``selected`` (n,), only those cells are drawn.
    """
    ink = palette.inks()
    raster, cells = ground.raster, ground.cells
    faded = False if selected is None else ~selected
    table = palette.rgb_table(list(colours))
    missing = palette.rgb(ink.no_data)
    numbers, shades = colour_bitmap(raster, cells["x"], cells["y"], steps, table, missing, faded)
    plain = shades[numbers]
    pixels = max(1, min(16, _LONGEST // max(raster.width, raster.height)))
    picture = np.kron(plain, np.ones((pixels, pixels, 1), dtype=np.uint8))
    if pixels > 1:  # else a cell is a pixel, and has no room for lines
        lines = hatch_lines(raster, cells["x"], cells["y"], cells["imputed"], pixels)
        picture[lines] = (*palette.rgb(ink.hatch), 255)
    return as_data_url(picture)


def draw(
    ground: Ground,
    url: str,
    key: Key,
    width: float,
    *,
    hatched: bool = True,
    no_value: bool = False,
    height: float | None = None,
    title: str = "",
    source: str = "",
) -> Drawing:
    """Draw a map `width` pixels wide around a bitmap of the ground's raster, with its legend below.

    ``title`` and ``source`` are for a picture that stands alone.
    """
    ink = palette.inks()
    raster = ground.raster
    head = 24 if title else 0
    room = height or width * min(0.94, max(0.55, raster.height / raster.width))
    borders = np.zeros((0, 4), np.int16) if ground.borders is None else ground.borders
    entries = _legend_lines(key, width, hatched, no_value, len(borders) > 0)
    foot = 17 * len(entries) + (18 if source else 4)
    drawing = Drawing(width, head + room + foot + 4)
    if title:
        drawing.text(0, 15, title, ink.text, size=15, bold=True)
    drawing.rect(0, head, width, room, PANEL)
    scale = min((width - 16) / raster.width, (room - 16) / raster.height)
    across, down = scale * raster.width, scale * raster.height
    west, north = (width - across) / 2, head + (room - down) / 2
    drawing.picture(url, west, north, across, down)
    metres = scale / raster.size  # pixels a metre
    if len(borders):
        ends = borders * scale + np.array([west, north, west, north])
        drawing.lines(ends.tolist(), ink.text, 0.7)
    drawing.rings(_outline(ground, west, north, metres), ink.muted, 0.8)
    _scale_bar(drawing, head + room, metres, width)
    _north_arrow(drawing, width - 20, head + 22, ground.north)
    for at, line in enumerate(entries):
        _legend_line(drawing, line, head + room + 14 + 17 * at)
    if source:
        drawing.text(0, drawing.height - 5, source, ink.muted, size=9.5)
    return drawing


def _outline(ground: Ground, west: float, north: float, metres: float) -> list[list[tuple[float, float]]]:
    """Return the rings of the outline in pixels, no finer than they can be seen."""
    shape = shapely.simplify(shapely.from_wkb(ground.outline), 0.4 / metres)
    rings = []
    for ring in shapely.get_rings(shapely.get_parts(shape)):
        at = (shapely.get_coordinates(ring) - (ground.raster.west, ground.raster.north)) * (metres, -metres)
        rings.append([(west + x, north + y) for x, y in at.tolist()])
    return rings


def _scale_bar(drawing: Drawing, bottom: float, metres: float, width: float) -> None:
    """Draw a bar of a round length, at most a quarter of the map."""
    ink = palette.inks()
    most = 0.25 * width / metres
    size = 10.0 ** math.floor(math.log10(most))
    length = max(m * size for m in (1, 2, 5) if m * size <= most)
    pixels = length * metres
    label = (
        _("{n} km").format(n=number(length / 1000, 0 if length >= 1000 else 1))
        if length >= 1000
        else _("{n} m").format(n=number(length))
    )
    drawing.rect(5, bottom - 24, max(pixels, text_width(label, SMALL)) + 10, 20, PANEL)
    drawing.text(10 + pixels / 2, bottom - 12, label, ink.text, anchor="middle", size=SMALL)
    drawing.line(10, bottom - 8, 10 + pixels, bottom - 8, ink.text, 1.6)
    for x in (10, 10 + pixels):
        drawing.line(x, bottom - 11.5, x, bottom - 7.2, ink.text, 1.6)


def _north_arrow(drawing: Drawing, x: float, y: float, degrees: float) -> None:
    """Draw an arrow to geographic north, which the grid's up is not."""
    ink = palette.inks()
    angle = math.radians(degrees)

    def turned(east: float, up: float) -> tuple[float, float]:
        return (
            x + east * math.cos(angle) + up * math.sin(angle),
            y - up * math.cos(angle) + east * math.sin(angle),
        )

    drawing.shape([turned(0, 11), turned(4.5, -6), turned(0, -3), turned(-4.5, -6)], ink.text, PANEL)
    at = turned(0, 16)
    drawing.text(at[0], at[1] + 3.5, _("N"), ink.text, anchor="middle", size=SMALL, bold=True)


Swatch = tuple[str, str]  # colour (or "hatch", "line"), text after it


def _legend_lines(
    key: Key, width: float, hatched: bool, no_value: bool, has_borders: bool
) -> list[list[Swatch]]:
    """Return the legend's swatches, broken into lines that fit."""
    ink = palette.inks()
    entries: list[Swatch] = []
    if key.texts:
        entries += [*zip(key.colours, key.texts, strict=True), *([("", key.last)] if key.last else [])]
    else:
        entries += [("", key.first), *((colour, "") for colour in key.colours), ("", key.last)]
    lines: list[list[Swatch]] = [[]]
    used = 0.0
    aside = [("hatch", _("imputed"))] if hatched else []
    aside += [(ink.no_data, _("no value"))] if no_value else []
    aside += [("line", _("districts"))] if has_borders else []
    for entry in [*entries, *aside]:
        wide = _swatch_width(entry)
        if used + wide > width and lines[-1]:
            lines.append([])
            used = 0.0
        lines[-1].append(entry)
        used += wide
    return lines


def _swatch_width(entry: Swatch) -> float:
    colour, text = entry
    box = 5 if not colour else 18 if text else 13.6
    return box + (text_width(text, SMALL) + 8 if text else 0)


def _legend_line(drawing: Drawing, line: list[Swatch], y: float) -> None:
    ink = palette.inks()
    x = 0.0
    for entry in line:
        colour, text = entry
        at = x
        if colour == "hatch":
            drawing.rect(x, y - 9, 14, 10, ink.no_data)
            for k in range(3):
                drawing.line(x + 1 + 5 * k, y + 1, x + 4 + 5 * k, y - 9, ink.hatch, 1.6)
            drawing.rect(x, y - 9, 14, 10, None, ink.border)
            at += 18
        elif colour == "line":
            drawing.line(x, y - 4, x + 14, y - 4, ink.text, 0.9)
            at += 18
        elif colour:
            drawing.rect(x, y - 9, 13, 10, colour, ink.border, 0.7)
            at += 18
        elif x:
            at += 5  # after the last step of a ramp
        if text:
            drawing.text(at, y, text, ink.muted, size=SMALL)
        x += _swatch_width(entry)
