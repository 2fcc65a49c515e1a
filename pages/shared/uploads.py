"""Files that a reader brings: written to disk for as long as they are looked at, archives unpacked.

What is wrong with them is said in English here, as in `core.preview`, whose answers it joins; pages say it in
the reader's language (`pages.shared.told`).
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from core import preview
from core.drop_folder import find_dropped
from core.settings import read_settings
from data.errors import InputError
from data.photograph_names import PHOTOGRAPH_SUFFIXES

_USUAL_WORLD_SUFFIXES = (".tfw", ".j2w", ".wld")  # a list that a reader can take in
PHOTOGRAPH_TYPES = [suffix.removeprefix(".") for suffix in (*PHOTOGRAPH_SUFFIXES, *_USUAL_WORLD_SUFFIXES)]
LAND_USE_TYPES = ["gpkg", "parquet", "zip"]
CENSUS_TYPES = [*LAND_USE_TYPES, "csv"]
_SHAPEFILE = {".shp", ".shx", ".dbf", ".prj", ".cpg"}
_LAYERS = {".gpkg", *_SHAPEFILE}
# An archive that unpacks to more than this is no land-use layer of one city.
_MOST_UNPACKED = 2 * 1024**3


class Upload(Protocol):
    """What is needed of Streamlit's UploadedFile."""

    name: str
    file_id: str

    def getbuffer(self) -> memoryview:
        """Return the file's bytes."""


@dataclass(frozen=True)
class Sent:
    """What a reader wants the model to see: files of theirs, or what lies in the server's folder."""

    files: tuple[Upload, ...] = ()  # photographs and world files
    dropped: str | None = None  # a name in the drop folder
    land_use: Upload | None = None
    land_use_column: str | None = None
    census: Upload | None = None
    census_column: str | None = None

    @property
    def key(self) -> tuple[str | None, ...]:
        """Other than the keys of all other choices."""
        layers = (layer.file_id if layer else None for layer in (self.land_use, self.census))
        return (*(file.file_id for file in self.files), self.dropped, *layers, self.land_use_column)

    @property
    def photographs(self) -> tuple[str | None, ...]:
        """Other than those of all other photographs."""
        return (*(file.file_id for file in self.files), self.dropped)


@dataclass(frozen=True)
class OnDisk:
    """Where an upload lies for a while."""

    photographs: list[Path]
    land_use: Path | None
    census: Path | None


@contextmanager
def on_disk(sent: Sent) -> Iterator[OnDisk]:
    """Write uploads to a temporary folder and yield the paths of photographs, land use and census.

    A world file lies beside its photograph; a zipped layer is unpacked; what lies in the server's folder
    stays there.

    Raises:
        InputError: two files of one name; no photograph among them; an archive that cannot be opened, or that
            holds no layer, or several; nothing of that name in the server's folder.
    """
    with tempfile.TemporaryDirectory(prefix="carreau-upload-") as name:
        folder = Path(name)
        if sent.dropped is not None:
            pictures = [find_dropped(sent.dropped, read_settings())]
        else:
            written = [_written(file, folder / "photographs") for file in sent.files]
            pictures = [path for path in written if path.suffix.lower() in PHOTOGRAPH_SUFFIXES]
            if not pictures:
                raise InputError(written[0].name, "is no photograph", "Bring the .tif or .jp2 file, too.")
        yield OnDisk(
            pictures, _layer(sent.land_use, folder / "land-use"), _layer(sent.census, folder / "census")
        )


def _layer(upload: Upload | None, folder: Path) -> Path | None:
    if upload is None:
        return None
    layer = _written(upload, folder)
    return unpacked(layer, folder / "unpacked") if layer.suffix.lower() == ".zip" else layer


def _written(upload: Upload, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    # a browser sends a bare name, other clients may send a path
    path = folder / (PurePosixPath(upload.name.replace("\\", "/")).name or "file")
    if path.exists():
        raise InputError(path.name, "is the name of two files", "Send one of them.")
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
                raise _too_large(archive)
            for item in wanted:
                name = PurePosixPath(item.filename.replace("\\", "/")).name
                with opened.open(item) as source, (folder / name).open("wb") as target:
                    left = _MOST_UNPACKED  # what the archive says of its sizes need not be true
                    while chunk := source.read(1 << 20):
                        left -= len(chunk)
                        if left < 0:
                            raise _too_large(archive)
                        target.write(chunk)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        raise InputError(
            archive.name,
            f"cannot be unpacked ({error})",
            "Make the zip file again, without a password.",
        ) from error
    layers = sorted(path for path in folder.iterdir() if path.suffix.lower() in {".gpkg", ".shp"})
    mapped = [path for path in layers if "boundary" not in path.stem.lower()] or layers
    if not mapped:
        raise InputError(
            archive.name,
            "holds neither a .gpkg nor a .shp",
            "Zip an Urban Atlas layer with all its parts.",
        )
    if len(mapped) > 1:
        names = ", ".join(path.name for path in mapped[:4])
        raise InputError(
            archive.name,
            f"holds {len(mapped)} layers ({names})",
            "Zip only the one to use.",
        )
    return mapped[0]


def _too_large(archive: Path) -> InputError:
    return InputError(archive.name, "unpacks to more than 2 GB", "Bring the layer of one city.")


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def looked_at(sent: Sent, how: Mapping[str, Any]) -> tuple[dict[str, Any], bytes | None]:
    """Say what a job on an upload would do, as `core.preview.looked_at`, with a PNG of the cells.

    It is decoded in a process of its own. Reasons name files as the reader does. A layer of another kind than
    land use is not usable, whatever else it is good for.
    """
    try:
        with on_disk(sent) as here, tempfile.TemporaryDirectory() as folder:
            picture = Path(folder) / "cells.png"
            found = preview.looked_at_apart(
                here.photographs,
                how=how,
                land_use=here.land_use,
                land_use_column=sent.land_use_column,
                census=here.census,
                picture=picture,
            )
            if here.land_use is not None and sent.land_use is not None and found["land_use"] is not None:
                _under_its_name(found["land_use"], here.land_use, sent.land_use.name)
                _must_be_land_use(found["land_use"])
            if here.census is not None and sent.census is not None and found["census"] is not None:
                _under_its_name(found["census"], here.census, sent.census.name)
            return found, picture.read_bytes() if picture.is_file() else None
    except InputError as error:
        return preview.unusable(str(error)), None


def _under_its_name(found: dict[str, Any], path: Path, name: str) -> None:
    texts = [str(path), str(path.resolve()), str(path.parent)]
    found["reason"] = _named(found["reason"], texts, name)
    found["warnings"] = [_named(text, texts, name) for text in found["warnings"]]
    found["file"] = name


def _must_be_land_use(found: dict[str, Any]) -> None:
    if found["usable"] and found["kind"] != "land_use":
        found["usable"] = False
        kind = "census" if found["kind"] == "census" else "imagery"
        found["reason"] = (
            f"{found['file']}: is a file of another kind ({kind}). Bring a land-use layer (Urban Atlas) here."
        )


def _named(text: str, paths: list[str], name: str) -> str:
    for path in paths:
        text = text.replace(path, name)
    return text
