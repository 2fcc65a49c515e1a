"""The report of a photograph: what the networks say of it, and how that agrees with a census of the reader's.

Of the whole result, whatever is selected on the page. A result's other files hold the figures of each cell.
"""

from __future__ import annotations

import base64
import io
from typing import Any

import shapely
from PIL import Image

from core.jobs import JobState
from data.grid import Grid
from data.landuse_classes import class_name
from pages.report import agreement_part, charts, map_picture
from pages.report.content import (
    Block,
    Bullets,
    Figure,
    Figures,
    Picture,
    Pictures,
    Report,
    Section,
    Table,
    Text,
    note,
)
from pages.report.gather import use
from pages.report.land_use_part import land_use_picture
from pages.report.make import FORMATS
from pages.report.map_picture import Ground, Key
from pages.shared import (
    city_charts,
    city_errors,
    cluster_layer,
    farthest_off,
    frame,
    job_census,
    job_classes,
    job_result,
    job_result_view,
    job_tables,
    job_words,
    layers,
    palette,
)
from pages.shared.class_names import label
from pages.shared.job_cells import ResultCells
from pages.shared.language import _, day, number, speaking
from pages.shared.maps import north_angle
from pages.shared.rasters import as_data_url
from pages.shared.selection import Selection
from pages.shared.told import told, told_name

_WIDEST = 1200  # pixels of the photograph: what half a page of paper shows


def make(view: ResultCells, now: JobState, suffix: str, language: str) -> bytes:
    """Return the report of a result as the bytes of a file, `suffix` pdf or html."""
    return FORMATS[suffix](gather(view, now, language))


def gather(view: ResultCells, now: JobState, language: str) -> Report:
    """Return the report of a finished job's result in a language."""
    whole = view.only(Selection())
    with speaking(language), palette.on_paper():
        summary, name, when = view.result.summary, told_name(now.name), day(now.created_at)
        place = _ground(whole)
        sections = [
            Section(_("In short"), tuple(_in_short(whole))),
            Section(_("What the data are"), (Text(job_result_view.origin(summary, now)),)),
            Section(_("What the networks say"), tuple(_maps(whole, place, name))),
            *_census(whole, place, name),
            *_land_use(whole, place, name),
            use(),
            Section(_("Where it comes from"), tuple(_provenance(whole, now))),
        ]
        return Report(
            language=language,
            title=name,
            question=_("What does the model say of this photograph?"),
            badge="",
            about=_(
                "Report of one photograph, read by the networks of the study {study} on {day}. Figures "
                "describe squares of {metres} m, never households."
            ).format(study=summary["study_id"], day=when, metres=number(view.size)),
            foot=_("Carreau, {name}, {day}").format(name=name, day=when),
            sections=tuple(sections),
        )


def _in_short(view: ResultCells) -> list[Block]:
    figures = [Figure(name, value, aside) for name, value, aside in job_result_view.headline(view)]
    blocks: list[Block] = [Figures(tuple(figures)), Text(job_classes.sentence(job_classes.counts(view)))]
    warnings = [frame.tight(told(text)) for text in view.result.summary["warnings"]]
    return [*blocks, Bullets(tuple(warnings))] if warnings else blocks


def _ground(view: ResultCells) -> Ground:
    cells, raster = view.cells, view.result.raster
    squares = Grid(view.grid_crs, view.size).polygons(cells["x"], cells["y"])
    outline = shapely.to_wkb(shapely.union_all(squares))
    north = north_angle(*raster.centre, view.grid_crs)
    return Ground(raster, cells, outline, view.grid_crs, north)


def _maps(view: ResultCells, place: Ground, name: str) -> list[Block]:
    result = view.result
    full = number(job_result.FULL_EVIDENCE)
    key = Key(
        tuple(palette.diverging(9)),
        _("−{full} poorer").format(full=full),
        _("+{full} richer, standard deviations of z").format(full=full),
    )
    evidence = _picture(place, as_data_url(job_result.evidence_bitmap(result)), key)
    seen = (
        Picture(
            _("Photograph"), _picture(place, _photograph(view), Key(())), _("The photograph, cells only")
        ),
        Picture(
            _("Activation"),
            evidence,
            _("Map of the activation in {name}: where the networks see richer and poorer").format(name=name),
        ),
    )
    return [
        _layers(view, place, name, ("predicted", "uncertainty")),
        Pictures(seen),
        note(
            _(
                "Uncertainty: entropy of the class distribution, from 0 (sure) to 1 (knows nothing). "
                "Activation: evidence of class activation maps in the linear unit z; it says what the "
                "network weighs, not what causes income. Maps are in the metres of {crs}; the arrow points "
                "to geographic north."
            ).format(crs=view.grid_crs)
        ),
    ]


