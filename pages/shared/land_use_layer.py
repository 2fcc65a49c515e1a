"""Land use as a map of the page City: polygons in their Urban Atlas colours, at some metres a pixel."""

from __future__ import annotations

from html import escape

import duckdb
import numpy as np
import pandas as pd
import shapely

from data.store import cell_queries, map_queries
from pages.shared import palette
from pages.shared.class_names import short_name
from pages.shared.language import _, later, number
from pages.shared.rasters import Raster, numbers_as_data_url

NAME, TITLE = "land_use", later("Land use")
_LONGEST_SIDE = 1500  # pixels; a PNG of flat colours stays under some 100 kB
_LARGE = 100_000  # cells of the raster: 65 km by 60; its polygons take ten seconds and more
_IN_LEGEND = 9


def land_use_map(
    connection: duckdb.DuckDBPyConnection, city_id: str, raster: Raster
) -> tuple[str, list[tuple[str, str, str]]]:
    """Return the picture of a city's land use over a raster, as a data URL, and its classes, largest first.

    A class is (code, name, colour). Where no land use is mapped the picture is clear. Of a large city each
    cell is in the colour of the class that takes most of it: its polygons are too many to draw at a look.
    """
    if raster.width * raster.height > _LARGE:
        return _cells_map(connection, city_id, raster)
    from rasterio.features import rasterize  # takes a second to load, which other maps need not wait for
    from rasterio.transform import from_origin

    polygons = cell_queries.land_use_polygons(connection, city_id)
    shapes = shapely.from_wkb([bytes(wkb) for wkb in polygons["geometry"]])
    codes = polygons[["code", "name", "colour"]].drop_duplicates("code").reset_index(drop=True)
    numbered = dict(zip(codes["code"], range(1, len(codes) + 1), strict=True))
    per_cell = max(1, min(20, _LONGEST_SIDE // max(raster.width, raster.height)))
    numbers = rasterize(
        zip(shapes, polygons["code"].map(numbered), strict=True),
        out_shape=(raster.height * per_cell, raster.width * per_cell),
        transform=from_origin(raster.west, raster.north, raster.size / per_cell, raster.size / per_cell),
        dtype="uint8",
    )
    table = np.zeros((len(codes) + 1, 4), np.uint8)
    table[1:, :3] = palette.rgb_table(list(codes["colour"]))
    table[1:, 3] = 255
    area = np.bincount(numbers.ravel(), minlength=len(codes) + 1)[1:]
    largest = codes.iloc[np.argsort(-area, kind="stable")]
    named = [(str(c), str(n), str(k)) for c, n, k in largest[["code", "name", "colour"]].to_numpy()]
    return numbers_as_data_url(numbers, table), named


def _cells_map(
    connection: duckdb.DuckDBPyConnection, city_id: str, raster: Raster
) -> tuple[str, list[tuple[str, str, str]]]:
    classes = cell_queries.land_use_areas(connection, city_id)
    cells = map_queries.main_land_use(connection, city_id)
    numbered = pd.Series(np.arange(1, len(classes) + 1), index=classes["code"])
    table = np.zeros((len(classes) + 1, 4), np.uint8)
    table[1:, :3] = palette.rgb_table(list(classes["colour"]))
    table[1:, 3] = 255
    place, codes = pd.factorize(cells["code"])
    numbers = raster.spread(cells["x"], cells["y"], numbered.reindex(codes).to_numpy()[place])
    named = [(str(c), str(n), str(k)) for c, n, k in classes[["code", "name", "colour"]].to_numpy()]
    return numbers_as_data_url(numbers, table), named


def legend(classes: list[tuple[str, str, str]]) -> str:
    """Return the largest classes as chips of a legend, and how many more there are.

    >>> legend([("50000", "Water", "#80F2E6")])
    '<span class="pair"><span class="chip" style="background:#80F2E6"></span> Water</span>'
    """
    chips = "".join(
        f'<span class="pair"><span class="chip" style="background:{escape(colour)}"></span> '
        f"{escape(short_name(code, name))}</span>"
        for code, name, colour in classes[:_IN_LEGEND]
    )
    more = len(classes) - _IN_LEGEND
    if more <= 0:
        return chips
    return f"{chips}<span>{_('and {n} more').format(n=number(more))}</span>"
