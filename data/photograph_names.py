"""Names of photographs and of the world files beside them; without rasterio."""

from __future__ import annotations

from pathlib import Path

PHOTOGRAPH_SUFFIXES = (".tif", ".tiff", ".jp2", ".j2k")

# Endings of world files: of the image's ending the first and last letter and a w, or "wld".
WORLD_SUFFIXES = (".tfw", ".tifw", ".tiffw", ".jp2w", ".j2w", ".j2kw", ".jkw", ".wld")


def world_file(photograph: Path) -> Path | None:
    """Return the world file beside a photograph: the same name with one of `WORLD_SUFFIXES`; None without."""
    wanted = {photograph.stem.lower() + suffix for suffix in WORLD_SUFFIXES}
    wanted.add(photograph.name.lower() + "w")
    beside = (one for one in photograph.parent.iterdir() if one.name.lower() in wanted)
    return min((one for one in beside if one.is_file()), default=None)
