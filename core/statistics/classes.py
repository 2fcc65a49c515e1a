"""What a city's maps and incomes say of each land-use class: activation ratio, and income there."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.statistics.bootstrap import Interval, ratio_of_sums
from core.statistics.correlation import LEAST_CELLS
from core.statistics.interval import interval_of_sums

Polarity = Literal["poor", "rich"]
_NAN = float("nan")


def extreme_classes(classes: pd.Series, n_classes: int, polarity: Polarity) -> NDArray[np.bool_]:
    """Whether each class lies in the lowest (poor) or highest (rich) 40 % of 1..n_classes: (n,) bool.

    With a number of classes that 40 % does not divide, whole classes within the 40 %.

    >>> extreme_classes(pd.Series([1, 4, 5, 6, 7, 10]), 10, "rich").tolist()
    [False, False, False, False, True, True]
    """
    if polarity not in ("poor", "rich"):
        raise ValueError(f"polarity is 'poor' or 'rich', not {polarity!r}")
    width = int(np.floor(0.4 * n_classes + 1e-9))
    values = classes.to_numpy(float, na_value=np.nan)
    return values <= width if polarity == "poor" else values > n_classes - width


def class_activation(
    frame: pd.DataFrame,
    polarity: Polarity,
    n_classes: int,
    *,
    block_m: float | None = None,
    cell_size: float = 200,
    least_share: float = 0.01,
    draws: int = 999,
    seed: int = 0,
) -> pd.DataFrame:
    """Activation ratio of every land-use class over the cells predicted poor (or rich), by two estimators.

    ``frame``: one row a cell and class present in it, one city, with cell_id, x, y (metres), code, share,
    ``ratio_<polarity>``, ``sum_<polarity>`` and predicted_class. Returns per code and estimator: code,
    estimator, value, low, high, standard_error, n, n_blocks, enough (n >= 30), note.

    ``mean`` (paper): mean of ratios over the cells where the class is present and has a ratio. Its standard
    error is that of independent cells, as the paper shows it; the interval is not. ``pooled``: over the cells
    with area share >= ``least_share``, (sum of the class's activation / sum of all activation) / mean area
    share, which weighs cells by their activation. Intervals: ``interval.interval_of_sums`` with blocks of at
    least ``block_m`` metres. Fewer than 30 cells: the note "too few cells".

    Raises ``ValueError`` naming a missing column.
    """
    ratio, total = f"ratio_{polarity}", f"sum_{polarity}"
    _require(frame, ["cell_id", "x", "y", "code", "share", ratio, total, "predicted_class"])
    cells = frame.assign(everything=frame.groupby("cell_id")[total].transform("sum"))
    chosen = cells.loc[extreme_classes(frame["predicted_class"], n_classes, polarity)]
    how: dict[str, Any] = {"block_m": block_m, "cell_size": cell_size, "draws": draws, "seed": seed}
    rows = []
    for code in sorted(frame["code"].unique()):
        present = chosen.loc[(chosen["code"] == code) & (chosen["share"] > 0)]
        with_ratio = present.loc[present[ratio].notna()]
        columns = np.column_stack([with_ratio[ratio].to_numpy(float), np.ones(len(with_ratio))])
        found = interval_of_sums(
            columns, ratio_of_sums, with_ratio["x"], with_ratio["y"], bounds=(0, np.inf), **how
        )
        naive = float(with_ratio[ratio].sem()) if len(with_ratio) > 1 else _NAN
        rows.append(_row(code, "mean", found, len(with_ratio), standard_error=naive))

        large = present.loc[(present["share"] >= least_share) & (present["everything"] > 0)]
        columns = np.column_stack(
            [large[total], large["everything"], large["share"], np.ones(len(large))]
        ).astype(float)
        found = interval_of_sums(
            columns, _share_over_share, large["x"], large["y"], bounds=(0, np.inf), **how
        )
        rows.append(_row(code, "pooled", found, len(large), standard_error=found.standard_error))
    return pd.DataFrame(rows, columns=_ROW)


def _share_over_share(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore", divide="ignore"):
        return (totals[..., 0] / totals[..., 1]) / (totals[..., 2] / totals[..., 3])


_ROW = [
    "code",
    "estimator",
    "value",
    "low",
    "high",
    "standard_error",
    "n",
    "n_blocks",
    "enough",
    "note",
]


def _row(code: str, estimator: str, found: Interval, n: int, *, standard_error: float) -> dict:
    enough = n >= LEAST_CELLS
    notes = [found.note] if enough else [f"too few cells ({n} of {LEAST_CELLS})"]
    return {
        "code": code,
        "estimator": estimator,
        "value": found.value,
        "low": found.low if enough else _NAN,
        "high": found.high if enough else _NAN,
        "standard_error": standard_error,
        "n": n,
        "n_blocks": found.n_blocks,
        "enough": enough,
        "note": "; ".join(note for note in notes if note),
    }


def class_income(
    frame: pd.DataFrame,
    n_classes: int,
    *,
    block_m: float | None = None,
    cell_size: float = 200,
    draws: int = 999,
    seed: int = 0,
) -> pd.DataFrame:
    """Probability of an income in the lowest (or highest) 40 % of classes where a land-use class is present.

    ``frame``: one row a cell and class present in it, one city, with x, y, code, share and true_class (NaN:
    no census value, left out). Returns per code and polarity (poor, rich): code, polarity, probability,
    low, high, standard_error, n, n_blocks, enough, note. Interval: block bootstrap as in
    ``class_activation``.

    Raises ``ValueError`` naming a missing column.
    """
    _require(frame, ["x", "y", "code", "share", "true_class"])
    cells = frame.loc[frame["true_class"].notna() & (frame["share"] > 0)]
    how: dict[str, Any] = {"block_m": block_m, "cell_size": cell_size, "draws": draws, "seed": seed}
    rows = []
    for code in sorted(frame["code"].unique()):
        present = cells.loc[cells["code"] == code]
        for polarity in ("poor", "rich"):
            inside = extreme_classes(present["true_class"], n_classes, polarity)
            columns = np.column_stack([inside, np.ones(len(present))]).astype(float)
            found = interval_of_sums(columns, ratio_of_sums, present["x"], present["y"], bounds=(0, 1), **how)
            row = _row(code, "", found, len(present), standard_error=found.standard_error)
            rows.append({"polarity": polarity, "probability": row.pop("value"), **row})
    return pd.DataFrame(rows, columns=["code", "polarity", "probability", *_ROW[3:]])


def _require(frame: pd.DataFrame, columns: list[str]) -> None:
    lacking = [column for column in columns if column not in frame.columns]
    if lacking:
        raise ValueError(f"the frame lacks {', '.join(lacking)}")
