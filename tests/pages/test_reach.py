"""Every page, in both languages and themes: readable for everybody, nothing broken, pictures kept.

axe-core is the reference for accessibility (WCAG 2.2 A and AA, best practices).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.pages.browser import Watch, cut_texts, dashboard, settle
from tests.pages.synthetic import make_publication

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("reach"), pytest.mark.timeout(240)]
PAGES = ("", "patterns", "cell", "trust", "upload", "about")


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
        for node in rule["nodes"][:4]
    ]


# a canvas has no text to read back, and the table beside it for assistive software holds plain values
KEEP_DRAWN = """
  globalThis.drawn = [];
  const fill = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (text, ...where) {
    globalThis.drawn.push(text);
    return fill.call(this, text, ...where);
  };
"""


@pytest.mark.parametrize(("language", "written"), [("en", ["6.0", "−1.07"]), ("fr", ["6,0", "−1,07"])])
def test_tables_on_a_canvas_write_numbers_as_the_page_does_and_fit(
    browser: Browser, server: str, language: str, written: list[str]
) -> None:
    # a browser of the other language: it is the page's that decides
    locale = "fr-FR" if language == "en" else "en-GB"
    context = browser.new_context(viewport={"width": 1024, "height": 960}, locale=locale)
    context.add_init_script(KEEP_DRAWN)
    page = context.new_page()
    for shown in ("districts", "cells"):
        page.goto(f"{server}/?study=synthetic&lang={language}&list={shown}")
        settle(page)
        table = page.locator("[data-testid='stDataFrame']")
        table.scroll_into_view_if_needed()
        table.locator("canvas table td").first.wait_for(state="attached")
        hidden = table.locator(".dvn-scroller").evaluate("one => one.scrollWidth - one.clientWidth")
        assert hidden <= 0, f"{shown}: {hidden} px of the table are out of sight"
        if shown == "districts":
            first = table.locator("canvas table tbody tr").first.locator("td").all_text_contents()
            assert [float(value) for value in first[-2:]] == [6.0, -1.07]
            page.wait_for_function("texts => texts.every(text => drawn.includes(text))", arg=written)
            assert not page.evaluate("drawn.includes('-1.07')")
    context.close()


def test_streamlits_own_words_are_in_the_readers_language(browser: Browser, server: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 960}, locale="fr-FR")
    page = context.new_page()
    page.goto(f"{server}/upload?study=synthetic")
    settle(page)
    places = page.get_by_test_id("stFileUploaderDropzone")
    assert places.count() == 3
    assert [places.nth(n).locator("button").inner_text().split() for n in range(3)] == [
        ["upload", "Importer"]
    ] * 3
    assert places.first.inner_text().endswith("200 Mo par fichier • TIF, JP2, J2K, TFW, J2W, WLD")
    for name in ("", "patterns", "cell"):
        page.goto(f"{server}/{name}?study=synthetic")
        settle(page)
        page.get_by_role("button", name="Plein écran").first.wait_for(state="attached")
        said = page.locator("[aria-label], [data-title]").evaluate_all(
            "all => all.flatMap(one => [one.ariaLabel, one.dataset.title]).filter(Boolean)"
        )
        english = re.compile(r"Fullscreen|Download|Search|Open\b|Help for|Show/hide|App pages")
        assert not [text for text in said if english.match(text)]
    # back to English on the same page, without loading it again
    page.get_by_role("radio", name="English").click()
    settle(page)
    page.get_by_role("button", name="Fullscreen").first.wait_for(state="attached")
    assert page.get_by_role("button", name="Plein écran").count() == 0
    context.close()


def test_a_refused_file_is_named_in_the_readers_language(browser: Browser, server: str) -> None:
    context = browser.new_context(locale="fr-FR")
    page = context.new_page()
    page.goto(f"{server}/upload?study=synthetic")
    settle(page)
    page.locator("input[type=file]").first.set_input_files(
        {"name": "photo.png", "mimeType": "image/png", "buffer": b"\x89PNG"}
    )
    why = page.get_by_role("alert").filter(has_text="Les fichiers image/png ne sont pas lus ici")
    why.wait_for()
    assert "fournissez .tif, .tiff, .jp2" in why.inner_text()
    box = why.bounding_box()
    assert box is not None and box["width"] > 200 and box["height"] > 12  # seen, not only read aloud
    assert page.get_by_test_id("stFileChip").inner_text().split("\n")[:2] == ["photo.png", "4 o"]
    context.close()


def test_a_menu_opened_by_a_key_gets_the_keys(browser: Browser, server: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 960}, locale="en-GB")
    page = context.new_page()
    page.goto(f"{server}/?study=synthetic")
    settle(page)
    page.get_by_role("button", name="By numbers").focus()
    page.keyboard.press("Enter")
    focus = page.locator('[data-testid="stPopoverBody"] :focus')
    focus.wait_for()
    assert focus.get_attribute("aria-label") == "Census decile"
    page.keyboard.press("Escape")
    page.get_by_test_id("stPopoverBody").wait_for(state="hidden")
    # by a pointer the focus stays, as everywhere
    page.get_by_role("button", name="By numbers").click()
    page.get_by_test_id("stPopoverBody").wait_for()
    page.wait_for_timeout(300)
    assert focus.count() == 0
    context.close()
