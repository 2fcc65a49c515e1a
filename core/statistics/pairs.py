"""Pairs of land-use classes: is a class attended to more where another one stands beside it?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.statistics.classes import Polarity, extreme_classes
from core.statistics.correlation import LEAST_CELLS

Floats = NDArray[np.float64]
PAIR_COLUMNS = (
    "code",
    "with_code",
    "co_activation",
    "gain",
    "n",
    "probability",
    "income_gain",
    "n_income",
)


def class_pairs(
    ratios: pd.DataFrame,
    present: pd.DataFrame,
    predicted_class: pd.Series,
    true_class: pd.Series,
    n_classes: int,
    polarity: Polarity,
) -> pd.DataFrame:
    """Co-activation and gain of every pair of classes of one city, with their empirical counterparts.

    ``ratios``, ``present`` (n x codes): a cell's activation ratio by class (NaN: none) and whether the class
    is present; ``predicted_class``, ``true_class`` (n,), NaN where unknown. Over the cells predicted in the
    lowest (or highest) 40 % of classes, for classes A and B (METHOD 7):

    - ``co_activation``: mean ratio of A where B is present too, over ``n`` cells;
    - ``gain``: that over the mean ratio of A wherever A is present;
    - ``probability``: P(income in the lowest or highest 40 % | A and B present), over ``n_income`` cells;
    - ``income_gain``: that over P(... | A present).

    Fewer than 30 cells: NaN. The diagonal (A with itself) has gain 1.

    >>> ratios = pd.DataFrame({"A": [2.0] * 40 + [1.0] * 40})
    >>> present = pd.DataFrame({"A": [True] * 80, "B": [True] * 40 + [False] * 40})
    >>> ratios["B"] = 1.0
    >>> classes = pd.Series([10] * 80)
    >>> found = class_pairs(ratios, present, classes, classes, 10, "rich").set_index(["code", "with_code"])
    >>> float(found.co_activation["A", "B"]), round(float(found.gain["A", "B"]), 3)
    (2.0, 1.333)
    """
    codes = list(ratios.columns)
    here = present[codes].to_numpy(bool)  # (n, k)
    value = ratios.to_numpy(float)
    chosen = extreme_classes(predicted_class, n_classes, polarity)
    known = (np.isfinite(value) & here & chosen[:, None]).astype(float)
    total = np.where(known > 0, value, 0.0)
    n = known.T @ here  # (k, k): cells with a ratio of A where B is present
    mean = _over(total.T @ here, n)
    alone = _over(total.sum(0), known.sum(0))[:, None]

    with_income = true_class.notna().to_numpy()
    extreme = extreme_classes(true_class, n_classes, polarity) & with_income
    both = (here & with_income[:, None]).astype(float)
    n_income = both.T @ here
    probability = _over((here & extreme[:, None]).astype(float).T @ here, n_income)
    base = _over((here & extreme[:, None]).sum(0).astype(float), both.sum(0))[:, None]

    first, second = np.meshgrid(codes, codes, indexing="ij")
    table = {
        "code": first,
        "with_code": second,
        "co_activation": mean,
        "gain": _over(mean, alone),
        "n": n.astype(np.int64),
        "probability": probability,
        "income_gain": _over(probability, base),
        "n_income": n_income.astype(np.int64),
    }
    frame = pd.DataFrame({name: np.asarray(part).ravel() for name, part in table.items()})
    frame.loc[frame["n"] < LEAST_CELLS, ["co_activation", "gain"]] = np.nan
    frame.loc[frame["n_income"] < LEAST_CELLS, ["probability", "income_gain"]] = np.nan
    return frame[list(PAIR_COLUMNS)]


def _over(above: Floats, below: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(below > 0, above / below, np.nan)
