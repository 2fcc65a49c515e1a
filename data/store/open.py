"""Finding and opening publications, always read-only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import duckdb

from data.errors import InputError
from data.store.write import POINTER


@dataclass(frozen=True)
class Publication:
    """A published study: its DuckDB file, the folder with its weights, and the study file it came from."""

    file: Path
    folder: Path
    study_file: Path


def current_publication(folder: Path) -> Publication:
    """Return the publication that the pointer in ``folder`` names.

    Raises:
        InputError: no pointer, or one that names a file that is not there.
    """
    pointer = folder / POINTER
    try:
        named = json.loads(pointer.read_text(encoding="utf-8"))
        file = folder / Path(named["publication"]).name
        study_file = (folder / named["study_file"]).resolve()
    except FileNotFoundError as error:
        raise InputError(
            folder, "holds no publication", "Run `python -m core run STUDY.toml` first."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(pointer, "is not a publication pointer", "Publish the study again.") from error
    if not file.is_file():
        raise InputError(pointer, f"names {file.name}, which is not there", "Publish the study again.")
    return Publication(file=file, folder=folder, study_file=study_file)


def find_publications(roots: list[Path]) -> dict[str, Publication]:
    """Return the published studies below ``roots`` by folder name; an earlier root wins.

    A folder is a published study when it holds a pointer; ones that cannot be opened are left out,
    so that one broken study never hides the others.
    """
    found: dict[str, Publication] = {}
    for root in roots:
        for pointer in sorted([*root.glob(POINTER), *root.glob(f"*/{POINTER}")]):
            try:
                publication = current_publication(pointer.parent)
                study_id = study_id_of(publication)
            except (InputError, duckdb.Error):
                continue
            found.setdefault(study_id, publication)
    return found


def study_id_of(publication: Publication) -> str:
    """Return the id of the study inside a publication."""
    with connect(publication.file) as connection:
        row = connection.execute("SELECT study_id FROM study").fetchone()
    if row is None:
        raise InputError(publication.file, "has no study in it", "Publish the study again.")
    return str(row[0])


def connect(file: Path) -> duckdb.DuckDBPyConnection:
    """Open a publication read-only, without access to anything outside it."""
    return duckdb.connect(
        str(file),
        read_only=True,
        config={"enable_external_access": "false", "autoinstall_known_extensions": "false"},
    )
