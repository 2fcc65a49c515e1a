"""The files of a result to take away."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.shared import frame, job_result
from pages.shared.job_result import JobResult
from pages.shared.language import _, later, plural

_FILES = (
    (later("CSV"), "cells.csv", "text/csv"),
    (later("GeoParquet"), "cells.parquet", "application/vnd.apache.parquet"),
    (later("GeoPackage"), "cells.gpkg", "application/geopackage+sqlite3"),
    (later("Activation, COG"), "activation.tif", "image/tiff; application=geotiff"),
)


def menu(result: JobResult) -> None:
    """Offer the cells as files, the activation as a raster, and everything with QGIS styles and caveats."""
    stem = Path(result.summary["name"]).stem
    with st.popover(_("Take away"), icon=":material/download:"):
        n = len(result.cells)
        text = plural(
            "{n} cell: class, expected class, probabilities, spread of the networks.",
            "{n} cells: class, expected class, probabilities, spread of the networks.",
            n,
        )
        frame.note(text.format(n=n))
        for title, name, kind in _FILES:
            path = result.folder / name
            if path.is_file():  # a result of an earlier version has fewer
                _button(_(title), path, f"{stem}-{name}", kind)
        st.download_button(
            _("All, with QGIS styles"),
            data=lambda: job_result.archive(result),
            file_name=f"{stem}-carreau.zip",
            mime="application/zip",
            on_click="ignore",
            icon=":material/folder_zip:",
            key="download.all",
            width="stretch",
        )


def _button(title: str, path: Path, file_name: str, kind: str) -> None:
    st.download_button(
        title,
        data=path.read_bytes,
        file_name=file_name,
        mime=kind,
        on_click="ignore",
        key=f"download.{path.name}",
        width="stretch",
    )
