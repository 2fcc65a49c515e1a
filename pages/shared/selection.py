"""What the reader has picked out of a city or a result: one selection, kept in the address, for map, figures
and tables.

A click in the confusion matrix, a brushed range of the histogram of differences or of predicted classes, a
rectangle on the map and a district each set one part; a cell is in the selection when it is in all parts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pages.shared.language import _, number, plural
from pages.shared.rasters import paired

NAME = "only"  # in the address
_PARTS = re.compile(
    r"(?:(c)(\d{1,2})p(\d{1,2})|(d)(-?\d{1,2})_(-?\d{1,2})|(r)(-?\d+)_(-?\d+)_(-?\d+)_(-?\d+)|"
    r"(p)(\d{1,2})_(\d{1,2}))"
)
_DISTRICT = re.compile(r"z([A-Za-z0-9_~%-]{1,600})")  # an id, quoted


@dataclass(frozen=True)
class Selection:
    """The parts: census and predicted class as shown; difference from, to; rectangle in grid metres; the id
    of a district; predicted class from, to."""

    confusion: tuple[int, int] | None = None
    difference: tuple[int, int] | None = None
    rectangle: tuple[int, int, int, int] | None = None  # west, south, east, north
    district: str | None = None
    predicted: tuple[int, int] | None = None

    def __bool__(self) -> bool:
        return self != Selection()

    @staticmethod
    def of(text: str | None) -> Selection:
        """Return the selection that an address names; what it cannot mean is left out.

        >>> Selection.of("c3p7.d-2_1.z75%20A")
        Selection(confusion=(3, 7), difference=(-2, 1), rectangle=None, district='75 A', predicted=None)
        >>> Selection.of("c3p7.d-2_1").text(), bool(Selection.of("nonsense"))
        ('c3p7.d-2_1', False)
        """
        found: dict[str, Any] = {}
        for part in (text or "").split("."):
            named = _DISTRICT.fullmatch(part)
            if named:
                found["district"] = unquote(named[1])
                continue
            match = _PARTS.fullmatch(part)
            if match is None:
                continue
            numbers = [int(group) for group in match.groups() if group and group not in "cdrp"]
            if match[1]:
                found["confusion"] = tuple(numbers)
            elif match[4]:
                found["difference"] = tuple(sorted(numbers))
            elif match[12]:
                found["predicted"] = tuple(sorted(numbers))
            elif numbers[0] < numbers[2] and numbers[1] < numbers[3]:
                found["rectangle"] = tuple(numbers)
        return Selection(**found)

    def text(self) -> str | None:
        """Return the selection as an address holds it; None where nothing is selected."""
        parts = []
        if self.confusion:
            parts.append("c{}p{}".format(*self.confusion))
        if self.difference:
            parts.append("d{}_{}".format(*self.difference))
        if self.rectangle:
            parts.append("r{}_{}_{}_{}".format(*self.rectangle))
        if self.district:
            parts.append("z" + quote(self.district, safe="").replace(".", "%2E"))
        if self.predicted:
            parts.append("p{}_{}".format(*self.predicted))
        return ".".join(parts) or None

    @property
    def by_error(self) -> bool:
        """Whether cells were picked by how far off they are: figures of that are then no measurement."""
        return self.confusion is not None or self.difference is not None

    @property
    def but_errors(self) -> Selection:
        """The selection without the parts that pick cells by how far off they are."""
        return self.only(confusion=None, difference=None)

    def paired(self, quintiles: bool) -> Selection:
        """The selection when the reader changes to quintiles: a cell of the confusion matrix is the one that
        holds it; back to deciles, none, for it would be four.

        >>> Selection(confusion=(10, 8)).paired(True), bool(Selection(confusion=(5, 4)).paired(False))
        (Selection(confusion=(5, 4), difference=None, rectangle=None, district=None, predicted=None), False)
        """
        if self.confusion is None:
            return self
        census, predicted = self.confusion
        return self.only(confusion=((census + 1) // 2, (predicted + 1) // 2) if quintiles else None)

    def within(self, n_shown: int) -> Selection:
        """The selection without a cell that a confusion matrix of so many classes does not have."""
        fits = self.confusion is None or all(1 <= k <= n_shown for k in self.confusion)
        return self if fits else self.only(confusion=None)

    def only(self, **parts: Any) -> Selection:
        """Return the selection with parts set anew; None takes one away."""
        return replace(self, **parts)

    def mask(self, cells: pd.DataFrame, n_classes: int, quintiles: bool, size: int) -> NDArray[np.bool_]:
        """Return which cells (n,) of the frame of `queries.city_cells`, with a column district where one is
        selected, are in the selection.

        ``quintiles``: the confusion matrix shown pairs deciles. Differences are of classes as published. A
        cell is in a rectangle when its centre is. A range of predicted classes is of the column `own_class`
        where there is one: the networks' own, while `predicted` is cut anew to be compared.
        """
        census, predicted = (cells[name].to_numpy(float, na_value=np.nan) for name in ("class", "predicted"))
        kept = np.ones(len(cells), bool)
        if self.confusion:
            shown = (
                (paired(census, n_classes), paired(predicted, n_classes))
                if quintiles
                else (census, predicted)
            )
            kept &= (shown[0] == self.confusion[0]) & (shown[1] == self.confusion[1])
        if self.difference:
            difference = predicted - census
            kept &= (difference >= self.difference[0]) & (difference <= self.difference[1])
        if self.rectangle:
            west, south, east, north = self.rectangle
            x, y = cells["x"].to_numpy() + size / 2, cells["y"].to_numpy() + size / 2
            kept &= (x >= west) & (x < east) & (y >= south) & (y < north)
        if self.district:
            kept &= (cells["district"] == self.district).to_numpy(bool, na_value=False)
        if self.predicted:
            own = cells["own_class"].to_numpy(float) if "own_class" in cells else predicted
            kept &= (own >= self.predicted[0]) & (own <= self.predicted[1])
        return kept

    def words(self, unit: str, district: str = "") -> str:
        """Say what is selected; ``district``: the name of the one selected.

        >>> Selection(confusion=(1, 4), difference=(2, 3)).words("decile")
        'census decile 1 predicted as 4, predicted 2 to 3 classes richer'
        """
        parts = []
        if self.confusion:
            census, predicted = self.confusion
            words = _("census {unit} {census} predicted as {predicted}")
            parts.append(words.format(unit=unit, census=census, predicted=predicted))
        if self.difference:
            parts.append(_difference_words(*self.difference))
        if self.rectangle:
            west, south, east, north = self.rectangle
            words = _("a rectangle of {width} × {height} km")
            parts.append(words.format(width=_km(east - west), height=_km(north - south)))
        if self.district:
            parts.append(_("district {name}").format(name=district or self.district))
        if self.predicted:
            low, high = self.predicted
            words = _("predicted class {low}") if low == high else _("predicted class {low} to {high}")
            parts.append(words.format(low=low, high=high))
        return ", ".join(parts)


def _difference_words(low: int, high: int) -> str:
    if low == high == 0:
        return _("predicted exactly")
    near, far = sorted((abs(low), abs(high)))
    if low == high and low > 0:
        return plural("predicted {n} class richer", "predicted {n} classes richer", far).format(n=far)
    if low == high:
        return plural("predicted {n} class poorer", "predicted {n} classes poorer", far).format(n=far)
    if low >= 0:
        return _("predicted {near} to {far} classes richer").format(near=near, far=far)
    if high <= 0:
        return _("predicted {near} to {far} classes poorer").format(near=near, far=far)
    return _("predicted from {low} classes poorer to {high} richer").format(low=abs(low), high=high)


def _km(metres: int) -> str:
    return number(metres / 1000, 0 if metres % 1000 == 0 or metres >= 10_000 else 1)
