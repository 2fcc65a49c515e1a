"""Agreement, confusion and calibration on the page City; the confusion matrix of a result as well."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.statistics.calibration_table import calibration_table
from data.store import queries
from pages.shared import chart_tables, charts, city_words, frame, linked_selection
from pages.shared.cells_view import CellsView
from pages.shared.city_view import View
from pages.shared.language import _
from pages.shared.selection import Selection

_DRAWS = 499  # as of the other figures of a selection


def agreement(view: View) -> int:
    """Draw the agreement of a city with the census and say what it means; return of how many cells it is, 0
    where none was published."""
    n, figures, verdict = view.only(Selection()).drawn(_agreement)
    if n:
        st.html(figures)
    frame.sentence(verdict)
    return int(n)


def _agreement(view: View) -> tuple[int, str, str]:
    measures = view.here.once(queries.agreement, view.city.city_id, view.with_imputed)
    if measures.empty:
        return 0, "", _("No agreement with the census was published for this city.")
    figures = frame.tight(city_words.figures_html(measures, view.n_classes))
    return int(measures["n"].max()), figures, city_words.verdict(measures, view.n_classes)


def confusion(view: CellsView, on_select: Callable[[], None] | None = None, key: str = "confusion") -> None:
    """Draw the confusion matrix of the cells of all parts of the selection but its own; with `on_select`, a
    cell of it can be clicked."""
    st.header(_("Confusion"), anchor=False)
    # a chart that sets a part shows the cells of the others
    others = view.only(view.selected.only(confusion=None))
    n_shown = 5 if view.quintiles else view.n_classes
    charts.draw(
        others.drawn(_confusion_chart, view.selected.confusion),
        linked_selection.chart_key(key) if on_select else key,
        _("Confusion matrix of census and predicted {units}, in percent").format(
            units=city_words.units(n_shown)
        ),
        on_select,
        data=lambda: chart_tables.confusion(others.kept(confusion_of)),
        withheld=others.withheld,
    )
    if others.selected.by_error:
        frame.note(picked_by_error())
        return
    frame.sentence(city_words.confusion_sentence(others.kept(confusion_of), city_words.unit(n_shown)))


def picked_by_error() -> str:
    """Say why a chart of cells that were picked by their error has no sentence."""
    return _(
        "Only cells that were picked by how far off they are: which classes are left, and where they end up, "
        "follows from that and says nothing of the model."
    )


def calibration(view: View, key: str = "calibration") -> None:
    """Draw the calibration of the cells selected by where they lie, whatever their error."""
    st.header(_("Calibration"), anchor=False)
    shown = view.only(view.selected.but_errors).on_classes
    figure, said = shown.drawn(_calibration)
    if figure is not None:
        charts.draw(
            figure,
            key,
            _("Observed share against stated probability"),
            data=lambda: chart_tables.calibration(city_words.solid_bins(shown.kept(_bins))),
            withheld=shown.withheld,
        )
    frame.sentence(said)
    if view.selected.by_error:
        frame.note(_left_aside(bool(shown.selected)))


def _left_aside(in_part: bool) -> str:
    """Say why cells picked by their error have no calibration of their own, and of which cells this is."""
    if in_part:
        return _(
            "Of the selected place, whatever the error: cells picked by how far off they are would be right "
            "as often as they were picked to be."
        )
    return _(
        "Of the whole city: cells picked by how far off they are would be right as often as they were picked "
        "to be."
    )


def confusion_table(rows: pd.DataFrame, n_classes: int, quintiles: bool) -> np.ndarray:
    """Return the confusion matrix (K, K), census in rows; with `quintiles`, deciles paired (5, 5)."""
    table = np.zeros((n_classes, n_classes), dtype=np.int64)
    table[rows["census_class"] - 1, rows["predicted_class"] - 1] = rows["n"]
    return table.reshape(5, 2, 5, 2).sum(axis=(1, 3)) if quintiles else table


def confusion_of(view: CellsView) -> np.ndarray:
    """Return the confusion matrix of the cells of a view, as of `confusion_table`."""
    return confusion_table(view.confusion_pairs(), view.n_classes, view.quintiles)


def _confusion_chart(view: CellsView, chosen: tuple[int, int] | None) -> go.Figure:
    table = view.kept(confusion_of)
    return charts.confusion(table, city_words.unit(len(table)), chosen)


def _bins(view: View) -> pd.DataFrame:
    """Return the calibration of the selection: as published for a whole city, else made in the same way."""
    if not view.selected:
        return view.here.once(queries.calibration, view.city.city_id, view.with_imputed)
    cells = view.compared
    if cells.empty:
        return calibration_table([], [], [], [], block_m=view.size, draws=_DRAWS, seed=0)
    x, y = (cells[name].to_numpy() for name in ("x", "y"))
    box = int(x.min()), int(y.min()), int(x.max()), int(y.max())
    there = view.here.once(queries.stated, view.city.city_id, view.n_classes, box)
    at = np.full((view.raster.height, view.raster.width), -1)
    at[view.raster.pixel(there.x, there.y)] = np.arange(len(there.x))
    table = calibration_table(
        there.probabilities[at[view.raster.pixel(x, y)]],
        cells["class"].to_numpy(int),
        x,
        y,
        block_m=max(view.block_m or 0, view.size),
        draws=_DRAWS,
        seed=0,
        quick=True,
    )
    # without the range of the residuals nobody knows how large a block has to be
    return table if view.block_m is not None else table.assign(low=np.nan, high=np.nan)


def _calibration(view: View) -> tuple[go.Figure | None, str]:
    bins = view.kept(_bins)
    solid = city_words.solid_bins(bins)
    if view.selected and solid.empty:
        return None, _("Too few cells are selected to say whether the stated probabilities hold.")
    return charts.calibration(solid) if len(solid) else None, city_words.calibration_sentence(bins)
