"""Parts of a page made once for a publication: what depends on nothing else is not made again each run."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import streamlit as st

from pages.shared import palette
from pages.shared.language import language, number, separators
from pages.shared.study import OpenStudy

T = TypeVar("T")


def kept(make: Callable[..., T], here: OpenStudy, *arguments: Any) -> T:
    """Return `make(here, *arguments)`: texts and figures of one publication, language and theme.

    `arguments` are what the address says: strings, numbers, tuples of them. What is returned is shared by
    all readers and must not be changed.
    """
    name = f"{make.__module__}.{make.__qualname__}"
    return _kept(str(here.publication.file), name, arguments, look(), make, here)


def look() -> tuple[Hashable, ...]:
    """Return what a part drawn for a reader depends on besides its figures: theme, language and region."""
    # two regions of one language can part thousands differently
    return palette.inks().is_dark, language(), separators(), number(1000)


# a part with its figure takes 0.2 to 0.5 MB
@st.cache_resource(max_entries=128, show_spinner=False)
def _kept(
    file: str,
    name: str,
    arguments: tuple[Any, ...],
    seen: tuple[Hashable, ...],
    _make: Callable[..., Any],
    _here: OpenStudy,
) -> Any:
    return _make(_here, *arguments)
