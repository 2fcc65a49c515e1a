"""The maps of the page City: what they can show, their pictures and legends, the cell chosen on them."""

from __future__ import annotations

from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from data.grid import format_cell_id, parse_cell_id
from data.store import place_queries, queries
from pages.shared import (
    cluster_layer,
    district_layer,
    frame,
    land_use_layer,
    layers,
    linked_selection,
    maps,
    maps_first,
    palette,
    photograph_layer,
    state,
)
from pages.shared.city_view import View
from pages.shared.language import _, later, number, plural
from pages.shared.maps import Picture
from pages.shared.plain_text import plain
from pages.shared.selection import Selection
from pages.shared.study import is_missing

SIDES = {"left": later("Left map"), "right": later("Right map")}


def pair(view: View) -> None:
    """Draw two maps of a city that move together, each with its control and legend, and what they show of a
    cell."""
    names = _choices(view)
    shown = []
    for column, side, default in zip(st.columns(2, gap="small"), SIDES, ("census", "predicted"), strict=True):
        with column:
            shown.append(_control(side, names, default))
    legends = []
    pictures = []
    for side, name in zip(SIDES, shown, strict=True):
        url, legend = _picture(view, name)
        legends.append(legend)
        if url is not None:
            pictures.append(Picture(side, name if name == photograph_layer.NAME else "cells", url))
    selected = _chosen(view)
    _component(
        view,
        [*pictures, Picture("both", "hatch", _hatch_of(view))],
        selected,
        shown,
        label=_(
            "Two maps of {city}: {left} and {right}. Arrow keys pan, plus and minus zoom, 0 shows the whole "
            "city, Enter selects the middle cell, R marks a corner of a rectangle there."
        ).format(city=view.city.name, left=_(names[shown[0]]), right=_(names[shown[1]])),
    )
    for column, legend in zip(st.columns(2, gap="small"), legends, strict=True):
        with column:
            _legend(view, legend)
    if cluster_layer.NAME in shown:
        frame.sentence(view.drawn(_said_of_clusters))
    _chosen_line(view, selected)


def beside(view: View, other: View) -> None:
    """Draw the same map of two cities, each in a view of its own."""
    names = _choices(view, other)
    name = _control("left", names, "census")
    ends = None
    if name == "uncertainty":  # one scale for both
        both = [one.kept(_ends) for one in (view, other)]
        ends = (min(low for low, _high in both), max(high for _low, high in both))
    for column, one, key in zip(st.columns(2, gap="small"), (view, other), ("a", "b"), strict=True):
        with column:
            st.header(plain(one.city.name), anchor=False)
            url, legend = _picture(one, name, ends)
            pictures = (
                [Picture("left", name if name == photograph_layer.NAME else "cells", url)] if url else []
            )
            _component(
                one,
                [*pictures, Picture("both", "hatch", _hatch_of(one))],
                _chosen(one),
                [name],
                label=_(
                    "Map of {city}: {shown}. Arrow keys pan, plus and minus zoom, 0 shows the whole city, "
                    "Enter selects the middle cell."
                ).format(city=one.city.name, shown=_(names[name])),
                key=f"maps-{key}",
            )
            _legend(one, legend)
            if name == cluster_layer.NAME:
                frame.sentence(one.drawn(_said_of_clusters))
    found = [(one, cell) for one in (view, other) if (cell := _chosen(one)) is not None]
    _chosen_line(*(found[0] if found else (view, None)))


def _choices(*views: View) -> dict[str, str]:
    """Return what the maps can show of all the cities, with titles of the catalogue."""
    names = dict(layers.NAMES)
    if all(_has_clusters(view) for view in views):
        names[cluster_layer.NAME] = cluster_layer.TITLE
    if all(view.city.has_land_use for view in views):
        names[land_use_layer.NAME] = land_use_layer.TITLE
    names[photograph_layer.NAME] = photograph_layer.TITLE
    return names


def _has_clusters(view: View) -> bool:
    return view.here.ask(place_queries.has_local_moran, view.city.city_id, view.with_imputed)


def _control(side: str, names: dict[str, str], default: str) -> str:
    """Draw the control of one map, which is its title; return what it shows."""
    return frame.one_of(_(SIDES[side]), side, {name: _(title) for name, title in names.items()}, default)


def _component(
    view: View,
    pictures: list[Picture],
    selected: pd.Series | None,
    shown: list[str],
    label: str,
    key: str = "maps",
) -> None:
    whole = view.only(Selection())
    corner = None if selected is None else (int(selected["x"]), int(selected["y"]))
    with_clusters = cluster_layer.NAME in shown
    single = key != "maps"
    # the maps of a first visit do not wait for them: they come with the charts
    with_districts = bool(view.districts) and not maps_first.awaited()
    maps.map_pair(
        maps.deck_of(view.raster, pictures, whole.kept(_outline), corner),
        view.raster,
        whole.kept(_hover, with_clusters, with_districts),
        place=f"{view.here.row.study_id}/{view.city.city_id}",
        label=label,
        crs=view.here.row.grid_crs,
        on_click=_select,
        on_rectangle=None if single else linked_selection.on_rectangle,
        key=key,
        further=[_(kind) for kind in cluster_layer.KINDS] if with_clusters else (),
        single=single,
    )


