"""Small synthetic photographs for the tests of imagery."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from rasterio.enums import ColorInterp
from rasterio.transform import Affine


def write_photograph(
    path: Path,
    image: np.ndarray,
    transform: Affine,
    crs: str | None = "EPSG:3035",
    *,
    alpha: np.ndarray | None = None,
    colours: tuple[ColorInterp, ...] | None = None,
    **options: object,
) -> Path:
    """Write image (h, w, bands), with an optional alpha band, as GeoTIFF or, by suffix, JPEG 2000."""
    bands = [image[..., index] for index in range(image.shape[2])]
    if alpha is not None:
        bands.append(alpha)
    profile: dict[str, object] = {
        "driver": "JP2OpenJPEG" if path.suffix == ".jp2" else "GTiff",
        "height": image.shape[0],
        "width": image.shape[1],
        "count": len(bands),
        "dtype": image.dtype,
        "crs": crs,
        "transform": transform,
    }
    if path.suffix == ".jp2":
        profile |= {"QUALITY": "100", "REVERSIBLE": "YES", "YCBCR420": "NO"}
    elif alpha is not None:
        profile |= {"photometric": "RGB", "alpha": "YES"}
    elif len(bands) == 3:
        profile |= {"photometric": "RGB"}
    profile |= options
    with rasterio.open(path, "w", **profile) as dataset:
        if colours is not None:
            dataset.colorinterp = colours
        dataset.write(np.stack(bands))
    return path


def north_up(left: float, top: float, resolution: float) -> Affine:
    return Affine(resolution, 0, left, 0, -resolution, top)


def texture(height: int, width: int, seed: int = 0, scale: float = 9.0) -> np.ndarray:
    """A smooth, colourful pattern without symmetry, uint8 (height, width, 3)."""
    rng = np.random.default_rng(seed)
    v, u = np.mgrid[:height, :width] / scale
    waves = [
        sum(np.sin(a * u + b * v + c) for a, b, c in rng.uniform(-1, 1, (5, 3)) * (1, 1, 6)) for _ in range(3)
    ]
    image = np.stack(waves, axis=-1)
    return np.clip(127 + 25 * image, 0, 255).astype(np.uint8)
