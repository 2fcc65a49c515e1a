"""Before a job: how the photograph would be read, the cells it makes, on a map; what a reader may correct."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import shapely
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from core.preview import EMPTY, WHOLE
from pages.shared import figures, frame, maps, palette
from pages.shared.language import _, number, plural
from pages.shared.maps import Picture
from pages.shared.plain_text import fault, warn
from pages.shared.rasters import Raster, as_data_url
from pages.shared.told import told

HOW = "upload.how"
_BANDS = ("upload.red", "upload.green", "upload.blue")
_LEVELS = ("upload.black", "upload.white")
_CRS = "upload.crs"
_USUAL_CRS = (
    "EPSG:2154 (Lambert-93, France)",
    "EPSG:3035 (LAEA, Europe)",
    "EPSG:32631 (UTM 31N)",
    "EPSG:4326 (longitude, latitude)",
)


def forget() -> None:
    """Forget what was said on how to read: other photographs have come."""
    for key in (HOW, *_BANDS, *_LEVELS, _CRS):
        st.session_state.pop(key, None)


def how_chosen() -> dict[str, Any]:
    """Return what the reader said on how to read, as `data.reading.Reading` takes it."""
    return dict(st.session_state.get(HOW, {}))


def reading_controls(found: dict[str, Any]) -> None:
    """Offer bands, value range and CRS; open where one is guessed or missing."""
    bands = found.get("bands")
    if not bands:
        return
    asked = bool(found["guesses"] or found.get("needs_crs") or how_chosen())
    with st.expander(_("How the photograph is read"), expanded=asked):
        if found["guesses"]:
            guesses = frame.escape(_("; ").join(told(guess) for guess in found["guesses"]))
            frame.note(_("Guessed, please check: {guesses}.").format(guesses=guesses))
        _band_choice(bands, found.get("reading", {}))
        _level_choice(bands, found.get("reading", {}))
        st.selectbox(
            _("CRS of the file") if found.get("needs_crs") else _("CRS, if the file’s own is wrong"),
            _USUAL_CRS,
            index=None,
            key=_CRS,
            accept_new_options=True,
            placeholder=_("a code such as EPSG:2154"),
            on_change=_remember,
            args=("crs",),
        )


def _band_choice(bands: list[dict[str, Any]], reading: dict[str, Any]) -> None:
    if len(bands) == 1:
        return
    by_colour = {band["colour"]: band["number"] for band in bands}
    usual = [by_colour.get(colour, place) for place, colour in enumerate(("red", "green", "blue"), 1)]
    chosen = reading.get("bands") or usual
    numbers = [band["number"] for band in bands]
    said = {band["number"]: f"{band['number']} {band['colour']}".strip() for band in bands}
    titles = (_("Red from band"), _("Green from band"), _("Blue from band"))
    for column, key, title, band in zip(st.columns(3), _BANDS, titles, chosen, strict=True):
        column.selectbox(
            title,
            numbers,
            index=numbers.index(min(band, len(numbers))),
            format_func=said.__getitem__,
            key=key,
            on_change=_remember,
            args=("bands",),
        )


def _level_choice(bands: list[dict[str, Any]], reading: dict[str, Any]) -> None:
    levels = reading.get("levels")
    if all(band["kind"] == "uint8" for band in bands) or not isinstance(levels, list):
        return
    titles = (_("Value shown as black"), _("Value shown as white"))
    for column, key, title, value in zip(st.columns(2), _LEVELS, titles, levels, strict=True):
        column.number_input(title, value=float(value), key=key, on_change=_remember, args=("levels",))


def _remember(what: str) -> None:
    """Keep what one choice says beside the others; the run that follows looks at the photograph by it."""
    here = st.session_state
    needed = {"bands": _BANDS, "levels": _LEVELS, "crs": (_CRS,)}[what]
    if any(key not in here for key in needed):  # the page has gone on to the job meanwhile
        return
    how = how_chosen()
    if what == "bands":
        how["bands"] = [here[key] for key in _BANDS]
    elif what == "levels":
        how["levels"] = [here[key] for key in _LEVELS]
    else:
        code = str(here[_CRS] or "").split(" (")[0].strip()
        how["crs"] = f"EPSG:{code}" if code.isdigit() else code or None
    here[HOW] = how


def show(found: dict[str, Any], picture: bytes | None) -> None:
    """Draw what a job would do: figures, warnings, and two maps: what the networks see, and the cells."""
    _figures(found)
    for warning in found["warnings"]:
        warn(told(warning))
    if picture is None:
        return
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGBA"))
    west, south, east, north = found["extent"]
    size = found["cell_size_m"]
    raster = Raster(west, north, size, (east - west) // size, (north - south) // size)
    outline = shapely.MultiPolygon([shapely.Polygon(ring) for ring in found["outline"]])
    seen = pixels.copy()
    seen[..., 3] = np.where(pixels[..., 3] > 0, 255, 0)
    pictures = [
        Picture("both", "photograph", as_data_url(seen)),
        Picture("right", "cells", as_data_url(_cells(pixels, raster))),
    ]
    nothing = pd.DataFrame({"x": [], "y": [], "class": [], "predicted": [], "imputed": []})
    maps.map_pair(
        maps.deck_of(raster, pictures, shapely.to_wkb(outline), None),
        raster,
        nothing.astype({"x": int, "y": int, "imputed": bool}),
        place=f"preview-{west}-{south}",
        key="upload.map",
        crs=found["grid"],
        reach=outline.bounds,
        label=_(
            "Two maps of the photograph before it is sent: left what the networks will see, right the cells "
            "that it makes."
        ),
    )
    frame.note(" ".join(_said_of_cells(found)))


def _said_of_cells(found: dict[str, Any]) -> list[str]:
    cells, empty = found["cells"], found["empty"]
    if _seen_in_part(found):
        text = _(
            "Left: the photograph as the networks will see it, with its outline. Right: the up to {n} cells "
            "that it makes."
        )
    else:
        text = plural(
            "Left: the photograph as the networks will see it, with its outline. Right: the {n} cell that it "
            "makes.",
            "Left: the photograph as the networks will see it, with its outline. Right: the {n} cells that "
            "it makes.",
            cells,
        )
    said = [text.format(n=number(cells))]
    if empty:
        left_out = plural("{n} with empty pixels is left out.", "{n} with empty pixels are left out.", empty)
        said.append(left_out.format(n=number(empty)))
    if found["one_colour"]:
        left_out = plural(
            "{n} of one colour throughout is left out: there is nothing to predict from.",
            "{n} of one colour throughout are left out: there is nothing to predict from.",
            found["one_colour"],
        )
        said.append(left_out.format(n=number(found["one_colour"])))
    if _seen_in_part(found):
        part = _("Pixels were looked at in the {n} cells next to the middle only.")
        said.append(part.format(n=number(found["cells_seen"])))
    return [*said, _("Middle at {place}.").format(place=_place(found["place"]))]


def show_land_use(found: dict[str, Any]) -> bool:
    """Say what the land use is, offer its columns where it is not Urban Atlas's; return whether it serves."""
    if found["columns"] and (not found["usable"] or st.session_state.get("upload.land_use_column")):
        st.selectbox(
            _("Column of land-use classes"),
            found["columns"],
            index=None,
            key="upload.land_use_column",
            placeholder=_("not Urban Atlas: choose the column"),
        )
    if not found["usable"]:
        fault(told(found["reason"]) or _("The land use cannot be used."))
        return False
    parts = [
        plural("{n} polygon", "{n} polygons", found["polygons"]).format(n=number(found["polygons"])),
        plural("{n} land-use class", "{n} land-use classes", len(found["codes"])).format(
            n=number(len(found["codes"]))
        ),
        _("{n} km²").format(n=number(found["area_km2"], 1)),
    ]
    if found.get("year"):
        parts.append(str(found["year"]))
    frame.note(_("Land use: {facts}.").format(facts=", ".join(parts)))
    for warning in found["warnings"]:
        warn(told(warning))
    return True


