"""Small pictures as SVG text: shapes and labels on a sheet of pixels, every text escaped.

A pixel is 0.75 pt. No browser, no font of the machine: the font named first comes with typst.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

FONT = "'Libertinus Serif','Source Serif 4',Georgia,'Times New Roman',serif"
SIZE = 11.5


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


@dataclass(frozen=True)
class Scale:
    """A straight axis: `low` .. `high` in the data lie at pixels `start` .. `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the pixel of a value; beyond the axis is at its end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low or 1.0)
        return self.start + share * (self.end - self.start)

    def ticks(self, about: int = 5) -> list[float]:
        """Return round values inside the axis, about so many.

        >>> Scale(-0.33, 0.41, 0, 1).ticks(4)
        [-0.2, 0.0, 0.2, 0.4]
        """
        raw = (self.high - self.low) / max(about, 1) or 1.0
        size = 10.0 ** math.floor(math.log10(raw))
        step = next(size * m for m in (1, 2, 2.5, 5, 10) if size * m >= raw * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(k * step, 10) + 0.0 for k in range(first, last + 1)]

    def digits(self, about: int = 5) -> int:
        """Return the decimals that tell its ticks apart.

        >>> Scale(0, 1, 0, 1).digits(), Scale(0, 500, 0, 1).digits(), Scale(0, 0.01, 0, 1).digits()
        (1, 0, 3)
        """
        found = self.ticks(about)
        return next((d for d in range(6) if all(abs(round(v, d) - v) < 1e-9 for v in found)), 6)


class Drawing:
    """A sheet of `width` x `height` pixels that shapes are put on, in order."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._parts: list[str] = []

    def line(
        self, x0: float, y0: float, x1: float, y1: float, colour: str, width: float = 1, dash: str = ""
    ) -> None:
        """Draw a line; `dash` as in SVG."""
        extra = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(
            f'<line x1="{_n(x0)}" y1="{_n(y0)}" x2="{_n(x1)}" y2="{_n(y1)}" stroke="{_colour(colour)}" '
            f'stroke-width="{_n(width)}"{extra}/>'
        )

    def rect(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: str | None,
        stroke: str | None = None,
        stroke_width: float = 1,
    ) -> None:
        """Draw a rectangle from its upper left corner."""
        self._parts.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(max(width, 0))}" height="{_n(max(height, 0))}" '
            f"{_paint(fill, stroke, stroke_width)}/>"
        )

    def circle(self, x: float, y: float, radius: float, fill: str, stroke: str, opacity: float = 1) -> None:
        """Draw a dot."""
        self._parts.append(
            f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" {_paint(fill, stroke, 1)} '
            f'opacity="{_n(opacity)}"/>'
        )

    def shape(self, points: Sequence[tuple[float, float]], fill: str | None, stroke: str | None) -> None:
        """Draw a closed outline."""
        at = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
        self._parts.append(f'<polygon points="{at}" {_paint(fill, stroke, 1)}/>')

    def diamond(self, x: float, y: float, radius: float, fill: str, stroke: str) -> None:
        """Draw a diamond."""
        self.shape([(x, y - radius), (x + radius, y), (x, y + radius), (x - radius, y)], fill, stroke)

    def rings(self, rings: Sequence[Sequence[tuple[float, float]]], stroke: str, width: float) -> None:
        """Draw outlines, without filling them."""
        path = "".join("M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in ring) + "Z" for ring in rings)
        self._parts.append(
            f'<path d="{path}" fill="none" stroke="{_colour(stroke)}" stroke-width="{_n(width)}"/>'
        )

    def lines(self, ends: Sequence[Sequence[float]], stroke: str, width: float) -> None:
        """Draw lines from (x, y) to (x, y), four numbers each, as one shape."""
        path = "".join(f"M{_n(x)} {_n(y)}L{_n(to_x)} {_n(to_y)}" for x, y, to_x, to_y in ends)
        self._parts.append(
            f'<path d="{path}" fill="none" stroke="{_colour(stroke)}" stroke-width="{_n(width)}" '
            'stroke-linecap="square"/>'
        )

    def picture(self, url: str, x: float, y: float, width: float, height: float) -> None:
        """Draw a bitmap, given as a data URL; its pixels stay squares."""
        if not url.startswith(("data:image/png;base64,", "data:image/jpeg;base64,")):
            raise ValueError("a picture is a PNG or JPEG inside the drawing, never fetched")
        self._parts.append(
            f'<image href="{escape(url)}" x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" '
            'preserveAspectRatio="none" image-rendering="optimizeSpeed"/>'
        )

    def text(
        self,
        x: float,
        y: float,
        text: str,
        colour: str,
        *,
        anchor: str = "start",
        size: float = SIZE,
        bold: bool = False,
        turned: bool = False,
    ) -> None:
        """Write a text whose baseline starts, has its middle or ends (`anchor`) at a place."""
        weight = ' font-weight="600"' if bold else ""
        turn = f' transform="rotate(-90 {_n(x)} {_n(y)})"' if turned else ""
        self._parts.append(
            f'<text x="{_n(x)}" y="{_n(y)}" fill="{_colour(colour)}" font-size="{_n(size)}" '
            f'text-anchor="{anchor}"{weight}{turn}>{escape(text)}</text>'
        )

    def svg(self) -> str:
        """Return the picture as SVG."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(self.width)} {_n(self.height)}" '
            f'width="{_n(self.width)}" height="{_n(self.height)}" font-family="{FONT}">'
            + "".join(self._parts)
            + "</svg>"
        )


def text_width(text: str, size: float = SIZE) -> float:
    """Return about how wide a text is, in pixels; a little too much rather than too little.

    >>> text_width("illicit", 10) < text_width("MAMMOTH", 10)
    True
    """
    return size * sum(
        0.3 if c in "ijltfrI.,:;’'|!()-– " else 0.75 if c in "mwMWŒœ%" else 0.64 if c.isupper() else 0.49
        for c in text
    )


def _paint(fill: str | None, stroke: str | None, width: float) -> str:
    inside = _colour(fill) if fill else "none"
    edge = f'stroke="{_colour(stroke)}" stroke-width="{_n(width)}"' if stroke else ""
    return f'fill="{inside}" {edge}'.strip()


def _colour(colour: str) -> str:
    # colours of land-use classes come from a file: anything else, such as url(...), could fetch
    return colour if re.fullmatch(r"#[0-9A-Fa-f]{6}", colour) else "#888888"
