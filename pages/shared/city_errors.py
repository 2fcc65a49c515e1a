"""Where the prediction is off, by how much and for whom: part of the page City, and of a result."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from pages.shared import (
    chart_data,
    chart_tables,
    charts,
    city_charts,
    city_words,
    frame,
    linked_selection,
    selected_figures,
)
from pages.shared.cells_view import CellsView
from pages.shared.language import _, number

GROUPS = 5  # of density


def errors(view: CellsView) -> None:
    """Draw the histogram of differences, and the mean difference by census class and by density."""
    view = view.on_classes
    one = city_words.unit(view.n_classes)
    left, middle, right = st.columns([1, 1, 1.3], gap="medium")
    with left:
        st.header(_("Differences"), anchor=False)
        # a chart that sets a part of the selection shows the cells of the others
        others = view.only(view.selected.only(difference=None))
        charts.draw(
            others.drawn(_differences, view.selected.difference),
            linked_selection.chart_key("differences"),
            _("Histogram of predicted less census class"),
            linked_selection.on_differences,
            ("box", "points"),
            data=lambda: chart_tables.differences(*others.kept(_histogram)),
            withheld=others.withheld,
        )
        reach, counts = others.kept(_histogram)
        frame.sentence(city_words.difference_sentence(reach, counts))
        if view.selected.difference:
            frame.note(
                _("Of all other parts of the selection, whatever the difference.")
                if others.selected
                else _("Of all cells, whatever the difference.")
            )
    if not view.kept(_any):
        return
    with middle:
        st.header(_("Difference by census {unit}").format(unit=one), anchor=False)
        _drawn(
            view.drawn(_by_class_chart),
            "by-class",
            _("Mean difference by census {unit}").format(unit=one),
            _said_by_class(view),
            lambda: chart_tables.mean_difference(view.kept(by_class), "census_class"),
            view.withheld,
        )
    if not view.has_people:
        return
    with right:
        st.header(_("Difference by density"), anchor=False)
        _drawn(
            view.drawn(_by_density_chart),
            "by-density",
            _("Mean difference by density"),
            _(
                "A fifth of the cells in each group. Dots without a line: fewer than 30 independent cells. "
                "Above 0: predicted richer than the census."
            ),
            lambda: chart_tables.mean_difference(view.kept(by_density), "people_in_cell"),
            view.withheld,
        )


def histogram(cells: pd.DataFrame, n_classes: int) -> tuple[int, np.ndarray]:
    """Return (reach, counts): how many cells lie -reach .. reach classes off.

    >>> cells = pd.DataFrame({"class": [1, 5, 5], "predicted": [3, 5, 4]})
    >>> reach, counts = histogram(cells, 10)
    >>> reach, counts.tolist()
    (4, [0, 0, 0, 1, 1, 0, 1, 0, 0])
    """
    off = (cells["predicted"].astype(int) - cells["class"].astype(int)).to_numpy()
    reach = min(n_classes - 1, max(4, int(np.abs(off).max(initial=0))))
    return reach, np.bincount(off + reach, minlength=2 * reach + 1)


def density_groups(cells: pd.DataFrame) -> pd.Series:
    """Return the fifth of the cells that each is in by its people, as a category: intervals from, to; one
    group, empty of a name, where all cells have as many people."""
    people = cells["individuals"].astype(float)
    edges = np.unique(np.quantile(people.dropna(), np.linspace(0, 1, GROUPS + 1)).round())
    if len(edges) < 2:
        return pd.Series(pd.Categorical([""] * len(cells)), index=cells.index)
    labels = [f"{low:.0f}_{high:.0f}" for low, high in pairwise(edges)]
    edges[0], edges[-1] = -np.inf, np.inf
    return pd.cut(people, edges, labels=labels)


def density_label(group: str) -> str:
    """Return what a group of `density_groups` is called.

    >>> density_label("10_1234")
    '10 to 1,234'
    """
    if not group:
        return _("all")
    low, high = group.split("_")
    return _("{low} to {high}").format(low=number(int(low)), high=number(int(high)))


def _any(view: CellsView) -> bool:
    return len(view.compared) > 0


def _histogram(view: CellsView) -> tuple[int, np.ndarray]:
    return histogram(view.compared, view.n_classes)


def _differences(view: CellsView, chosen: tuple[int, int] | None) -> go.Figure:
    reach, counts = view.kept(_histogram)
    return charts.differences(counts, reach, chosen)


def by_class(view: CellsView) -> pd.DataFrame:
    """Return the mean difference of the cells by census class, as of `selected_figures.by_group`."""
    cells = view.compared
    return selected_figures.by_group(
        cells, cells["class"].astype(int).astype("category"), view.block_m, view.size
    )


def by_density(view: CellsView) -> pd.DataFrame:
    """Return the mean difference of the cells by how many people live in them, as of
    `selected_figures.by_group`."""
    cells = view.compared
    return selected_figures.by_group(cells, density_groups(cells), view.block_m, view.size)


def _by_class_chart(view: CellsView) -> go.Figure | None:
    groups = view.kept(by_class)
    title = _("census {unit}").format(unit=city_words.unit(view.n_classes))
    every = [str(k) for k in range(1, view.n_classes + 1)]
    return None if groups.empty else charts.mean_difference(groups, title, every)


def _said_by_class(view: CellsView) -> str:
    said = city_charts.picked_by_error() if view.selected.by_error else slope_note()
    left_out = _("Classes of fewer than 30 cells have no dot.")
    return f"{said} {left_out}" if len(view.kept(by_class)) < view.n_classes else said


def slope_note() -> str:
    """Say how mean differences by class are read."""
    return _(
        "Poor cells are predicted too rich and rich ones too poor wherever a prediction is not perfect: look "
        "for classes that stand off this slope. Dots without a line: fewer than 30 independent cells."
    )


def _by_density_chart(view: CellsView) -> go.Figure | None:
    groups = view.kept(by_density)
    if groups.empty:
        return None
    labelled = groups.assign(group=groups["group"].map(density_label))
    return charts.mean_difference(labelled, _("people in the cell"))


def _drawn(
    figure: go.Figure | None, key: str, alt: str, note: str, data: chart_data.Data, withheld: str | None
) -> None:
    if figure is None:
        frame.sentence(_("Fewer than 30 cells in every group."))
        return
    charts.draw(figure, key, alt, data=data, withheld=withheld)
    frame.note(note)
