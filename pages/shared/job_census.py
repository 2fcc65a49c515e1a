"""How a result agrees with the census that the reader brought, in the figures and charts of the page City."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from pages.shared import chart_tables, charts, figures, frame, job_tables, job_words
from pages.shared.job_result import JobResult
from pages.shared.language import _

_LISTED = 8


def show(result: JobResult) -> None:
    """Draw agreement figures, the confusion matrix, the scatter, and the largest disagreements."""
    found = dict(result.summary["census"])
    n_classes = int(result.summary["n_classes"])
    st.header(_("Against your census"), anchor=False)
    agreement = found.get("agreement")
    if agreement:
        figures.figures(job_words.agreement_figures(agreement, n_classes))
        verdict = job_words.agreement_verdict(agreement)
        if verdict:
            frame.sentence(verdict)
    frame.note(frame.escape(job_words.census_sentence(found)) + " " + _caveat())
    by_class = bool(agreement) and result.has_census  # not of a handful of cells
    columns = list(st.columns([1, 1, 1.15] if by_class else [62, 38], gap="medium"))
    if by_class:
        with columns.pop(0):
            _confusion(result, n_classes)
    with columns.pop(0):
        charts.draw(
            charts.against_census(result.cells, str(found["column"])),
            "result.census",
            _("Census value {column} against expected class, a point a cell").format(column=found["column"]),
            data=lambda: result.cells[["cell_id", "census_value", "expected_class"]],
        )
    if by_class:
        with columns.pop(0):
            _disagreements(result)


def compared(result: JobResult) -> pd.DataFrame:
    """Return the cells of which both classes are known and the census value is no estimate."""
    cells = result.cells
    return cells[((cells.census_class > 0) & (cells.region_class > 0)).to_numpy() & ~result.imputed]


def confusion_table(cells: pd.DataFrame, n_classes: int) -> NDArray[np.int64]:
    """Return the confusion matrix (K, K) of classes cut inside the region, census in rows.

    >>> cells = pd.DataFrame({"census_class": [1, 2, 2], "region_class": [1, 1, 2]})
    >>> confusion_table(cells, 2).tolist()
    [[1, 0], [1, 1]]
    """
    table = np.zeros((n_classes, n_classes), np.int64)
    np.add.at(table, (cells.census_class.to_numpy(int) - 1, cells.region_class.to_numpy(int) - 1), 1)
    return table


def largest(cells: pd.DataFrame, limit: int) -> pd.DataFrame:
    """Return the cells whose two classes lie farthest apart, then by id."""
    off = (cells.region_class.astype(int) - cells.census_class.astype(int)).abs()
    return cells.assign(off=-off).sort_values(["off", "cell_id"]).head(limit).reset_index(drop=True)


def _confusion(result: JobResult, n_classes: int) -> None:
    unit = _("decile") if n_classes == 10 else _("class")
    charts.draw(
        charts.confusion(confusion_table(compared(result), n_classes), unit),
        "result.confusion",
        _("Confusion matrix of census and prediction, both cut into classes inside the region, in percent"),
        data=lambda: chart_tables.confusion(confusion_table(compared(result), n_classes)),
    )


def _disagreements(result: JobResult) -> None:
    rows = largest(compared(result), _LISTED)
    event = st.dataframe(
        pd.DataFrame(
            {
                "cell": [frame.short_id(cell_id) for cell_id in rows.cell_id],
                "census": rows.census_class,
                "predicted": rows.region_class,
            }
        ),
        hide_index=True,
        height=300,
        key="result.disagreements",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "cell": _("Largest disagreements"),
            "census": st.column_config.NumberColumn(_("Census"), width=80),
            "predicted": st.column_config.NumberColumn(_("Predicted"), width=80),
        },
        alt=_("Cells whose prediction is farthest from your census"),
    )
    job_tables.choose(event["selection"]["rows"], rows.cell_id.tolist(), "result.disagreements")


def _caveat() -> str:
    return _(
        "The interval allows for neighbouring cells being alike. Expected classes are on the scale of the "
        "cities that the networks learned from, and shrink to the middle: compare ranks, not values. So "
        "prediction and census are both cut into classes inside this region for the figures, the confusion "
        "matrix and the differences."
    )
