"""What one or many photographs are together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely

from data.photograph import Photograph
from data.sampling import outline_polygon


@dataclass(frozen=True)
class ImageryInfo:
    """What the photographs are: crs as WKT, bounds (left, bottom, right, top) in it, resolution in metres.

    overlap: area covered by more than one tile over the area covered, 0 to 1. usable is False, with the
    reason, where the photographs cannot be read as one.
    """

    path: Path
    crs: str
    epsg: int | None
    resolution_m: float
    bands: int
    dtype: str
    width: int
    height: int
    bounds: tuple[float, float, float, float]
    tiles: tuple[str, ...]
    overlap: float
    usable: bool = True
    reason: str = ""
    warnings: tuple[str, ...] = ()


def describe_mosaic(path: Path, tiles: list[Photograph]) -> ImageryInfo:
    """Sum up the tiles of a mosaic, with warnings where they overlap or differ in CRS."""
    first = tiles[0]
    alike = all(tile.crs == first.crs for tile in tiles)
    outlines = np.array(
        [outline_polygon(tile.outline(), tile.crs, first.crs) for tile in tiles], dtype=object
    )
    covered = shapely.union_all(outlines)
    overlap = max(0.0, float(shapely.area(outlines).sum() / covered.area - 1))
    warnings = []
    if overlap > 0.02:
        warnings.append(
            f"{path.name}: tiles overlap ({overlap:.0%} of the area is covered more than once); "
            "the first by file name is shown. Remove the tiles that are not meant."
        )
    if not alike:
        warnings.append(f"{path.name}: tiles have different CRS; each is read in its own.")
    return ImageryInfo(
        path=path,
        crs=first.crs.to_wkt(),
        epsg=first.crs.to_epsg(),
        resolution_m=first.resolution_m,
        bands=first.bands,
        dtype=first.dtype,
        width=first.width,
        height=first.height,
        bounds=covered.bounds,
        tiles=tuple(tile.path.name for tile in tiles),
        overlap=overlap,
        warnings=tuple(warnings),
    )
