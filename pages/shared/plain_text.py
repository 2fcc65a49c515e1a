"""Text from files and addresses on a page: shown as it stands, never read as Markdown."""

from __future__ import annotations

import re

import streamlit as st

from pages.shared.told import told

_MARKUP = re.compile(r"([\\`*_\[\]<>$~|])")
# all but the spaces that do not break, which French sets before its signs
_SPACE = re.compile(r"[^\S\u00a0\u202f]+")


def plain(text: object) -> str:
    r"""Return a text for a place that reads Markdown, such that it shows as it is, on one line.

    A name such as ``![](http://...)`` would else fetch a picture from wherever its maker likes.

    >>> print(plain("![x](http://a.example/b_c.png)"))
    !\[x\](http://a.example/b\_c.png)
    """
    return _MARKUP.sub(r"\\\1", _SPACE.sub(" ", str(text)).strip())


def warn(text: object) -> None:
    """Draw a warning whose text may hold what a file or an address says."""
    st.warning(plain(text))


def fault(error: object) -> None:
    """Say a known fault in the reader's words, without a traceback; a text as it is."""
    st.error(plain(told(error) if isinstance(error, Exception) else error))


def inform(text: object) -> None:
    """Draw a hint whose text may hold what a file or a study says."""
    st.info(plain(text))