def _select(x: int, y: int, crs: str, size: int) -> None:
    """Put the cell clicked on a map into the address."""
    state.put("cell", format_cell_id(x, y, crs, size))


def _picture(view: View, name: str, ends: tuple[float, float] | None = None) -> tuple[str | None, str]:
    """Return a map's picture, None where there is none, and its legend as HTML."""
    here, city = view.here, view.city
    if name == land_use_layer.NAME:
        url, classes = here.ask(land_use_layer.land_use_map, city.city_id, view.raster)
        return url, land_use_layer.legend(classes)
    if name == photograph_layer.NAME:
        publication = here.publication
        found = photograph_layer.city_photograph(
            str(publication.file), str(publication.study_file), city.city_id, view.raster, here.row.grid_crs
        )
        return found.url, f"<span>{escape(photograph_layer.legend(found, city.imagery_year))}</span>"
    return view.drawn(_drawn_cells, name, ends)


def _drawn_cells(view: View, name: str, ends: tuple[float, float] | None) -> tuple[str, str]:
    if name == cluster_layer.NAME:
        drawn = cluster_layer.layer(view.clusters)
    else:
        drawn = layers.layer(name, view.cells, view.n_classes, view.quintiles, ends)
    legend = layers.legend(drawn)
    inside = view.mask if view.selected else None
    return layers.picture(view.raster, view.cells, drawn, inside), legend


def _hatch_of(view: View) -> str:
    return view.only(Selection()).drawn(_hatch)


def _hatch(view: View) -> str:
    cells = view.cells
    return layers.hatch(view.raster, cells["x"], cells["y"], cells["imputed"])


def _hover(view: View, with_clusters: bool, with_districts: bool) -> dict[str, Any]:
    return maps.hover_of(
        view.raster,
        view.cells,
        view.clusters if with_clusters else None,
        view.kept(_districts) if with_districts else None,
    )


def _districts(view: View) -> district_layer.Districts:
    cells = view.with_districts
    return district_layer.of_cells(view.raster, cells["x"], cells["y"], cells["district"], view.districts)


def _outline(view: View) -> maps.Rings:
    return maps.rings(view.here.once(queries.outline, view.city.city_id), view.raster)


def _ends(view: View) -> tuple[float, float]:
    return layers.ends_of_entropy(view.cells)


def _said_of_clusters(view: View) -> str:
    return cluster_layer.sentence(view.clusters[view.mask])


def _legend(view: View, legend: str) -> None:
    ink = palette.inks()
    hatch = (
        '<span class="step" style="background:repeating-linear-gradient('
        f'135deg,{ink.muted} 0 2px,transparent 2px 5px)">'
        "</span>"
    )
    n = view.city.n_imputed
    imputed = plural("imputed ({n} cell)", "imputed ({n} cells)", n).format(n=number(n))
    hatched = f'<span class="pair">{hatch} {imputed}</span>'
    lines = f'<span class="pair"><span class="line"></span> {_("districts")}</span>'
    st.html(f'<div class="carreau-legend">{legend}{hatched}{lines if view.districts else ""}</div>')


def _chosen(view: View) -> pd.Series | None:
    """Return the cell of the address where this city has it."""
    cell_id = st.query_params.get("cell")
    return None if cell_id is None else view.only(Selection()).kept(_cell, cell_id)


def _cell(view: View, cell_id: str) -> pd.Series | None:
    try:
        x, y = parse_cell_id(cell_id)
    except ValueError:
        return None
    if format_cell_id(x, y, view.here.row.grid_crs, view.size) != cell_id:
        return None
    found = view.cells[(view.cells["x"] == x) & (view.cells["y"] == y)]
    return None if found.empty else pd.concat([found.iloc[0], pd.Series({"cell_id": cell_id})])


def _chosen_line(view: View, selected: pd.Series | None) -> None:
    """Say what is known of the selected cell, with a link to it; the line keeps its place while nothing is
    selected."""
    with st.container(horizontal=True, vertical_alignment="center", key="selected-cell"):
        if selected is None:
            frame.note(_("Select a cell on either map to see what is known of it."))
            return
        frame.note(said_of(selected), width="content")
        st.page_link(
            "pages/cell.py",
            label=_("Open cell"),
            icon=":material/arrow_forward:",
            icon_position="right",
            query_params=state.address(cell=selected["cell_id"], city=view.city.city_id),
        )


def said_of(cell: pd.Series) -> str:
    """Say of a cell what census and model say, as HTML."""
    census = _("no census income")
    if not is_missing(cell["class"]):
        text = _("census <b>{value}</b>, imputed") if cell["imputed"] else _("census <b>{value}</b>")
        census = text.format(value=int(cell["class"]))
    predicted = _("not predicted (the photograph has empty pixels here)")
    if not is_missing(cell["predicted"]):
        predicted = _("predicted <b>{value}</b> (expected {expected})").format(
            value=int(cell["predicted"]), expected=number(cell["expected_class"], 1)
        )
    people = 0 if is_missing(cell["individuals"]) else int(cell["individuals"])
    return plural(
        "Selected <b>{cell}</b>: {census}, {predicted}, {n} person.",
        "Selected <b>{cell}</b>: {census}, {predicted}, {n} people.",
        people,
    ).format(cell=frame.short_id(cell["cell_id"]), census=census, predicted=predicted, n=number(people))
