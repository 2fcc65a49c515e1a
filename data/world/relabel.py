"""The recipe `hidden`: land use that goes with income, on a photograph that does not show it.

The photograph is that of `nothing`. Which polygon bears which code is decided anew by the income around it,
so the codes correlate with income and what is drawn does not.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.stats import rankdata, spearmanr

from data.world.income import MIX_WEIGHTS

# Roads, railways and water stay what they are: their shape alone would give a new code away.
KEPT = frozenset({"12210", "12220", "12230", "50000"})
NOISE = 0.35  # deviation of the noise, in ranks of income: land use and income then relate as in `mix`


def relabelled(
    land_use: gpd.GeoDataFrame,
    corner: NDArray[np.int64],
    rank: NDArray[np.float64],
    random: np.random.Generator,
) -> gpd.GeoDataFrame:
    """Return land use (code, geometry in EPSG:3035) with codes dealt out by the income around each polygon.

    ``corner`` (n, 2) and ``rank`` (n,) in 0..1 are the inhabited cells and their income. Every code keeps its
    number of polygons within its size (half of the polygons are large, half small), so that none vanishes.
    """
    free = np.flatnonzero(~land_use["code"].isin(KEPT).to_numpy())
    shapes = land_use.geometry.to_numpy()[free]
    around = shapely.STRtree(shapely.points(corner + 100.0)).nearest(shapely.point_on_surface(shapes))
    score = rank[around] + NOISE * random.normal(size=len(free))
    codes = land_use["code"].to_numpy(object).copy()
    weight = np.array([MIX_WEIGHTS.get(code, 0.0) for code in codes[free]])
    large = shapely.area(shapes) > np.median(shapely.area(shapes))
    for size in (large, ~large):
        members = free[size]
        # ties of weight 0 fall anywhere in the middle
        order = np.lexsort((random.random(len(members)), weight[size]))
        dealt = codes[members][order]
        codes[members[np.argsort(score[size], kind="stable")]] = dealt
    return land_use.assign(code=codes)


def shown_by_drawing(drawn: pd.DataFrame, income: NDArray[np.float64]) -> float:
    """Return the rank correlation of income with the best linear reading of the *drawn* classes.

    ``drawn`` (n, codes): share of each cell as painted, before codes were dealt out. In sample, so an upper
    bound: a reader of pixels who knew every class and every income could do no better by shares.
    """
    design = np.column_stack([np.ones(len(drawn)), drawn.to_numpy(float)])
    target = rankdata(income)
    return float(spearmanr(design @ np.linalg.lstsq(design, target, rcond=None)[0], target).statistic)
