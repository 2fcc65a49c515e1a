"""Cells of a city to take away: CSV, GeoParquet, GeoPackage; never so few that a household could be known."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import geopandas as gpd
import pandas as pd
import streamlit as st

from core.settings import read_settings
from data.grid import Grid
from data.store import whole_tables
from data.store.queries import City
from pages.shared import file_menu, frame
from pages.shared.download_row import File, row
from pages.shared.language import _, number
from pages.shared.study import OpenStudy

_NAMES = {"class": "census_class", "predicted": "predicted_class"}
_LEFT_OUT = ("mapped_share", "z", "spread")


def too_few_households(cells: pd.DataFrame) -> str | None:
    """Return why cells are not handed out, None where they are: fewer households than the setting asks for.

    >>> too_few_households(pd.DataFrame({"households": [4.0, 6.5]}))
    'These cells hold fewer than 11 households together, and are not handed out: statistical secrecy.'
    >>> too_few_households(pd.DataFrame({"households": [4.0, 7.0]})) is None
    True
    """
    return too_few(cells["households"].sum())


def too_few(households: float) -> str | None:
    """Return why cells that hold so many households together are not handed out, None where they are."""
    least = read_settings().least_households
    if households >= least:
        return None
    return _(
        "These cells hold fewer than {least} households together, and are not handed out: statistical "
        "secrecy."
    ).format(least=number(least))


@contextmanager
def listed(name: str, withheld: str | None) -> Iterator[None]:
    """Draw a table in this context; where its figures are `withheld`, without Streamlit's own toolbar, which
    hands them out."""
    # two keys: the rule is in frame.css
    with st.container(key=f"withheld-{name}" if withheld else f"listed-{name}"):
        yield


def table(cells: pd.DataFrame) -> pd.DataFrame:
    """Return cells of `queries.city_cells` as they are handed out: plain numbers, names of the field."""
    plain = cells.drop(columns=[name for name in _LEFT_OUT if name in cells]).rename(columns=_NAMES)
    numbers = plain.select_dtypes("number").columns
    plain[numbers] = plain[numbers].astype(float)
    plain["out_of_fold"] = plain["out_of_fold"].fillna(False).astype(bool)
    return plain.reset_index(drop=True)


def squares(cells: pd.DataFrame, crs: str, size: int) -> gpd.GeoDataFrame:
    """Return `table` with each cell's square, in the CRS of the grid."""
    shown = table(cells)
    return gpd.GeoDataFrame(shown, geometry=list(Grid(crs, size).polygons(cells["x"], cells["y"])), crs=crs)


def as_csv(cells: pd.DataFrame) -> bytes:
    """Return `table` as CSV, UTF-8; with four decimals, and none of whole numbers."""
    return table(cells).round(4).to_csv(index=False, float_format="%.10g").encode()


def as_geoparquet(cells: pd.DataFrame, crs: str, size: int) -> bytes:
    """Return `squares` as GeoParquet."""
    buffer = io.BytesIO()
    squares(cells, crs, size).to_parquet(buffer, index=False)
    return buffer.getvalue()


def as_geopackage(cells: pd.DataFrame, crs: str, size: int, about: str) -> bytes:
    """Return `squares` as a GeoPackage, whose layer is described by `about`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cells.gpkg"
        squares(cells, crs, size).to_file(
            path, layer="cells", driver="GPKG", engine="pyogrio", layer_options={"DESCRIPTION": about}
        )
        return path.read_bytes()


def cells_menu(
    here: OpenStudy,
    city: City,
    cells: pd.DataFrame,
    handed_out: Callable[[], pd.DataFrame],
    selected: str,
) -> None:
    """Offer the cells shown as files, then the report, maps and tables of the city.

    `handed_out` makes what the files hold of the cells, at the click; `selected` says in words which cells
    are shown, empty for the whole city.
    """
    with st.popover(_("Take away"), icon=":material/download:"):
        _cell_files(here, city, cells, handed_out, selected)
        if not too_few(here.ask(whole_tables.households, city.city_id)):
            file_menu.offer(here, city)


def _cell_files(
    here: OpenStudy,
    city: City,
    cells: pd.DataFrame,
    handed_out: Callable[[], pd.DataFrame],
    selected: str,
) -> None:
    study = here.row
    refused = too_few_households(cells)
    if refused:
        frame.note(frame.escape(refused))
        return
    name, n = frame.escape(city.name), number(len(cells))
    which = (
        _("{n} cells of {city}: {selected}").format(n=n, city=name, selected=frame.escape(selected))
        if selected
        else _("{n} cells of {city}").format(n=n, city=name)
    )
    frame.note(
        _(
            "{which}, those with imputed income and without a prediction among them. Census class, "
            "prediction (out of fold or not), expected class, entropy, fold. Figures describe squares, never "
            "households."
        ).format(which=which)
    )
    about = (
        f"Cells of {city.name}, study {study.study_id}, published {study.created_at:%Y-%m-%d}, "
        f"{study.architecture}. {'Invented cities. ' if study.is_generated else ''}Predictions for census "
        "cells are out of fold and shrink toward the middle; they describe squares, never households."
    )
    crs, size = study.grid_crs, study.cell_size_m
    with st.container(key="files-cells", gap=None):
        row(
            _("Cells"),
            f"{study.study_id}-{city.city_id}" + ("-selection" if selected else ""),
            "take",
            [
                File("CSV", "csv", lambda: as_csv(handed_out())),
                File("GeoParquet", "parquet", lambda: as_geoparquet(handed_out(), crs, size)),
                File("GeoPackage", "gpkg", lambda: as_geopackage(handed_out(), crs, size, about)),
            ],
        )
