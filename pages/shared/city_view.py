"""What the page City shows of one city, and what it keeps between runs of its script.

Everything on the page follows from the publication and the address. So it is made once and kept: a run that
changes nothing asks for no cell. What is kept is shared by all readers and must not be changed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from data.store import map_queries, place_queries
from data.store.queries import City
from pages.shared import cluster_layer, language, palette, take_away
from pages.shared.rasters import Raster
from pages.shared.selection import Selection
from pages.shared.study import OpenStudy

T = TypeVar("T")
COMPARED = ["x", "y", "individuals", "households", "class", "predicted", "expected_class"]


@dataclass(frozen=True)
class View:
    """A city, which of its cells are selected, how classes and imputed cells count."""

    here: OpenStudy
    city: City
    selected: Selection
    quintiles: bool
    with_imputed: bool

    @property
    def n_classes(self) -> int:
        """How many classes the study has, whatever is shown."""
        return self.here.row.n_classes

    @property
    def size(self) -> int:
        """Side of a cell in metres."""
        return self.here.row.cell_size_m

    @property
    def block_m(self) -> float | None:
        """Least side of the blocks of an interval: twice the range of the residuals; None where unknown."""
        return None if self.city.residual_range_m is None else 2 * self.city.residual_range_m

    @cached_property
    def cells(self) -> pd.DataFrame:
        """The cells of the city as of `map_queries.map_cells`."""
        file = str(self.here.publication.file)
        return _cells(file, self.city.city_id, self.here)

    @cached_property
    def raster(self) -> Raster:
        """Where the cells lie."""
        city, size = self.city, self.size
        west, south, east, north = city.x_min, city.y_min, city.x_max, city.y_max
        return Raster(west, north, size, (east - west) // size, (north - south) // size)

    @cached_property
    def districts(self) -> dict[str, str]:
        """Names of the city's districts by id, in order of the names."""
        rows = self.here.ask(place_queries.districts, self.city.city_id)
        return dict(zip(rows["district_id"].astype(str), rows["name"].astype(str), strict=True))

    @cached_property
    def clusters(self) -> NDArray[np.int8]:
        """Which cells (n,) stand out among their neighbours' errors, as of `cluster_layer.steps`."""
        return self.only(Selection()).kept(_clusters)

    def only(self, selected: Selection) -> View:
        """Return the view with another selection."""
        return self if selected == self.selected else replace(self, selected=selected)

    @property
    def on_classes(self) -> View:
        """The view for figures that stay on the study's classes: quintiles matter only to what was picked in
        the confusion matrix."""
        return replace(self, quintiles=False) if self.quintiles and not self.selected.confusion else self

    @cached_property
    def mask(self) -> NDArray[np.bool_]:
        """Which cells (n,) are in the selection."""
        return self.selected.mask(self.cells, self.n_classes, self.quintiles, self.size)

    @property
    def withheld(self) -> str | None:
        """Why figures of the selection are not handed out; None where they are."""
        return take_away.too_few(self.kept(_households)) if self.selected else None

    @cached_property
    def compared(self) -> pd.DataFrame:
        """The cells of the selection that can be compared, with census class and out-of-fold prediction:
        columns COMPARED."""
        cells = self.cells
        known = cells["class"].notna() & cells["predicted"].notna() & cells["out_of_fold"].fillna(False)
        if not self.with_imputed:
            known &= ~cells["imputed"]
        return cells[COMPARED][known.to_numpy(bool) & self.mask]

    def kept(self, make: Callable[..., T], *further: Hashable) -> T:
        """Return `make(view, *further)`, made once for publication, city, selection, classes and imputed.

        For numbers: a text or a colour also depends on what `drawn` adds.
        """
        return self._kept(make, further, ())

    def drawn(self, make: Callable[..., T], *further: Hashable) -> T:
        """Return `make(view, *further)`, made once as `kept` does, for each theme and language."""
        look = (palette.inks().is_dark, language.language(), language.separators())
        return self._kept(make, further, look)

    def _kept(self, make: Callable[..., T], further: tuple[Hashable, ...], look: tuple[Hashable, ...]) -> T:
        key = (
            str(self.here.publication.file),
            self.city.city_id,
            self.selected.text(),
            self.quintiles,
            self.with_imputed,
            f"{make.__module__}.{make.__qualname__}",
            further,
            look,
        )
        made: T = _made(repr(key), make, self, further)
        return made


@st.cache_resource(max_entries=1000, show_spinner=False)
def _made(key: str, _make: Callable[..., Any], _view: View, _further: tuple[Any, ...]) -> Any:
    return _make(_view, *_further)


@st.cache_resource(max_entries=8, show_spinner=False)
def _cells(file: str, city_id: str, _here: OpenStudy) -> pd.DataFrame:
    # not through `ask`, which copies what it keeps: tens of megabytes for a large city
    return _here.once(map_queries.map_cells, city_id)


def _households(view: View) -> float:
    return float(view.compared["households"].sum())


def _clusters(view: View) -> NDArray[np.int8]:
    moran = view.here.once(map_queries.local_moran_by_corner, view.city.city_id, view.with_imputed)
    return cluster_layer.steps(view.cells, moran)
