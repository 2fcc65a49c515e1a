"""Whether a photograph's file is whole: a truncated one still opens, and shows grey for pixels."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import rasterio

from data.errors import InputError


def check_complete_tiff(path: Path, dataset: rasterio.DatasetReader) -> None:
    """Compare the places of the compressed blocks with the file's size: a truncated TIFF still opens."""
    if dataset.driver != "GTiff":
        return
    size = path.stat().st_size
    block_height, block_width = dataset.block_shapes[0]
    rows, columns = math.ceil(dataset.height / block_height), math.ceil(dataset.width / block_width)
    stride = max(1, rows * columns // 20_000)  # every block in all but the largest files
    for index in range(0, rows * columns, stride):
        name = f"{index % columns}_{index // columns}"
        start = dataset.get_tag_item(f"BLOCK_OFFSET_{name}", "TIFF", bidx=1)
        length = dataset.get_tag_item(f"BLOCK_SIZE_{name}", "TIFF", bidx=1)
        if start is not None and length is not None and int(start) + int(length) > size:
            raise InputError(path, "ends before its last pixels (truncated)", "Copy or download it again.")


def check_complete_jp2(path: Path) -> None:
    """Walk the boxes of a JP2: none may reach beyond the end, an open-ended code stream must be closed."""
    if path.suffix.lower() != ".jp2" or not path.is_file():
        return
    size = path.stat().st_size
    truncated = InputError(path, "ends before its last pixels (truncated)", "Copy or download it again.")
    with path.open("rb") as file:
        if file.read(12)[4:8] != b"jP  ":
            return  # no JP2 at all: the driver says so
        position = 0
        while position < size:
            file.seek(position)
            head = file.read(16)
            if len(head) < 8:
                raise truncated
            length, kind = struct.unpack(">I", head[:4])[0], head[4:8]
            if length == 1 and len(head) == 16:
                length = struct.unpack(">Q", head[8:])[0]
            if length == 0:  # to the end of the file
                file.seek(-2, 2)
                if kind == b"jp2c" and file.read(2) != b"\xff\xd9":
                    raise truncated
                return
            if length < 8 or position + length > size:
                raise truncated
            position += length
