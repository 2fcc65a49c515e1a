"""The result folder of a job as pages see it: tables, bitmaps of classes and of evidence."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from data.landuse_classes import class_colour, class_name
from pages.shared import palette
from pages.shared.layers import Layer, layer
from pages.shared.rasters import Raster, colour_bitmap

# Evidence of this many training standard deviations gets the full colour and the strongest overlay.
FULL_EVIDENCE = 2.0
_FOR_PAGES = (
    "maps.parquet",
    "preview.png",
    "land_use.png",
)  # what the other files hold in a form that programs read
LAND_USE = "land_use.png"
_WIDEST_PX = 4096  # the texture size that every WebGL 2 device must be able to take


@dataclass(frozen=True)
class JobResult:
    """What a finished job left: summary, cells (x, y in grid metres), evidence maps, land use."""

    folder: Path
    summary: dict[str, Any]
    cells: pd.DataFrame
    maps: NDArray[np.float32]  # (n, h, w), row 0 north, in the order of cells
    activation: pd.DataFrame | None

    @property
    def raster(self) -> Raster:
        """The cells' place on the pictures, which is the preview's extent."""
        west, south, east, north = self.summary["preview_extent"]
        size = int(self.summary["cell_size_m"])
        return Raster(west, north, size, (east - west) // size, (north - south) // size)

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """Class distributions (n, K)."""
        return np.stack([np.asarray(row, dtype=float) for row in self.cells.probabilities])

    @property
    def reach(self) -> float:
        """The 95th percentile of the absolute evidence: one scale for all cells, seen from near."""
        return float(max(np.quantile(np.abs(self.maps), 0.95), 1e-6))

    @property
    def has_census(self) -> bool:
        """Whether cells have classes of the reader's census, and the prediction is cut like it."""
        return {"census_class", "region_class"} <= set(self.cells) and bool(
            (self.cells.census_class > 0).any()
        )

    @property
    def has_agreement(self) -> bool:
        """Whether cells compare with the reader's census, and more than a handful of them."""
        census = self.summary.get("census") or {}
        return bool(census.get("agreement")) and self.has_census

    @property
    def imputed(self) -> NDArray[np.bool_]:
        """Cells (n,) whose census value is imputed."""
        if "census_imputed" not in self.cells:
            return np.zeros(len(self.cells), bool)
        return self.cells.census_imputed.to_numpy(bool)

    @property
    def has_land_use(self) -> bool:
        """Whether there is a picture of land use."""
        return (self.folder / LAND_USE).is_file()


def read_result(folder: Path) -> JobResult:
    """Read a result folder; raises FileNotFoundError when a part of it was deleted."""
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    cells = pd.read_parquet(folder / "cells.parquet").drop(columns="geometry")
    stored = pd.read_parquet(folder / "maps.parquet").set_index("cell_id").loc[cells.cell_id]
    shape = (int(stored.height.iloc[0]), int(stored.width.iloc[0]))
    maps = np.stack([np.frombuffer(values, dtype="<f2").reshape(shape) for values in stored.map_values])
    activation = folder / "activation.parquet"
    return JobResult(
        folder=folder,
        summary=summary,
        cells=cells,
        maps=maps.astype(np.float32),
        activation=pd.read_parquet(activation) if activation.is_file() else None,
    )


@st.cache_resource(max_entries=8, show_spinner=False)
def opened(folder: str) -> JobResult:
    """Return `read_result`, read once: a result never changes, and must not be changed."""
    return read_result(Path(folder))


