"""The figures of each chart as a table: one row a mark, columns named with what they are and their unit.

Names are English in every language: a program that reads them must find the same ones. `low_95` and
`high_95` are the ends of the 95 % interval, empty where there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.store.queries import City

_ENDS = {"low": "low_95", "high": "high_95"}
_CELLS = {
    "n": "cells",
    "n_present": "cells_with_class",
    "n_effective": "effective_cells",
    "null_torus": "null_map_moved",
    "null_other": "null_like_cell",
    "reliance": "reliance_rank_correlation_lost",
}
_NOT_FIGURES = ("colour", "row")


def confusion(table: NDArray[np.int64]) -> pd.DataFrame:
    """Return a confusion matrix (K, K), census in rows: census and predicted class, cells, percent of row.

    >>> confusion(np.array([[3, 1], [0, 2]])).values.tolist()[1]
    [1.0, 2.0, 1.0, 25.0]
    """
    census, predicted = np.indices(table.shape)
    share = 100 * table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    return pd.DataFrame(
        {
            "census_class": census.ravel() + 1,
            "predicted_class": predicted.ravel() + 1,
            "cells": table.ravel(),
            "percent_of_census_class": share.ravel(),
        }
    )


def differences(reach: int, counts: NDArray[np.int64]) -> pd.DataFrame:
    """Return the histogram of differences: predicted less census class, cells.

    >>> differences(1, np.array([2, 5, 1])).values.tolist()
    [[-1, 2], [0, 5], [1, 1]]
    """
    return pd.DataFrame(
        {"predicted_less_census_classes": np.arange(-reach, reach + 1), "cells": np.asarray(counts)}
    )


def mean_difference(groups: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return mean differences by group (columns group, value, low, high, n), the group's column named."""
    shown = groups.assign(group=groups["group"].astype(str).str.replace("_", " to "))
    return shown.rename(
        columns={"group": by, "value": "expected_less_census_classes", "n": "cells", **_ENDS}
    ).reset_index(drop=True)


def calibration(bins: pd.DataFrame) -> pd.DataFrame:
    """Return the bins of a calibration, as shares."""
    return bins.rename(
        columns={
            "probability": "stated_probability",
            "frequency": "observed_share",
            "n": "pairs_of_cell_and_class",
            **_ENDS,
        }
    ).reset_index(drop=True)


def distribution(probabilities: NDArray[np.float64], census: int | None) -> pd.DataFrame:
    """Return the class distribution of a cell.

    >>> distribution(np.array([0.25, 0.75]), 1).values.tolist()
    [[1, 0.25, True], [2, 0.75, False]]
    """
    classes = np.arange(1, len(probabilities) + 1)
    is_census = [bool(census is not None and k == census) for k in classes]
    return pd.DataFrame({"class": classes, "probability": probabilities, "is_census_class": is_census})


def by_class(rows: pd.DataFrame, value: str) -> pd.DataFrame:
    """Return one row a land-use class of a forest plot or table, `value` named with what it is."""
    shown = rows.drop(columns=[name for name in _NOT_FIGURES if name in rows])
    return shown.rename(columns={"value": value, **_ENDS, **_CELLS}).reset_index(drop=True)


def relation(rows: pd.DataFrame, name: str, coefficient: str) -> pd.DataFrame:
    """Return the rows of a forest plot of a relation; of (iii) its null is taken off, and said so."""
    return by_class(rows, f"{name}_{coefficient}" + ("_less_null" if name == "activation" else ""))


def indices(rows: pd.DataFrame) -> pd.DataFrame:
    """Return indices with their nulls, intervals and verdicts."""
    return rows.rename(columns={"value": "index", **_ENDS}).reset_index(drop=True)


def of_cities(
    found: Sequence[tuple[City, pd.DataFrame]], table: Callable[[pd.DataFrame], pd.DataFrame]
) -> pd.DataFrame:
    """Return the tables of the figures of cities in one; the first column names the city."""
    tables = []
    for city, rows in found:
        made = table(rows)
        made.insert(0, "city", city.name)
        tables.append(made)
    return pd.concat(tables, ignore_index=True)


def two_relations(pairs: pd.DataFrame, first: str, second: str) -> pd.DataFrame:
    """Return the classes of a scatter, columns ending in _x and _y named by what `first` and `second` are."""
    shown = pairs.drop(columns=[name for name in _NOT_FIGURES if name in pairs])

    def named(column: str) -> str:
        for end, what in (("_x", first), ("_y", second)):
            if column.endswith(end):
                stem = column[: -len(end)]
                return what if stem == "value" else f"{what}_{_ENDS.get(stem, _CELLS.get(stem, stem))}"
        return column

    return shown.rename(columns=named).reset_index(drop=True)


def ratios(activation: pd.DataFrame, income: pd.DataFrame) -> pd.DataFrame:
    """Return activation ratios and census shares, one row a class and map."""
    left = by_class(activation, "activation_ratio").drop(columns="name")
    right = by_class(income.rename(columns={"probability": "value"}), "share_of_cells_in_census")
    both = left.merge(right, on=["code", "polarity"], how="outer", suffixes=("", "_census"))
    names = pd.concat([activation, income]).drop_duplicates("code").set_index("code").name
    both["name"] = both.code.map(names)
    return both[["code", "name", "polarity", *[c for c in both if c not in ("code", "name", "polarity")]]]


def class_pairs(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return pairs of land-use classes as the heatmaps of one map draw them."""
    return pairs.rename(
        columns={
            "co_activation": "activation_ratio",
            "gain": "activation_ratio_over_usual",
            "n": "cells",
            "probability": "share_of_cells_in_census",
            "income_gain": "share_over_usual",
            "n_income": "cells_in_census",
        }
    ).reset_index(drop=True)


def checks(rows: pd.DataFrame, value: str) -> pd.DataFrame:
    """Return checks of the networks, `value` named with what it is."""
    return rows.rename(
        columns={"check_name": "check", "value": value, "position": "share_of_weights", "n": "cells", **_ENDS}
    ).reset_index(drop=True)
