"""The ground of the synthetic publication: parcels, their areas in the cells, their photograph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import rasterio
import rasterio.transform
import shapely

K, CELL, FEATURES = 10, 200, 8
NAMES = (("ker-bihan", "Kêr-Bihan"), ("port-azur", "Port Azur"), ("haut-vent", "Haut-Vent"))
CLASSES = (
    ("11100", "Continuous urban fabric (S.L. > 80%)", "Tissu urbain continu", "#800000", 0.16),
    ("11210", "Discontinuous dense urban fabric (50-80%)", "Tissu urbain discontinu dense", "#BF0000", 0.2),
    (
        "11220",
        "Discontinuous medium density urban fabric (30-50%)",
        "Tissu urbain moyennement dense",
        "#FF4040",
        0.16,
    ),
    ("11230", "Discontinuous low density urban fabric (10-30%)", "Tissu urbain peu dense", "#FF8080", 0.1),
    (
        "12100",
        "Industrial, commercial, public, military and private units",
        "Zones d'activités",
        "#CC4DF2",
        0.12,
    ),
    ("12210", "Fast transit roads and associated land", "Voies rapides", "#959595", 0.02),
    ("12220", "Other roads and associated land", "Autres voies", "#B3B3B3", 0.05),
    ("12230", "Railways and associated land", "Voies ferrées", "#595959", 0.02),
    ("14100", "Green urban areas", "Espaces verts urbains", "#8CDC00", 0.09),
    ("14200", "Sports and leisure facilities", "Équipements sportifs et de loisirs", "#AFD2A5", 0.05),
    ("31000", "Forests", "Forêts", "#008C00", 0.02),
    ("50000", "Water", "Eau", "#80F2E6", 0.01),
)
CODES = [row[0] for row in CLASSES]


def land_use(
    city_id: str,
    cell_id: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    maps: np.ndarray,
    side: int,
    west: int,
    south: int,
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Parcels of 130 x 170 m, their areas in the cells, and the maps summed over them (exact: all
    rectangles)."""
    width, height = 130, 170
    columns, rows = side * CELL // width + 1, side * CELL // height + 1
    likely = np.array([row[4] for row in CLASSES])
    kinds = rng.choice(len(CODES), (rows, columns), p=likely / likely.sum())
    r, c = (index.ravel() for index in np.mgrid[:rows, :columns])
    x0, y0 = west + c * width, south + r * height
    polygons = pd.DataFrame(
        {
            "city_id": city_id,
            "code": [CODES[k] for k in kinds.ravel()],
            "x_min": x0,
            "y_min": y0,
            "x_max": x0 + width,
            "y_max": y0 + height,
            "geometry": shapely.to_wkb(shapely.box(x0, y0, x0 + width, y0 + height)),
        }
    )
    pixel = CELL / FEATURES
    shares, sums = [], []
    for number, (name, left, bottom) in enumerate(zip(cell_id, x, y, strict=True)):
        edges = np.arange(FEATURES + 1) * pixel
        across = _overlaps(left + edges, west + np.arange(columns + 1) * width)  # (8, columns) metres
        up = _overlaps(bottom + edges, south + np.arange(rows + 1) * height)[::-1]  # (8, rows); row 0 north
        near = np.flatnonzero(across.sum(axis=0)), np.flatnonzero(up.sum(axis=0))
        weight = np.zeros((len(CODES), FEATURES, FEATURES))
        for j in near[1]:
            for i in near[0]:
                weight[kinds[j, i]] += np.outer(up[:, j], across[:, i])
        area = weight.sum(axis=(1, 2))
        evidence, rich, poor = maps[number], np.maximum(maps[number], 0), np.maximum(-maps[number], 0)
        for k in np.flatnonzero(area > 1):
            share = area[k] / area.sum()
            shares.append((city_id, name, CODES[k], area[k], share))
            in_rich, in_poor = (np.sum(m * weight[k]) for m in (rich, poor))
            all_rich, all_poor = rich.sum() * pixel**2, poor.sum() * pixel**2
            touched = weight[k] >= pixel**2 / 2 if (weight[k] >= pixel**2 / 2).any() else weight[k] > 0
            total = np.sum(evidence * weight[k])
            sums.append(
                (
                    city_id,
                    "cam",
                    CODES[k],
                    name,
                    in_rich / all_rich / share if all_rich else np.nan,
                    in_poor / all_poor / share if all_poor else np.nan,
                    rich[touched].max(),
                    poor[touched].max(),
                    in_rich / all_rich if all_rich else np.nan,
                    in_poor / all_poor if all_poor else np.nan,
                    total / CELL**2,
                    total / area[k] - evidence.mean(),
                )
            )
    activation = pd.DataFrame(
        sums,
        columns=[
            "city_id",
            "method",
            "code",
            "cell_id",
            "ratio_rich",
            "ratio_poor",
            "maximum_rich",
            "maximum_poor",
            "share_rich",
            "share_poor",
            "contribution",
            "excess",
        ],
    )
    paper = activation.assign(method="paper", contribution=np.nan, excess=np.nan)
    return (
        polygons,
        pd.DataFrame(shares, columns=["city_id", "cell_id", "code", "area_m2", "share"]),
        pd.concat([activation, paper], ignore_index=True),
    )


def _overlaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Overlap lengths of the intervals between consecutive edges a with those between edges b."""
    return np.clip(np.minimum(a[1:, None], b[None, 1:]) - np.maximum(a[:-1, None], b[None, :-1]), 0, None)


def write_photograph(path: Path, parcels: pd.DataFrame, seed: int, pixel: int = 2) -> None:
    """Write a GeoTIFF that shows each parcel in its class colour, with grain."""
    colours = {row[0]: tuple(bytes.fromhex(row[3][1:])) for row in CLASSES}
    west, north = parcels["x_min"].min(), parcels["y_max"].max()
    width, height = int(parcels["x_max"].max() - west) // pixel, int(north - parcels["y_min"].min()) // pixel
    picture = np.zeros((height, width, 3))
    for parcel in parcels.itertuples():
        rows = slice(int(north - parcel.y_max) // pixel, int(north - parcel.y_min) // pixel)
        picture[rows, int(parcel.x_min - west) // pixel : int(parcel.x_max - west) // pixel] = colours[
            parcel.code
        ]
    grain = np.random.default_rng(seed).normal(0, 14, (height, width, 1))
    picture = np.clip(picture * 0.6 + 50 + grain, 0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {
        "driver": "GTiff",
        "width": width,
        "height": height,
        "count": 3,
        "dtype": "uint8",
        "crs": "EPSG:3035",
        "transform": rasterio.transform.from_origin(west, north, pixel, pixel),
        "tiled": True,
        "compress": "deflate",
        "photometric": "RGB",
    }
    with rasterio.open(path, "w", **profile) as file:
        file.write(picture.transpose(2, 0, 1))
