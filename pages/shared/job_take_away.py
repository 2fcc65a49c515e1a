"""What of a result can be taken away: its report, and the files of all its cells or of those selected."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from core.jobs import JobState
from pages.shared import frame, job_result
from pages.shared.download_row import report_rows
from pages.shared.job_cells import ResultCells
from pages.shared.language import _, later, number, plural

_FILES = (
    (later("CSV"), "cells.csv", "text/csv"),
    (later("GeoParquet"), "cells.parquet", "application/vnd.apache.parquet"),
    (later("GeoPackage"), "cells.gpkg", "application/geopackage+sqlite3"),
    (later("Activation, COG"), "activation.tif", "image/tiff; application=geotiff"),
)
_ALL = "all"


def menu(view: ResultCells, now: JobState, said: str) -> None:
    """Offer the report, the cells as files, the activation as a raster, and all with QGIS styles and caveats.

    ``said``: in words, which cells are selected; empty for the whole result.
    """
    folder, stem = view.result.folder, Path(view.result.summary["name"]).stem
    with st.popover(_("Take away"), icon=":material/download:"):
        if view.withheld:
            frame.note(frame.escape(view.withheld))
            return
        if not view.n_selected:
            frame.note(_("No cell is selected."))
            return
        _reports(view, now, stem)
        frame.note(_contents(view.n_selected, said))
        if said:
            stem += "-selection"
        for title, name, kind in _FILES:
            if said:
                _button(_(title), file_of(view, said, name), f"{stem}-{name}", kind, name)
            elif (folder / name).is_file():  # a result of an earlier version has fewer
                _button(_(title), (folder / name).read_bytes, f"{stem}-{name}", kind, name)
        st.download_button(
            _("All, with QGIS styles"),
            data=file_of(view, said, _ALL) if said else lambda: job_result.archive(folder),
            file_name=f"{stem}-carreau.zip",
            mime="application/zip",
            on_click="ignore",
            icon=":material/folder_zip:",
            key="download.all",
            width="stretch",
        )


def _reports(view: ResultCells, now: JobState, stem: str) -> None:
    """Offer the report of the whole result, in each language."""
    frame.note(
        _("Report of the whole photograph: maps, figures, caveats. It is made in some seconds.")
        if view.selected
        else _("Report: maps, figures, caveats. It is made in some seconds.")
    )
    with st.container(key="files-report", gap=None):
        report_rows(stem, lambda suffix, code: _report(view, now, suffix, code))


def _report(view: ResultCells, now: JobState, suffix: str, code: str) -> bytes:
    from pages.report.of_result import make  # what draws and sets pages: no page waits for it

    return make(view, now, suffix, code)


def _contents(n: int, said: str) -> str:
    if said:
        return plural(
            "{n} cell: {selected}. Class, expected class, probabilities, spread of the networks.",
            "{n} cells: {selected}. Class, expected class, probabilities, spread of the networks.",
            n,
        ).format(n=number(n), selected=frame.escape(said))
    text = plural(
        "{n} cell: class, expected class, probabilities, spread of the networks.",
        "{n} cells: class, expected class, probabilities, spread of the networks.",
        n,
    )
    return text.format(n=number(n))


def file_of(view: ResultCells, said: str, name: str) -> Callable[[], bytes]:
    """Return what makes a file of the selected cells, `name` of a result, or the archive of `all`."""
    folder, ids = view.result.folder, view.cells["cell_id"][view.mask].tolist()

    def made() -> bytes:
        from core.result_part import write_part  # what writes rasters: no page waits for it

        with tempfile.TemporaryDirectory() as out:
            write_part(folder, ids, said, Path(out))
            return job_result.archive(Path(out)) if name == _ALL else (Path(out) / name).read_bytes()

    return made


def _button(title: str, data: Callable[[], bytes], file_name: str, kind: str, name: str) -> None:
    st.download_button(
        title,
        data=data,
        file_name=file_name,
        mime=kind,
        on_click="ignore",
        key=f"download.{name}",
        width="stretch",
    )
