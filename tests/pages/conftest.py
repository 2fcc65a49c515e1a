"""A synthetic publication and the dashboard run on it, shared by the tests of the pages."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from core import jobs, preview
from data.store.open import connect
from tests.conftest import REPOSITORY
from tests.pages.browser import launch
from tests.pages.stand_in_job import asked_for, job_state
from tests.pages.synthetic import make_publication

RunPage = Callable[..., AppTest]


@pytest.fixture(scope="session")
def publication(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published synthetic study of two cities, without photographs."""
    return make_publication(tmp_path_factory.mktemp("studies") / "synthetic", cells=160)


@pytest.fixture(scope="session")
def driver() -> Iterator[Playwright]:
    """What starts browsers; a process can have one."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(driver: Playwright) -> Iterator[Browser]:
    """The installed Chromium, one for all tests that a process runs."""
    opened = launch(driver)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the screenshots: pytest's own, or the one that PYTEST_SCREENSHOTS names."""
    named = os.environ.get("PYTEST_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(autouse=True)
def server_that_has_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """AppTest forgets at each run that st.navigation has run; the page then reruns and loses a click."""
    initialise = PagesManager.__init__

    def initialised(self: PagesManager, *arguments: Any, **named: Any) -> None:
        initialise(self, *arguments, **named)
        PagesManager.uses_pages_directory = False

    monkeypatch.setattr(PagesManager, "__init__", initialised)


@pytest.fixture
def rows(publication: Path) -> duckdb.DuckDBPyConnection:
    """The publication, to ask it directly."""
    return connect(publication).cursor()


@pytest.fixture
def run_page(publication: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> RunPage:
    """Run a page of the dashboard on the synthetic study (or the studies below `studies`) and an address."""

    def run(page: str, studies: Path | None = None, **address: str) -> AppTest:
        monkeypatch.setenv("CARREAU_STUDIES", str(studies or publication.parent))
        monkeypatch.setenv("CARREAU_VAR", str(tmp_path / "var"))
        monkeypatch.setattr("core.settings.SHIPPED_DEMO", tmp_path / "no-demo")
        test = AppTest.from_file(str(REPOSITORY / "dashboard.py"), default_timeout=60)
        test.query_params.update(address)
        if page != "city":
            test.switch_page(f"pages/{page}.py")
        return test.run()

    return run


@pytest.fixture
def no_worker(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count how often a worker was asked for, and start none."""
    asked: list[int] = []
    monkeypatch.setattr(jobs, "ensure_worker", lambda *_, **__: asked.append(1) or False)
    return asked


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at photographs without a process of their own, which takes two seconds each; test_preview.py and
    the browser's upload use one."""

    def looked_at(photographs: Any, *, settings: Any = None, **asked: Any) -> dict[str, Any]:
        return preview.looked_at(photographs, **asked)

    monkeypatch.setattr(preview, "looked_at_apart", looked_at)


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make every job be in the given state."""

    def use(**changes: Any) -> None:
        monkeypatch.setattr(jobs, "state", lambda *_, **__: job_state(**changes))
        monkeypatch.setattr(jobs, "read_job", lambda *_, **__: asked_for())

    return use


def upload(test: AppTest, name: str, content: bytes) -> AppTest:
    """Choose a photograph on the page Upload."""
    return test.file_uploader(key="upload.photograph").set_value([(name, content, "image/tiff")]).run()


def texts(test: AppTest) -> str:
    """Return all HTML that the page wrote with st.html, joined; plain spaces before percent signs."""
    return "\n".join(str(element.proto.body) for element in test.get("html")).replace("\u202f%", " %")
