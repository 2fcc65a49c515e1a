"""Write a generated city as files in the official formats: census, Urban Atlas, photo tiles, study file."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, Resampling
from rasterio.io import MemoryFile
from rasterio.shutil import copy as copy_raster
from rasterio.transform import from_origin

from data.world.income import table_2019
from data.world.plan import CityPlan

ITEM_OF_CODE = {
    "11100": "Continuous urban fabric (S.L. : > 80%)",
    "11210": "Discontinuous dense urban fabric (S.L. : 50% -  80%)",
    "11220": "Discontinuous medium density urban fabric (S.L. : 30% - 50%)",
    "11230": "Discontinuous low density urban fabric (S.L. : 10% - 30%)",
    "11240": "Discontinuous very low density urban fabric (S.L. : < 10%)",
    "11300": "Isolated structures",
    "12100": "Industrial, commercial, public, military and private units",
    "12210": "Fast transit roads and associated land",
    "12220": "Other roads and associated land",
    "12230": "Railways and associated land",
    "12300": "Port areas",
    "13300": "Construction sites",
    "13400": "Land without current use",
    "14100": "Green urban areas",
    "14200": "Sports and leisure facilities",
    "21000": "Arable land (annual crops)",
    "22000": "Permanent crops (vineyards, fruit trees, olive groves)",
    "23000": "Pastures",
    "31000": "Forests",
    "50000": "Water",
}
JPEG_QUALITY = 61  # three cities stay under 24 MB, and no block artefact shows at 1:1


def write_census(folder: Path, plan: CityPlan, table: pd.DataFrame, corners: NDArray[np.int64]) -> Path:
    """Write the census table: a 2015 shapefile or a 2019 GeoPackage, cells as squares in EPSG:3035.

    `corners` (rows, 2) are the lower-left corners, east and north, in metres.
    """
    folder.mkdir(parents=True, exist_ok=True)
    east, north = corners.T.astype(float)
    squares = shapely.box(east, north, east + 200, north + 200)
    if plan.census_year == 2015:
        path = folder / "Filosofi2015_carreaux_200m_metropole.shp"
        gpd.GeoDataFrame(table, geometry=squares, crs=3035).to_file(path)
    else:
        path = folder / "carreaux_200m_met.gpkg"
        frame = gpd.GeoDataFrame(table_2019(table), geometry=squares, crs=3035)
        frame.to_file(path, layer="carreaux_200m_met", engine="pyogrio")
    return path


def write_land_use(
    folder: Path, plan: CityPlan, land_use: gpd.GeoDataFrame, outline: shapely.Geometry
) -> Path:
    """Write the Urban Atlas layer and its boundary; `land_use` has `code` and geometry in EPSG:3035."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{plan.fua_code}_{plan.source_name}_UA{plan.land_use_year}"
    shapes = land_use.geometry
    codes, names = land_use["code"], land_use["code"].map(ITEM_OF_CODE)
    idents = [f"{i + 1}-{plan.fua_code}" for i in range(len(land_use))]
    title = plan.source_name.replace("_", "-").title()
    if plan.land_use_year == 2012:
        path = folder / f"{stem}.shp"
        common = {"COUNTRY": "XX", "CITIES": title, "FUA_OR_CIT": plan.fua_code}
        layer = pd.DataFrame(
            {
                "CODE2012": codes,
                "ITEM2012": names,
                "PROD_DATE": "2015",
                "IDENT": idents,
                "Shape_Leng": shapes.length,
                "Shape_Area": shapes.area,
                "Pop2012": 0,
            }
        )
        for at, (name, value) in enumerate(common.items()):
            layer.insert(at, name, value)
        gpd.GeoDataFrame(layer, geometry=shapes, crs=3035).to_file(path)
        edge = gpd.GeoDataFrame(
            {
                **{k: [v] for k, v in common.items()},
                "Shape_Leng": [outline.length],
                "Shape_Area": [outline.area],
            },
            geometry=[outline],
            crs=3035,
        )
        edge.to_file(folder / f"{stem}_Boundary.shp")
        return path
    stem += "_v013"
    path = folder / f"{stem}.gpkg"
    layer = pd.DataFrame(
        {
            "country": "XX",
            "fua_name": title,
            "fua_code": plan.fua_code,
            "code_2018": codes,
            "class_2018": names,
            "prod_date": "2020-06",
            "identifier": idents,
            "perimeter": shapes.length,
            "area": shapes.area,
            "comment": None,
            "Pop2018": 0,
        }
    )
    gpd.GeoDataFrame(layer, geometry=shapes, crs=3035).to_file(path, layer=stem, engine="pyogrio")
    edge = gpd.GeoDataFrame(
        {"country": ["XX"], "fua_name": [title], "fua_code": [plan.fua_code], "area": [outline.area]},
        geometry=[outline],
        crs=3035,
    )
    edge.to_file(path, layer=f"{stem.removesuffix('_v013')}_Boundary", engine="pyogrio")
    return path


