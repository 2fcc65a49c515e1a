"""One orthophoto file: opened from the allowed formats only, and judged by what it says of itself."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyproj
import rasterio
import rasterio.errors
from numpy.typing import NDArray
from rasterio._err import CPLE_BaseError
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.transform import Affine

from data.completeness import check_complete_jp2, check_complete_tiff
from data.errors import InputError
from data.grid import grid_for
from data.photograph_names import world_file
from data.reading import STRETCHABLE, Levels, Reading, is_map_crs, parse_crs, read_world_file

# First bytes -> GDAL driver; nothing else is ever opened. A COG is a GTiff.
_SIGNATURES = {
    b"II*\x00": "GTiff",
    b"MM\x00*": "GTiff",
    b"II+\x00": "GTiff",  # BigTIFF
    b"MM\x00+": "GTiff",
    b"\x00\x00\x00\x0cjP  ": "JP2OpenJPEG",
    b"\xff\x4f\xff\x51": "JP2OpenJPEG",  # bare code stream
}

# A département's mosaic in one file; what is larger is rather a mistake or an attack.
MAX_PIXELS = 40_000_000_000

# No file has so many bands by right that a person may choose among them.
MAX_BANDS = 32

# GDAL opens nothing beside the file (.aux.xml, .ovr, .msk): what a file shows must be in the file, and an
# uploaded name must not reach others. (A world file is read by ourselves: six numbers.) Strict JP2: a
# truncated code stream is an error, not grey pixels.
_GDAL_OPTIONS = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_GEOREF_SOURCES": "INTERNAL",
    "GTIFF_IGNORE_READ_ERRORS": "NO",
    # Bytes; GDAL would take a twentieth of the machine's memory. Each part of a photograph is read once.
    "GDAL_CACHEMAX": 256_000_000,
}
# Properties that are read late, such as colours, hand on GDAL's own errors, which rasterio exports nowhere.
# A text that is none in the file, such as the name of a CRS, is damage, too.
_DECODER_ERRORS = (rasterio.errors.RasterioError, CPLE_BaseError, UnicodeDecodeError)

_GEOREFERENCE = "Give it one inside the file, for example: gdal_translate -a_srs EPSG:2154 IN.tif OUT.tif"


@dataclass(frozen=True)
class Photograph:
    """What one file says of itself: georeference, colour bands (1-based indexes of R, G, B), how empty pixels
    are marked.

    transform maps (column, row) to coordinates in crs; resolution_m is the side in metres of a square as
    large as a pixel at the centre; masked: 'none' (every pixel valid), 'alpha' (alpha or mask band) or
    'nodata'. levels: values that become grey levels 0 and 255, None for 8-bit values as they are. palette:
    the one band holds numbers of colours.
    """

    path: Path
    crs: pyproj.CRS
    transform: Affine
    width: int
    height: int
    bands: int
    dtype: str
    rgb: tuple[int, int, int]
    masked: str
    resolution_m: float
    levels: Levels | None = None
    palette: bool = False

    @property
    def reads_in_full(self) -> bool:
        """Whether pixels cannot be averaged by the decoder: empty ones and palettes are judged one by one."""
        return self.masked == "nodata" or self.palette

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(left, bottom, right, top) in `crs`."""
        corners = [self.transform @ corner for corner in self._corners()]
        xs, ys = zip(*corners, strict=True)
        return min(xs), min(ys), max(xs), max(ys)

    def outline(self, steps: int = 16) -> NDArray[np.float64]:
        """Edge of the photograph, (4 steps, 2) points in `crs`, dense enough to project."""
        corners = np.array([*self._corners(), (0, 0)], dtype=float)
        along = np.linspace(0, 1, steps, endpoint=False)[:, None]
        pixels = np.concatenate([a + along * (b - a) for a, b in pairwise(corners)])
        return np.stack(self.transform @ (pixels[:, 0], pixels[:, 1]), axis=1)

    def _corners(self) -> list[tuple[int, int]]:
        return [(0, 0), (self.width, 0), (self.width, self.height), (0, self.height)]


@contextmanager
def opened(path: Path) -> Iterator[rasterio.DatasetReader]:
    """Open a photograph with the allowed drivers; read errors inside become an InputError."""
    with rasterio.Env(**_GDAL_OPTIONS):
        dataset = open_dataset(path)
        try:
            with reading(path):
                yield dataset
        finally:
            dataset.close()


