"""How photographs are to be read where their files leave it open: bands, value range, place.

A study's photographs say all of it themselves and are refused otherwise. Of an upload a person may say it:
then the choice is part of the job, stands in its result, and is the same for all tiles of a region, so that
no seam comes from it.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyproj
from numpy.typing import NDArray
from rasterio.transform import Affine

from data.errors import InputError, SettingsError

Levels = tuple[float, float]

# What is stretched: other types hold heights or reflectances, not a photograph.
STRETCHABLE = ("uint8", "uint16", "int16")
MOST_BANDS = 8

_WORLD_FILE_BYTES = 1024


@dataclass(frozen=True)
class Reading:
    """What a person says of photographs.

    bands: 1-based indexes of red, green, blue (the same three times for grey); None: as the file marks them.
    levels: values that become 0 and 255; "auto": estimated from the photographs; None: 8 bit, as they are.
    crs: of files that name none, or a wrong one; None: the file's own.
    """

    bands: tuple[int, int, int] | None = None
    levels: Levels | Literal["auto"] | None = None
    crs: str | None = None

    def __post_init__(self) -> None:
        if self.bands is not None and (
            len(self.bands) != 3 or not all(1 <= band <= MOST_BANDS for band in self.bands)
        ):
            raise SettingsError(f"bands = {self.bands}; allowed: three numbers from 1 to {MOST_BANDS}")
        if isinstance(self.levels, tuple) and not (
            len(self.levels) == 2 and np.isfinite(self.levels).all() and self.levels[0] < self.levels[1]
        ):
            raise SettingsError(f"levels = {self.levels}; allowed: two numbers, the lower one first")
        if self.crs is not None:
            parse_crs(self.crs)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able object that `from_json` reads."""
        return {key: list(one) if isinstance(one, tuple) else one for key, one in asdict(self).items()}

    @classmethod
    def from_json(cls, facts: dict[str, Any] | None) -> Reading:
        """Read what `to_json` returned; raises SettingsError for what no reading may hold.

        >>> Reading.from_json({"bands": [4, 3, 2], "levels": "auto"})
        Reading(bands=(4, 3, 2), levels='auto', crs=None)
        """
        facts = facts or {}
        unknown = sorted(set(facts) - {"bands", "levels", "crs"})
        if unknown:
            raise SettingsError(f"how to read photographs: unknown {', '.join(unknown)}")
        bands, levels = facts.get("bands"), facts.get("levels")
        try:
            return cls(
                bands=None if bands is None else tuple(int(band) for band in bands),  # type: ignore[arg-type]
                levels=levels if levels in (None, "auto") else tuple(float(one) for one in levels),  # type: ignore[arg-type]
                crs=facts.get("crs"),
            )
        except (TypeError, ValueError) as error:
            raise SettingsError(f"how to read photographs: {facts} cannot be understood") from error


def parse_crs(text: str) -> pyproj.CRS:
    """Return a CRS that ties pixels to the earth, from a code (EPSG:2154) or WKT.

    Raises ``SettingsError`` for a text that names none, and for a local one. PROJ strings and names that
    PROJ would look up in files are not taken.
    """
    text = text.strip()
    if not re.fullmatch(r"[A-Za-z]+:\d{1,9}", text) and not re.match(r"[A-Z_]{3,32}\[", text):
        raise SettingsError(f"CRS {text[:60]!r} is neither a code such as EPSG:2154 nor WKT")
    try:
        crs = pyproj.CRS.from_user_input(text)
    except pyproj.exceptions.CRSError as error:
        raise SettingsError(f"CRS {text[:60]!r} is unknown") from error
    if not is_map_crs(crs):
        raise SettingsError(f"CRS {text[:60]!r} is not tied to the earth, or is no map CRS")
    return crs


def is_map_crs(crs: pyproj.CRS) -> bool:
    """Return whether a CRS ties coordinates on a map to the earth; a local or geocentric one does not.

    >>> is_map_crs(pyproj.CRS("EPSG:2154")), is_map_crs(pyproj.CRS("EPSG:4978"))
    (True, False)
    """
    return crs.geodetic_crs is not None and (crs.is_projected or crs.is_geographic)


def stretch(values: NDArray[Any], levels: Levels) -> NDArray[np.uint8]:
    """Return values as grey levels, uint8 of the same shape: ``levels`` become 0 and 255, beyond is cut.

    >>> stretch(np.array([0, 100, 600, 1100, 4000], np.uint16), (100, 1100)).tolist()
    [0, 0, 128, 255, 255]
    """
    low, high = levels
    scaled = (values.astype(np.float32) - np.float32(low)) * np.float32(255 / (high - low))
    return np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)


def read_world_file(path: Path) -> Affine:
    """Read a world file (ESRI): six lines A, D, B, E, C, F, with C, F the *centre* of the upper left pixel.

    Returns the transform of pixel corners to map units. Raises InputError for another content.

    >>> import tempfile; path = Path(tempfile.mkdtemp()) / "town.tfw"
    >>> _ = path.write_text("0.5\\n0\\n0\\n-0.5\\n1000.25\\n1999.75\\n")
    >>> read_world_file(path) @ (0, 0)
    (1000.0, 2000.0)
    """
    remedy = "Bring the six numbers of an ESRI world file, one a line, or a georeferenced GeoTIFF."
    with path.open("rb") as file:
        text = file.read(_WORLD_FILE_BYTES).decode("ascii", "replace")
    try:
        a, d, b, e, c, f = (float(line.replace(",", ".")) for line in text.split()[:6])
    except ValueError as error:
        raise InputError(path, "is no world file of six numbers", remedy) from error
    transform = Affine(a, b, c, d, e, f) @ Affine.translation(-0.5, -0.5)
    if not np.isfinite([a, b, c, d, e, f]).all() or transform.is_degenerate:
        raise InputError(path, "holds numbers that no pixels can have", remedy)
    return transform