def _layers(view: ResultCells, place: Ground, name: str, wanted: tuple[str, str]) -> Pictures:
    """Return two maps of cells, `wanted` of `layers.NAMES`, side by side."""
    return Pictures(
        tuple(
            agreement_part.layer_picture(
                job_result.layer_of(view.result, one, False), _(layers.NAMES[one]), place, name
            )
            for one in wanted
        )
    )


def _picture(place: Ground, url: str, key: Key) -> str:
    return map_picture.draw(place, url, key, charts.HALF, hatched=False).svg()


def _photograph(view: ResultCells) -> str:
    """Return the photograph in the cells, on the ground of a map, as a data URL small enough for paper."""
    picture = Image.fromarray(job_result.photograph(view.result))
    picture.thumbnail((_WIDEST, _WIDEST))
    ground = Image.new("RGBA", picture.size, map_picture.PANEL)
    buffer = io.BytesIO()
    Image.alpha_composite(ground, picture).convert("RGB").save(buffer, format="JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _census(view: ResultCells, place: Ground, name: str) -> list[Section]:
    found = view.result.summary.get("census")
    if not found:
        return []
    return [Section(_("Against your census"), tuple(_compared(view, place, name, dict(found))))]


def _compared(view: ResultCells, place: Ground, name: str, found: dict[str, Any]) -> list[Block]:
    agreement, blocks = found.get("agreement"), list[Block]()
    if agreement:
        figures = job_words.agreement_figures(agreement, view.n_classes)
        blocks.append(Figures(tuple(Figure(title, value, aside) for title, value, aside in figures)))
        verdict = job_words.agreement_verdict(agreement)
        blocks += [Text(verdict)] if verdict else []
    blocks.append(
        note(
            job_words.census_sentence(found),
            _("The interval allows for neighbouring cells being alike."),
            job_census.scales(),
        )
    )
    if not view.result.has_agreement:
        return blocks
    confusion = [agreement_part.confusion_picture(city_charts.confusion_of(view), view.n_classes)]
    if view.has_clusters:
        clusters = cluster_layer.layer(view.clusters)
        confusion.append(agreement_part.layer_picture(clusters, _(cluster_layer.TITLE), place, name))
    blocks += [_layers(view, place, name, ("census", "difference")), Pictures(tuple(confusion))]
    if view.has_clusters:
        blocks.append(Text(cluster_layer.sentence(view.clusters)))
    if len(view.compared):
        by_density = city_errors.by_density(view) if view.has_people else view.compared.head(0)
        by_class = city_errors.by_class(view)
        blocks += agreement_part.differences(by_class, by_density, view.compared, view.n_classes)
        rows = farthest_off.largest(view.compared, agreement_part.LISTED)
        blocks.append(agreement_part.disagreements(rows.assign(cell_id=view.ids(rows))))
    return blocks


def _land_use(view: ResultCells, place: Ground, name: str) -> list[Section]:
    if view.result.activation is None:
        return []
    rows = job_result.by_class(view.result.activation).sort_values("excess", ascending=False)
    blocks: list[Block] = []
    if view.result.has_land_use:
        bitmap = as_data_url(job_result.land_use_bitmap(view.result, 255))
        classes = job_result.land_use_classes(view.result)
        blocks.append(land_use_picture(place, bitmap, classes, name))
    table = Table(
        _("Activation by land-use class"),
        (_("Land use"), _("Cells"), _("Hectares"), _("Mean excess"), _("Contribution")),
        tuple(
            (
                label(str(one["code"]), class_name(str(one["code"]))),
                number(one["cells"]),
                number(one["hectares"], 1),
                number(one["excess"], 2, sign=True),
                number(one["contribution"], 2, sign=True),
            )
            for one in rows.to_dict("records")
        ),
        numeric=(1, 2, 3, 4),
    )
    said = note(
        _(
            "Mean excess: evidence in the class less that of its cell. Contribution: adds up to the sum of z "
            "over the cells."
        ),
        job_tables.land_use_caveat(),
    )
    return [Section(_("What land use it weighs"), (*blocks, table, said))]


def _provenance(view: ResultCells, now: JobState) -> list[Block]:
    summary = view.result.summary
    skipped = int(summary["skipped"])
    return [
        Text(
            _(
                "Job {job} of {day}, publication {file}; {n} cells of {metres} m in {crs}, {skipped} left "
                "out (empty pixels or one colour)."
            ).format(
                job=now.job,
                day=day(now.created_at),
                file=summary["publication"],
                n=number(len(view.cells)),
                metres=number(view.size),
                crs=view.grid_crs,
                skipped=number(skipped),
            )
        ),
        note(
            _(
                "Classes of {k}, 1 the poorest, on the scale of the cities that the networks learned from. "
                "The files of the result (cells as CSV, GeoParquet and GeoPackage, activation as GeoTIFF) "
                "hold the figures of every cell."
            ).format(k=number(view.n_classes))
        ),
    ]
