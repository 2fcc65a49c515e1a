"""Where the prediction is off, by how much and for whom: the lower part of the page City."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import streamlit as st

from pages.shared import chart_tables, charts, city_selection, city_words, frame

GROUPS = 5  # of density
_GROUPED = {"by-class": "census_class", "by-density": "people_in_cell"}


def errors(
    cells: pd.DataFrame,
    n_classes: int,
    block_m: float | None,
    size: int,
    brushed: pd.DataFrame,
    chosen: tuple[int, int] | None,
    withheld: str | None = None,
) -> None:
    """Draw the histogram of differences, and the mean difference by census class and by density.

    ``cells``: those shown, with census class and prediction; ``brushed``: those of the histogram, whatever
    range of differences is ``chosen`` on it; ``withheld``: why figures are not handed out.
    """
    one = city_words.unit(n_classes)
    left, middle, right = st.columns([1, 1, 1.15], gap="medium")
    with left:
        st.subheader("Differences", anchor=False)
        reach, counts = histogram(brushed, n_classes)
        charts.draw(
            charts.differences(counts, reach, chosen),
            city_selection.chart_key("differences"),
            "Histogram of predicted less census class",
            city_selection.on_differences,
            ("box", "points"),
            data=lambda: chart_tables.differences(counts, reach),
            withheld=withheld,
        )
        frame.sentence(city_words.difference_sentence(brushed))
    if cells.empty:
        return
    with middle:
        st.subheader(f"Difference by census {one}", anchor=False)
        by_class = city_selection.by_group(
            cells, cells["class"].astype(int).astype("category"), block_m, size
        )
        _drawn(by_class, f"census {one}", "by-class", f"Mean difference by census {one}", withheld)
        frame.note(
            "Poor cells are predicted too rich and rich ones too poor wherever a prediction is not perfect: "
            "look for classes that stand off this slope. Dots without a line: fewer than 30 independent "
            "cells."
        )
    with right:
        st.subheader("Difference by density", anchor=False)
        by_density = city_selection.by_group(cells, density_groups(cells), block_m, size)
        _drawn(by_density, "people in the cell", "by-density", "Mean difference by density", withheld)
        if by_density.empty:
            return
        frame.note(
            "A fifth of the cells in each group. Dots without a line: fewer than 30 independent cells. "
            "Above 0: predicted richer than the census."
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
    """Return the fifth of the cells that each is in by its people, as a category with readable labels."""
    people = cells["individuals"].astype(float)
    edges = np.unique(np.quantile(people.dropna(), np.linspace(0, 1, GROUPS + 1)).round())
    if len(edges) < 2:
        return pd.Series(pd.Categorical(["all"] * len(cells)), index=cells.index)
    labels = [f"{low:.0f} to {high:.0f}" for low, high in pairwise(edges)]
    edges[0], edges[-1] = -np.inf, np.inf
    return pd.cut(people, edges, labels=labels)


def _drawn(groups: pd.DataFrame, title: str, key: str, alt: str, withheld: str | None) -> None:
    if groups.empty:
        frame.sentence("Fewer than 30 cells in every group.")
    else:
        charts.draw(
            charts.mean_difference(groups, title),
            key,
            alt,
            data=lambda: chart_tables.mean_difference(groups, _GROUPED[key]),
            withheld=withheld,
        )
