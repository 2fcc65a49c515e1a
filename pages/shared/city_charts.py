"""Confusion and calibration of a city, on the page City."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from data.store import queries
from pages.shared import chart_tables, charts, city_selection, city_words, frame
from pages.shared.city_view import View
from pages.shared.language import _


def confusion(view: View, on_select: Callable[[], None] | None = None, key: str = "confusion") -> None:
    """Draw the confusion matrix of the cells of all parts of the selection but its own; with `on_select`, a
    cell of it can be clicked."""
    st.header(_("Confusion"), anchor=False)
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
        data=lambda: chart_tables.confusion(others.kept(_confusion_of)),
        withheld=others.withheld,
    )
    frame.sentence(city_words.confusion_sentence(others.kept(_confusion_of), city_words.unit(n_shown)))


def calibration(view: View, key: str = "calibration") -> None:
    """Draw the calibration of the whole city."""
    st.header(_("Calibration"), anchor=False)
    bins = view.here.ask(queries.calibration, view.city.city_id, view.with_imputed)
    if len(city_words.solid_bins(bins)):
        figure = view.only(type(view.selected)()).drawn(_calibration_chart)
        charts.draw(
            figure,
            key,
            _("Observed share against stated probability"),
            data=lambda: chart_tables.calibration(city_words.solid_bins(bins)),
        )
    frame.sentence(city_words.calibration_sentence(bins))


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


def _calibration_chart(view: View) -> go.Figure:
    bins = view.here.once(queries.calibration, view.city.city_id, view.with_imputed)
    return charts.calibration(city_words.solid_bins(bins))
