"""One map of a city as a picture that stands alone: title, legend, scale bar, north arrow and source."""

from __future__ import annotations

from data.store.open import Publication
from pages.report import map_picture, pdf
from pages.report.agreement_part import ground, key_of, layer_of
from pages.report.land_use_part import land_use_key
from pages.report.make import opened
from pages.report.source import Source
from pages.shared import land_use_layer, palette
from pages.shared.language import _, day, number, speaking

WIDTH = 720.0  # pixels of 0.75 pt


def make(
    publication: Publication, city_id: str, name: str, suffix: str, language: str, quintiles: bool = False
) -> bytes:
    """Return the map of a layer (see `file_menu.TITLES`) as the bytes of a file, png or svg.

    Raises:
        StudyError: the publication has no such city.
    """
    with opened(publication, city_id) as source, speaking(language), palette.on_paper():
        svg = drawn(source, name, quintiles)
        return pdf.as_png(svg) if suffix == "png" else svg.encode()


def drawn(source: Source, name: str, quintiles: bool) -> str:
    """Return the map as SVG, in the language and colours in force."""
    city, row = source.city, source.row
    place = ground(source)
    if name == land_use_layer.NAME:
        url, classes = source.ask(land_use_layer.land_use_map, city.city_id, place.raster)
        key, title, hatched, no_value = land_use_key(classes), _(land_use_layer.TITLE), False, False
    else:
        layer, title = layer_of(source, name, quintiles)
        url = map_picture.cells_bitmap(place, layer.steps, layer.colours)
        key, hatched = key_of(layer), True
        no_value = bool((layer.steps < 0).any())
    made = _(
        "Study {study}, published {day}, {architecture}. Squares of {metres} m; figures never describe "
        "households."
    ).format(
        study=row.study_id,
        day=day(row.created_at),
        architecture=row.architecture,
        metres=number(row.cell_size_m),
    )
    if row.is_generated:
        made = _("Invented city.") + " " + made
    return map_picture.draw(
        place,
        url,
        key,
        WIDTH,
        hatched=hatched,
        no_value=no_value,
        title=f"{city.name} · {title}",
        source=made,
    ).svg()