def archive(folder: Path) -> bytes:
    """Return every file of a result's folder but the pages' own as a zip archive; QGIS finds styles by their
    names."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for path in sorted(folder.iterdir()):
            if path.is_file() and path.name not in _FOR_PAGES:
                made.write(path, path.name)
    return packed.getvalue()


def photograph(result: JobResult) -> NDArray[np.uint8]:
    """Return the preview of the photograph, RGBA, clear outside the cells."""
    return np.asarray(Image.open(result.folder / "preview.png").convert("RGBA"))


def layer_of(result: JobResult, name: str, quintiles: bool) -> Layer:
    """Return a layer of the cells as on the page City.

    The difference is one of places: both prediction and census are cut into classes inside the region,
    because the networks' own classes are those of other cities.
    """
    cells = result.cells
    n_classes = int(result.summary["n_classes"])
    shown = pd.DataFrame(
        {"class": np.nan, "predicted": cells["class"].astype(float), "entropy": cells.entropy, "fold": np.nan}
    )
    if "census_class" in cells:
        shown["class"] = _known(cells.census_class)
    if name == "difference":
        shown["predicted"] = _known(cells.region_class)
    return layer(name, shown, n_classes, quintiles)


def layer_bitmap(
    result: JobResult, drawn: Layer, missing: tuple[int, int, int], alpha: int
) -> NDArray[np.uint8]:
    """Return a layer, one pixel a cell, RGBA, 0 to 255 opaque; `missing` colours cells without a value."""
    table = palette.rgb_table(list(drawn.colours))
    numbers, colours = colour_bitmap(
        result.raster, result.cells.x, result.cells.y, drawn.steps, table, missing, True, alpha
    )
    return colours[numbers]


def land_use_bitmap(result: JobResult, alpha: int) -> NDArray[np.uint8]:
    """Return the picture of the land use in the cells, RGBA, as opaque as asked (0 to 255)."""
    picture = np.asarray(Image.open(result.folder / LAND_USE).convert("RGBA")).copy()
    picture[..., 3] = np.minimum(picture[..., 3], alpha)
    return picture


def land_use_classes(result: JobResult) -> list[tuple[str, str, str]]:
    """Return the land-use classes (code, name, colour) in the cells, largest area first."""
    if result.activation is None:
        return []
    area = result.activation.groupby("code").area_m2.sum().sort_values(ascending=False, kind="stable")
    return [(str(code), class_name(str(code)), class_colour(str(code))) for code in area.index]


def _known(classes: pd.Series) -> pd.Series:
    return classes.astype(float).replace(0.0, np.nan)


def paint_classes(picture: NDArray[np.uint8], raster: Raster, cells: pd.DataFrame, n_classes: int) -> None:
    """Paint the class of cells (x, y, class) into a picture (rows, columns, 4) of one pixel a cell."""
    table = palette.rgb_table(palette.sequential(n_classes))
    row, column = raster.pixel(cells.x, cells.y)
    picture[row, column, :3] = table[cells["class"].to_numpy(int) - 1]
    picture[row, column, 3] = 255


def evidence_bitmap(result: JobResult) -> NDArray[np.uint8]:
    """Return the evidence maps in their places, RGBA: brown poorer, teal richer, clear where there is none.

    Full colour at two training standard deviations of z. A region too wide for a texture gets cell means.
    """
    raster, maps = result.raster, result.maps
    h, w = maps.shape[1:]
    if max(raster.height * h, raster.width * w) > _WIDEST_PX:
        maps, h, w = maps.mean(axis=(1, 2), keepdims=True), 1, 1
    table = palette.rgb_table(palette.diverging(33))
    scaled = np.clip(maps / FULL_EVIDENCE, -1, 1)
    colours = table[np.rint((scaled + 1) * 16).astype(int)]
    alpha = np.rint(235 * np.abs(scaled) ** 0.7).astype(np.uint8)
    picture = np.zeros((raster.height, h, raster.width, w, 4), dtype=np.uint8)
    row, column = raster.pixel(result.cells.x, result.cells.y)
    picture[row, :, column, :, :3] = colours
    picture[row, :, column, :, 3] = alpha
    return picture.reshape(raster.height * h, raster.width * w, 4)


def by_class(activation: pd.DataFrame) -> pd.DataFrame:
    """Sum up activation by land-use class over the region: code, cells, hectares, excess (area-weighted
    mean),
    contribution (sum over cells; over all classes and unmapped land it adds up to the sum of z_standard).

    >>> rows = pd.DataFrame({"code": ["a", "a"], "cell_id": ["1", "2"], "area_m2": [10_000.0, 30_000.0],
    ...                      "excess": [1.0, 0.0], "contribution": [0.5, 0.25]})
    >>> by_class(rows)[["cells", "hectares", "excess", "contribution"]].values.tolist()
    [[2.0, 4.0, 0.25, 0.75]]
    """
    weighted = activation.assign(weighted=activation.excess.astype(float) * activation.area_m2.astype(float))
    grouped = weighted.groupby("code", sort=True)
    area = grouped.area_m2.sum().astype(float)
    return pd.DataFrame(
        {
            "cells": grouped.cell_id.nunique(),
            "hectares": area / 1e4,
            "excess": grouped.weighted.sum() / area,
            "contribution": grouped.contribution.sum().astype(float),
        }
    ).reset_index()
