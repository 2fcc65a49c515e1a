"""Does a map point where painting over matters? Agreement of activation with class occlusion."""

from __future__ import annotations

import pandas as pd

from core.statistics.bootstrap import Interval
from core.statistics.correlation import correlation_of_sums, rank_terms
from core.statistics.interval import interval_of_sums


def map_agreement(
    rows: pd.DataFrame, *, block_m: float | None = None, draws: int = 999, seed: int = 0
) -> Interval:
    """Spearman correlation between a map's attention to a class and what painting the class over does.

    ``rows``: one row a cell and class, with cell_id, x, y (metres), ``attention`` (excess, or ratio of the
    map on the side that is predicted) and ``effect`` (occlusion effect beyond that of moved masks, by area),
    both turned so that the side predicted is positive. Rows with a NaN are left out. Interval: of sums over
    cells (``interval.interval_of_sums``), the ranks being those of all rows. Near 0: the map does not know
    where the network looks.

    >>> import numpy as np
    >>> random = np.random.default_rng(0); n = 900
    >>> x, y = np.arange(n) % 30 * 200, np.arange(n) // 30 * 200
    >>> rows = pd.DataFrame({"cell_id": range(n), "x": x, "y": y})
    >>> rows["attention"] = random.normal(size=n); rows["effect"] = rows.attention + random.normal(size=n)
    >>> found = map_agreement(rows, block_m=400)
    >>> bool(0.6 < found.low < 0.69 < found.high)
    True
    """
    known = rows.dropna(subset=["attention", "effect"])
    if len(known) < 3 or known.attention.nunique() < 2 or known.effect.nunique() < 2:
        nan = float("nan")
        return Interval(nan, nan, nan, nan, 0, "too few classes to compare")
    parts = pd.DataFrame(rank_terms(known.attention, known.effect))
    sums = parts.groupby(known.cell_id.to_numpy()).sum()
    place = known.groupby("cell_id")[["x", "y"]].first().loc[sums.index]
    return interval_of_sums(
        sums.to_numpy(),
        correlation_of_sums,
        place.x,
        place.y,
        block_m=block_m,
        draws=draws,
        seed=seed,
        bounds=(-1, 1),
    )