def write_photo(
    folder: Path, plan: CityPlan, rgb: NDArray[np.uint8], valid: NDArray[np.bool_], left: float, top: float
) -> None:
    """Cut the photograph (H, W, 3) into Lambert-93 tiles of whole kilometres and write them with their index.

    `left`, `top`: the upper-left corner in EPSG:2154. Pixels where `valid` (H, W) is false are masked: an
    internal mask in GeoTIFF, an alpha band in JPEG 2000, which has no mask of its own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    height, width = valid.shape
    r = plan.resolution
    right, bottom = left + width * r, top - height * r
    names, shapes = [], []
    for x in np.arange(np.floor(left / plan.tile), np.ceil(right / plan.tile)) * plan.tile:
        for y in np.arange(np.floor(bottom / plan.tile) + 1, np.ceil(top / plan.tile) + 1) * plan.tile:
            tile, mask = _tile(plan, rgb, valid, left, top, x, y)
            if not mask.any():
                continue
            suffix = "jp2" if plan.photo_format == "jp2" else "tif"
            place = f"{round(x / 1000):04d}-{round(y / 1000):04d}"
            size = f"{int(r)}M{round(r % 1 * 100):02d}"
            name = f"99-{plan.photo_year}-{place}-LA93-{size}-E080.{suffix}"
            _write_tile(folder / name, plan, tile, mask, x, y)
            names.append(f"./{name}")
            shapes.append(shapely.box(x, y - plan.tile, x + plan.tile, y))
    gpd.GeoDataFrame({"NOM": names}, geometry=shapes, crs=2154).to_file(folder / "dalles.shp")


def _tile(
    plan: CityPlan,
    rgb: NDArray[np.uint8],
    valid: NDArray[np.bool_],
    left: float,
    top: float,
    x: float,
    y: float,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    side = round(plan.tile / plan.resolution)
    column, row = round((x - left) / plan.resolution), round((top - y) / plan.resolution)
    tile = np.full((side, side, 3), 96, np.uint8)
    mask = np.zeros((side, side), bool)
    rows = slice(max(row, 0), min(row + side, valid.shape[0]))
    columns = slice(max(column, 0), min(column + side, valid.shape[1]))
    if rows.stop > rows.start and columns.stop > columns.start:
        target = (
            slice(rows.start - row, rows.stop - row),
            slice(columns.start - column, columns.stop - column),
        )
        mask[target] = valid[rows, columns]
        # A flat grey under the mask costs the JPEG nothing.
        tile[target] = np.where(mask[target][:, :, None], rgb[rows, columns], 96)
    return tile, mask


def _write_tile(
    path: Path, plan: CityPlan, tile: NDArray[np.uint8], mask: NDArray[np.bool_], x: float, y: float
) -> None:
    side = mask.shape[0]
    profile = {
        "driver": "GTiff",
        "width": side,
        "height": side,
        "count": 3,
        "dtype": "uint8",
        "crs": "EPSG:2154",
        "transform": from_origin(x, y, plan.resolution, plan.resolution),
    }
    opaque = mask.astype(np.uint8) * 255
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True, GDAL_NUM_THREADS=1):
        if plan.photo_format == "gtiff":
            with rasterio.open(
                path,
                "w",
                **profile,
                tiled=True,
                blockxsize=256,
                blockysize=256,
                compress="deflate",
                predictor=2,
            ) as photo:
                photo.write(tile.transpose(2, 0, 1))
                photo.write_mask(opaque)
            return
        with MemoryFile() as memory:
            if plan.photo_format == "jp2":
                with memory.open(**{**profile, "count": 4}) as source:
                    source.write(tile.transpose(2, 0, 1), [1, 2, 3])
                    source.write(opaque, 4)
                    source.colorinterp = [
                        ColorInterp.red,
                        ColorInterp.green,
                        ColorInterp.blue,
                        ColorInterp.alpha,
                    ]
                with memory.open() as source:
                    copy_raster(source, path, driver="JP2OpenJPEG", QUALITY=100, REVERSIBLE="YES")
                return
            with memory.open(**profile, tiled=True, blockxsize=512, blockysize=512) as source:
                source.write(tile.transpose(2, 0, 1))
                source.write_mask(opaque)
                # No level of half size: it would weigh a quarter of the whole and no reader here asks for it.
                source.build_overviews([4, 8, 16], Resampling.average)
            with memory.open() as source:
                copy_raster(
                    source,
                    path,
                    driver="COG",
                    COMPRESS="JPEG",
                    QUALITY=JPEG_QUALITY,
                    BLOCKSIZE=512,
                    OVERVIEWS="FORCE_USE_EXISTING",
                    OVERVIEW_QUALITY=JPEG_QUALITY,
                    SPARSE_OK="YES",
                )


def write_truth(path: Path, truth: dict) -> None:
    """Write what the generator knows about a city and a reader of the files cannot."""
    path.write_text(json.dumps(truth, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


# Settings that suit the size. Demo: two folds, which two CPU cores train side by side; networks of its own
# for each city (one EfficientNet a fold for `objects`, `mix` and `hidden` together came to 0.45 and 0.38 in
# the first two, these to 0.80 and 0.61), and small ones, because the weights of six have to ship.
SETTINGS = {
    "demo": """[folds]