def open_dataset(path: Path) -> rasterio.DatasetReader:
    """Dataset handle (not thread-safe); call inside `gdal_environment()`. Raises InputError."""
    if not path.is_file():
        raise InputError(path, "does not exist" if not path.exists() else "is not a file", "Check the path.")
    if path.stat().st_size == 0:
        raise InputError(path, "is empty (0 bytes)", "Copy or download it again.")
    with path.open("rb") as file:
        head = file.read(8)
    driver = next((driver for start, driver in _SIGNATURES.items() if head.startswith(start)), None)
    unreadable = InputError(
        path, "is no readable GeoTIFF or JPEG 2000", "Bring an orthophoto as .tif or .jp2, whole."
    )
    if driver is None:
        raise unreadable
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            # an absolute path of a file that is there never reads as one of GDAL's prefixes (GTIFF_DIR:,
            # /vsizip/)
            return rasterio.open(path.resolve(), driver=driver, sharing=False)
    except _DECODER_ERRORS as error:
        raise unreadable from error


def gdal_environment() -> rasterio.Env:
    """GDAL's settings for all reading here."""
    return rasterio.Env(**_GDAL_OPTIONS)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn a decoder's error into an InputError."""
    try:
        yield
    except _DECODER_ERRORS as error:
        raise InputError(
            path, "cannot be read to its end (damaged or truncated)", "Copy or download it again."
        ) from error


def describe(path: str | Path, *, max_pixels: int = MAX_PIXELS, how: Reading | None = None) -> Photograph:
    """Look at a photograph without reading its pixels; raises InputError where it cannot serve, with the
    remedy.

    Decisions: the networks learn from 8-bit colour photographs, so other pixel types, single bands and many
    unmarked ones are refused rather than read by a guess that would change every prediction; ``how`` is a
    person's word on them. With red, green and blue marked, those bands are taken; with three or four unmarked
    bands, the first three; a palette is looked up. A CRS need not be an EPSG one, but must tie the pixels to
    the earth. Levels "auto" are left open here, because all tiles of a region need the same
    (`data.imagery.open_imagery`).
    """
    path = Path(path)
    how = how or Reading()
    check_complete_jp2(path)
    with opened(path) as dataset:
        _check_pixels(path, dataset, max_pixels)
        crs = parse_crs(how.crs) if how.crs else _crs(path, dataset)
        transform = _transform(path, dataset)
        palette = ColorInterp.palette in dataset.colorinterp and dataset.count == 1
        rgb = _colour_bands(path, dataset, how)
        check_complete_tiff(path, dataset)
        return Photograph(
            path=path,
            crs=crs,
            transform=transform,
            width=dataset.width,
            height=dataset.height,
            bands=dataset.count,
            dtype=str(dataset.dtypes[0]),
            rgb=rgb,
            masked=_masked(dataset, rgb),
            resolution_m=_resolution(path, crs, transform, dataset.width, dataset.height),
            levels=None if how.levels == "auto" or palette else how.levels,
            palette=palette,
        )


def _transform(path: Path, dataset: rasterio.DatasetReader) -> Affine:
    transform = dataset.transform
    if transform == Affine.identity() and (beside := world_file(path)) is not None:
        transform = read_world_file(beside)
    if transform == Affine.identity() or transform.is_degenerate:
        raise InputError(path, "has no georeference (where its pixels lie)", _GEOREFERENCE)
    return transform


def _check_pixels(path: Path, dataset: rasterio.DatasetReader, max_pixels: int) -> None:
    if dataset.width * dataset.height > max_pixels:
        raise InputError(
            path,
            f"has {dataset.width:d} x {dataset.height:d} pixels, more than {max_pixels:,}",
            "Cut it into tiles, or reduce its resolution.",
        )
    if dataset.count > MAX_BANDS:
        raise InputError(
            path,
            f"has {dataset.count} bands, more than {MAX_BANDS}",
            "Bring the bands of a photograph alone.",
        )


