"""Photographs too large for a browser: a folder on the server, set by its owner, from which readers choose.

Files are read where they stand and never deleted. A name leads nowhere else: links that point outside are
not listed and not taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.settings import Settings
from data.errors import InputError
from data.photograph_names import PHOTOGRAPH_SUFFIXES

MOST_LISTED = 500
_DEEPEST = 3  # folders below the drop folder


@dataclass(frozen=True)
class Dropped:
    """A photograph, or a folder of tiles that are one region."""

    name: str  # relative to the drop folder; "/" at its end for a folder
    photographs: int
    megabytes: float


def drop_folder(settings: Settings) -> Path | None:
    """Return the drop folder; None where none is set or it is not there."""
    if not settings.drop_folder:
        return None
    folder = Path(settings.drop_folder).resolve()
    return folder if folder.is_dir() else None


def dropped(settings: Settings) -> list[Dropped]:
    """Return what lies in the drop folder: photographs, and folders that hold some; by name, 500 at most."""
    root = drop_folder(settings)
    if root is None:
        return []
    found: list[Dropped] = []
    folders = [(root, 0)]
    while folders and len(found) < MOST_LISTED:
        folder, depth = folders.pop()
        inside = sorted(one for one in folder.iterdir() if not one.name.startswith("."))
        photographs = [one for one in inside if _is_photograph(one, root)]
        sizes = [one.stat().st_size / 1e6 for one in photographs]
        if folder != root and len(photographs) > 1:
            found.append(Dropped(f"{folder.relative_to(root)}/", len(photographs), sum(sizes)))
        found += [
            Dropped(str(one.relative_to(root)), 1, size) for one, size in zip(photographs, sizes, strict=True)
        ]
        if depth < _DEEPEST:
            folders += [(one, depth + 1) for one in inside if one.is_dir() and not one.is_symlink()]
    return sorted(found, key=lambda one: one.name)[:MOST_LISTED]


def _is_photograph(path: Path, root: Path) -> bool:
    named_so = path.suffix.lower() in PHOTOGRAPH_SUFFIXES and path.is_file()
    return named_so and path.resolve().is_relative_to(root)


def find_dropped(name: str, settings: Settings) -> Path:
    """Return the photograph or folder of tiles of that name.

    Raises:
        InputError: there is no drop folder, nothing of that name in it, or a link that leads out of it.
    """
    root = drop_folder(settings)
    absent = InputError(name[:200], "is not in the server's folder", "Choose one that is listed there.")
    if root is None or "\0" in name:
        raise absent
    try:
        path = (root / name).resolve()
        if not path.is_relative_to(root) or path == root or not path.exists():
            raise absent
    except OSError as error:  # a name that no file system takes
        raise absent from error
    inside = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    if not all(one.resolve().is_relative_to(root) for one in inside):
        raise InputError(name[:200], "holds a link that leads out of the server's folder", "Copy the file.")
    return path
