"""What was asked for, as files: `job.json` and the copies of what was sent, in a folder of the job's own."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.settings import Settings
from data.errors import CarreauError, InputError
from data.photograph_names import PHOTOGRAPH_SUFFIXES, world_file

LAND_USE_SUFFIXES = (".gpkg", ".shp", ".parquet", ".geoparquet")
CENSUS_SUFFIXES = (*LAND_USE_SUFFIXES, ".csv")
MOST_PHOTOGRAPHS = 2_000
COPIES = "input/photographs"  # where copies lie in a job's folder

_ID = re.compile(r"[0-9a-f]{32}")
_SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")


@dataclass(frozen=True)
class Job:
    """What was asked for. Paths are relative to the job's folder; absolute ones are used where they stand."""

    job: str
    owner: str
    name: str  # of the photographs, for people
    photographs: str  # a photograph, or a folder of tiles
    names: dict[str, str]  # names of our copies -> names of the files as they were sent
    land_use: str | None
    land_use_name: str | None
    study_id: str
    publication: str  # the very publication, so that a later one does not change networks in mid-job
    chunk_side: int  # cells; fixed at submission, because chunk borders are batch borders
    created_at: str
    reading: dict[str, Any] = field(default_factory=dict)  # `data.reading.Reading`
    land_use_column: str | None = None  # where it is not Urban Atlas's
    census: str | None = None
    census_name: str | None = None
    census_column: str | None = None
    city_id: str | None = None  # whose networks, where each city has its own
    key_hash: str | None = None  # of the key that lets its holder change the job (core/access.py)

    @classmethod
    def from_json(cls, text: str) -> Job:
        """Read `job.json`, that of an earlier version too: an upgrade finds jobs that wait."""
        facts = json.loads(text)
        if "file" in facts:  # one photograph, before 2026-11-22
            file = facts.pop("file")
            facts |= {"photographs": file, "names": {Path(file).name: facts["name"]}}
        return cls(**facts)


def folder_of(job: str, settings: Settings) -> Path:
    """Return the folder of a job.

    Raises:
        CarreauError: the text is no job id, or there is no such job.
    """
    folder = settings.jobs / job
    if not _ID.fullmatch(job) or not (folder / "job.json").is_file():
        raise CarreauError(f"there is no job {job[:40]!r}; it may have been deleted")
    return folder


def read_job(job: str, settings: Settings) -> Job:
    """Return what was asked for; raises like `folder_of`."""
    return Job.from_json((folder_of(job, settings) / "job.json").read_text(encoding="utf-8"))


def sent_photographs(files: Sequence[Path]) -> list[Path]:
    """Return the photographs that files and folders stand for, by name, checked as far as names go.

    Raises:
        InputError: one is missing, empty or of no known kind, or two have one name; none; too many.
    """
    kind = "a GeoTIFF (.tif) or JPEG 2000 (.jp2) file"
    found: dict[str, Path] = {}
    for file in files:
        if file.is_dir():
            tiles = [
                p for p in sorted(file.rglob("*")) if p.suffix.lower() in PHOTOGRAPH_SUFFIXES and p.is_file()
            ]
            if not tiles:
                raise InputError(file.name, "holds no photograph", f"Give a folder with {kind}.")
        else:
            check_file(file, PHOTOGRAPH_SUFFIXES, kind)
            tiles = [file]
        for tile in tiles:
            if tile.name in found:
                raise InputError(tile.name, "is the name of two photographs", "Send one of them.")
            found[tile.name] = tile
    if not found:
        raise InputError("region", "has no photograph", f"Give {kind}.")
    if len(found) > MOST_PHOTOGRAPHS:
        raise InputError(
            "region", f"has {len(found)} photographs, more than {MOST_PHOTOGRAPHS:d}", "Send it in parts."
        )
    return [found[name] for name in sorted(found)]


def name_of(photographs: Sequence[Path]) -> str:
    """Return what photographs that are one region are called where nobody named them."""
    first, more = photographs[0], len(photographs) - 1
    return f"{first.name} and {more:d} more" if more else first.name


def check_file(file: Path, suffixes: tuple[str, ...], kind: str) -> None:
    """Raise InputError for a file that is missing, empty, or not of the kind by its name."""
    if not file.is_file():
        raise InputError(file.name, "is not there, or is not a file", f"Give the path of {kind}.")
    if file.suffix.lower() not in suffixes:
        raise InputError(file.name, f"is not {kind} by its name", f"Give {kind}.")
    if file.stat().st_size == 0:
        raise InputError(file.name, "is empty (0 bytes)", "Copy or download it again.")


def copy_photographs(photographs: Sequence[Path], folder: Path) -> dict[str, str]:
    """Copy photographs and the world files beside them into a job's folder, under names of ours.

    The order of names stays, because of two tiles the first by name counts where they overlap. Returns the
    names of our copies with the names that they had.
    """
    target = folder / COPIES
    target.mkdir(parents=True)
    names = {}
    for number, photograph in enumerate(photographs):
        copy = f"{number:04d}{photograph.suffix.lower()}"
        shutil.copyfile(photograph, target / copy)
        names[copy] = photograph.name
        beside = world_file(photograph)
        if beside is not None:
            shutil.copyfile(beside, target / f"{number:04d}.wld")
            names[f"{number:04d}.wld"] = beside.name
    return names


def copy_layer(file: Path, folder: Path, name: str) -> str:
    """Copy a vector layer under a name of ours; a shapefile with the parts it needs, and no others."""
    suffix = file.suffix.lower()
    parts = _SHAPEFILE_PARTS if suffix == ".shp" else (suffix,)
    for part in parts:
        for sibling in (file.with_suffix(part), file.with_suffix(part.upper())):
            if sibling.is_file():
                shutil.copyfile(sibling, folder / f"{name}{part}")
                break
    if suffix not in parts or not (folder / f"{name}{suffix}").is_file():
        shutil.copyfile(file, folder / f"{name}{suffix}")
    return f"input/{name}{suffix}"
