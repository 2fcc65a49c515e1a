"""The photographs of a city as a map of the page City: one small picture, warped onto the grid."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
import streamlit as st
from PIL import Image

from data.errors import InputError
from pages.shared.language import _, later, number
from pages.shared.rasters import Raster
from pages.shared.told import told

NAME, TITLE = "photograph", later("Photograph")
LONGEST_SIDE = 1024  # pixels
MOST_BYTES = 400_000  # of the picture; what is busier is drawn at a lower quality


@dataclass(frozen=True)
class CityPhotograph:
    """The picture over the raster as a data URL, a pixel's side in metres; or why there is none."""

    url: str | None
    pixel_m: float
    why: str = ""


def city_photograph(file: str, study_file: str, city_id: str, raster: Raster, crs: str) -> CityPhotograph:
    """Return the photographs of a city over a raster, read once for a publication (`file`)."""
    pixel_m = max(raster.width, raster.height) * raster.size / LONGEST_SIDE
    try:
        with st.spinner(_("Reading the photographs of the city")):
            return CityPhotograph(_read(file, study_file, city_id, raster, crs, pixel_m), pixel_m)
    except InputError as error:  # not kept: a file may come back
        return CityPhotograph(None, pixel_m, str(error))


@st.cache_data(max_entries=32, show_spinner=False)
def _read(file: str, study_file: str, city_id: str, raster: Raster, crs: str, pixel_m: float) -> str:
    # loaded here: few readers ask for the photograph, and the first of a server would wait for rasterio
    from data.photograph_overview import overview
    from pages.shared.photograph import imagery_path

    shape = (
        max(1, round(raster.height * raster.size / pixel_m)),
        max(1, round(raster.width * raster.size / pixel_m)),
    )
    path = imagery_path(study_file, city_id)
    rgb, valid = overview(path, crs, raster.west, raster.north, pixel_m, shape)
    # WebP: half of a JPEG, and clear where nothing was photographed
    picture = Image.fromarray(np.dstack([rgb, np.where(valid, 255, 0).astype(np.uint8)]))
    for quality in (75, 50, 25):
        buffer = io.BytesIO()
        picture.save(buffer, format="WEBP", quality=quality, method=2)
        if buffer.tell() <= MOST_BYTES:
            break
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def legend(found: CityPhotograph, year: int | None) -> str:
    """Return what to say under the picture, plain text: its year and how coarse it is, or why it is not."""
    if found.url is None:
        return _("The photograph cannot be shown: {why}").format(why=told(found.why))
    metres = number(found.pixel_m, 0 if found.pixel_m >= 10 else 1)
    if year is None:
        return _("photograph, reduced to {metres} m a pixel").format(metres=metres)
    return _("photograph of {year}, reduced to {metres} m a pixel").format(year=year, metres=metres)
