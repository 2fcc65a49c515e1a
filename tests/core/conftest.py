"""A tiny study run from official files to its publication, for the files of tests in group `pipeline`."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.pipeline.run import run_study
from core.settings import Settings
from data.store.open import current_publication


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(var=tmp_path_factory.mktemp("var"), threads=1, device="cpu")


@pytest.fixture(scope="session")
def lines(study_file: Path, settings: Settings) -> list[str]:
    said: list[str] = []
    run_study(study_file, settings, say=said.append)
    return said


@pytest.fixture(scope="session")
def published(lines: list[str], settings: Settings) -> Path:
    return current_publication(settings.publications / "tiny").file
