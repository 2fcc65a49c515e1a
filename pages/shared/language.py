"""The language of the page: texts from one catalogue, numbers and dates as its reader writes them.

English stands in the code, where it is read with what it says; `pages/texts/fr.po` holds the French of every
text, in gettext's format, which translators' programs open. `python -m pages.texts` brings it up to date with
the code. A text with figures is a template, filled after it was looked up:

    _("{n} cells of {city}").format(n=number(n), city=city.name)

An f-string can not be looked up: it is another text with every figure.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

import streamlit as st
from babel import Locale, UnknownLocaleError, dates, numbers
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from streamlit.runtime.scriptrunner import get_script_run_ctx

LANGUAGES = {"en": "English", "fr": "Français"}
CATALOGUES = Path(__file__).parent.parent / "texts"
_REGION = "language.region"
_forced: ContextVar[str | None] = ContextVar("language", default=None)
# (language, region) of the run of the page in this thread: hundreds of texts ask for it
_of_run: ContextVar[tuple[str, str] | None] = ContextVar("language_of_run", default=None)


def readers_language() -> str:
    """Return the language of the reader's browser where there is a catalogue for it, else English."""
    tag = (st.context.locale or "en").split("-")[0].lower()
    return tag if tag in LANGUAGES else "en"


def arrive(language: str) -> None:
    """Draw the page in a language; dashboard.py calls it before everything else."""
    # apart from the session value `lang` of the control, which Streamlit drops where it is not drawn
    st.session_state["language"] = language
    st.session_state[_REGION] = _region(language, st.context.locale)
    _of_run.set((language, st.session_state[_REGION]))


def language() -> str:
    """Return the language of what is drawn now: of `speaking` where it is in force, else of the page."""
    forced = _forced.get()
    if forced is not None:
        return forced
    run = _of_run.get()
    if run is not None:
        return run[0]
    # a callback or a fragment, which run without the rest of the page
    return str(st.session_state.get("language", "en")) if get_script_run_ctx(suppress_warning=True) else "en"


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Make texts and numbers in a language whatever the page's is (a report, a test)."""
    token = _forced.set(language)
    try:
        yield
    finally:
        _forced.reset(token)


def _(text: str) -> str:
    """Return a text of the catalogue in the language of the page; as it stands where that is English.

    >>> with speaking("fr"):
    ...     print(_("City"))
    Ville
    """
    now = language()
    return text if now == "en" or not text else _catalogue(now).gettext(text)


def plural(one: str, many: str, n: float) -> str:
    """Return the text for n things, by the language's own rule (French says 0 and 1.5 in the singular).

    >>> plural("{n} cell", "{n} cells", 1).format(n=1)
    '1 cell'
    """
    now = language()
    if now == "en":
        return one if n == 1 else many
    return _catalogue(now).ngettext(one, many, int(abs(n)))


def later(text: str) -> str:
    """Return the text as it is, marked for the catalogue: a constant that `_` looks up where it is drawn."""
    return text


def number(value: float, digits: int = 0, sign: bool = False) -> str:
    """Return a number with `digits` decimals, its thousands parted, with a true minus (and plus) sign.

    >>> number(-12345.678, 1), number(0.25, 2, sign=True)
    ('−12,345.7', '+0.25')
    >>> with speaking("fr"):
    ...     number(12345.678, 1)
    '12\\u202f345,7'
    """
    return _written(float(value), digits, sign, _locale())


@lru_cache(maxsize=20_000)  # a tenth of a millisecond each, and a page has hundreds
def _written(value: float, digits: int, sign: bool, locale: str) -> str:
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    text = numbers.format_decimal(value, format=pattern, locale=locale, decimal_quantization=True)
    text = text.replace("-", "−")
    # never "−0.00": what rounds to nothing has no sign
    if not any(c in "123456789" for c in text):
        text = text.lstrip("−")
    elif sign and value > 0:
        text = "+" + text
    return text


def percent(share: float, digits: int = 0) -> str:
    """Return a share as percent, with a space that does not break.

    >>> percent(0.256) == "26\\u202f%"
    True
    """
    return number(100 * share, digits) + "\u202f%"


def chance(p: float) -> str:
    """Return a p- or q-value with three decimals; one that would round to nothing as below the least of them.

    >>> chance(0.0421), chance(1e-6)
    ('0.042', '<\u202f0.001')
    """
    return number(p, 3) if p >= 0.0005 else "<\u202f" + number(0.001, 3)


def day(value: date | datetime) -> str:
    """Return a day as the reader writes it.

    >>> day(date(2026, 11, 5))
    '5 November 2026'
    >>> with speaking("fr"):
    ...     day(date(2026, 11, 5))
    '5 novembre 2026'
    """
    return dates.format_date(value, "d MMMM y", locale=_locale())


def listed(words: list[str]) -> str:
    """Return words as a list in a sentence.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    >>> with speaking("fr"):
    ...     listed(["a", "b", "c"])
    'a, b et c'
    """
    if len(words) < 2:
        return "".join(words)
    return _("{these} and {last}").format(these=", ".join(words[:-1]), last=words[-1])


def separators() -> str:
    """Return decimal and thousands separator as plotly's `layout.separators` wants them.

    >>> separators()
    '.,'
    """
    locale = _locale()
    return numbers.get_decimal_symbol(locale) + numbers.get_group_symbol(locale)


def _locale() -> str:
    run = _of_run.get()
    if _forced.get() is not None:
        return language()
    if run is not None:
        return run[1]
    return (
        str(st.session_state.get(_REGION, language()))
        if get_script_run_ctx(suppress_warning=True)
        else language()
    )


def _region(language: str, browser: str | None) -> str:
    """Return the locale for numbers: the browser's (fr-CH), as long as it is of the language of the texts."""
    try:
        locale = Locale.parse(browser or language, sep="-")
    except (ValueError, UnknownLocaleError):
        return language
    return str(locale) if locale.language == language else language


@lru_cache(maxsize=len(LANGUAGES))
def messages(language: str) -> Catalog:
    """Return the catalogue of a language as its file has it, comments included."""
    with (CATALOGUES / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


@lru_cache(maxsize=len(LANGUAGES))
def _catalogue(language: str) -> gettext.GNUTranslations:
    compiled = io.BytesIO()
    write_mo(compiled, messages(language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
