"""City: where is the model wrong?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from data.grid import format_cell_id
from data.store import queries
from data.store.queries import City
from pages.shared import (
    chart_tables,
    charts,
    city_errors,
    city_selection,
    city_words,
    frame,
    land_use_layer,
    layers,
    maps,
    palette,
    state,
    take_away,
)
from pages.shared.language import number
from pages.shared.rasters import Raster, as_data_url, hatch_bitmap
from pages.shared.selection import Selection
from pages.shared.study import OpenStudy, is_missing

LISTED = 8


def page() -> None:
    here = frame.open_study()
    city = frame.chosen_city(here)
    quintiles, with_imputed = _controls(here, city)
    frame.say_wrong_city(here, city)
    frame.data_line(here, city)
    cells = here.ask(queries.city_cells, city.city_id)
    view = View(here, city, cells, city_selection.selection(), quintiles, with_imputed)
    _maps(view)
    _figures(view)
    left, middle, right = st.columns([1, 1, 1.15], gap="medium")
    with left:
        _confusion(view)
    with middle:
        _calibration(here, city, with_imputed)
    with right:
        _disagreements(view)
    city_errors.errors(
        view.shown,
        here.row.n_classes,
        _block_m(city),
        here.row.cell_size_m,
        view.compared(view.selected.only(difference=None)),
        view.selected.difference,
        view.withheld,
    )
    frame.footer(here)


@dataclass(frozen=True)
class View:
    """What the page shows: a city's cells, which are selected, how classes and imputed ones count."""

    here: OpenStudy
    city: City
    cells: pd.DataFrame
    selected: Selection
    quintiles: bool
    with_imputed: bool

    def mask(self, selection: Selection) -> NDArray[np.bool_]:
        """Return which cells (n,) are in a selection."""
        row = self.here.row
        return selection.mask(self.cells, row.n_classes, self.quintiles, row.cell_size_m)

    @cached_property
    def shown(self) -> pd.DataFrame:
        """The cells of the whole selection that can be compared, for figures, charts and list alike."""
        return self.compared(self.selected)

    @cached_property
    def withheld(self) -> str | None:
        """Why figures of the selection are not handed out; None where they are."""
        return take_away.too_few_households(self.shown) if self.selected else None

    def compared(self, selection: Selection) -> pd.DataFrame:
        """Return the cells of a selection that can be compared: census class and out-of-fold prediction."""
        cells = self.cells
        known = (
            cells["class"].notna()
            & cells["predicted"].notna()
            & cells["out_of_fold"].fillna(False).astype(bool)
        )
        if not self.with_imputed:
            known &= ~cells["imputed"].astype(bool)
        return cells[known.to_numpy() & self.mask(selection)]


def _block_m(city: City) -> float | None:
    return None if city.residual_range_m is None else 2 * city.residual_range_m


def _controls(here: OpenStudy, city: City) -> tuple[bool, bool]:
    """Draw the title line; return (show quintiles, include imputed cells)."""
    has_quintiles = here.row.n_classes == 10
    place, classes, imputed = frame.title_line(f"Where is the model wrong in {city.name}?", [16, 17, 21])
    with place:
        frame.city_control(here)
    quintiles = False
    with classes:
        if has_quintiles:
            options = {"deciles": "Deciles", "quintiles": "Quintiles"}
            quintiles = state.choice("classes", list(options), "deciles") == "quintiles"
            st.segmented_control(
                "Classes",
                list(options),
                format_func=options.__getitem__,
                key="classes",
                required=True,
                on_change=state.remember,
                args=("classes",),
                label_visibility="collapsed",
                help="Quintiles pair the deciles on the maps and in the confusion matrix; "
                "the figures stay on deciles.",
            )
    with imputed:
        with_imputed = state.switch("imputed")
        st.toggle(
            "Include imputed cells",
            key="imputed",
            on_change=state.remember,
            args=("imputed",),
            help="Their income was imputed by the statistical office for secrecy. Always hatched on the "
            "maps; left out of the figures, charts and list unless this is on.",
        )
    return quintiles, with_imputed


