"""The tables behind a page to take away, as they are published: CSV, and Parquet that describes itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from data.store import whole_tables
from data.store.open import connect
from data.store.queries import City
from pages.shared import frame
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
    "class_income": later("Incomes where a class is"),
    "class_pair": later("Pairs of classes"),
    "reliance": later("Reliance on each class"),
    "map_agreement": later("Maps against occlusion"),
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
                "and corrected significance; imputed cells with and without. Each chart has its own figures "
                "under CSV."
            ).format(city=frame.escape(city.name))
        )
        with st.container(key="tables-list", gap=None):
            rows(here, city, tables)


def rows(here: OpenStudy, city: City, tables: Sequence[str]) -> None:
    """Draw one line a table, with its two files."""
    for table in tables:
        title, csv, parquet = st.columns([2.6, 1, 1.2], vertical_alignment="center", gap="small")
        with title:
            frame.note(_(TITLES[table]))
        for column, suffix, kind, said in (
            (csv, "csv", "text/csv", "CSV"),
            (parquet, "parquet", "application/vnd.apache.parquet", "Parquet"),
        ):
            with column:
                st.download_button(
                    said,
                    data=_maker(here, city, table, suffix),
                    file_name=f"{here.row.study_id}-{city.city_id}-{table}.{suffix}",
                    mime=kind,
                    on_click="ignore",
                    key=f"table.{table}.{suffix}",
                    type="tertiary",
                    help=_("{table} as {format}").format(table=_(TITLES[table]), format=said),
                )


def _maker(here: OpenStudy, city: City, table: str, suffix: str) -> Callable[[], bytes]:
    file, row = here.publication.file, here.row
    about = (
        f"Table {table} of {city.name}, study {row.study_id}, published {row.created_at:%Y-%m-%d}, "
        f"{row.architecture}, {row.head} head, {row.n_folds} folds."
    )
    return lambda: table_file(file, table, city.city_id, suffix, about)


def table_file(file: Path, table: str, city_id: str, suffix: str, about: str) -> bytes:
    """Return a table of a city of a publication as the bytes of a file, `suffix` csv or parquet."""
    with connect(file) as connection:
        frame_: pd.DataFrame = whole_tables.of_city(connection, table, city_id)
        if suffix == "csv":
            return frame_.to_csv(index=False).encode()
        return whole_tables.as_parquet(frame_, whole_tables.described(connection, table), about)
