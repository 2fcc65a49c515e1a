"""What a report holds, before it is PDF or HTML: sections of blocks of plain texts, figures and pictures.

Every text is plain: what writes it escapes it. Pictures are SVG made by `drawing`, which escapes too.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Text:
    """A paragraph; `kind` text, or note: small, on how to read what stands above. `lead` is set off before
    the text."""

    text: str
    kind: str = "text"
    lead: str = ""


def note(*texts: str) -> Text:
    """Return the texts that are not empty as one note."""
    return Text(" ".join(text for text in texts if text), "note")


@dataclass(frozen=True)
class Bullets:
    """Sentences, one under the other."""

    items: tuple[str, ...]
    kind: str = "bullets"


@dataclass(frozen=True)
class Figure:
    """A value with its name, its interval and what it may be compared with."""

    name: str
    value: str
    interval: str
    aside: str = ""


@dataclass(frozen=True)
class Figures:
    """Values in a line."""

    items: tuple[Figure, ...]
    kind: str = "figures"


@dataclass(frozen=True)
class Picture:
    """A chart or map as SVG, with a title, what it shows in words for who cannot see it, and a sentence."""

    title: str
    svg: str
    alt: str
    text: str = ""


@dataclass(frozen=True)
class Pictures:
    """Pictures side by side, two or one; one that is `wide` fills the page."""

    items: tuple[Picture, ...]
    wide: bool = False
    kind: str = "pictures"


@dataclass(frozen=True)
class Table:
    """A table: `head` over `rows`.

    `numeric` columns stand to the right, `fit` ones are as wide as their text, `hashes` hold hashes.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[int, ...] = ()
    fit: tuple[int, ...] = ()
    hashes: tuple[int, ...] = ()
    kind: str = "table"


Block = Text | Bullets | Figures | Pictures | Table


@dataclass(frozen=True)
class Section:
    """A part of the report with its heading."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Report:
    """A report of a city in one language."""

    language: str
    title: str
    question: str
    badge: str
    about: str
    foot: str
    sections: tuple[Section, ...]

    def as_data(self) -> dict[str, Any]:
        """Return the report as what JSON holds, percent signs kept with their numbers."""
        found: dict[str, Any] = json.loads(
            json.dumps(asdict(self), ensure_ascii=False).replace(" %", "\u202f%")
        )
        return found
