"""The tables behind a page to take away, as they are published: CSV, and Parquet that describes itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from data.store import whole_tables
from data.store.open import connect
from data.store.queries import City
from pages.shared import frame
from pages.shared.download_row import File, row
from pages.shared.language import _, later
from pages.shared.study import OpenStudy

CITY = ("agreement", "confusion", "calibration")
PATTERNS = ("correlation", "class_pull", "follow_index", "class_activation", "class_income", "class_pair")
TRUST = ("reliance", "map_agreement", "trust_check")

TITLES = {
    "agreement": later("Agreement with the census"),
    "confusion": later("Confusion matrix"),
    "calibration": later("Calibration"),
    "correlation": later("Correlations by land-use class"),
    "class_pull": later("Pull of each class"),
    "follow_index": later("Indices and verdicts"),
    "class_activation": later("Activation ratios"),
    "class_income": later("Incomes where a class is present"),
    "class_pair": later("Pairs of classes"),
    "reliance": later("Reliance on each class"),
    "map_agreement": later("Maps against class occlusion"),
    "trust_check": later("Checks of the networks"),
}


def menu(here: OpenStudy, city: City, tables: Sequence[str]) -> None:
    """Draw the menu of a page with tables of a city, none without; a file is made when it is asked for."""
    if not tables:
        return
    with st.popover(_("Take away"), icon=":material/download:", key="tables"):
        frame.note(
            _(
                "The whole tables of {city}, as published: every coefficient, level and map, with intervals "
                "and corrected significance, with and without imputed cells. Each chart has its own figures "
                "under CSV."
            ).format(city=frame.escape(city.name))
        )
        rows(here, city, tables)


def rows(here: OpenStudy, city: City, tables: Sequence[str]) -> None:
    """Draw one line a table, with its two files."""
    study = here.row
    with st.container(key="files-tables", gap=None):
        for table in tables:
            about = (
                f"Table {table} of {city.name}, study {study.study_id}, published "
                f"{study.created_at:%Y-%m-%d}, {study.architecture}, {study.head} head, "
                f"{study.n_folds} folds."
            )
            files = [
                File(said, suffix, _maker(here.publication.file, table, city.city_id, suffix, about))
                for said, suffix in (("CSV", "csv"), ("Parquet", "parquet"))
            ]
            row(_(TITLES[table]), f"{study.study_id}-{city.city_id}-{table}", f"table.{table}", files)


def _maker(file: Path, table: str, city_id: str, suffix: str, about: str) -> Callable[[], bytes]:
    return lambda: table_file(file, table, city_id, suffix, about)


def table_file(file: Path, table: str, city_id: str, suffix: str, about: str) -> bytes:
    """Return a table of a city of a publication as the bytes of a file, `suffix` csv or parquet."""
    with connect(file) as connection:
        found = whole_tables.of_city(connection, table, city_id)
        if suffix == "csv":
            return found.to_csv(index=False, float_format="%.10g").encode()
        return whole_tables.as_parquet(found, whole_tables.described(connection, table), about)