def _crs(path: Path, dataset: rasterio.DatasetReader) -> pyproj.CRS:
    if dataset.crs is None:
        raise InputError(path, "has no CRS (coordinate system)", _GEOREFERENCE)
    try:
        crs = pyproj.CRS.from_wkt(dataset.crs.to_wkt())
    except pyproj.exceptions.CRSError as error:
        raise InputError(path, "has a CRS that cannot be understood", _GEOREFERENCE) from error
    if not is_map_crs(crs):
        raise InputError(path, "has a local CRS that is not tied to the earth", _GEOREFERENCE)
    return crs


def _colour_bands(path: Path, dataset: rasterio.DatasetReader, how: Reading) -> tuple[int, int, int]:
    colours = list(dataset.colorinterp)
    data_bands = dataset.count - colours.count(ColorInterp.alpha)
    kinds = sorted(set(dataset.dtypes))
    values = "/".join(kinds)
    all_bands = "one band" if dataset.count == 1 else f"{dataset.count:d} bands"
    bands = "one band" if data_bands == 1 else f"{data_bands:d} bands"
    if ColorInterp.palette in colours and dataset.count == 1 and kinds == ["uint8"]:
        return 1, 1, 1
    if how.bands is not None and max(how.bands) > dataset.count:
        raise InputError(
            path,
            f"has {all_bands}; band {max(how.bands)} was asked for",
            "Choose among them.",
        )
    stretched = how.levels is not None and set(kinds) <= set(STRETCHABLE)
    if data_bands < 3 and kinds != ["uint8"] and not (stretched and how.bands):
        raise InputError(
            path,
            f"has {bands} of {values} values, a colour photograph three of 8 bits",
            "Bring the colour photograph (red, green, blue).",
        )
    if kinds != ["uint8"] and not stretched:
        raise InputError(
            path,
            f"holds {values} values in {all_bands}, not an 8-bit colour photograph",
            "The network knows 8-bit colour only; convert with a stretch of your choice, for example: "
            "gdal_translate -ot Byte -scale 0 2047 -b 1 -b 2 -b 3 IN.tif OUT.tif (bands red, green, blue)",
        )
    if how.bands is not None:
        return how.bands
    if data_bands < 3:
        raise InputError(
            path,
            f"has {bands}, a photograph in colour has three",
            "Bring the colour photograph.",
        )
    if all(colour in colours for colour in (ColorInterp.red, ColorInterp.green, ColorInterp.blue)):
        red, green, blue = (
            colours.index(colour) + 1 for colour in (ColorInterp.red, ColorInterp.green, ColorInterp.blue)
        )
        return red, green, blue
    if data_bands > 4:
        raise InputError(
            path,
            f"has {bands} and does not mark which are red, green and blue",
            "Pick them, as in: gdal_translate -b 3 -b 2 -b 1 -colorinterp red,green,blue IN.tif OUT.tif",
        )
    red, green, blue = [index + 1 for index, colour in enumerate(colours) if colour != ColorInterp.alpha][:3]
    return red, green, blue


def _masked(dataset: rasterio.DatasetReader, rgb: tuple[int, int, int]) -> str:
    flags = {flag for band in rgb for flag in dataset.mask_flag_enums[band - 1]}
    if MaskFlags.alpha in flags or MaskFlags.per_dataset in flags:
        return "alpha"
    return "nodata" if MaskFlags.nodata in flags else "none"


def _resolution(path: Path, crs: pyproj.CRS, transform: Affine, width: int, height: int) -> float:
    """Side in metres of a square as large as the pixel in the middle, measured on the local 200 m grid."""
    steps = np.array([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)])
    x, y = transform @ ((width / 2 + steps[:, 0]), (height / 2 + steps[:, 1]))
    lon, lat = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(x[0], y[0])
    if not (math.isfinite(lon) and math.isfinite(lat) and abs(lat) <= 90):
        raise InputError(path, "lies outside the area that its CRS can hold", _GEOREFERENCE)
    to_metres = pyproj.Transformer.from_crs(crs, grid_for(lon, lat).crs, always_xy=True)
    east, north = to_metres.transform(x, y)
    if not (np.isfinite(east).all() and np.isfinite(north).all()):
        raise InputError(path, "lies outside the area that its CRS can hold", _GEOREFERENCE)
    return math.sqrt(
        abs((east[1] - east[0]) * (north[2] - north[0]) - (east[2] - east[0]) * (north[1] - north[0]))
    )
