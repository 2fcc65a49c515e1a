"""Hostile files and parameters: small valid ones, damaged and doctored by a seed."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from rasterio.transform import from_origin

from core.bench.fuzz_pages import ADDRESSES, hostile_address
from core.bench.tiny_photograph import NORTH, WEST, random_blocks, write_photograph

KINDS = ("tif", "jp2", "gpkg", "parquet", "toml", "parameter", "page")

STUDY = """[study]
id = "fuzz"
title = "Fuzz"
seed = 1

[labels]
n_classes = 10

[train]
epochs = 2

[[cities]]
id = "town"
name = "Town"
[cities.census]
path = "census.gpkg"
[cities.land_use]
path = "use.gpkg"
[cities.imagery]
path = "imagery"
year = 2016
"""
PARAMETERS = (
    "0123456789abcdef0123456789abcdef",
    "CRS3035RES200mN2499800E3200000",
    "somewhere",
    "town/a.tif",
    "EPSG:3035",
    '{"bands": [1, 2, 3], "levels": [0, 255]}',
)


@dataclass(frozen=True)
class Bases:
    """Valid contents by kind; each mutation begins with one of them."""

    contents: dict[str, list[bytes]]


def make_bases(folder: Path) -> Bases:
    """Write small valid files of every kind into a folder and read them back."""
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, list[bytes]] = {kind: [] for kind in KINDS}
    pixels = random_blocks(220, 220)
    variants: dict[str, dict[str, Any]] = {
        "plain": {},
        "deflate": {"compress": "deflate", "tiled": True, "blockxsize": 64, "blockysize": 64},
        "jpeg": {"compress": "jpeg", "tiled": True, "blockxsize": 64, "blockysize": 64},
        "lzw": {"compress": "lzw", "predictor": 2, "nodata": 0},
        "big": {"BIGTIFF": "YES", "compress": "zstd"},
    }
    for name, options in variants.items():
        path = write_photograph(folder / f"{name}.tif", 2.2, 2.2, pixels=pixels, **options)
        found["tif"].append(path.read_bytes())
    deep = pixels.astype(np.uint16) * 200
    path = write_photograph(folder / "deep.tif", 2.2, 2.2, pixels=deep, dtype="uint16", compress="lzw")
    found["tif"].append(path.read_bytes())
    found["tif"].append(_palette(folder / "palette.tif", pixels[0] // 32))
    with rasterio.open(
        folder / "a.jp2", "w", driver="JP2OpenJPEG", width=220, height=220, count=3, dtype="uint8",
        crs="EPSG:3035", transform=from_origin(WEST, NORTH, 2, 2), QUALITY="50",
    ) as file:  # fmt: skip
        file.write(pixels)
    found["jp2"].append((folder / "a.jp2").read_bytes())
    squares = shapely.box(WEST + 100 * np.arange(6), NORTH - 300, WEST + 100 * np.arange(6) + 90, NORTH)
    layer = gpd.GeoDataFrame(
        {"code_2018": ["11100", "31000"] * 3, "class_2018": ["a", "b"] * 3, "value": np.arange(6.0)},
        geometry=squares,
        crs="EPSG:3035",
    )
    layer.to_file(folder / "use.gpkg", driver="GPKG")
    layer.to_parquet(folder / "use.parquet")
    found["gpkg"].append((folder / "use.gpkg").read_bytes())
    found["parquet"].append((folder / "use.parquet").read_bytes())
    found["toml"].append(STUDY.encode())
    found["page"] += [address.encode() for address in ADDRESSES]
    found["parameter"] += [text.encode() for text in PARAMETERS]
    return Bases(found)


def _palette(path: Path, numbers: np.ndarray) -> bytes:
    with rasterio.open(
        path, "w", driver="GTiff", width=220, height=220, count=1, dtype="uint8", crs="EPSG:3035",
        transform=from_origin(WEST, NORTH, 2, 2), photometric="palette",
    ) as file:  # fmt: skip
        file.write(numbers.astype(np.uint8), 1)
        file.write_colormap(1, {k: (30 * k, 255 - 30 * k, 128, 255) for k in range(8)})
    return path.read_bytes()


def mutate(bases: Bases, kind: str, rng: np.random.Generator, bait: list[bytes]) -> bytes:
    """Return a hostile content of a kind: a valid one, changed one to six times.

    ``bait``: paths and addresses that a reader must never open; some changes write them in.
    """
    content = bytearray(bases.contents[kind][rng.integers(len(bases.contents[kind]))])
    if rng.random() < 0.04:
        return _disguised(kind, rng, bait)
    if kind == "page" and rng.random() < 0.8:
        return hostile_address(content.decode(), rng).encode()
    for _ in range(rng.integers(1, 7)):
        change = _CHANGES[rng.integers(len(_CHANGES))]
        change(content, rng, bait)
        if kind == "tif" and rng.random() < 0.3:
            _tag(content, rng)
    return bytes(content)


def _flip(content: bytearray, rng: np.random.Generator, bait: list[bytes]) -> None:
    for place in rng.integers(0, max(1, len(content)), rng.integers(1, 9)):
        if content:
            content[place % len(content)] = rng.integers(256)


def _head(content: bytearray, rng: np.random.Generator, bait: list[bytes]) -> None:
    for place in rng.integers(0, max(1, min(600, len(content))), rng.integers(1, 5)):
        if content:
            content[place % len(content)] = rng.integers(256)


def _cut(content: bytearray, rng: np.random.Generator, bait: list[bytes]) -> None:
    if rng.random() < 0.3:
        del content[rng.integers(len(content) + 1) :]


def _remove(content: bytearray, rng: np.random.Generator, bait: list[bytes]) -> None:
    start = int(rng.integers(len(content) + 1))
    del content[start : start + int(rng.integers(1, 64))]


def _repeat(content: bytearray, rng: np.random.Generator, bait: list[bytes]) -> None:
    start = int(rng.integers(len(content) + 1))
    content[start:start] = content[start : start + int(rng.integers(1, 256))]


def _number(content: bytearray, rng: np.random.Generator, bait: list[bytes]) -> None:
    value = [0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000, 65535, 2**31 - 8][rng.integers(7)]
    start = int(rng.integers(max(1, len(content) - 4)))
    content[start : start + 4] = struct.pack(("<I", ">I")[rng.integers(2)], value)


def _write_bait(content: bytearray, rng: np.random.Generator, bait: list[bytes]) -> None:
    text = bait[rng.integers(len(bait))]
    start = int(rng.integers(len(content) + 1))
    if rng.random() < 0.5:
        content[start : start + len(text)] = text
    else:
        content[start:start] = text


_CHANGES: tuple[Callable[[bytearray, np.random.Generator, list[bytes]], None], ...] = (
    _flip, _flip, _head, _cut, _remove, _repeat, _number, _number, _write_bait,
)  # fmt: skip


def _tag(content: bytearray, rng: np.random.Generator) -> None:
    """Change the type, count or value of a tag of a classic little-endian TIFF."""
    if content[:4] != b"II*\x00" or len(content) < 8:
        return
    start = struct.unpack_from("<I", content, 4)[0]
    if start + 2 > len(content):
        return
    tags = struct.unpack_from("<H", content, start)[0]
    place = start + 2 + 12 * int(rng.integers(max(1, min(tags, 40))))
    if place + 12 > len(content):
        return
    which = rng.integers(3)
    if which == 0:
        struct.pack_into("<H", content, place + 2, int(rng.integers(0, 18)))
    else:
        value = int(rng.choice([0, 1, 2, 7, 255, 65536, 2**24, 2**31 - 1, 2**32 - 1]))
        struct.pack_into("<I", content, place + (4 if which == 1 else 8), value)


def _disguised(kind: str, rng: np.random.Generator, bait: list[bytes]) -> bytes:
    """Another format under the name of this one: those that can name other files above all."""
    named = bait[rng.integers(len(bait))].decode("utf-8", "replace")
    forms = (
        f'<VRTDataset rasterXSize="9" rasterYSize="9"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
        f"<SourceFilename>{named}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>",
        f'<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>{named}</SrcDataSource></OGRVRTLayer>'
        "</OGRVRTDataSource>",
        json.dumps({"type": "FeatureCollection", "features": [], "crs": {"properties": {"href": named}}}),
        f"<GDAL_WMS><Service name='TMS'><ServerUrl>{named}</ServerUrl></Service></GDAL_WMS>",
        named,
        "",
    )
    text = forms[rng.integers(len(forms))].encode()
    heads = {
        "tif": b"II*\x00",
        "jp2": b"\x00\x00\x00\x0cjP  ",
        "gpkg": b"SQLite format 3\x00",
        "parquet": b"PAR1",
    }
    return heads.get(kind, b"") + text if rng.random() < 0.5 else text