def show_census(found: dict[str, Any]) -> str | None:
    """Offer the columns of a census; return the one to compare with, None where the file does not serve."""
    if not found["usable"]:
        fault(told(found["reason"]) or _("The census cannot be used."))
        return None
    return st.selectbox(
        _("Values to compare the prediction with"),
        found["columns"],
        key="upload.census_column",
        help=_(
            "A cell’s value is the mean over the polygons in it, weighed by area. The networks predict "
            "income classes: compare with income, or with what goes with it."
        ),
    )


def _figures(found: dict[str, Any]) -> None:
    reading = found["reading"]
    bands = ", ".join(map(str, reading["bands"])) if reading["bands"] else _("red, green, blue")
    if reading["levels"]:
        low, high = (number(value, 0 if float(value).is_integer() else 2) for value in reading["levels"])
        bands = _("{bands}; {kind}, {low} to {high} stretched").format(
            bands=bands, kind=found["dtype"], low=low, high=high
        )
    else:
        bands = _("{bands}; {kind}").format(bands=bands, kind=found["dtype"])
    pixels = _("{width} × {height} pixels").format(
        width=number(found["width"]), height=number(found["height"])
    )
    if found["tiles"] > 1:
        pixels = _("{n} tiles of {pixels}").format(n=number(found["tiles"]), pixels=pixels)
    code = reading["crs"] or (f"EPSG:{found['epsg']}" if found.get("epsg") else _("its own"))
    whole = _("whole squares of {size} m in {grid}").format(size=found["cell_size_m"], grid=found["grid"])
    figures.figures(
        (
            (_("Cells"), _cells_said(found), whole),
            (_("Resolution"), _("{n} m").format(n=_metres(found["resolution_m"])), pixels),
            (_("CRS"), code, _("chosen") if reading["crs"] else _("coordinate system of the file")),
            (_("Bands"), number(len(found["bands"])), bands),
        )
    )


