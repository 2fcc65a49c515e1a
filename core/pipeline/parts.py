"""Parts of a stage: done once, never half, and done again only when what they depend on changed."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from data.errors import InputError

FINGERPRINT = "fingerprint.json"


def fingerprint(*inputs: Any) -> str:
    """Return a short hash of everything that a part depends on (settings, seeds, earlier parts).

    >>> fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    True
    """
    plain = [item.model_dump(mode="json") if isinstance(item, BaseModel) else item for item in inputs]
    text = json.dumps(plain, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def produce(folder: Path, inputs: str, write: Callable[[Path], str]) -> tuple[str, bool]:
    """Return the result line of a part, doing its work only when it has not been done from these inputs.

    ``write`` gets an empty folder, fills it and returns one line of result. The folder takes its final name
    when it is complete, so an interruption leaves nothing that could be taken for a finished part.

    Args:
        folder: final place of the part.
        inputs: fingerprint of what it depends on.
        write: does the work.

    Returns:
        The result line, and whether the part stood already.

    Raises:
        InputError: the disk is full or the folder cannot be written.
    """
    record = folder / FINGERPRINT
    if record.is_file():
        known = json.loads(record.read_text(encoding="utf-8"))
        if known["inputs"] == inputs:
            return str(known["line"]), True
    partial = folder.with_name(f".{folder.name}.{secrets.token_hex(3)}.partial")
    try:
        partial.mkdir(parents=True)
        line = write(partial)
        (partial / FINGERPRINT).write_text(json.dumps({"inputs": inputs, "line": line}), encoding="utf-8")
        _replace(partial, folder)
    except OSError as error:
        raise InputError(
            folder,
            f"could not be written ({os.strerror(error.errno) if error.errno else error})",
            "Free some space or choose another var folder, then run the same command: "
            "finished parts are not done again and what was published before is untouched.",
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return line, False


def _replace(partial: Path, folder: Path) -> None:
    old = partial.with_suffix(".old")
    if folder.exists():
        folder.rename(old)
    partial.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Remove what interrupted runs left below ``folder``."""
    for pattern in (".*.partial", ".*.old"):
        for left in folder.rglob(pattern):
            shutil.rmtree(left, ignore_errors=True)
