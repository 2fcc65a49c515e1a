"""The files of a region that people take away: GeoParquet, CSV, GeoPackage, activation as COG, QGIS styles.

The same cells give the same bytes: no file says when it was written.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio.transform import from_origin

from data.grid import Grid

# Evidence of two training standard deviations of z gets the full colour, as on the page.
_FULL_EVIDENCE = 2.0
# Brown against, teal for: the palette of the pages (pages/shared/palette.py), in five stops.
_STOPS = (
    (-1.0, "140,59,18,255", "poorer"),
    (-0.5, "191,150,127,255", ""),
    (0.0, "242,240,236,0", "none"),
    (0.5, "127,162,167,255", ""),
    (1.0, "11,83,98,255", "richer"),
)
_CLASS_COLOURS = (  # from poorest to richest, as on the page
    "71,43,121,255",
    "50,99,142,255",
    "35,147,138,255",
    "107,197,86,255",
    "221,227,40,255",
)
_WHEN = "2000-01-01T00:00:00.000Z"  # GeoPackage wants a date of change


def write_cells(folder: Path, cells: pd.DataFrame, grid: Grid, notes: Sequence[str]) -> None:
    """Write cells.parquet (GeoParquet), cells.csv, cells.gpkg and cells.qml into a folder.

    ``cells``: one row a cell, first cell_id, with x, y (lower-left corner, metres in the grid's CRS) and
    probabilities (K,). In CSV and GeoPackage each probability has a column, p1 to pK. ``notes`` stand in the
    GeoPackage's description.
    """
    squares = gpd.GeoSeries(grid.polygons(cells.x, cells.y), crs=grid.crs)
    frame = gpd.GeoDataFrame(cells, geometry=squares)
    columns = [name for name in frame.columns if name != "geometry"]
    frame[["cell_id", "geometry", *columns[1:]]].to_parquet(folder / "cells.parquet", index=False)
    probabilities = np.stack(cells.probabilities.to_list())
    n_classes = probabilities.shape[1]
    spread_out = pd.DataFrame(probabilities, columns=[f"p{k + 1}" for k in range(n_classes)])
    table = pd.concat([cells.drop(columns="probabilities"), spread_out], axis=1)
    table.to_csv(folder / "cells.csv", index=False)
    kept = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _WHEN})
    try:
        gpd.GeoDataFrame(table, geometry=squares).to_file(
            folder / "cells.gpkg",
            layer="cells",
            driver="GPKG",
            engine="pyogrio",
            layer_options={"DESCRIPTION": "\n".join(["Cells predicted by Carreau.", *notes])},
        )
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": kept})
    (folder / "cells.qml").write_text(_class_style(n_classes), encoding="utf-8")


def write_evidence(
    folder: Path, cells: pd.DataFrame, maps: NDArray[np.floating], grid: Grid, notes: Sequence[str]
) -> None:
    """Write activation.tif, a cloud-optimised GeoTIFF of signed evidence, and activation.qml beside it.

    ``maps``: (n, h, w) in the order of ``cells``, row 0 north, in training standard deviations of z; one
    pixel of the GeoTIFF is one feature, float32, NaN where there is no cell. ``notes`` stand in its
    description.
    """
    h, w = maps.shape[1:]
    west, north = int(cells.x.min()), int(cells.y.max()) + grid.size
    rows = (north - int(cells.y.min())) // grid.size
    columns = (int(cells.x.max()) - west) // grid.size + 1
    picture = np.full((rows, h, columns, w), np.nan, np.float32)
    picture[(north - cells.y.to_numpy()) // grid.size - 1, :, (cells.x.to_numpy() - west) // grid.size] = maps
    profile = {
        "driver": "GTiff",
        "height": rows * h,
        "width": columns * w,
        "count": 1,
        "dtype": "float32",
        "crs": grid.crs,
        "transform": from_origin(west, north, grid.size / w, grid.size / h),
        "nodata": np.nan,
    }
    with tempfile.TemporaryDirectory(dir=folder) as name:
        plain = Path(name) / "plain.tif"
        with rasterio.open(plain, "w", **profile) as file:
            file.write(picture.reshape(rows * h, columns * w), 1)
            file.set_band_description(1, "evidence E, training standard deviations of z")
            file.update_tags(TIFFTAG_IMAGEDESCRIPTION="\n".join(["Activation by Carreau.", *notes]))
        rasterio.shutil.copy(
            plain,
            folder / "activation.tif",
            driver="COG",
            COMPRESS="DEFLATE",
            PREDICTOR="YES",
            OVERVIEW_RESAMPLING="AVERAGE",
            BIGTIFF="IF_SAFER",
        )
    (folder / "activation.qml").write_text(_evidence_style(), encoding="utf-8")


def _evidence_style() -> str:
    """QGIS style of the evidence: brown poorer, teal richer, clear where there is none."""
    full = _FULL_EVIDENCE
    items = "\n".join(
        f'          <item value="{share * full:g}" color="{_hex(colour)}" alpha="{colour.rsplit(",")[-1]}" '
        f'label="{share * full:+g} {said}"/>'
        for share, colour, said in _STOPS
    )
    return f"""<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22" styleCategories="Symbology">
  <pipe>
    <rasterrenderer type="singlebandpseudocolor" band="1" opacity="0.8"
                    classificationMin="{-full:g}" classificationMax="{full:g}">
      <rastershader>
        <colorrampshader colorRampType="INTERPOLATED" clip="0"
                         minimumValue="{-full:g}" maximumValue="{full:g}">
{items}
        </colorrampshader>
      </rastershader>
    </rasterrenderer>
  </pipe>
</qgis>
"""


def _class_style(n_classes: int) -> str:
    """QGIS style of the predicted class: one colour a class, poorest dark."""
    ramp = np.array([[int(part) for part in colour.split(",")] for colour in _CLASS_COLOURS], float)
    places = np.linspace(0, len(ramp) - 1, n_classes)
    colours = [
        ",".join(str(round(np.interp(place, range(len(ramp)), ramp[:, band]))) for band in range(4))
        for place in places
    ]
    categories = "\n".join(
        f'      <category value="{k}" symbol="{k - 1}" label="{k}" render="true"/>'
        for k in range(1, n_classes + 1)
    )
    symbols = "\n".join(
        f'      <symbol type="fill" name="{number}" alpha="0.7"><layer class="SimpleFill">'
        f'<Option type="Map"><Option type="QString" name="color" value="{colour}"/>'
        '<Option type="QString" name="outline_style" value="no"/></Option></layer></symbol>'
        for number, colour in enumerate(colours)
    )
    return f"""<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22" styleCategories="Symbology">
  <renderer-v2 type="categorizedSymbol" attr="class">
    <categories>
{categories}
    </categories>
    <symbols>
{symbols}
    </symbols>
  </renderer-v2>
</qgis>
"""


def _hex(colour: str) -> str:
    red, green, blue = (int(part) for part in colour.split(",")[:3])
    return f"#{red:02x}{green:02x}{blue:02x}"