def _maps(view: View) -> None:
    here, city, cells = view.here, view.city, view.cells
    columns = st.columns(2, gap="small")
    titles = {**layers.NAMES, **({land_use_layer.NAME: land_use_layer.TITLE} if city.has_land_use else {})}
    shown = []
    for column, side, default in zip(columns, ("left", "right"), ("census", "predicted"), strict=True):
        shown.append(state.choice(side, list(titles), default))
        with column:
            st.segmented_control(
                f"{side.capitalize()} map",
                list(titles),
                format_func=titles.__getitem__,
                key=side,
                required=True,
                on_change=state.remember,
                args=(side,),
                label_visibility="collapsed",
            )
    raster = Raster.around(cells["x"], cells["y"], here.row.cell_size_m)
    inside = view.mask(view.selected) if view.selected else None
    pictures, legends = [], []
    for side, name in zip(("left", "right"), shown, strict=True):
        url, legend = _picture(view, raster, name, inside)
        pictures.append(maps.Picture(side, "cells", url))
        legends.append(legend)
    hatch = hatch_bitmap(raster, cells["x"], cells["y"], cells["imputed"], palette.rgb(palette.inks().hatch))
    pictures.append(maps.Picture("both", "hatch", as_data_url(hatch)))
    selected = _selected(cells)
    corner = None if selected is None else (int(selected["x"]), int(selected["y"]))
    deck = maps.deck_of(raster, pictures, here.ask(queries.outline, city.city_id), corner)
    maps.map_pair(
        deck,
        raster,
        cells,
        place=f"{here.row.study_id}/{city.city_id}",
        label=f"Two maps of {city.name}: {titles[shown[0]]} and {titles[shown[1]]}. "
        "Arrow keys pan, plus and minus zoom, 0 shows the whole city, Enter selects the middle cell, R marks "
        "a corner of a rectangle there.",
        crs=here.row.grid_crs,
        on_click=_select,
        on_rectangle=city_selection.on_rectangle,
    )
    _legends(city, legends)
    _selection_line(city, selected)
    unit = city_words.unit(5 if view.quintiles else here.row.n_classes)
    chosen = view.cells[view.mask(view.selected)]
    city_selection.bar(
        view.selected,
        view.shown,
        unit,
        lambda: take_away.cells_menu(here, city, chosen, view.selected.words(unit)),
    )


def _select(x: int, y: int, crs: str, size: int) -> None:
    """Put the cell clicked on a map into the address."""
    state.put("cell", format_cell_id(x, y, crs, size))


def _picture(view: View, raster: Raster, name: str, inside: NDArray[np.bool_] | None) -> tuple[str, str]:
    """Return a map's bitmap and its legend."""
    row = view.here.row
    if name == land_use_layer.NAME:
        url, classes = view.here.ask(land_use_layer.land_use_map, view.city.city_id, raster)
        return url, land_use_layer.legend(classes)
    layer = layers.layer(name, view.cells, row.n_classes, view.quintiles)
    grey = ""
    if (layer.steps < 0).any():
        swatch = f'<span class="chip" style="background:{palette.inks().no_data}"></span>'
        grey = f"<span>·</span>{swatch}<span>no value</span>"
    return layers.picture(raster, view.cells, layer, inside), layers.legend(layer) + grey


def _legends(city: City, legends: list[str]) -> None:
    ink = palette.inks()
    hatch = (
        '<span class="step" style="background:repeating-linear-gradient('
        f'135deg,{ink.muted} 0 2px,transparent 2px 5px)">'
        "</span>"
    )
    hatched = f'<span class="pair">{hatch} imputed ({number(city.n_imputed)} cells)</span>'
    for column, legend in zip(st.columns(2, gap="small"), legends, strict=True):
        with column:
            st.html(f'<div class="carreau-legend">{legend}<span>·</span>{hatched}</div>')


def _selected(cells: pd.DataFrame) -> pd.Series | None:
    """Return the cell of the address where this city has it."""
    cell_id = st.query_params.get("cell")
    found = cells[cells["cell_id"] == cell_id]
    return None if found.empty else found.iloc[0]


def _selection_line(city: City, selected: pd.Series | None) -> None:
    """Say what is known of the selected cell, with a link to it; the line keeps its place while nothing is
    selected."""
    with st.container(horizontal=True, vertical_alignment="center", key="selected-cell"):
        if selected is None:
            frame.note("Select a cell on either map to see what is known of it.")
            return
        census = (
            "no census income" if is_missing(selected["class"]) else f"census <b>{int(selected['class'])}</b>"
        )
        if is_missing(selected["predicted"]):
            predicted = "not predicted (the photograph has empty pixels here)"
        else:
            predicted = (
                f"predicted <b>{int(selected['predicted'])}</b> (expected {selected['expected_class']:.1f})"
            )
        imputed = ", imputed" if selected["imputed"] else ""
        people = 0 if is_missing(selected["individuals"]) else int(selected["individuals"])
        frame.note(
            f"Selected <b>{frame.short_id(selected['cell_id'])}</b>: {census}{imputed}, {predicted}, "
            f"{people} people.",
            width="content",
        )
        st.page_link(
            "pages/cell.py",
            label="Open cell",
            icon=":material/arrow_forward:",
            icon_position="right",
            query_params=state.address(cell=selected["cell_id"], city=city.city_id),
        )