n_folds = 2

[network]
architecture = "mobilenet_v3_small"

[train]
scope = "city"
epochs = 24
""",
    "tiny": """[network]
architecture = "mobilenet_v3_small"
input_px = 64

[folds]
n_folds = 2
block_m = 400

[train]
epochs = 2
""",
}


def study_text(size: str, seed: int, settings: str, cities: list[dict]) -> str:
    """Return the study file; each city gives its plan, paths (relative to the file), recipe and truth."""
    titles = {
        "demo": "Three invented cities",
        "city": "One invented city",
        "tiny": "Two small invented cities",
    }
    lines = [
        "# Written by `python -m core world`. The cities are invented and lie in the sea west of Brittany.",
        "[study]",
        f'id = "{size}"',
        f'title = "{titles[size]}"',
        'description = "Generated cities in the official formats: streets, incomes, photographs invented."',
        f"seed = {seed}",
        "generated = true",
        "",
        "[labels]",
        "n_classes = 10",
        "",
    ]
    lines.append((settings or SETTINGS[size if size in SETTINGS else "demo"]).rstrip())
    for city in cities:
        plan: CityPlan = city["plan"]
        lines += [
            "",
            "[[cities]]",
            f'id = "{plan.id}"',
            f'name = "{plan.name}"',
            "[cities.census]",
            f'path = "{city["census"]}"',
            f"year = {plan.census_year}",
            "[cities.land_use]",
            f'path = "{city["land_use"]}"',
            f"year = {plan.land_use_year}",
            "[cities.imagery]",
            f'path = "{city["imagery"]}"',
            f"year = {plan.photo_year}",
            "[cities.districts]",
            f'path = "{city["districts"]}"',
            'id = "CODE_IRIS"',
            'name = "NOM_IRIS"',
            f"year = {plan.census_year}",
            "[cities.generated]",
            f'recipe = "{city["recipe"]}"',
            f"seed = {seed}",
            f"oracle_spearman = {city['oracle']:.3f}",
            f"object_pixel_share = {city['share']:.5f}",
            f'truth = "{city["truth"]}"',
        ]
    return "\n".join(lines) + "\n"


__all__ = ["ITEM_OF_CODE", "study_text", "write_census", "write_land_use", "write_photo", "write_truth"]