def _metres(value: float) -> str:
    """Return a resolution with three significant digits.

    >>> _metres(1.00058), _metres(0.2), _metres(0.1554), _metres(12.34)
    ('1', '0.2', '0.155', '12.3')
    """
    short = float(f"{value:.3g}")
    return number(short, next((n for n in range(4) if round(short, n) == short), 4))


def _cells(pixels: NDArray[np.uint8], raster: Raster) -> NDArray[np.uint8]:
    """Return the cells as tinted squares with an edge, clear where there is none; empty ones without tint."""
    px = max(1, pixels.shape[1] // raster.width)
    marks = pixels[px // 2 :: px, px // 2 :: px, 3][: raster.height, : raster.width]
    side = 8 if max(raster.width, raster.height) <= 256 else 1
    tint = palette.rgb(palette.inks().primary)
    picture = np.zeros((raster.height * side, raster.width * side, 4), np.uint8)
    picture[..., :3] = tint
    alpha = np.where(marks == WHOLE, 110, np.where(marks == EMPTY, 20, 0)).astype(np.uint8)
    picture[..., 3] = alpha.repeat(side, 0).repeat(side, 1)
    if side > 1:
        edge = np.zeros((side, side), bool)
        edge[0], edge[:, 0] = True, True
        edges = np.tile(edge, (raster.height, raster.width)) & (picture[..., 3] > 0)
        picture[edges, 3] = 220
    return picture


def _seen_in_part(found: dict[str, Any]) -> bool:
    return bool(found["cells_seen"] < found["cells"] + found["empty"] + found["one_colour"])


def _cells_said(found: dict[str, Any]) -> str:
    """Say how many cells there will be; cells that were not looked at may have empty pixels."""
    n = number(found["cells"])
    return _("up to {n}").format(n=n) if _seen_in_part(found) else n


def _place(place: list[float]) -> str:
    """Return longitude and latitude as a person writes them.

    >>> _place([-1.6801, 48.1173])
    '48.117° N, 1.680° W'
    """
    longitude, latitude = place
    north = _("{degrees}° N") if latitude >= 0 else _("{degrees}° S")
    east = _("{degrees}° E") if longitude >= 0 else _("{degrees}° W")
    return ", ".join(
        text.format(degrees=number(abs(value), 3)) for text, value in ((north, latitude), (east, longitude))
    )
