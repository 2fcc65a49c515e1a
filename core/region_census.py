"""How far the predictions for a region agree with its own census, where the reader brought one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.job_files import Job
from core.statistics.correlation import correlate
from data.cell_values import read_cell_values
from data.census import income_classes
from data.errors import StudyError
from data.grid import Grid

FEW_CELLS = 30


def compare_with_census(
    file: Path, job: Job, grid: Grid, cells: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, Any], list[str]]:
    """Lay a census over predicted cells and correlate it with them.

    ``cells``: cell_id, x, y, expected_class, probabilities. Returns the cells with census_value (NaN without)
    and census_class (quantile class inside the region, 0 without; all 0 with too few distinct values); what
    is to be told: column, n (cells compared), imputed (cells left out because their value is), spearman
    (value, low, high, p_value, n_effective, note; None for what is unknown) of the value with the expected
    class, its interval allowing for neighbours (Clifford, Richardson and Hemon 1989); and warnings.

    Raises ``InputError`` like `data.cell_values.read_cell_values`.
    """
    found = read_cell_values(file, grid, cells, job.census_column)
    n_classes = len(cells.probabilities.iloc[0])
    try:
        classes, _ = income_classes(found.values, n_classes)
    except StudyError:
        classes = np.zeros(len(cells), np.uint8)
    with_census = cells.assign(census_value=found.values, census_class=classes)
    compared = np.where(found.imputed, np.nan, found.values)
    agreement = correlate(compared, cells.expected_class, cells.x, cells.y, "spearman", grid.size)
    names = ("value", "low", "high", "p_value", "n_effective")
    spearman = {name: _plain(getattr(agreement, name)) for name in names}
    facts = {
        "name": job.census_name,
        "column": found.column,
        "n": agreement.n,
        "imputed": int((found.imputed & np.isfinite(found.values)).sum()),
        "spearman": {**spearman, "note": agreement.note},
    }
    warnings = list(found.warnings)
    if agreement.n < FEW_CELLS:
        warnings.append(
            f"Only {agreement.n} cells have a census value: too few to say how far the two agree."
        )
    return with_census, facts, warnings


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
