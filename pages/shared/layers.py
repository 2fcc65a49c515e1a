"""The five things a city map can show: how each is cut into steps, its colours, its legend."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from pages.shared import palette
from pages.shared.language import _, later, number
from pages.shared.rasters import (
    Raster,
    colour_bitmap,
    hatch_lines,
    lines_as_data_url,
    numbers_as_data_url,
    paired,
)

NAMES = {
    "census": later("Census"),
    "predicted": later("Predicted"),
    "difference": later("Difference"),
    "uncertainty": later("Uncertainty"),
    "fold": later("Fold"),
}


@dataclass(frozen=True)
class Layer:
    """Steps (n,) of the cells, -1 where there is no value, with the colour of each step and the legend's
    ends."""

    name: str
    steps: NDArray[np.int64]
    colours: tuple[str, ...]
    first: str
    last: str
    labels: tuple[str, ...] = ()
    named: bool = False  # every step has its name in the legend


def layer(
    name: str,
    cells: pd.DataFrame,
    n_classes: int,
    quintiles: bool,
    ends: tuple[float, float] | None = None,
) -> Layer:
    """Return a layer of the frame of `queries.city_cells`; with `quintiles`, deciles are paired.

    Differences are predicted minus census, beyond four classes shown as four. `ends` are those of the
    uncertainty, by default `ends_of_entropy(cells)`.
    """
    census, predicted = (
        cells["class"].to_numpy(float, na_value=np.nan),
        cells["predicted"].to_numpy(float, na_value=np.nan),
    )
    if quintiles:
        census, predicted, n_classes = paired(census, n_classes), paired(predicted, n_classes), 5
    if name == "census":
        return Layer(
            name, _steps(census - 1), tuple(palette.sequential(n_classes)), _("poorest"), _("richest")
        )
    if name == "predicted":
        return Layer(
            name, _steps(predicted - 1), tuple(palette.sequential(n_classes)), _("poorest"), _("richest")
        )
    if name == "difference":
        reach = min(4, n_classes - 1)
        steps = _steps(np.clip(predicted - census, -reach, reach) + reach)
        numbers = tuple(number(k, sign=True) for k in range(-reach, reach + 1))
        labels = (f"≤ {numbers[0]}", *numbers[1:-1], f"≥ {numbers[-1]}") if reach < n_classes - 1 else numbers
        colours = palette.diverging(2 * reach + 1, palette.inks().is_dark)
        return Layer(name, steps, tuple(colours), _("predicted poorer"), _("richer"), labels)
    if name == "uncertainty":
        entropy = cells["entropy"].to_numpy(float, na_value=np.nan)
        low, high = ends or ends_of_entropy(cells)
        steps = _steps(np.clip(np.floor((entropy - low) / (high - low) * 7), 0, 6))
        least = _("entropy {value}").format(value=number(low, 2))
        return Layer(name, steps, tuple(palette.uncertainty(7)), least, number(high, 2))
    if name == "fold":
        folds = cells["fold"].to_numpy(float, na_value=np.nan)
        n = int(np.nanmax(folds)) + 1 if np.isfinite(folds).any() else 1
        labels = tuple(str(k) for k in range(n))
        return Layer(name, _steps(folds), tuple(palette.categories(n)), _("fold"), "", labels, named=True)
    raise ValueError(f"no layer {name!r}; there are {', '.join(NAMES)}")


FADED = 46  # of 255: what is not selected stays to be seen


def picture(
    raster: Raster, cells: pd.DataFrame, drawn: Layer, selected: NDArray[np.bool_] | None = None
) -> str:
    """Return the layer's bitmap, one pixel a cell, as a data URL; with `selected` (n,), the others faded."""
    table = palette.rgb_table(list(drawn.colours))
    missing = palette.rgb(palette.inks().no_data)
    faded = False if selected is None else ~selected
    return numbers_as_data_url(
        *colour_bitmap(raster, cells["x"], cells["y"], drawn.steps, table, missing, faded, FADED)
    )


def legend(drawn: Layer) -> str:
    """Return the layer's legend as HTML: its ends in words, its steps as swatches, labelled where they have
    names, then what has no value, where there is some."""
    missing = ""
    if (drawn.steps < 0).any():
        swatch = f'<span class="chip" style="background:{palette.inks().no_data}"></span>'
        missing = f'<span class="pair">{swatch} {_("no value")}</span>'
    steps = "".join(
        f'<span class="step" style="background:{colour}" title="{escape(label)}"></span>'
        for colour, label in zip(drawn.colours, drawn.labels or [""] * len(drawn.colours), strict=True)
    )
    if drawn.named:
        chip = '<span class="pair"><span class="chip" style="background:{}"></span> {}</span> '
        steps = "".join(
            chip.format(colour, escape(label))
            for colour, label in zip(drawn.colours, drawn.labels, strict=True)
        )
        return (f"<span>{escape(drawn.first)}</span> " if drawn.first else "") + steps + missing
    first = f"{drawn.first} {drawn.labels[0]}" if drawn.labels else drawn.first
    last = f"{drawn.labels[-1]} {drawn.last}" if drawn.labels else drawn.last
    return (
        f'<span>{escape(first)}</span><span class="steps">{steps}</span><span>{escape(last)}</span>{missing}'
    )


def hatch(raster: Raster, x: ArrayLike, y: ArrayLike, hatched: ArrayLike) -> str:
    """Return lines over the hatched of the cells (n,), in the theme's ink, as a data URL."""
    return lines_as_data_url(hatch_lines(raster, x, y, hatched), palette.rgb(palette.inks().hatch))


def _steps(values: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.where(np.isfinite(values), values, -1).astype(np.int64)


def ends_of_entropy(cells: pd.DataFrame) -> tuple[float, float]:
    """Return the 2nd and 98th percentile, so that one odd cell does not flatten the map; never equal."""
    values = cells["entropy"].to_numpy(float, na_value=np.nan)
    known = values[np.isfinite(values)]
    if not len(known):
        return 0.0, 1.0
    low, high = np.quantile(known, [0.02, 0.98])
    return float(low), float(max(high, low + 1e-6))
