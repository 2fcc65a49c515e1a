"""What the page City shows of one city."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from data.store import map_queries, place_queries, queries
from data.store.queries import City
from pages.shared import cluster_layer
from pages.shared.cells_view import CellsView
from pages.shared.rasters import Raster
from pages.shared.selection import Selection
from pages.shared.study import OpenStudy


@dataclass(frozen=True)
class View(CellsView):
    """A city of a study, which of its cells are selected, how classes and imputed cells count."""

    here: OpenStudy
    city: City

    @property
    def source(self) -> tuple[str, ...]:
        return str(self.here.publication.file), self.city.city_id

    @property
    def n_classes(self) -> int:
        return self.here.row.n_classes

    @property
    def size(self) -> int:
        return self.here.row.cell_size_m

    @property
    def grid_crs(self) -> str:
        return self.here.row.grid_crs

    @property
    def block_m(self) -> float | None:
        return None if self.city.residual_range_m is None else 2 * self.city.residual_range_m

    @cached_property
    def cells(self) -> pd.DataFrame:
        """The cells of the city as of `map_queries.map_cells`; with their district where one is selected."""
        if self.selected.district:
            return self.with_districts
        return _cells(str(self.here.publication.file), self.city.city_id, self.here)

    @property
    def with_districts(self) -> pd.DataFrame:
        """The cells of the city with their district."""
        file = str(self.here.publication.file)
        cells = _cells(file, self.city.city_id, self.here)
        return cells.assign(district=_district(file, self.city.city_id, self.here))

    @property
    def handed_out(self) -> pd.DataFrame:
        """The selected cells as files hold them: with their ids, in order of these, and district and
        district_name where the city has districts."""
        cells = self.with_districts if self.districts else self.cells
        cells = cells[self.mask]
        if self.districts:
            district = cells["district"].astype(object)
            cells = cells.assign(district=district, district_name=district.map(self.districts))
        cells.insert(0, "cell_id", self.ids(cells))
        return cells.sort_values("cell_id", ignore_index=True)

    @cached_property
    def comparable(self) -> NDArray[np.bool_]:
        cells = self.cells
        known = cells["class"].notna() & cells["predicted"].notna() & cells["out_of_fold"].fillna(False)
        if not self.with_imputed:
            known &= ~cells["imputed"]
        return known.to_numpy(bool)

    @cached_property
    def raster(self) -> Raster:
        """Where the cells lie."""
        city, size = self.city, self.size
        west, south, east, north = city.x_min, city.y_min, city.x_max, city.y_max
        return Raster(west, north, size, (east - west) // size, (north - south) // size)

    @cached_property
    def districts(self) -> dict[str, str]:
        return self.here.ask(place_queries.district_names, self.city.city_id)

    @cached_property
    def clusters(self) -> NDArray[np.int8]:
        """Which cells (n,) stand out among their neighbours' errors, as of `cluster_layer.steps`."""
        return self.only(Selection()).kept(_clusters)

    def confusion_pairs(self) -> pd.DataFrame:
        if self.selected:
            return super().confusion_pairs()
        return self.here.once(queries.confusion, self.city.city_id, self.with_imputed)


@st.cache_resource(max_entries=8, show_spinner=False)
def _cells(file: str, city_id: str, _here: OpenStudy) -> pd.DataFrame:
    # not through `ask`, which copies what it keeps: tens of megabytes for a large city
    return _here.once(map_queries.map_cells, city_id)


@st.cache_resource(max_entries=8, show_spinner=False)
def _district(file: str, city_id: str, _here: OpenStudy) -> pd.Series:
    return _here.once(map_queries.district_of_cells, city_id)


def _clusters(view: View) -> NDArray[np.int8]:
    moran = view.here.once(map_queries.local_moran_by_corner, view.city.city_id, view.with_imputed)
    return cluster_layer.steps(view.cells, moran)
