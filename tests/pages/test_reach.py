"""Every page, in both languages and themes: readable for everybody, nothing broken, pictures kept.

axe-core is the reference for accessibility (WCAG 2.2 A and AA, best practices).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.pages.browser import Watch, cut_texts, dashboard, settle
from tests.pages.synthetic import make_publication

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("reach"), pytest.mark.timeout(240)]
PAGES = ("", "patterns", "cell", "trust", "upload", "about")
# what Streamlit itself draws and no option changes
NOT_OURS = {"presentation-role-conflict": "the place of st.file_uploader where files are dropped"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    studies = tmp_path_factory.mktemp("studies")
    make_publication(studies / "synthetic", cells=300, with_photographs=True)
    with dashboard(tmp_path_factory.mktemp("var"), studies) as address:
        yield address


@pytest.mark.parametrize(("locale", "theme"), [("en-GB", "light"), ("fr-FR", "dark")])
def test_every_page_is_for_everybody(
    browser: Browser, server: str, pictures: Path, theme: str, locale: str
) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 960}, color_scheme=theme, locale=locale)
    page, watch = context.new_page(), Watch(server)
    watch.attach(page)
    faults = {}
    for name in PAGES:
        page.goto(f"{server}/{name}?study=synthetic")
        settle(page)
        if name == "":
            page.wait_for_selector('[data-part="root"][data-drawn="yes"]')
        page.screenshot(path=pictures / f"{name or 'city'}-{locale[:2]}-{theme}.png", full_page=True)
        faults[name or "city"] = violations(page)
        assert page.evaluate("document.documentElement.lang") == locale[:2]
        for width in (1280, 1024):
            page.set_viewport_size({"width": width, "height": 960})
            page.wait_for_timeout(500)  # charts follow
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{name} is {wide} px wide in {width}"
            assert cut_texts(page) == [], f"{name or 'city'} at {width} px"
        page.set_viewport_size({"width": 1280, "height": 960})
    context.close()
    watch.verify()
    said = [f"{name}: {fault}" for name, found in faults.items() for fault in found]
    assert not said, "\n".join(said)


def violations(page: Page) -> list[str]:
    """Return what axe-core finds wrong on a page, one line a rule and element."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:160]} ({node['failureSummary'].splitlines()[1].strip()})"
        for rule in found
        if rule["id"] not in NOT_OURS
        for node in rule["nodes"][:4]
    ]
