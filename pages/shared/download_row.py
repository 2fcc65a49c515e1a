"""A line of a menu of files: what it is, and a button a format; a file is made when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from pages.shared import frame
from pages.shared.language import LANGUAGES, _, language

MIME = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "gpkg": "application/geopackage+sqlite3",
    "png": "image/png",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "html": "text/html",
}


_REPORTS = (("PDF", "pdf"), ("HTML", "html"))


@dataclass(frozen=True)
class File:
    """One format of a thing to take away: what the button says, the ending, and what makes the bytes."""

    said: str
    suffix: str
    make: Callable[[], bytes]


def report_rows(stem: str, make: Callable[[str, str], bytes]) -> None:
    """Draw a line for the report in each language, the reader's first; `make` takes suffix and language."""
    now = language()
    for code in (now, *(code for code in LANGUAGES if code != now)):
        files = [File(said, suffix, partial(make, suffix, code)) for said, suffix in _REPORTS]
        title = _("Report ({language})").format(language=LANGUAGES[code])
        row(title, f"{stem}-report-{code}", f"report.{code}", files)


def row(title: str, stem: str, key: str, files: Sequence[File], help_text: str | None = None) -> None:
    """Draw the line; `title` is trusted HTML, `stem` names the files, `key` begins the buttons' keys."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"row-{key}"):
        frame.note(title, width="stretch")
        for file in files:
            st.download_button(
                file.said,
                data=file.make,
                file_name=f"{stem}.{file.suffix}",
                mime=MIME[file.suffix],
                on_click="ignore",
                key=f"{key}.{file.suffix}",
                help=help_text,
                type="tertiary",
                width="content",
            )
