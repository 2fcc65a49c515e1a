"""The hierarchy of land use: rows of full codes summed up to level 2, level 1 or merged classes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.landuse_classes import Level, level_code

LEVELS: tuple[Level, ...] = ("full", 2, 1, "paper")
_ADDED = ("area", "area_m2", "share", "sum_rich", "sum_poor", "share_rich", "share_poor", "contribution")
_LARGEST = ("maximum_rich", "maximum_poor")


def land_use_at(land_use: pd.DataFrame, level: Level) -> pd.DataFrame:
    """Land-use rows (cell_id, code, area_m2, share) with the classes of ``level``: areas add up.

    >>> rows = pd.DataFrame({"cell_id": ["a", "a"], "code": ["11100", "11210"], "share": [0.5, 0.25]})
    >>> land_use_at(rows, 2).values.tolist()
    [['a', '11', 0.75]]
    """
    if level == "full":
        return land_use
    keyed = land_use.assign(code=_codes(land_use["code"], level))
    return keyed.groupby(["cell_id", "code"], sort=False, as_index=False).sum()


def activation_at(activation: pd.DataFrame, shares: pd.DataFrame, level: Level) -> pd.DataFrame:
    """Activation rows of full codes with the classes of ``level``, as if polygons had been merged first.

    ``activation``: method, cell_id, code, quantities of ``landuse.ClassQuantities``; ``shares``: cell_id,
    code, share of the mapped area, at full codes. Sums, shares of activation and contributions add up; maxima
    are the largest; ratio = share of the activation / share of the area; excess, a mean over pixels, is
    averaged by area, as is every column ``draw_*`` of a null.

    (A class's maximum is over the pixels that it covers at least half, so a merged class can miss a pixel
    that only its members together cover half.)
    """
    if level == "full":
        return activation
    rows = activation.merge(shares[["cell_id", "code", "share"]], on=["cell_id", "code"], how="left")
    rows["code"] = _codes(rows["code"], level)
    keys = [name for name in ("method", "cell_id", "code") if name in rows]
    averaged = [name for name in rows if name == "excess" or str(name).startswith("draw_")]
    rows[averaged] = rows[averaged].mul(rows["share"], axis=0)
    grouped = rows.groupby(keys, sort=False)
    # A sum over classes without a value has none either.
    found = grouped[[c for c in (*_ADDED, *averaged) if c in rows]].sum(min_count=1)
    largest = [name for name in _LARGEST if name in rows]
    if largest:
        found[largest] = grouped[largest].max()
    found[averaged] = found[averaged].div(found["share"], axis=0)
    for polarity in ("rich", "poor"):
        if f"share_{polarity}" in found:
            found[f"ratio_{polarity}"] = found[f"share_{polarity}"] / found["share"].where(found["share"] > 0)
    found = found.reset_index()
    return found[[name for name in activation.columns if name in found]]


def _codes(codes: pd.Series, level: Level) -> pd.Series:
    known = {code: level_code(str(code), level) for code in codes.unique()}
    return codes.map(known).astype(str)


def level_name(level: Level) -> str:
    """Name of a level in a publication: full, 2, 1 or paper.

    >>> [level_name(level) for level in LEVELS]
    ['full', '2', '1', 'paper']
    """
    return str(level)


def wide(rows: pd.DataFrame, value: str, cell_ids: pd.Series) -> pd.DataFrame:
    """One row a cell of ``cell_ids``, one column a code of ``rows``; NaN where the class is absent."""
    table = rows.pivot(index="cell_id", columns="code", values=value).reindex(cell_ids)
    return table.astype(np.float64)
