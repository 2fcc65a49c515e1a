"""How a result agrees with the census that the reader brought, in the figures and charts of the page City."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from pages.shared import (
    charts,
    city_charts,
    city_errors,
    city_words,
    farthest_off,
    figures,
    frame,
    job_tables,
    job_words,
    linked_selection,
    selected_figures,
)
from pages.shared.job_cells import ResultCells
from pages.shared.language import _


def show(view: ResultCells) -> None:
    """Draw agreement figures or those of the selection, the confusion matrix, the scatter, the largest
    disagreements, and who is predicted too poor or too rich."""
    found = dict(view.result.summary["census"])
    st.header(_("Against your census"), anchor=False)
    if view.selected:
        _selected(view)
    else:
        _agreement(view, found)
    by_class = view.result.has_agreement
    columns = list(st.columns([1, 1, 1.3] if by_class else [62, 38], gap="medium"))
    if by_class:
        with columns.pop(0):
            city_charts.confusion(view, linked_selection.on_confusion)
    with columns.pop(0):
        _scatter(view, str(found["column"]))
    if by_class:
        with columns.pop(0):
            _disagreements(view)
        city_errors.errors(view)


def _agreement(view: ResultCells, found: dict[str, object]) -> None:
    agreement = view.result.summary["census"].get("agreement")
    if agreement:
        figures.figures(job_words.agreement_figures(agreement, view.n_classes))
        verdict = job_words.agreement_verdict(agreement)
        if verdict:
            frame.sentence(verdict)
    frame.note(
        frame.escape(job_words.census_sentence(found))
        + " "
        + _("The interval allows for neighbouring cells being alike.")
        + " "
        + scales()
    )


def _selected(view: ResultCells) -> None:
    one = city_words.unit(view.n_classes)
    drawn = selected_figures.selected_figures(
        view, _("Cells compared"), _("Mean predicted {unit}").format(unit=one), _("by rank in the region")
    )
    if not drawn:
        return
    if view.selected.by_error:
        text = _("Of cells picked by their own error no correlation is given: it would say nothing.")
    else:
        text = _(
            "Of a selection no correlation is given: within a narrow range of incomes it would say nothing "
            "of the model. Over the whole region the mean difference is 0 by the way classes are cut."
        )
    frame.note(f"{text} {scales()}")


def scales() -> str:
    """Say on which scales prediction and census are compared."""
    return _(
        "Expected classes are on the scale of the cities that the networks learned from, and shrink to the "
        "middle: compare ranks, not values. So prediction and census are both cut into classes inside this "
        "region for the figures, the confusion matrix and the differences, and no calibration is drawn."
    )


def _scatter(view: ResultCells, column: str) -> None:
    st.header(_("Census and expected class"), anchor=False)
    cells = view.result.cells[view.mask]
    charts.draw(
        view.drawn(_scatter_chart, column),
        "result.census",
        _("Census value {column} against expected class, a point a cell").format(column=column),
        data=lambda: cells[["cell_id", "census_value", "expected_class"]],
        withheld=view.withheld,
    )


def _scatter_chart(view: ResultCells, column: str) -> go.Figure:
    return charts.against_census(view.result.cells[view.mask], column)


def _disagreements(view: ResultCells) -> None:
    st.header(_("Largest disagreements"), anchor=False)
    rows = view.kept(farthest_off.listed)
    key = job_tables.table_key("result.disagreements", view)
    chosen = farthest_off.table(view, rows, key, _("Cells whose prediction is farthest from your census"))
    job_tables.choose(chosen, view.ids(rows), key)
