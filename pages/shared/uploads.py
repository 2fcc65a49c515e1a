"""Files that a reader brings: written to disk for as long as they are looked at, archives unpacked."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from data.errors import InputError
from data.inspect import inspect

PHOTOGRAPH_TYPES = ["tif", "tiff", "jp2", "j2k"]
LAND_USE_TYPES = ["gpkg", "zip"]
_SHAPEFILE = {".shp", ".shx", ".dbf", ".prj", ".cpg"}
_LAYERS = {".gpkg", *_SHAPEFILE}
# An archive that unpacks to more than this is no land-use layer of one city.
_MOST_UNPACKED = 2 * 1024**3


class Upload(Protocol):
    """What is needed of Streamlit's UploadedFile."""

    name: str

    def getbuffer(self) -> memoryview:
        """Return the file's bytes."""


@contextmanager
def on_disk(photograph: Upload, land_use: Upload | None = None) -> Iterator[tuple[Path, Path | None]]:
    """Write uploads to a temporary folder and yield their paths; a zipped land use is unpacked.

    Raises:
        InputError: an archive that cannot be opened, or that holds no layer, or several.
    """
    with tempfile.TemporaryDirectory(prefix="carreau-upload-") as name:
        folder = Path(name)
        picture = _written(photograph, folder / "photograph")
        layer = None
        if land_use is not None:
            layer = _written(land_use, folder / "land-use")
            if layer.suffix.lower() == ".zip":
                layer = unpacked(layer, folder / "unpacked")
        yield picture, layer


def _written(upload: Upload, folder: Path) -> Path:
    folder.mkdir(parents=True)
    # a browser sends a bare name, other clients may send a path
    path = folder / (PurePosixPath(upload.name.replace("\\", "/")).name or "file")
    path.write_bytes(upload.getbuffer())
    return path


def unpacked(archive: Path, folder: Path) -> Path:
    """Unpack the one layer of a zip archive (a .gpkg, or a .shp with its parts) and return its path.

    Urban Atlas archives hold a boundary shapefile beside the land use; the land use is the one not called
    boundary,
    and both are unpacked. Names inside the archive never choose where a file is written.

    Raises:
        InputError: not a zip archive, damaged, too large, or without exactly one land-use layer.
    """
    folder.mkdir(parents=True)
    try:
        with zipfile.ZipFile(archive) as opened:
            wanted = [
                item for item in opened.infolist() if _suffix(item.filename) in _LAYERS and not item.is_dir()
            ]
            if sum(item.file_size for item in wanted) > _MOST_UNPACKED:
                raise InputError(archive.name, "unpacks to more than 2 GB", "Bring the layer of one city.")
            for item in wanted:
                name = PurePosixPath(item.filename.replace("\\", "/")).name
                with opened.open(item) as source, (folder / name).open("wb") as target:
                    left = _MOST_UNPACKED  # what the archive says of its sizes need not be true
                    while chunk := source.read(1 << 20):
                        left -= len(chunk)
                        if left < 0:
                            raise InputError(
                                archive.name, "unpacks to more than 2 GB", "Bring the layer of one city."
                            )
                        target.write(chunk)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        raise InputError(
            archive.name, f"cannot be unpacked ({error})", "Make the zip file again, without a password."
        ) from error
    layers = sorted(path for path in folder.iterdir() if path.suffix.lower() in {".gpkg", ".shp"})
    mapped = [path for path in layers if "boundary" not in path.stem.lower()] or layers
    if not mapped:
        raise InputError(
            archive.name, "holds neither a .gpkg nor a .shp", "Zip an Urban Atlas layer with all its parts."
        )
    if len(mapped) > 1:
        names = ", ".join(path.name for path in mapped[:4])
        raise InputError(archive.name, f"holds {len(mapped)} layers ({names})", "Zip only the one to use.")
    return mapped[0]


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def looked_at(photograph: Upload, land_use: Upload | None) -> dict[str, Any]:
    """Inspect what was brought: keys photograph and land_use (None without), each as `data.inspect.inspect`
    says.

    A reason names the file as the reader does. A file of the wrong kind is not usable, whatever else it is
    good for.
    """
    try:
        with on_disk(photograph, land_use) as (picture, layer):
            found = {
                "photograph": _asked(
                    picture, photograph.name, "imagery", "a photograph (GeoTIFF or JPEG 2000)"
                ),
                "land_use": None,
            }
            if layer is not None and land_use is not None:
                found["land_use"] = _asked(layer, land_use.name, "land_use", "a land-use layer (Urban Atlas)")
            return found
    except InputError as error:
        bad = {"kind": "unknown", "usable": False, "reason": str(error), "warnings": []}
        with on_disk(photograph) as (picture, _):
            return {
                "photograph": _asked(picture, photograph.name, "imagery", "a photograph"),
                "land_use": bad,
            }


def _asked(path: Path, name: str, kind: str, said: str) -> dict[str, Any]:
    found = inspect(path)
    texts = [str(path), str(path.resolve()), str(path.parent)]
    found["reason"] = _named(found["reason"], texts, name)
    found["warnings"] = [_named(text, texts, name) for text in found["warnings"]]
    found["file"] = name
    if found["usable"] and found["kind"] != kind:
        found["usable"] = False
        found["reason"] = f"{name}: is a {found['kind'].replace('_', ' ')} file. Bring {said} here."
    return found


def _named(text: str, paths: list[str], name: str) -> str:
    for path in paths:
        text = text.replace(path, name)
    return text
