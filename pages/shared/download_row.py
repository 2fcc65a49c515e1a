"""A line of a menu of files: what it is, and a button a format; a file is made when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from pages.shared import frame

MIME = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "gpkg": "application/geopackage+sqlite3",
    "png": "image/png",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "html": "text/html",
}


@dataclass(frozen=True)
class File:
    """One format of a thing to take away: what the button says, the ending, and what makes the bytes."""

    said: str
    suffix: str
    make: Callable[[], bytes]


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
