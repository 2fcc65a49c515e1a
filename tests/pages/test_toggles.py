"""Every toggle of every page, pressed in a real browser; studies that lack something; the language."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import REPOSITORY
from tests.pages.browser import Watch, controls_in_sight, dashboard, press_every_toggle, settle
from tests.pages.synthetic import make_publication

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("toggles"), pytest.mark.timeout(300)]
expect.set_options(timeout=30_000)
PAGES = ("", "patterns", "cell", "trust", "about")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A dashboard with a study of two cities and one of a single city without land use or photographs."""
    studies = tmp_path_factory.mktemp("studies")
    make_publication(studies / "whole", cells=200, with_photographs=True, study_id="whole")
    make_publication(studies / "bare", n_cities=1, cells=80, with_land_use=False, study_id="bare")
    with dashboard(tmp_path_factory.mktemp("var"), studies) as address:
        yield address


@pytest.fixture
def page(browser: Browser, server: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 960}, locale="en-GB")
    context.add_cookies([{"name": "carreau-seen", "value": "1", "url": server}])
    opened, watch = context.new_page(), Watch(server)
    watch.attach(opened)
    yield opened
    context.close()
    watch.verify()


@pytest.mark.parametrize("name", PAGES)
def test_every_toggle_can_be_pressed(page: Page, server: str, name: str) -> None:
    page.goto(f"{server}/{name}?study=whole")
    settle(page)
    pressed = press_every_toggle(page)
    assert pressed >= {"": 18, "patterns": 12, "cell": 2, "trust": 1, "about": 0}[name]
    address = page.url
    shown = page.locator("h1").first.inner_text()
    page.goto("about:blank")
    page.goto(address)  # what was chosen is in the address
    settle(page)
    assert page.locator("h1").first.inner_text() == shown


def test_the_language_is_chosen_and_carried_along(page: Page, server: str) -> None:
    page.goto(f"{server}/about?study=whole")
    settle(page)
    page.get_by_text("Français").click()
    expect(page).to_have_url(re.compile("lang=fr"))
    expect(page.get_by_role("link", name="Associations")).to_be_visible()
    settle(page)
    page.get_by_role("link", name="Associations").click()
    expect(page).to_have_url(re.compile("/patterns.*lang=fr"))
    settle(page)
    assert page.evaluate("document.documentElement.lang") == "fr"


def test_the_hint_is_closed_once(browser: Browser, server: str) -> None:
    context = browser.new_context(locale="en-GB")
    opened = context.new_page()
    opened.goto(f"{server}/about?study=whole")
    opened.get_by_role("button", name="Got it").click()
    expect(opened.get_by_role("button", name="Got it")).to_be_hidden()
    settle(opened)
    opened.wait_for_function("document.cookie.includes('carreau-seen')")
    opened.goto(f"{server}/trust?study=whole")
    settle(opened)
    expect(opened.get_by_role("button", name="Got it")).to_have_count(0)
    context.close()


@pytest.mark.parametrize("name", [*PAGES, "upload"])
def test_one_city_without_land_use(page: Page, server: str, name: str) -> None:
    page.goto(f"{server}/{name}?study=bare")
    settle(page)
    expect(page.locator("h1").first).not_to_be_empty()
    expect(page.locator("[data-testid='stAlertContentError']")).to_have_count(0)
    controls_in_sight(page)


def test_an_empty_installation(browser: Browser, tmp_path: Path, pictures: Path) -> None:
    for name in (
        "dashboard.py",
        ".streamlit",
        "pages",
        "core",
        "models",
        "data",
    ):  # all but the shipped study
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("demo", "__pycache__"))
        else:
            shutil.copy(source, tmp_path / name)
    with dashboard(tmp_path / "var", None, repository=tmp_path) as address:
        opened = browser.new_page(locale="fr-FR")
        opened.goto(address)
        expect(opened.locator("h1")).to_contain_text("Aucune étude")
        expect(opened.get_by_text("python -m core run")).to_be_visible()
        settle(opened)
        opened.screenshot(path=pictures / "empty-fr.png")
        opened.close()
