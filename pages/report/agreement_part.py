"""The part of a report on where the model is wrong: maps, agreement with intervals, confusion, errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.store import map_queries, queries
from pages.report import charts, map_picture
from pages.report.content import Block, Figure, Figures, Picture, Pictures, Section, Table, Text, note
from pages.report.map_picture import Ground, Key
from pages.report.source import Source
from pages.shared import (
    city_errors,
    city_words,
    cluster_layer,
    district_layer,
    frame,
    layers,
)
from pages.shared.language import _, number, percent
from pages.shared.study import is_missing

LISTED = 10
_MOST_DISTRICTS = 20

_HEADLINE = ("accuracy", "within_one", "spearman", "weighted_kappa", "slope", "moran")


def sections(source: Source) -> list[Section]:
    """Return the parts on maps and agreement, and on errors."""
    return [
        Section(_("Where is the model wrong?"), (*_maps(source), *_agreement(source))),
        Section(_("Which errors it makes"), tuple(_errors(source))),
    ]


def ground(source: Source) -> Ground:
    """Return what the maps of the city share."""
    outline, cells = source.ask(queries.outline, source.city.city_id), source.cells
    place = Ground.of(cells, outline, source.row.grid_crs, source.row.cell_size_m)
    if not source.districts:
        return place
    found = district_layer.of_cells(
        place.raster, cells["x"], cells["y"], source.district_of_cells, source.districts
    )
    return replace(place, borders=found.borders)


def map_of(source: Source, place: Ground, name: str, width: float = charts.HALF) -> Picture:
    """Return a map of the layer `name` (see `layers.NAMES`)."""
    return layer_picture(*layer_of(source, name, False), place, source.city.name, width)


def layer_picture(
    layer: layers.Layer, title: str, place: Ground, where: str, width: float = charts.HALF
) -> Picture:
    """Return the map of a layer; `where` is what the cells are of."""
    url = map_picture.cells_bitmap(place, layer.steps, layer.colours)
    hatched = bool(place.cells["imputed"].any())
    no_value = bool((layer.steps < 0).any())
    drawn = map_picture.draw(place, url, key_of(layer), width, hatched=hatched, no_value=no_value)
    if layer.named:
        alt = _("Map of {city}, one square a cell: {title}").format(city=where, title=title)
    else:
        alt = _("Map of {city}, one square a cell: {title}, from {first} to {last}").format(
            city=where, title=title, first=layer.first, last=layer.last
        )
    return Picture(title, drawn.svg(), alt)


def layer_of(source: Source, name: str, quintiles: bool) -> tuple[layers.Layer, str]:
    """Return a layer of a map of cells and its title; `name` of `layers.NAMES`, or the clusters."""
    if name == cluster_layer.NAME:
        return cluster_layer.layer(cluster_layer.steps(source.cells, _moran(source))), _(cluster_layer.TITLE)
    return layers.layer(name, source.cells, source.row.n_classes, quintiles), _(layers.NAMES[name])


def _moran(source: Source) -> pd.DataFrame:
    return source.ask(map_queries.local_moran_by_corner, source.city.city_id, source.with_imputed)


def key_of(layer: layers.Layer) -> Key:
    """Return the legend of a layer; ends that stand for more are said."""
    first, last = layer.first, layer.last
    if layer.named:
        return Key(layer.colours, texts=layer.labels)
    if layer.labels:
        first, last = f"{first} {layer.labels[0]}", f"{layer.labels[-1]} {last}"
    return Key(layer.colours, first, last)


def _maps(source: Source) -> list[Block]:
    place = ground(source)
    one, two, three, four = (
        map_of(source, place, name) for name in ("census", "predicted", "difference", "uncertainty")
    )
    moran = _moran(source)
    clusters: list[Block] = []
    if len(moran):
        pair = (map_of(source, place, cluster_layer.NAME), map_of(source, place, "fold"))
        sentence = cluster_layer.sentence(cluster_layer.steps(source.cells, moran))
        clusters = [Pictures(pair), Text(sentence)]
    return [
        Pictures((one, two)),
        Pictures((three, four)),
        *clusters,
        note(
            _(
                "Difference: predicted less census class, beyond four shown as four. Uncertainty: entropy of "
                "the class distribution, from 0 (sure) to 1 (knows nothing). Maps are in the metres of "
                "{crs}; the arrow points to geographic north."
            ).format(crs=source.row.grid_crs)
        ),
    ]


def _agreement(source: Source) -> list[Block]:
    measures = source.ask(queries.agreement, source.city.city_id, source.with_imputed)
    if measures.empty:
        return [Text(_("No agreement with the census was published for this city."))]
    who = _("imputed cells included") if source.with_imputed else _("imputed cells left out")
    return [
        _table(measures, source.row.n_classes),
        note(
            _(
                "{n} cells, {who}. Within folds: mean of the values inside each fold, with its 95 % "
                "interval, which counts neighbours that are alike as fewer cells; pooled: all folds in one."
            ).format(n=number(int(measures["n"].max())), who=who)
        ),
    ]


def figures(measures: pd.DataFrame, n_classes: int) -> list[Block]:
    """Return the headline figures in a line; none where nothing was published."""
    found = [_figure(measures, name, n_classes) for name in _HEADLINE]
    shown = tuple(figure for figure in found if figure is not None)
    return [Figures(shown)] if shown else []


def said(value: object, as_share: bool) -> str:
    """Return a measure as people read it, a dash where it is missing."""
    if is_missing(value):
        return "–"
    return percent(float(str(value)), 1) if as_share else number(float(str(value)), 2)


def between(low: object, high: object, as_share: bool) -> str:
    """Return an interval as people read it; empty where there is none."""
    if is_missing(low) or is_missing(high):
        return ""
    low_text = number(float(str(low)) * (100 if as_share else 1), 1 if as_share else 2)
    return _("{low} to {high}").format(low=low_text, high=said(high, as_share))


def _figure(measures: pd.DataFrame, name: str, n_classes: int) -> Figure | None:
    row = city_words.row_of(measures, name, "within_fold")
    if row is None:
        return None
    as_share = name in city_words.SHARES
    interval = between(row["low"], row["high"], as_share) or _("no interval")
    chance = between(row["null_low"], row["null_high"], as_share)
    aside = _("by chance {interval}").format(interval=chance) if chance else ""
    return Figure(city_words.measure_name(name, n_classes), said(row["value"], as_share), interval, aside)


def _table(measures: pd.DataFrame, n_classes: int) -> Table:
    rows = []
    for name in city_words.MEASURES:
        as_share = name in city_words.SHARES
        head, pooled = (city_words.row_of(measures, name, scope) for scope in ("within_fold", "pooled"))
        if head is None:
            continue
        whole = "–" if pooled is None else said(pooled["value"], as_share)
        if pooled is not None and between(pooled["low"], pooled["high"], as_share):
            whole += f" ({between(pooled['low'], pooled['high'], as_share)})"
        rows.append(
            (
                city_words.measure_name(name, n_classes),
                said(head["value"], as_share),
                between(head["low"], head["high"], as_share) or "–",
                whole,
                between(head["null_low"], head["null_high"], as_share) or "–",
                number(head["n"]),
            )
        )
    return Table(
        _("Agreement with the census"),
        (
            _("Measure"),
            _("Within folds"),
            _("95 % interval"),
            _("Pooled (interval)"),
            _("Band of chance"),
            _("Cells"),
        ),
        tuple(rows),
        numeric=(1, 2, 3, 4, 5),
    )


def _errors(source: Source) -> list[Block]:
    city, row = source.city, source.row
    bins = source.ask(queries.calibration, city.city_id, source.with_imputed)
    solid = city_words.solid_bins(bins)
    pictures = [confusion_picture(confusion_table(source), row.n_classes)]
    if len(solid):
        sentence = city_words.calibration_sentence(bins)
        pictures.append(
            Picture(
                _("Calibration"),
                charts.calibration(solid).svg(),
                _("Observed share against stated probability. {sentence}").format(sentence=sentence),
                sentence,
            )
        )
    blocks: list[Block] = [Pictures(tuple(pictures))]
    cells = source.compared
    if not cells.empty:
        by_density = source.by_group(city_errors.density_groups(cells))
        blocks += differences(source.by_class, by_density, cells, row.n_classes)
    return [*blocks, *_districts(source), *_largest(source)]


def confusion_picture(table: NDArray[np.int64], n_classes: int) -> Picture:
    """Return the confusion matrix (K, K) with its sentence."""
    sentence = city_words.confusion_sentence(table, city_words.unit(n_classes))
    return Picture(
        _("Confusion matrix, % of each census class"),
        charts.confusion(table).svg(),
        _("Confusion matrix of census and predicted classes. {sentence}").format(sentence=sentence),
        sentence,
    )


def differences(
    by_class: pd.DataFrame, by_density: pd.DataFrame, cells: pd.DataFrame, n_classes: int
) -> list[Block]:
    """Return the mean difference by census class and by density, as of `selected_figures.by_group`, and how
    many of the compared cells are off by how much."""
    grouped = []
    for found, title, axis, said_group in (
        (by_class, _("Difference by census class"), _("census class"), str),
        (by_density, _("Difference by density"), _("people in the cell"), city_errors.density_label),
    ):
        if len(found):
            found = found.assign(group=found["group"].map(said_group))
            drawn = charts.by_group(found, axis).svg()
            alt = _("Mean of expected less census class by {axis}, with 95 % intervals: {values}").format(
                axis=axis,
                values="; ".join(
                    f"{one_.group}: {number(one_.value, 2, sign=True)}" for one_ in found.itertuples()
                ),
            )
            grouped.append(Picture(title, drawn, alt))
    if not grouped:
        return []
    return [
        Pictures(tuple(grouped)),
        note(
            city_words.difference_sentence(*city_errors.histogram(cells, n_classes)),
            city_errors.slope_note(),
        ),
    ]


def _districts(source: Source) -> list[Block]:
    rows = source.by_district
    if rows.empty:
        return []
    text = _(
        "Census: mean class. Difference: mean of expected less census class; where cells are rich, a model "
        "that shrinks toward the middle is too poor, and the other way round. No intervals: a district holds "
        "too few independent cells."
    )
    return [
        Table(
            _("Districts, farthest off first"),
            (_("District"), _("Cells"), _("Census"), _("Difference"), _("Within one class")),
            tuple(
                (
                    source.districts.get(one["district_id"], one["district_id"]),
                    number(one["n"]),
                    number(one["census"], 1),
                    number(one["off"], 2, sign=True),
                    percent(one["near"]),
                )
                for one in rows.head(_MOST_DISTRICTS).to_dict("records")
            ),
            numeric=(1, 2, 3, 4),
        ),
        note(text),
    ]


def confusion_table(source: Source) -> NDArray[np.int64]:
    """Return the confusion matrix (K, K), census in rows."""
    rows = source.ask(queries.confusion, source.city.city_id, source.with_imputed)
    n = source.row.n_classes
    table = np.zeros((n, n), dtype=np.int64)
    table[rows["census_class"] - 1, rows["predicted_class"] - 1] = rows["n"]
    return table


def _largest(source: Source) -> list[Block]:
    rows = source.ask(queries.largest_disagreements, source.city.city_id, source.with_imputed, LISTED)
    return [] if rows.empty else [disagreements(rows)]


def disagreements(rows: pd.DataFrame) -> Table:
    """Return the table of cells that are farthest off: cell_id, class, predicted, expected_class,
    individuals."""
    return Table(
        _("Largest disagreements"),
        (_("Cell"), _("Census"), _("Predicted"), _("Expected"), _("People")),
        tuple(
            (
                frame.short_id(one["cell_id"]),
                str(int(one["class"])),
                str(int(one["predicted"])),
                number(one["expected_class"], 1),
                "–" if is_missing(one["individuals"]) else number(one["individuals"]),
            )
            for one in rows.to_dict("records")
        ),
        numeric=(1, 2, 3, 4),
    )
