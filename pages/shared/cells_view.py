"""Cells as a page shows them: which are selected, what is compared, and what is kept between runs.

What the page City and the result of an upload have in common: the same linked selection, charts and figures
are drawn of both. Everything follows from a publication (or a result) and the address, so it is made once and
kept: a run that changes nothing asks for no cell. What is kept is shared by all readers and must not be
changed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self, TypeVar

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from data.grid import format_cell_ids
from pages.shared import take_away
from pages.shared.kept import look
from pages.shared.selection import Selection

T = TypeVar("T")
COMPARED = ["x", "y", "individuals", "households", "class", "predicted", "expected_class"]


@dataclass(frozen=True)
class CellsView(ABC):
    """Cells, which of them are selected, how classes and imputed cells count."""

    selected: Selection
    quintiles: bool
    with_imputed: bool

    @property
    @abstractmethod
    def source(self) -> tuple[str, ...]:
        """What the cells are of: a publication and a city, or a result."""

    @property
    @abstractmethod
    def n_classes(self) -> int:
        """How many classes there are, whatever is shown."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Side of a cell in metres."""

    @property
    @abstractmethod
    def grid_crs(self) -> str:
        """CRS of the grid that the cells are squares of."""

    @property
    @abstractmethod
    def block_m(self) -> float | None:
        """Least side of the blocks of an interval: twice the range of the residuals; None where unknown."""

    @property
    @abstractmethod
    def cells(self) -> pd.DataFrame:
        """All cells: COMPARED and imputed, NULL where something is not known."""

    @cached_property
    @abstractmethod
    def comparable(self) -> NDArray[np.bool_]:
        """Which cells (n,) can be compared: with a census class and a prediction that did not see it."""

    @property
    def has_people(self) -> bool:
        """Whether it is known how many people live in the cells."""
        return True

    @property
    def has_errors(self) -> bool:
        """Whether cells can be picked by how far off they are."""
        return True

    @property
    def has_own_classes(self) -> bool:
        """Whether cells can be picked by the networks' own class, which differs from the one compared."""
        return False

    @property
    def districts(self) -> dict[str, str]:
        """Names of the districts by id, in order of the names."""
        return {}

    def ids(self, cells: pd.DataFrame) -> list[str]:
        """Return the ids of some of the cells, known by x and y."""
        found: list[str] = format_cell_ids(cells["x"], cells["y"], self.grid_crs, self.size).tolist()
        return found

    def only(self, selected: Selection) -> Self:
        """Return the view with another selection."""
        return self if selected == self.selected else replace(self, selected=selected)

    @property
    def on_classes(self) -> Self:
        """The view for figures that stay on the study's classes: quintiles matter only to what was picked in
        the confusion matrix."""
        return replace(self, quintiles=False) if self.quintiles and not self.selected.confusion else self

    @cached_property
    def mask(self) -> NDArray[np.bool_]:
        """Which cells (n,) are in the selection."""
        return self.selected.mask(self.cells, self.n_classes, self.quintiles, self.size)

    @cached_property
    def compared(self) -> pd.DataFrame:
        """The cells of the selection that can be compared: columns COMPARED."""
        return self.cells[COMPARED][self.comparable & self.mask]

    @property
    def n_selected(self) -> int:
        """How many cells are said to be selected."""
        return self.kept(_n_compared)

    @property
    def withheld(self) -> str | None:
        """Why figures of the selection are not handed out; None where they are."""
        return take_away.too_few(self.kept(_households)) if self.selected else None

    def confusion_pairs(self) -> pd.DataFrame:
        """Return how many cells of the selection each pair of classes has: census_class, predicted_class,
        n."""
        cells = self.compared
        pairs = pd.DataFrame({"census_class": cells["class"], "predicted_class": cells["predicted"]})
        return pairs.astype(int).value_counts().rename("n").reset_index()

    def kept(self, make: Callable[..., T], *further: Hashable) -> T:
        """Return `make(view, *further)`, made once for source, selection, classes and imputed.

        For numbers: a text or a colour also depends on what `drawn` adds.
        """
        return self._kept(make, further, ())

    def drawn(self, make: Callable[..., T], *further: Hashable) -> T:
        """Return `make(view, *further)`, made once as `kept` does, for each theme and language."""
        return self._kept(make, further, look())

    def _kept(self, make: Callable[..., T], further: tuple[Hashable, ...], seen: tuple[Hashable, ...]) -> T:
        key = (
            *self.source,
            self.selected.text(),
            self.quintiles,
            self.with_imputed,
            f"{make.__module__}.{make.__qualname__}",
            further,
            seen,
        )
        made: T = _made(repr(key), make, self, further)
        return made


@st.cache_resource(max_entries=1000, show_spinner=False)
def _made(key: str, _make: Callable[..., Any], _view: CellsView, _further: tuple[Any, ...]) -> Any:
    return _make(_view, *_further)


def _n_compared(view: CellsView) -> int:
    return len(view.compared)


def _households(view: CellsView) -> float:
    return float(view.compared["households"].sum())
