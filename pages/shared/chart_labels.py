"""Labels beside the dots of a chart, so placed that they cover neither one another nor a dot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pages.shared.palette import Inks, translucent

_LETTER_PX = 6.0  # mean width at 11 px
_NEAR = (9, -9)  # pixels up from a dot
FAR = (*_NEAR, 0, 18, -18, 27, -27)  # where dots are few, and each is to have its label
Ends = tuple[float, float]
_Box = tuple[float, float, float, float]  # left, right, bottom, top


@dataclass(frozen=True)
class Label:
    """A label that was placed: which dot it is of, on which side, how many pixels up from it."""

    at: int
    anchor: str
    shift: int


def placed(
    x: Sequence[float],
    y: Sequence[float],
    texts: Sequence[str],
    limits: tuple[Ends, Ends],
    size_px: Ends,
    shifts: Sequence[int] = _NEAR,
) -> list[Label]:
    """Return the labels of dots (n,) that find a free place, the first ones first.

    ``limits``: ends of the axes; ``size_px``: width and height of the plot in pixels; ``shifts``: pixels up
    from the dot, tried one after the other.

    >>> [label.anchor for label in placed([0.5, 0.52], [0.5, 0.5], ["a", "b"], ((0, 1), (0, 1)), (400, 300))]
    ['right', 'left']
    """
    (west, east), (south, north) = limits
    left = (np.asarray(x, float) - west) * size_px[0] / (east - west)
    bottom = (np.asarray(y, float) - south) * size_px[1] / (north - south)
    dots = [(at - 6, at + 6, up - 6, up + 6) for at, up in zip(left, bottom, strict=True)]
    found: list[Label] = []
    taken: list[_Box] = []
    for at, text in enumerate(texts):
        width = _LETTER_PX * len(text)
        sides = (("left", left[at] + 9), ("right", left[at] - 9 - width))
        for anchor, start, shift in ((*side, shift) for shift in shifts for side in sides):
            box = (start, start + width, bottom[at] + shift - 7, bottom[at] + shift + 7)
            inside = box[0] > 0 and box[1] < size_px[0] + 10 and box[3] < size_px[1] and box[2] > 0
            others = [*taken, *dots[:at], *dots[at + 1 :]]
            if inside and not any(_overlap(box, other) for other in others):
                taken.append(box)
                found.append(Label(at, anchor, shift))
                break
    return found


def beside_dots(
    x: Sequence[float],
    y: Sequence[float],
    texts: Sequence[str],
    strong: Sequence[bool],
    limits: tuple[Ends, Ends],
    size_px: Ends,
    ink: Inks,
    shifts: Sequence[int] = _NEAR,
) -> list[dict[str, Any]]:
    """Return the labels of `placed` as plotly's annotations, `strong` ones in ink."""
    return [
        {
            "x": x[label.at],
            "y": y[label.at],
            "text": texts[label.at],
            "showarrow": False,
            "xanchor": label.anchor,
            "xshift": {"left": 9, "right": -9}[label.anchor],
            "yshift": label.shift,
            "font": {"size": 11, "color": ink.text if strong[label.at] else ink.muted},
            "bgcolor": translucent(ink.background, 0.6),
            "borderpad": 0,
        }
        for label in placed(x, y, texts, limits, size_px, shifts)
    ]


def _overlap(a: _Box, b: _Box) -> bool:
    return a[0] < b[1] and b[0] < a[1] and a[2] < b[3] and b[2] < a[3]
