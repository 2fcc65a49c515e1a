"""A report as PDF: set by typst, tagged and with alternative texts (PDF/UA-1), fonts inside.

The report goes into the template as JSON and is placed there as text: nothing in it is read as markup.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Literal

import typst

from pages.report.content import Report

_TEMPLATE = Path(__file__).with_name("report.typ")
_PICTURE = b"""
#set page(width: auto, height: auto, margin: 9pt, fill: rgb("#FFFFFF"))
#image(bytes(sys.inputs.svg), format: "svg")
"""


def write(report: Report) -> bytes:
    """Return a report as PDF, accessible wherever every character has a glyph in some font of the machine."""
    inputs = {"report": json.dumps(report.as_data(), ensure_ascii=False)}
    source = _TEMPLATE.read_bytes()
    try:
        return _compiled(source, inputs, "ua-1")
    except typst.TypstError:
        # the standard asks for a glyph for every character: a name in a rare script may have none here
        return _compiled(source, inputs, None)


def pages(report: Report, ppi: float = 70) -> list[bytes]:
    """Return the pages of the PDF as PNG, to look at."""
    inputs = {"report": json.dumps(report.as_data(), ensure_ascii=False)}
    found = typst.compile(_TEMPLATE.read_bytes(), format="png", ppi=ppi, sys_inputs=inputs)
    return found if isinstance(found, list) else [found]


def as_png(svg: str, ppi: float = 220) -> bytes:
    """Return a picture as PNG on white."""
    made = typst.compile(_PICTURE, format="png", ppi=ppi, sys_inputs={"svg": svg}, font_paths=_fonts())
    return made[0] if isinstance(made, list) else made


def _compiled(source: bytes, inputs: dict[str, str], standard: Literal["ua-1"] | None) -> bytes:
    return typst.compile(source, format="pdf", sys_inputs=inputs, pdf_standards=standard, font_paths=_fonts())


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    # found once: the text is set in a font that comes with typst, those of the machine only help out
    return typst.Fonts()
