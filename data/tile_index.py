"""Which photographs a path stands for: a file, a folder of tiles, or IGN's vector index ("dalles")."""

from __future__ import annotations

import re
from pathlib import Path, PureWindowsPath

from data.errors import InputError
from data.photograph_names import PHOTOGRAPH_SUFFIXES
from data.vector_files import VECTOR_SUFFIXES, check_vector_file, layer_info, list_layers, read_layer

_NAME_COLUMN = "nom"
_DELIVERY = re.compile(r"^1_DONNEES", re.IGNORECASE)


def list_photographs(path: Path) -> list[Path]:
    """Photographs that `path` stands for, by name; raises InputError where there are none or one is missing.

    A folder's own index, where it has one, must name tiles that exist; tiles that it does not name are used
    too.
    """
    if not path.exists():
        raise InputError(path, "does not exist", "Check the path.")
    if path.is_dir():
        tiles = _tiles_below(path)
        for index in sorted(path.rglob("*")):
            if index.suffix.lower() in VECTOR_SUFFIXES and index.stem.lower().startswith("dalle"):
                tiles.update({tile.name: tile for tile in _named_by(index, tiles)})
        if not tiles:
            raise InputError(path, "holds no photograph", "Name a folder with .tif or .jp2 tiles.")
        return [tiles[name] for name in sorted(tiles)]
    if path.suffix.lower() in VECTOR_SUFFIXES:
        return sorted(_named_by(path, _near(path)))
    return [path]


def is_tile_index(path: Path) -> bool:
    """Whether a vector file has the column NOM with file names of photographs."""
    for layer in list_layers(path):
        fields = [str(name) for name in layer_info(path, layer)["fields"]]
        column = next((name for name in fields if name.lower() == _NAME_COLUMN), None)
        if column is not None:
            names = read_layer(path, layer, [column], read_geometry=False)[column].dropna()
            return any(PureWindowsPath(str(name)).suffix.lower() in PHOTOGRAPH_SUFFIXES for name in names)
    return False


def _tiles_below(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for tile in sorted(folder.rglob("*")):
        if tile.suffix.lower() in PHOTOGRAPH_SUFFIXES and tile.is_file():
            if tile.name in found:
                raise InputError(folder, f"holds two tiles named {tile.name}", "Keep one of them.")
            found[tile.name] = tile
    return found


def _near(index: Path) -> dict[str, Path]:
    """Tiles beside an index, below its folder, or in the part 1_DONNEES... of the same archive."""
    tiles = {
        tile.name: tile for tile in index.parent.rglob("*") if tile.suffix.lower() in PHOTOGRAPH_SUFFIXES
    }
    for ancestor in list(index.absolute().parents)[1:6]:
        for folder in sorted(ancestor.iterdir()):
            if _DELIVERY.match(folder.name) and folder.is_dir():
                tiles = _tiles_below(folder) | tiles
        if tiles:
            break
    return tiles


def _named_by(index: Path, tiles: dict[str, Path]) -> list[Path]:
    """Tiles that an index names. Only the last part of NOM counts: a name never leads out of the folder."""
    check_vector_file(index)
    for layer in list_layers(index):
        fields = [str(name) for name in layer_info(index, layer)["fields"]]
        column = next((name for name in fields if name.lower() == _NAME_COLUMN), None)
        if column is None:
            continue
        named = [
            PureWindowsPath(str(name)).name
            for name in read_layer(index, layer, [column], read_geometry=False)[column].dropna()
        ]
        if not named:
            raise InputError(index, "names no tile", "Bring the index that came with the tiles.")
        missing = [name for name in named if name not in tiles]
        if missing:
            raise InputError(
                index,
                f"names {len(missing)} of {len(named)} tiles that are not there, the first {missing[0]}",
                "Put the tiles beside the index, or remove their rows.",
            )
        return [tiles[name] for name in dict.fromkeys(named)]
    raise InputError(index, "has no column NOM with the tiles' names", "Name the folder of tiles instead.")
