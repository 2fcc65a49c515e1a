"""What people take away of a region: every format says the same, in its place, and says it twice alike."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio

from core.region_files import write_cells, write_evidence
from data.grid import Grid

GRID = Grid("EPSG:3035")
X = [4_000_000, 4_000_400, 4_000_000]
Y = [2_800_000, 2_800_000, 2_800_200]
NOTES = ['The colours are unusual: é, <b>, "quoted".', "Trust it less."]


@pytest.fixture
def cells() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    probabilities = rng.dirichlet(np.ones(10), 3).astype(np.float32)
    frame = GRID.frame(X, Y)[["cell_id", "x", "y"]]
    return frame.assign(
        **{"class": np.array([1, 10, 4], np.uint8)},
        z_standard=[0.5, -1.0, 0.0],
        probabilities=list(probabilities),
    )


@pytest.fixture
def maps() -> np.ndarray:
    return np.random.default_rng(2).normal(size=(3, 8, 8)).astype(np.float16)


def test_geopackage_parquet_and_csv_say_the_same(cells, tmp_path):
    write_cells(tmp_path, cells, GRID, NOTES)
    packed = gpd.read_file(tmp_path / "cells.gpkg", layer="cells")
    parquet = gpd.read_parquet(tmp_path / "cells.parquet")
    table = pd.read_csv(tmp_path / "cells.csv")
    assert packed.crs == parquet.crs == "EPSG:3035"
    assert packed.geometry.geom_equals(parquet.geometry).all()
    assert packed.geometry.bounds[["minx", "miny"]].to_numpy().tolist() == [
        [x, y] for x, y in zip(X, Y, strict=True)
    ]
    for column in ("cell_id", "class", "z_standard"):
        assert packed[column].tolist() == parquet[column].tolist() == table[column].tolist()
    probabilities = packed[[f"p{k}" for k in range(1, 11)]].to_numpy()
    np.testing.assert_allclose(probabilities, np.stack(parquet.probabilities), rtol=1e-6)
    described = pyogrio.raw.read(tmp_path / "cells.gpkg", sql="SELECT description FROM gpkg_contents")[3][0][
        0
    ]
    assert all(note in described for note in NOTES)


def test_the_activation_is_a_cog_with_every_feature_in_its_place(cells, maps, tmp_path):
    write_evidence(tmp_path, cells, maps, GRID, NOTES)
    with rasterio.open(tmp_path / "activation.tif") as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.crs == "EPSG:3035" and file.res == (25, 25)
        assert all(note in file.tags()["TIFFTAG_IMAGEDESCRIPTION"] for note in NOTES)
        for x, y, E in zip(X, Y, maps, strict=True):
            window = rasterio.windows.from_bounds(x, y, x + 200, y + 200, file.transform)
            np.testing.assert_array_equal(file.read(1, window=window), E.astype(np.float32))
        nobody = rasterio.windows.from_bounds(4_000_200, 2_800_000, 4_000_400, 2_800_200, file.transform)
        assert np.isnan(file.read(1, window=nobody)).all()


def test_the_same_cells_give_the_same_bytes(cells, maps, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_cells(tmp_path / name, cells, GRID, NOTES)
        write_evidence(tmp_path / name, cells, maps, GRID, NOTES)
    files = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert files == [
        "activation.qml", "activation.tif", "cells.csv", "cells.gpkg", "cells.parquet", "cells.qml",
    ]  # fmt: skip
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_styles_are_well_formed_and_cover_every_class(cells, maps, tmp_path):
    write_cells(tmp_path, cells, GRID, [])
    write_evidence(tmp_path, cells, maps, GRID, [])
    classes = _tree(tmp_path / "cells.qml").findall(".//category")
    symbols = {one.get("name") for one in _tree(tmp_path / "cells.qml").findall(".//symbol")}
    assert [one.get("value") for one in classes] == [str(k) for k in range(1, 11)]
    assert {one.get("symbol") for one in classes} == symbols
    stops = [float(one.get("value", "")) for one in _tree(tmp_path / "activation.qml").findall(".//item")]
    assert stops == [-2, -1, 0, 1, 2]


def _tree(path: Path) -> ElementTree.Element:
    return ElementTree.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314 - our own file
