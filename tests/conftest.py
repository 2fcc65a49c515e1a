"""What every room's tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_dir() -> Path:
    """Folder of the real files that are not part of the repository; skips where it is absent."""
    folder = Path(os.environ.get("CARREAU_REAL_FILES", REPOSITORY.parent / "shared" / "real"))
    if not folder.is_dir():
        pytest.skip(f"real files are not in {folder}; set CARREAU_REAL_FILES to their folder to run this")
    return folder
