"""How many cells of a result each class is predicted for: a histogram whose range selects."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from pages.shared import charts, city_words, frame, language, linked_selection, palette
from pages.shared.job_cells import ResultCells
from pages.shared.language import _, percent, plural


def show(view: ResultCells) -> None:
    """Draw the histogram of the networks' own classes over the cells of all other parts of the selection."""
    st.header(_("Predicted classes"), anchor=False)
    others = view.only(view.selected.only(predicted=None))
    charts.draw(
        others.drawn(_chart, view.selected.predicted),
        linked_selection.chart_key("predicted"),
        _("Histogram of predicted classes"),
        linked_selection.on_predicted,
        ("box", "points"),
        data=lambda: _table(others.kept(counts)),
    )
    frame.sentence(sentence(others.kept(counts)))


def counts(view: ResultCells) -> NDArray[np.int64]:
    """Return how many selected cells are predicted in each class (K,)."""
    own = view.cells["own_class"].to_numpy()[view.mask]
    return np.bincount(own - 1, minlength=view.n_classes).astype(np.int64)


def sentence(cells: NDArray[np.int64]) -> str:
    """Say which class is predicted most often; `cells` (K,) of classes 1 .. K.

    >>> sentence(np.array([0, 3, 1]))
    'Class 2 is predicted most often: for 3 of 4 cells (75\\u202f%).'
    """
    total = int(cells.sum())
    if not total:
        return _("No cell is selected.")
    most = int(cells.argmax())
    return plural(
        "Class {k} is predicted most often: for {n} of {all} cell ({share}).",
        "Class {k} is predicted most often: for {n} of {all} cells ({share}).",
        total,
    ).format(
        k=most + 1,
        n=language.number(int(cells[most])),
        all=language.number(total),
        share=percent(cells[most] / total),
    )


def _table(cells: NDArray[np.int64]) -> pd.DataFrame:
    return pd.DataFrame({"predicted_class": np.arange(1, len(cells) + 1), "cells": cells})


def _chart(view: ResultCells, chosen: tuple[int, int] | None) -> go.Figure:
    cells = view.kept(counts)
    return charts.brushed_bars(
        np.arange(1, len(cells) + 1),
        cells,
        palette.sequential(len(cells)),
        chosen or (1, len(cells)),
        hover=_("class %{x}: %{y} cells<extra></extra>"),
        title=_("predicted {unit}, 1 = poorest").format(unit=city_words.unit(view.n_classes)),
        tick=1,
    )
