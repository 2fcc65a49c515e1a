"""How far the predictions for a region agree with its own census, where the reader brought one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.job_files import Job
from core.statistics.agreement import agreement_table
from core.statistics.correlation import correlate
from data.cell_values import read_cell_values
from data.census import income_classes
from data.errors import StudyError
from data.grid import Grid

FEW_CELLS = 30
_MOST_BLOCKS = 1_000
_DRAWS = 499
_MEANINGFUL = ("accuracy", "within_one", "weighted_kappa", "spearman", "moran")


def compare_with_census(
    file: Path, job: Job, grid: Grid, cells: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, Any], list[str]]:
    """Lay a census over predicted cells and correlate it with them.

    ``cells``: cell_id, x, y, expected_class, probabilities. Returns the cells with census_value (NaN
    without), census_imputed (bool), census_class (quantile class inside the region, 0 without; all 0 with too
    few distinct values), region_class (that of the expected class, cut in the same way among the same cells)
    and, where the census counts them, census_individuals and census_households (NaN without); what is to be
    told: column, n (cells compared), imputed (cells left out because their value is),
    spearman (value, low, high, p_value, n_effective, note; None for what is unknown) of the value with the
    expected class, its interval allowing for neighbours (Clifford, Richardson and Hemon 1989), agreement
    (`region_agreement`); and warnings.

    Raises ``InputError`` like `data.cell_values.read_cell_values`.
    """
    found = read_cell_values(file, grid, cells, job.census_column)
    n_classes = len(cells.probabilities.iloc[0])
    known = np.isfinite(found.values)
    with_census = cells.assign(
        census_value=found.values,
        census_imputed=found.imputed & known,
        census_class=_classes(found.values, n_classes),
        region_class=_classes(np.where(known, cells.expected_class.to_numpy(float), np.nan), n_classes),
    )
    if found.individuals is not None and found.households is not None:
        with_census = with_census.assign(
            census_individuals=found.individuals, census_households=found.households
        )
    compared = np.where(found.imputed, np.nan, found.values)
    agreement = correlate(compared, cells.expected_class, cells.x, cells.y, "spearman", grid.size)
    names = ("value", "low", "high", "p_value", "n_effective")
    spearman = {name: _plain(getattr(agreement, name)) for name in names}
    facts = {
        "name": job.census_name,
        "column": found.column,
        "n": agreement.n,
        "imputed": int((found.imputed & known).sum()),
        "spearman": {**spearman, "note": agreement.note},
        "agreement": region_agreement(with_census, n_classes, grid.size),
    }
    warnings = list(found.warnings)
    if agreement.n < FEW_CELLS:
        warnings.append(
            f"Only {agreement.n:d} cells have a census value: too few to say how far the two agree."
        )
    return with_census, facts, warnings


def region_agreement(cells: pd.DataFrame, n_classes: int, cell_size: int) -> dict[str, dict[str, Any]]:
    """Return how census and prediction agree when both are cut into classes inside the region, by measure.

    The networks' own classes are those of other cities: a region as a whole richer than they are would agree
    in no class. ``cells``: as `compare_with_census` returns them; imputed ones are left out. Measures are
    those of `core.statistics.agreement` that a common cut leaves a meaning (no shrinkage): accuracy,
    within_one, weighted_kappa, spearman, moran; each with value, low, high, null_low, null_high, note.
    Nothing under ``FEW_CELLS`` cells.
    """
    used = cells[(cells.census_class > 0) & (cells.region_class > 0) & ~cells.census_imputed]
    if len(used) < FEW_CELLS:
        return {}
    # where a cell stands among all, on the scale of classes: what its residual is taken from
    place = 0.5 + n_classes * (used.expected_class.rank() - 0.5) / len(used)
    frame = pd.DataFrame(
        {
            "x": used.x,
            "y": used.y,
            "fold": 0,
            "true_class": used.census_class,
            "predicted_class": used.region_class,
            "expected_class": place,
            "income": used.census_value,
        }
    )
    # blocks of at least this side: resampling takes the square of their number, and larger ones are safe
    block_m = cell_size * np.ceil(np.sqrt(len(used) / _MOST_BLOCKS))
    table = agreement_table(frame, n_classes, block_m=float(block_m), draws=_DRAWS, cell_size=cell_size)
    rows = table[table.scope == "pooled"].set_index("measure")
    numbers = ["value", "low", "high", "null_low", "null_high"]
    return {
        measure: {
            **{name: _plain(rows.at[measure, name]) for name in numbers},
            "note": rows.at[measure, "note"],
        }
        for measure in _MEANINGFUL
    }


def _classes(values: NDArray[np.float64], n_classes: int) -> NDArray[np.uint8]:
    """Return quantile classes (n,) inside the region, all 0 where there are too few distinct values."""
    try:
        return income_classes(values, n_classes)[0]
    except StudyError:
        return np.zeros(len(values), np.uint8)


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
