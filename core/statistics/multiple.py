"""Control of the false-discovery rate over many tests."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray


def false_discovery(p: ArrayLike, method: Literal["by", "bh"] = "by") -> NDArray[np.float64]:
    """Adjusted p values (q) of the tests ``p`` (n,) float; a NaN stays NaN and counts as no test.

    ``by`` (Benjamini and Yekutieli 2001) holds under any dependence and is the default: shares of land-use
    classes add up to one, so their tests are negatively dependent and ``bh`` (Benjamini and Hochberg 1995)
    promises nothing.

    Raises ``ValueError`` for a p outside [0, 1] or an unknown method.

    >>> false_discovery([0.01, float("nan"), 0.04], method="bh").tolist()
    [0.02, nan, 0.04]
    """
    p = np.asarray(p, float)
    if method not in ("by", "bh"):
        raise ValueError(f"method is 'by' or 'bh', not {method!r}")
    q = np.full(p.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    m = len(tested)
    if m == 0:
        return q
    if p[tested].min() < 0 or p[tested].max() > 1:
        raise ValueError("p values lie between 0 and 1")
    order = tested[np.argsort(p[tested])]
    rank = np.arange(1, m + 1)
    factor = np.sum(1 / rank) if method == "by" else 1.0
    scaled = p[order] * m * factor / rank
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q
