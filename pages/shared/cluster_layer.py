"""Where errors cluster, as a map of a city or a result: the local Moran's I of the residuals, in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pages.shared import palette
from pages.shared.language import _, later, number, percent
from pages.shared.layers import Layer

NAME, TITLE = "clusters", later("Clusters")
FALSE_DISCOVERIES = 0.05
# steps 0 to 3 in order of the legend, then what does not stand out
KINDS = (
    later("too poor among too poor"),
    later("too poor among too rich"),
    later("too rich among too poor"),
    later("too rich among too rich"),
    later("not significant"),
)
_QUIET = 4


def steps(cells: pd.DataFrame, moran: pd.DataFrame) -> NDArray[np.int8]:
    """Return the place in KINDS of each cell (n,), -1 where its error was not compared with neighbours'.

    ``cells``: x and y. ``moran``: rows of `map_queries.local_moran_by_corner`, of which those with a
    q-value under 5 % stand out.
    """
    found = np.full(len(cells), -1, np.int8)
    if len(moran):
        known, asked = _places(moran), _places(cells)
        order = np.argsort(known, kind="stable")
        known = known[order]
        at = np.minimum(np.searchsorted(known, asked), len(known) - 1)
        compared = known[at] == asked
        found[compared] = _kinds(moran)[order[at[compared]]]
    return found


def _places(cells: pd.DataFrame) -> NDArray[np.int64]:
    """Return a number for each corner (n,), which grows from south to north and west to east."""
    return cells["y"].to_numpy(np.int64) * 2**32 + cells["x"].to_numpy(np.int64)


def _kinds(moran: pd.DataFrame) -> NDArray[np.int64]:
    own, around = (moran[name].to_numpy(float) > 0 for name in ("residual", "around"))
    loud = moran["q_value"].to_numpy(float) < FALSE_DISCOVERIES
    return np.where(loud, 2 * own + around, _QUIET).astype(np.int64)


def layer(kinds: NDArray[np.int8]) -> Layer:
    """Return clusters (n,), as of `steps`, as a layer: brown predicted too poor, teal too rich, strong where
    the neighbours are alike."""
    ink = palette.inks()
    table = palette.diverging(9, ink.is_dark)
    colours = (table[0], table[2], table[6], table[8], ink.grid)
    return Layer(
        NAME,
        kinds.astype(np.int64),
        colours,
        _("predicted"),
        "",
        tuple(_(kind) for kind in KINDS),
        named=True,
    )


def sentence(kinds: NDArray[np.int8]) -> str:
    """Say how many cells stand out, how, and what that does and does not mean; `kinds` as of `steps`."""
    compared = int((kinds >= 0).sum())
    if not compared:
        return _("No cell shown has an error to compare with its neighbours’.")
    poor, poor_alone, rich_alone, rich = (int((kinds == k).sum()) for k in range(_QUIET))
    out = poor + poor_alone + rich_alone + rich
    if not out:
        return _("Errors cluster nowhere beyond chance among {all} cells.").format(all=number(compared))
    caveat = _(
        "About {share} of the marked cells are expected to be chance (false discovery rate over all cells "
        "compared), and neighbours share neighbours: read areas, not single squares. A network that shrinks "
        "toward the middle predicts poor areas too rich and rich ones too poor: such clusters are to be "
        "expected."
    ).format(share=percent(FALSE_DISCOVERIES))
    counts = _(
        "{out} of {all} cells stand out beyond chance: {rich} predicted too rich among cells predicted too "
        "rich, {poor} too poor among too poor, {rich_alone} too rich among too poor, {poor_alone} too poor "
        "among too rich."
    ).format(
        out=number(out),
        all=number(compared),
        rich=number(rich),
        poor=number(poor),
        rich_alone=number(rich_alone),
        poor_alone=number(poor_alone),
    )
    return f"{counts} {caveat}"
