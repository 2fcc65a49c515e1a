"""A report as one HTML file that asks for nothing from outside: style and pictures are in it."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from pages.report.content import Report
from pages.shared.language import _, speaking

_TEMPLATE = Path(__file__).with_name("report.html.jinja")


def write(report: Report) -> bytes:
    """Return a report as HTML, UTF-8; every text is escaped, pictures are the report's own SVG."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["svg"] = _inline
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    with speaking(report.language):
        return template.render(report=report.as_data(), contents=_("Contents")).encode()


def _inline(svg: str) -> Markup:
    # made by pages.report.drawing, which escapes; HTML needs no namespace
    return Markup(svg.replace(' xmlns="http://www.w3.org/2000/svg"', "", 1))  # noqa: S704
