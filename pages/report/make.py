"""A report made from a publication on disk, in one call: for the button on City and for the command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from data.errors import StudyError
from data.store import queries
from data.store.open import Publication, connect
from pages.report import html, pdf
from pages.report.gather import gather
from pages.report.source import Source

FORMATS = {"pdf": pdf.write, "html": html.write}


def make(
    publication: Publication,
    city_id: str,
    suffix: str,
    language: str,
    *,
    with_imputed: bool = False,
    base: str = "",
) -> bytes:
    """Return the report of a city as the bytes of a file, `suffix` pdf or html.

    Raises:
        StudyError: the publication has no such city.
        InputError: the city holds too few households for a report.
    """
    with opened(publication, city_id, with_imputed=with_imputed, base=base) as source:
        return FORMATS[suffix](gather(source, language))


@contextmanager
def opened(
    publication: Publication, city_id: str, *, with_imputed: bool = False, base: str = ""
) -> Iterator[Source]:
    """Open a publication on its own connection, for a city of it; raises StudyError without such a city."""
    with connect(publication.file) as connection:
        row, cities = queries.study(connection), queries.cities(connection)
        found = [city for city in cities if city.city_id == city_id]
        if not found:
            names = ", ".join(city.city_id for city in cities)
            raise StudyError(f"study {row.study_id} has no city {city_id!r}; it has {names}.")
        yield Source(connection, publication, row, found[0], with_imputed, base)