def _figures(view: View) -> None:
    here, city, with_imputed, quintiles = view.here, view.city, view.with_imputed, view.quintiles
    if view.selected:
        cells = view.shown
        if cells.empty:
            frame.sentence("No cell that can be compared with the census is selected.")
        else:
            city_selection.selected_figures(
                view.selected, cells, here.row.n_classes, _block_m(city), here.row.cell_size_m
            )
        return
    measures = here.ask(queries.agreement, city.city_id, with_imputed)
    if measures.empty:
        frame.sentence("No agreement with the census was published for this city.")
        return
    st.html(frame.tight(city_words.figures_html(measures, here.row.n_classes)))
    frame.sentence(city_words.verdict(measures, here.row.n_classes))
    who = "imputed cells included" if with_imputed else "imputed cells left out"
    frame.note(
        f"{number(int(measures['n'].max()))} cells, {who}; large: mean of the values inside each "
        f"fold, with its 95 % interval; the figures are on {city_words.unit(here.row.n_classes)}s"
        + (", maps and confusion matrix on quintiles." if quintiles else ".")
    )


def _confusion(view: View) -> None:
    st.subheader("Confusion", anchor=False)
    rows = view.here.ask(queries.confusion, view.city.city_id, view.with_imputed)
    others = view.selected.only(confusion=None)  # a chart that sets a part shows the cells of the others
    if others:
        cells = view.compared(others)
        pairs = pd.DataFrame({"census_class": cells["class"], "predicted_class": cells["predicted"]}).astype(
            int
        )
        rows = pairs.value_counts().rename("n").reset_index()
    table = confusion_table(rows, view.here.row.n_classes, view.quintiles)
    one = city_words.unit(len(table))
    charts.draw(
        charts.confusion(table, one, view.selected.confusion),
        city_selection.chart_key("confusion"),
        f"Confusion matrix of census and predicted {one}s, in percent",
        city_selection.on_confusion,
        data=lambda: chart_tables.confusion(table),
        withheld=view.withheld,
    )
    frame.sentence(city_words.confusion_sentence(table, one))


def confusion_table(rows: pd.DataFrame, n_classes: int, quintiles: bool) -> np.ndarray:
    """Return the confusion matrix (K, K), census in rows; with `quintiles`, deciles paired (5, 5)."""
    table = np.zeros((n_classes, n_classes), dtype=np.int64)
    table[rows["census_class"] - 1, rows["predicted_class"] - 1] = rows["n"]
    return table.reshape(5, 2, 5, 2).sum(axis=(1, 3)) if quintiles else table


def _calibration(here: OpenStudy, city: City, with_imputed: bool) -> None:
    st.subheader("Calibration", anchor=False)
    bins = here.ask(queries.calibration, city.city_id, with_imputed)
    solid = city_words.solid_bins(bins)
    if len(solid):
        charts.draw(
            charts.calibration(solid),
            "calibration",
            "Observed share against stated probability",
            data=lambda: chart_tables.calibration(solid),
        )
    frame.sentence(city_words.calibration_sentence(bins))


def _disagreements(view: View) -> None:
    here, city = view.here, view.city
    st.subheader("Largest disagreements", anchor=False)
    if view.selected:
        rows = largest(view.shown, LISTED)
    else:
        rows = here.ask(queries.largest_disagreements, city.city_id, view.with_imputed, LISTED)
    shown = pd.DataFrame(
        {
            "Cell": [frame.short_id(cell_id) for cell_id in rows["cell_id"]],
            "Census": rows["class"],
            "Predicted": rows["predicted"],
            "People": rows["individuals"],
        }
    )
    event = st.dataframe(
        shown,
        hide_index=True,
        key="disagreements",
        on_select="rerun",
        selection_mode="single-row",
        height=300,
        column_config={
            "Census": st.column_config.NumberColumn(width=62),
            "Predicted": st.column_config.NumberColumn(width=76),
            "People": st.column_config.NumberColumn(width=60, format="%d"),
        },
        alt="Cells whose prediction is farthest from the census",
    )
    chosen = event["selection"]["rows"]
    if chosen:
        cell_id = rows.iloc[chosen[0]]["cell_id"]
        st.switch_page("pages/cell.py", query_params=state.address(cell=cell_id, city=city.city_id))
    frame.sentence(city_words.disagreement_sentence(rows, city_words.unit(here.row.n_classes)))


def largest(cells: pd.DataFrame, limit: int) -> pd.DataFrame:
    """Return the cells that are farthest off, in the order of `queries.largest_disagreements`."""
    off = (cells["class"].astype(float) - cells["predicted"].astype(float)).abs()
    finer = (cells["class"].astype(float) - cells["expected_class"]).abs()
    order = cells.assign(off=-off, finer=-finer).sort_values(["off", "finer", "cell_id"])
    return order.head(limit).drop(columns=["off", "finer"]).reset_index(drop=True)


# Streamlit runs a page as __main__; anything else only imports it.
if __name__ == "__main__":
    page()
