"""What the page City says of one city under its maps: how far the model agrees with the census."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from data.store import queries
from pages.shared import (
    answers,
    city_charts,
    city_districts,
    city_errors,
    city_words,
    farthest_off,
    frame,
    linked_selection,
    selected_figures,
    state,
)
from pages.shared.city_view import View
from pages.shared.language import _, number


def agreement(view: View) -> None:
    """Draw figures, confusion, calibration, the cells or districts that are farthest off, and errors by
    group."""
    if not view.selected:
        answer(view)
    _figures(view)
    left, middle, right = st.columns([1, 1, 1.3], gap="medium")
    with left:
        city_charts.confusion(view, linked_selection.on_confusion)
    with middle:
        city_charts.calibration(view)
    with right:
        _disagreements(view)
    city_errors.errors(view)


def answer(view: View) -> None:
    """Say where the model is wrong in the city, where that can be said."""
    found = view.on_classes.drawn(_answer)
    if found is not None:
        answers.draw(found)


def _answer(view: View) -> answers.Answer | None:
    return answers.of_city(
        view.kept(city_errors.by_class),
        view.kept(city_districts.rows_of) if view.districts else pd.DataFrame(),
        view.districts,
        view.here.once(queries.agreement, view.city.city_id, view.with_imputed),
        view.n_classes,
        view.city,
    )


def _figures(view: View) -> None:
    if view.selected:
        _selected_figures(view)
        return
    n = city_charts.agreement(view)
    if n:
        frame.note(_basis(n, view.with_imputed, view.n_classes, view.quintiles))


def _selected_figures(view: View) -> None:
    one = city_words.unit(view.n_classes)
    drawn = selected_figures.selected_figures(
        view, _("Cells selected"), _("Mean expected {unit}").format(unit=one), _("by the model")
    )
    if not drawn:
        return
    if view.selected.by_error:
        frame.note(
            _(
                "Of cells picked by their own error no correlation is given, and calibration leaves the "
                "error aside: they would say nothing of the model."
            )
        )
    else:
        frame.note(
            _(
                "Of a selection no correlation is given: within a narrow range of incomes it would say "
                "nothing of the model. Calibration is that of the selected cells."
            )
        )


def _basis(n: int, with_imputed: bool, n_classes: int, quintiles: bool) -> str:
    """Say which cells the figures are of, and what they are."""
    if with_imputed:
        text = _(
            "{n} cells, imputed cells included; large: mean of the values inside each fold, with its 95 % "
            "interval; the figures are on {units}"
        )
    else:
        text = _(
            "{n} cells, imputed cells left out; large: mean of the values inside each fold, with its 95 % "
            "interval; the figures are on {units}"
        )
    text = text.format(n=number(n), units=city_words.units(n_classes))
    return (_("{figures}, maps and confusion matrix on quintiles.") if quintiles else "{figures}.").format(
        figures=text
    )


def _disagreements(view: View) -> None:
    """Draw the cells that are farthest off, or the districts where there are some."""
    st.header(_("Largest disagreements"), anchor=False)
    if view.districts:
        lists = {"cells": _("Cells"), "districts": _("Districts")}
        if frame.one_of(_("List"), "list", lists, "cells") == "districts":
            city_districts.districts(view, farthest_off.HEIGHT)
            return
    rows = view.kept(farthest_off.listed)
    chosen = farthest_off.table(
        view, rows, "disagreements", _("Cells whose prediction is farthest from the census")
    )
    frame.sentence(city_words.disagreement_sentence(rows, view.n_classes))
    if chosen:
        cell_id = view.ids(rows)[chosen[0]]
        st.switch_page("pages/cell.py", query_params=state.address(cell=cell_id, city=view.city.city_id))
