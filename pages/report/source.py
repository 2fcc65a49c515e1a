"""Where a report comes from: an open publication, a city of it, and what was chosen on the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import urlencode

import duckdb
import numpy as np
import pandas as pd

from data.store import place_queries, queries
from data.store.open import Publication
from data.store.queries import City, StudyRow
from pages.shared import city_districts, selected_figures

T = TypeVar("T")


@dataclass(frozen=True)
class Source:
    """An open publication and the city that a report is of; `base` is the dashboard's address, if known."""

    connection: duckdb.DuckDBPyConnection
    publication: Publication
    row: StudyRow
    city: City
    with_imputed: bool = False
    base: str = ""

    def ask(self, question: Callable[..., T], *arguments: Any) -> T:
        """Return `question(connection, *arguments)`."""
        return question(self.connection, *arguments)

    @cached_property
    def cells(self) -> pd.DataFrame:
        """Every cell of the city."""
        return self.ask(queries.city_cells, self.city.city_id)

    @cached_property
    def compared(self) -> pd.DataFrame:
        """Its cells with a census class and an out-of-fold prediction, imputed ones as chosen."""
        cells = self.cells
        known = cells["class"].notna() & cells["predicted"].notna() & cells["out_of_fold"].fillna(False)
        return cells[known.astype(bool) & (self.with_imputed | ~cells["imputed"].astype(bool))]

    @cached_property
    def districts(self) -> dict[str, str]:
        """Names of the city's districts by id, in order of the names."""
        return self.ask(place_queries.district_names, self.city.city_id)

    @cached_property
    def district_of_cells(self) -> pd.Series:
        """The district of each of its cells, by id, as a category; missing outside all."""
        places = self.ask(place_queries.cell_districts, self.city.city_id).set_index("cell_id").district_id
        district = pd.Categorical(self.cells["cell_id"].map(places), categories=sorted(self.districts))
        return pd.Series(district, index=self.cells.index)

    @cached_property
    def by_class(self) -> pd.DataFrame:
        """Mean difference of the compared cells by census class, as of `selected_figures.by_group`."""
        return self.by_group(self.compared["class"].astype(int).astype("category"))

    def by_group(self, groups: pd.Series) -> pd.DataFrame:
        """Return the mean difference of the compared cells by group, as of `selected_figures.by_group`."""
        range_m = self.city.residual_range_m
        block_m = None if range_m is None else 2 * range_m
        return selected_figures.by_group(self.compared, groups, block_m, self.row.cell_size_m)

    @cached_property
    def by_district(self) -> pd.DataFrame:
        """How far off the model is by district, as of `city_districts.by_district`; empty where a city has
        none."""
        if not self.districts:
            return pd.DataFrame()
        cells = self.compared
        district = self.district_of_cells[cells.index]
        return city_districts.by_district(cells.assign(district=district), np.ones(len(cells), bool))

    def address(self, language: str) -> str:
        """Return the address of the page City, the dashboard's first, that shows the same.

        >>> row = type("Row", (), {"study_id": "s"})()
        >>> city = type("City", (), {"city_id": "a b"})()
        >>> Source(None, None, row, city, base="http://localhost:8501/").address("fr")
        'http://localhost:8501/?study=s&city=a+b&lang=fr'
        """
        asked = {"study": self.row.study_id, "city": self.city.city_id, "lang": language}
        if self.with_imputed:
            asked["imputed"] = "1"
        return f"{self.base.rstrip('/')}/?{urlencode(asked)}"
