"""How a region agrees with its own census: classes cut inside it, measures that a shift leaves alone."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from PIL import Image

from core.region_census import region_agreement
from core.region_land_use import draw_land_use
from data.census import income_classes
from data.coverage import LandUseIndex
from data.grid import Grid


def region(side: int = 12) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    row, column = np.divmod(np.arange(side * side), side)
    income = rng.normal(size=side * side)
    cells = pd.DataFrame({"x": 200 * column, "y": 200 * row, "census_value": income})
    cells["expected_class"] = 8 + 0.1 * income + 0.05 * rng.normal(size=len(cells))
    cells["census_imputed"] = False
    for name, values in (("census_class", cells.census_value), ("region_class", cells.expected_class)):
        cells[name] = income_classes(values, 5)[0]
    return cells


def test_a_region_richer_than_the_training_cities_is_compared_by_places() -> None:
    cells = region()
    found = region_agreement(cells, 5, 200)
    assert found["accuracy"]["value"] == (cells.census_class == cells.region_class).mean()
    near = (cells.census_class.astype(int) - cells.region_class.astype(int)).abs() <= 1
    assert found["within_one"]["value"] == near.mean()
    assert np.isclose(found["spearman"]["value"], cells.census_value.corr(cells.expected_class, "spearman"))
    assert found["spearman"]["null_low"] < 0 < found["spearman"]["null_high"] < found["spearman"]["value"]
    assert "slope" not in found  # both are cut alike: there is nothing to shrink
    moved = region_agreement(cells.assign(expected_class=cells.expected_class - 5), 5, 200)
    assert moved == found


def test_imputed_cells_are_left_out_and_a_handful_says_nothing() -> None:
    cells = region()
    cells["census_imputed"] = cells.census_class != cells.region_class
    assert region_agreement(cells, 5, 200)["accuracy"]["value"] == 1.0
    assert region_agreement(cells.head(20), 5, 200) == {}


def test_land_use_is_drawn_in_its_place_and_colour(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame(
        {"code": ["11100", "31000"]},
        geometry=[shapely.box(0, 200, 400, 400), shapely.box(0, 0, 100, 200)],
        crs="EPSG:3035",
    )
    cells = pd.DataFrame({"x": [0, 0], "y": [0, 200]})  # the eastern cells are not of the region
    draw_land_use(tmp_path / "use.png", LandUseIndex.of(frame), cells, Grid(), (0, 0, 400, 400))
    picture = np.asarray(Image.open(tmp_path / "use.png"))
    assert picture.shape == (40, 40, 4)
    assert (picture[:20, :20] == [0x80, 0, 0, 255]).all()
    assert (picture[20:, :10] == [0, 0x8C, 0, 255]).all()
    assert (picture[20:, 10:, 3] == 0).all() and (picture[:, 20:, 3] == 0).all()
