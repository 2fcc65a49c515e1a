"""The cells of a result as a view: what is selected of them, and what of them compares with a census."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.folds import variogram_range
from core.region_census import FEW_CELLS
from core.statistics.clusters import local_clusters
from pages.shared import cluster_layer, take_away
from pages.shared.cells_view import CellsView
from pages.shared.job_result import JobResult
from pages.shared.selection import Selection


@dataclass(frozen=True)
class ResultCells(CellsView):
    """The cells of a result; imputed ones are never compared.

    To be compared, census and prediction are both cut into classes inside the region: the networks' own
    classes, which the maps show, are those of other cities.
    """

    result: JobResult

    @property
    def source(self) -> tuple[str, ...]:
        return "result", str(self.result.folder)

    @property
    def n_classes(self) -> int:
        return int(self.result.summary["n_classes"])

    @property
    def size(self) -> int:
        return int(self.result.summary["cell_size_m"])

    @property
    def grid_crs(self) -> str:
        return str(self.result.summary["grid_crs"])

    @property
    def block_m(self) -> float | None:
        return self.only(Selection()).kept(_block_m)

    @cached_property
    def cells(self) -> pd.DataFrame:
        """Columns COMPARED, imputed and own_class: class is that of the census, predicted and expected_class
        are where the cell stands in the region."""
        return _cells(str(self.result.folder), self.result)

    @cached_property
    def comparable(self) -> NDArray[np.bool_]:
        cells = self.cells
        return (cells["class"].notna() & cells["predicted"].notna() & ~cells["imputed"]).to_numpy(bool)

    @property
    def n_selected(self) -> int:
        return int(self.mask.sum())

    @property
    def withheld(self) -> str | None:
        """Why figures of the selection are not handed out: the reader's census counts households, and too
        few."""
        households = self.kept(_households) if self.selected else None
        return None if households is None else take_away.too_few(households)

    @property
    def has_people(self) -> bool:
        """Whether the reader's census counts people."""
        return bool(self.cells["individuals"].notna().any())

    @property
    def has_errors(self) -> bool:
        return self.result.has_agreement

    @property
    def has_own_classes(self) -> bool:
        return True

    @property
    def has_clusters(self) -> bool:
        """Whether enough cells compare to ask where errors cluster."""
        return int(self.comparable.sum()) >= FEW_CELLS

    @cached_property
    def clusters(self) -> NDArray[np.int8]:
        """Which cells (n,) stand out among their neighbours' errors, as of `cluster_layer.steps`."""
        return self.only(Selection()).kept(_clusters)


def known(selected: Selection, result: JobResult, n_shown: int) -> Selection:
    """Return the selection without what a result does not have: districts, errors without a census, and a
    cell that the confusion matrix of so many classes lacks."""
    selected = selected.only(district=None).within(n_shown)
    return selected if result.has_agreement else selected.but_errors


@st.cache_resource(max_entries=8, show_spinner=False)
def _cells(folder: str, _result: JobResult) -> pd.DataFrame:
    given, n_classes = _result.cells, int(_result.summary["n_classes"])
    nothing = pd.Series(np.nan, index=given.index)
    census, predicted = (
        given[name].replace(0, np.nan).astype(float).astype("Int64")
        if name in given and _result.has_census
        else nothing.astype("Int64")
        for name in ("census_class", "region_class")
    )
    both = (census.notna() & predicted.notna()).to_numpy(bool)
    rank = given.expected_class.where(both).rank()  # among cells that compare, on the scale of classes
    return pd.DataFrame(
        {
            "cell_id": given.cell_id,
            "x": given.x,
            "y": given.y,
            "individuals": given.get("census_individuals", nothing),
            "households": given.get("census_households", nothing),
            "class": census,
            "predicted": predicted,
            "expected_class": 0.5 + n_classes * (rank - 0.5) / max(int(both.sum()), 1),
            "imputed": _result.imputed,
            "own_class": given["class"].astype(int),
        }
    )


def _households(view: ResultCells) -> float | None:
    """Return how many households the census counts in the selection; None where it counts in no cell."""
    counted = view.cells["households"][view.mask].dropna()
    return None if counted.empty else float(counted.sum())


def _errors(view: ResultCells) -> pd.DataFrame:
    cells = view.compared
    return cells.assign(error=cells["expected_class"] - cells["class"].astype(float))


def _block_m(view: ResultCells) -> float | None:
    cells = _errors(view)
    if len(cells) < FEW_CELLS:
        return None
    return max(2 * variogram_range(cells.x, cells.y, cells.error, view.size), float(view.size))


def _clusters(view: ResultCells) -> NDArray[np.int8]:
    cells = _errors(view)
    if len(cells) < FEW_CELLS or np.ptp(cells.error) == 0:
        return np.full(len(view.cells), -1, np.int8)
    found = local_clusters(cells.x, cells.y, cells.error, seed=0, cell_size=view.size)
    moran = pd.DataFrame(found._asdict()).rename(columns={"standardised": "residual"})
    moran = moran.assign(x=cells.x.to_numpy(), y=cells.y.to_numpy())
    return cluster_layer.steps(view.cells, moran[moran.p_value.notna()])
