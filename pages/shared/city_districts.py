"""The districts of a city by how far off the model is in them; a row selects its district."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from pages.shared import chart_data, city_words, frame, linked_selection, maps_first, table_numbers, take_away
from pages.shared.city_view import View
from pages.shared.language import _, number, plural

FEWEST = 30  # cells; a mean over fewer says nothing of a district


def by_district(cells: pd.DataFrame, counted: NDArray[np.bool_]) -> pd.DataFrame:
    """Return how far off the model is in each district, farthest first: district_id, n (cells), census (mean
    class), off (mean of expected less census class), near (share within one class).

    ``cells``: district (a category), class, predicted, expected_class, of which those ``counted`` (n,) are
    compared; districts under FEWEST cells are left out.

    >>> cells = pd.DataFrame({"district": pd.Categorical(["a"] * 30 + ["b"]), "class": 5, "predicted": 7})
    >>> by_district(cells.assign(expected_class=6.5), np.ones(31, bool)).values.tolist()
    [['a', 30, 5.0, 1.5, 0.0]]
    """
    district = cells["district"].cat
    here = counted & (district.codes >= 0).to_numpy()
    # sums by code: of hundreds of thousands of cells a frame's groups take a tenth of a second
    codes = district.codes.to_numpy()[here]
    known, predicted, expected = (
        cells[name].to_numpy(float, na_value=np.nan)[here]
        for name in ("class", "predicted", "expected_class")
    )
    size = len(district.categories)
    n = np.bincount(codes, minlength=size)
    census, off, near = (
        np.bincount(codes, values, size) / np.maximum(n, 1)
        for values in (known, expected - known, (np.abs(predicted - known) <= 1).astype(float))
    )
    found = pd.DataFrame(
        {"district_id": list(district.categories), "n": n, "census": census, "off": off, "near": near}
    )
    found = found[found["n"] >= FEWEST]
    return found.sort_values("off", key=lambda mean: -mean.abs(), kind="stable").reset_index(drop=True)


def districts(view: View, height: int) -> None:
    """Draw the table of districts; choosing one selects its cells."""
    everywhere = view.only(view.selected.only(district=None))  # a list that sets a part shows the others
    rows = everywhere.kept(rows_of)
    if rows.empty:
        frame.sentence(_("No district has {n} cells that can be compared.").format(n=number(FEWEST)))
        return
    withheld = everywhere.withheld
    with (
        chart_data.beside("districts", lambda: _handed_out(rows, view), withheld),
        take_away.listed("districts", withheld),
    ):
        if not maps_first.place_kept(height):
            _table(view, rows, height)
    frame.sentence(_said(rows, view))
    frame.note(
        _(
            "In census: mean class. Difference: mean of expected less census class; where cells are rich, a "
            "model that shrinks toward the middle is too poor, and the other way round. No intervals: a "
            "district holds too few independent cells; the map Clusters shows what stands out beyond chance."
        )
    )


def rows_of(view: View) -> pd.DataFrame:
    """Return the districts of a view's cells that can be compared, as of `by_district`."""
    return by_district(view.with_districts, view.comparable & view.mask)


def _table(view: View, rows: pd.DataFrame, height: int) -> None:
    ids = rows["district_id"].astype(str).tolist()
    selected = view.selected.district
    ticked = [ids.index(selected)] if selected in ids else []
    shown = pd.DataFrame(
        {
            "name": [view.districts.get(one, one) for one in rows["district_id"]],
            "n": rows["n"],
            "census": rows["census"].round(1),
            "off": rows["off"].round(2),
        }
    )
    event = st.dataframe(
        table_numbers.written(shown, {"census": 1, "off": 2}, signed=["off"]),
        hide_index=True,
        placeholder=table_numbers.MISSING,
        # another table for another selection, or Back would find the tick of the one before
        key=f"{linked_selection.chart_key('districts')}-{selected or ''}",
        selection_default={"selection": {"rows": ticked}},
        on_select="rerun",
        selection_mode="single-row",
        height=height,
        column_config={
            "name": _("District"),
            "n": table_numbers.column(_("Cells"), len(rows), width=66),
            "census": table_numbers.column(_("In census"), len(rows), 1, width=70),
            "off": table_numbers.column(_("Difference"), len(rows), 2, width=76),
        },
        alt=_("Districts by how far off the model is"),
    )
    chosen = event["selection"]["rows"]
    if chosen != ticked:  # another row, or the tick taken away
        linked_selection.choose_district(ids[(chosen or ticked)[0]])


def _handed_out(rows: pd.DataFrame, view: View) -> pd.DataFrame:
    """Return the table with plain names of columns, as files have them."""
    names = [view.districts.get(one, one) for one in rows["district_id"]]
    columns = {
        "n": "cells",
        "census": "mean_census_class",
        "off": "mean_expected_less_census_class",
        "near": "share_within_one_class",
    }
    return rows.assign(name=names)[["district_id", "name", *columns]].rename(columns=columns)


def _said(rows: pd.DataFrame, view: View) -> str:
    """Say where the model is farthest off, and which way."""
    first = rows.iloc[0]
    name = view.districts.get(first["district_id"], first["district_id"])
    one, many = city_words.unit(view.n_classes), city_words.units(view.n_classes)
    if abs(first["off"]) < 0.005:
        return _("No district is off on average.")
    text = (
        _("Farthest off on average: {name}, predicted {by} {units} too rich ({n}).")
        if first["off"] > 0
        else _("Farthest off on average: {name}, predicted {by} {units} too poor ({n}).")
    )
    cells = plural("{n} cell", "{n} cells", int(first["n"])).format(n=number(first["n"]))
    by = abs(float(first["off"]))
    return text.format(name=name, by=number(by, 2), units=one if by == 1 else many, n=cells)
