"""Confusion and calibration of a city, on the page City."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from data.store import queries
from pages.shared import charts, city_selection, city_words, frame
from pages.shared.city_view import View
from pages.shared.language import _
from pages.shared.selection import Selection


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


def confusion(view: View, on_select: Callable[[], None] | None = None, key: str = "confusion") -> None:
    """Draw the confusion matrix of the cells of all parts of the selection but its own; with `on_select`, a
    cell of it can be clicked."""
    st.subheader(_("Confusion"), anchor=False)
    # a chart that sets a part shows the cells of the others
    others = view.only(view.selected.only(confusion=None))
    n_shown = 5 if view.quintiles else view.n_classes
    charts.draw(
        others.drawn(_confusion_chart, view.selected.confusion),
        city_selection.chart_key(key) if on_select else key,
        _("Confusion matrix of census and predicted {units}, in percent").format(
            units=city_words.units(n_shown)
        ),
        on_select,
    )
    frame.sentence(city_words.confusion_sentence(others.kept(_confusion_of), city_words.unit(n_shown)))


def calibration(view: View, key: str = "calibration") -> None:
    """Draw the calibration of the whole city."""
    st.subheader(_("Calibration"), anchor=False)
    figure, said = view.only(Selection()).on_classes.drawn(_calibration)
    if figure is not None:
        charts.draw(figure, key, _("Observed share against stated probability"))
    frame.sentence(said)


def confusion_table(rows: pd.DataFrame, n_classes: int, quintiles: bool) -> np.ndarray:
    """Return the confusion matrix (K, K), census in rows; with `quintiles`, deciles paired (5, 5)."""
    table = np.zeros((n_classes, n_classes), dtype=np.int64)
    table[rows["census_class"] - 1, rows["predicted_class"] - 1] = rows["n"]
    return table.reshape(5, 2, 5, 2).sum(axis=(1, 3)) if quintiles else table


def _confusion_of(view: View) -> np.ndarray:
    if view.selected:
        cells = view.compared
        pairs = pd.DataFrame({"census_class": cells["class"], "predicted_class": cells["predicted"]})
        rows = pairs.astype(int).value_counts().rename("n").reset_index()
    else:
        rows = view.here.once(queries.confusion, view.city.city_id, view.with_imputed)
    return confusion_table(rows, view.n_classes, view.quintiles)


def _confusion_chart(view: View, chosen: tuple[int, int] | None) -> go.Figure:
    table = view.kept(_confusion_of)
    return charts.confusion(table, city_words.unit(len(table)), chosen)


def _calibration(view: View) -> tuple[go.Figure | None, str]:
    bins = view.here.once(queries.calibration, view.city.city_id, view.with_imputed)
    solid = city_words.solid_bins(bins)
    return charts.calibration(solid) if len(solid) else None, city_words.calibration_sentence(bins)
