"""The published studies as pages see them: found, opened read-only once, asked through a cache.

The publication's file is an argument of every cached call: a new publication has a new name, so nothing
stale is ever shown and nothing needs to be cleared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import duckdb
import pandas as pd
import streamlit as st

from core.settings import read_settings
from data.store import queries
from data.store.open import Publication, connect, find_publications

T = TypeVar("T")


class CanBeAsked(Protocol):
    """What a question of `data/store` can be put to: a page's study, a report's source."""

    def ask(self, question: Callable[..., T], *arguments: Any) -> T:
        """Return `question(connection, *arguments)`."""


@dataclass(frozen=True)
class OpenStudy:
    """The study on the page: where it is, its row of table `study`, and its cities in order."""

    publication: Publication
    row: queries.StudyRow
    cities: tuple[queries.City, ...]

    def city(self, city_id: str) -> queries.City:
        """Return a city by id; KeyError when the study has none of that id."""
        for city in self.cities:
            if city.city_id == city_id:
                return city
        raise KeyError(city_id)

    def ask(self, question: Callable[..., T], *arguments: Any) -> T:
        """Return `question(connection, *arguments)`, cached by publication; questions live in
        data/store/queries."""
        name = f"{question.__module__}.{question.__qualname__}"
        return _answer(str(self.publication.file), name, arguments, question)

    def once(self, question: Callable[..., T], *arguments: Any) -> T:
        """Return `question(connection, *arguments)` without keeping it: for a page that keeps what it makes
        of a large answer."""
        return question(_connection(str(self.publication.file)).cursor(), *arguments)


def studies() -> dict[str, Publication]:
    """Return the published studies by id, in the order of the study roots."""
    return _studies(tuple(str(root) for root in read_settings().study_roots))


def open_study(study_id: str) -> OpenStudy:
    """Open a published study by id."""
    publication = studies()[study_id]
    row, cities = _contents(str(publication.file))
    return OpenStudy(publication, row, cities)


@st.cache_data(ttl=10, max_entries=16, show_spinner=False)
def _studies(roots: tuple[str, ...]) -> dict[str, Publication]:
    return find_publications([Path(root) for root in roots])


@st.cache_resource(max_entries=16, show_spinner=False)
def _connection(file: str) -> duckdb.DuckDBPyConnection:
    return connect(Path(file))


@st.cache_data(max_entries=16, show_spinner=False)
def _contents(file: str) -> tuple[queries.StudyRow, tuple[queries.City, ...]]:
    cursor = _connection(file).cursor()
    return queries.study(cursor), queries.cities(cursor)


@st.cache_data(max_entries=256, show_spinner=False)
def _answer(file: str, name: str, arguments: tuple[Any, ...], _question: Callable[..., Any]) -> Any:
    # a cursor a query: connections are not to be shared between the threads of two readers
    return _question(_connection(file).cursor(), *arguments)


def is_missing(value: object) -> bool:
    """Return whether a value read from the publication is NULL."""
    return value is None or bool(pd.isna(value))
