"""Maps come before charts in a browser: what is seen meanwhile, and where there is no WebGL at all."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, Route, expect

from tests.pages.browser import FLAGS, Watch, chromium, dashboard, free_port, settle
from tests.pages.synthetic import make_publication

# beside test_toggles: a browser and a server more would not fit beside the others
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("toggles"), pytest.mark.timeout(240)]
expect.set_options(timeout=30_000)

BUNDLE = "**/*deck_of_pydeck*/**"
PAINTED = '[data-part="root"][data-painted="yes"]'
DRAWN = '[data-part="root"][data-drawn="yes"]'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    studies = tmp_path_factory.mktemp("studies")
    make_publication(studies / "whole", cells=200, with_photographs=True, study_id="whole")
    with dashboard(tmp_path_factory.mktemp("var"), studies) as address:
        yield address


def open_page(browser: Browser, server: str) -> tuple[Page, Watch]:
    context = browser.new_context(viewport={"width": 1280, "height": 960})
    context.add_cookies([{"name": "carreau-seen", "value": "1", "url": server}])
    opened, watch = context.new_page(), Watch(server)
    watch.attach(opened)
    return opened, watch


def left_panel(page: Page) -> NDArray[np.int64]:
    """Colours (h, w, 3) of the left map, its border and what stands in its corner left out."""
    box = page.locator('[data-part="root"]').bounding_box()
    assert box is not None
    clip = {"x": box["x"] + 3, "y": box["y"] + 3, "width": 0.49 * box["width"], "height": box["height"] - 60}
    return np.asarray(Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB")).astype(int)


def drawn(page: Page, address: str) -> None:
    """Open an address and wait until deck.gl has drawn and the page is whole."""
    page.goto(address)
    page.wait_for_selector(DRAWN)
    settle(page)


def differing(page: Page, seen: NDArray[np.int64], at_most: float = 1.0) -> float:
    """Share of the left map's pixels that differ from a picture of it.

    Without a graphics card and beside other tests a frame may take seconds: asked again until it is
    ``at_most``, or ten seconds are over.
    """
    until = time.monotonic() + 10
    while True:
        share = float((np.abs(left_panel(page) - seen).max(axis=2) > 40).mean())
        if share <= at_most or time.monotonic() > until:
            return share
        page.wait_for_timeout(250)


def standing(page: Page) -> NDArray[np.int64]:
    """The left map once two pictures of it, a moment apart, are the same."""
    seen = left_panel(page)
    for _ in range(40):
        page.wait_for_timeout(250)
        now = left_panel(page)
        if np.array_equal(now, seen):
            return now
        seen = now
    raise AssertionError("the map does not come to rest")


def test_maps_are_seen_and_answer_before_their_library_and_before_charts(
    browser: Browser, server: str
) -> None:
    page, watch = open_page(browser, server)
    held: list[Route] = []
    page.route(BUNDLE, lambda route: held.append(route))
    page.goto(f"{server}/?city=ker-bihan&left=fold")
    page.wait_for_selector(PAINTED)
    expect(page.locator(".carreau-place").first).to_be_attached()
    page.wait_for_timeout(500)
    assert page.locator(".js-plotly-plot").count() == 0  # their code would have held up the maps
    places = page.locator("h2").evaluate_all("all => all.map(one => one.getBoundingClientRect().top)")
    still = left_panel(page)
    box = page.locator('[data-part="root"]').bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 4, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    tooltip = page.locator('[data-part="tooltip"]')
    expect(tooltip).to_contain_text("predicted")
    said = tooltip.inner_text()
    page.mouse.move(10, 10)
    expect(tooltip).to_be_hidden()
    for route in held:
        route.continue_()
    page.unroute(BUNDLE)
    page.wait_for_selector(DRAWN)
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    settle(page)
    moving = left_panel(page)
    # the picture lies where deck.gl draws: colours agree but for edges and the outline
    assert (np.abs(still - moving).max(axis=2) > 40).mean() < 0.04
    assert len(np.unique(still.reshape(-1, 3), axis=0)) > 4
    # but for the border of the two districts, which comes with the charts: a line from north to south
    inked = [(np.abs(seen - (30, 35, 38)).max(axis=2) < 60) for seen in (still, moving)]
    assert (inked[1] & ~inked[0]).sum(axis=0).max() > 100
    shifted = np.roll(still, 12, axis=1)  # the measure sees a misfit of less than a cell
    assert (np.abs(shifted - moving).max(axis=2) > 40).mean() > 0.08
    page.mouse.move(*middle)
    expect(tooltip).to_contain_text(said.splitlines()[0])
    # districts come with the charts
    assert tooltip.inner_text().splitlines() in (
        [*said.splitlines(), name] for name in ("Rive-Ouest", "Rive-Est")
    )
    # nothing moved when the charts came
    now = page.locator("h2").evaluate_all("all => all.map(one => one.getBoundingClientRect().top)")
    np.testing.assert_allclose(now, places, atol=2)
    page.mouse.move(10, 10)
    # from now on a page of this visitor comes whole
    page.get_by_role("link", name="Trust").click()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    watch.verify()
    page.context.close()


def test_a_wheel_scrolls_the_page_and_zooms_with_a_key(browser: Browser, server: str) -> None:
    page, watch = open_page(browser, server)
    drawn(page, f"{server}/?city=ker-bihan")
    bar = page.locator('[data-part="length"]')
    whole = bar.inner_text()
    root = page.locator('[data-part="root"]')
    root.hover(position={"x": 200, "y": 300})
    before = page.locator("h1").evaluate("one => one.getBoundingClientRect().top")
    page.mouse.wheel(0, 150)
    expect(page.get_by_text("Ctrl and the wheel zoom")).to_be_visible()
    page.wait_for_function(
        "top => document.querySelector('h1').getBoundingClientRect().top < top - 100", arg=before
    )
    expect(bar).to_have_text(whole)
    # all of the map is drawn that is in sight, though its head is scrolled away
    page.get_by_role("button", name="Closer").click()
    page.mouse.wheel(0, 150)
    page.wait_for_timeout(1500)
    box = root.bounding_box()
    assert box is not None and box["y"] < 0
    foot = {"x": box["x"] + 60, "y": box["y"] + 340, "width": box["width"] * 0.4, "height": 40}
    seen = np.asarray(Image.open(io.BytesIO(page.screenshot(clip=foot))).convert("RGB")).astype(int)
    assert (np.abs(seen - seen[0, 0]).max(axis=2) > 20).mean() > 0.1
    page.get_by_role("button", name="Whole map").click()
    expect(bar).to_have_text(whole)
    root.hover(position={"x": 200, "y": 300})
    page.keyboard.down("Control")
    for _ in range(3):
        page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    expect(bar).not_to_have_text(whole)
    page.get_by_role("button", name="Whole map").click()
    expect(bar).to_have_text(whole)
    page.get_by_role("button", name="Closer").click()
    page.get_by_role("button", name="Closer").click()
    expect(bar).not_to_have_text(whole)
    watch.verify()
    page.context.close()


def test_two_presses_of_a_key_mark_a_rectangle_under_the_pointer(browser: Browser, server: str) -> None:
    page, watch = open_page(browser, server)
    drawn(page, f"{server}/?city=ker-bihan&study=whole")
    root = page.locator('[data-part="root"]')
    root.hover(position={"x": 260, "y": 150})
    page.keyboard.press("r")  # no click before: nothing has the focus
    expect(page.get_by_text("First corner marked")).to_be_visible()
    root.hover(position={"x": 360, "y": 260})
    page.keyboard.press("r")
    expect(page).to_have_url(re.compile(r"only=r\d+_\d+_\d+_\d+"))
    expect(page.get_by_text("Cells selected")).to_be_visible()
    settle(page)
    watch.verify()
    page.context.close()


def test_by_the_keyboard_the_middle_is_seen_and_a_rectangle_grows(
    browser: Browser, server: str, pictures: Path
) -> None:
    page, watch = open_page(browser, server)
    drawn(page, f"{server}/?city=ker-bihan&study=whole")
    root = page.locator('[data-part="root"]')
    canvas = root.locator("canvas")
    expect(canvas).to_have_attribute("tabindex", "0")
    page.get_by_role("button", name="Whole map").focus()
    for _press in range(8):
        page.keyboard.press("Tab")
        if canvas.evaluate("one => one.getRootNode().activeElement === one"):
            break
    ring, cross = (
        root.evaluate("one => getComputedStyle(one, '::after').borderTopWidth"),
        root.locator(".panel.left").evaluate("one => getComputedStyle(one, '::after').width"),
    )
    assert (ring, cross) == ("2px", "23px")
    tooltip, frame = root.locator('[data-part="tooltip"]'), root.locator('[data-part="rectangle"]')
    expect(tooltip).to_be_visible()  # the middle cell is told as under a pointer
    expect(frame).to_be_hidden()
    page.keyboard.press("r")
    for _press in range(2):
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowUp")
    box, whole = frame.bounding_box(), root.bounding_box()
    assert box is not None and whole is not None
    assert (box["width"], box["height"]) == pytest.approx((80, 80), abs=3)
    middle = whole["x"] + 0.2475 * whole["width"], whole["y"] + whole["height"] / 2
    assert (box["x"] + box["width"], box["y"]) == pytest.approx(middle, abs=3)
    page.screenshot(path=pictures / "rectangle-by-keyboard.png")
    page.keyboard.press("Escape")
    expect(frame).to_be_hidden()
    page.keyboard.press("r")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("r")
    expect(page).to_have_url(re.compile(r"only=r\d+_\d+_\d+_\d+"))
    expect(frame).to_be_hidden()
    settle(page)
    watch.verify()
    page.context.close()


def test_without_webgl_maps_stand_still_and_charts_come(
    driver: Playwright, server: str, pictures: Path
) -> None:
    browser = driver.chromium.launch(
        executable_path=chromium(), args=[*FLAGS, "--disable-gpu", "--disable-3d-apis"]
    )
    page, watch = open_page(browser, server)
    page.goto(f"{server}/?city=ker-bihan")
    page.wait_for_selector(PAINTED)
    expect(page.get_by_text("This browser has no WebGL")).to_be_visible()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    settle(page)
    first = left_panel(page)
    page.locator(".st-key-left button", has_text="Fold").click()
    expect(page).to_have_url(re.compile("left=fold"))
    settle(page)
    page.wait_for_timeout(500)
    assert (np.abs(left_panel(page) - first).max(axis=2) > 40).mean() > 0.1  # another map
    box = page.locator('[data-part="root"]').bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    expect(page.locator('[data-part="tooltip"]')).to_contain_text("predicted")
    page.mouse.down()
    page.mouse.up()
    expect(page).to_have_url(re.compile("cell=CRS3035RES200m"))
    settle(page)
    page.screenshot(path=pictures / "city-without-webgl.png")
    # the one complaint is the browser's own
    assert all("WebGL" in error for error in watch.errors) and not watch.broken
    browser.close()


def test_charts_come_again_when_the_server_has_been_started_anew(
    browser: Browser, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    studies = tmp_path_factory.mktemp("studies")
    make_publication(studies / "whole", cells=160, study_id="whole")
    port = free_port()
    with dashboard(tmp_path / "var", studies, port=port) as address:
        page, _watch = open_page(browser, address)
        page.goto(address)
        expect(page.locator(".js-plotly-plot").first).to_be_visible()
        settle(page)
    connected = '[data-test-connection-state="CONNECTED"]'
    page.wait_for_selector(connected, state="detached")
    with dashboard(tmp_path / "var", studies, port=port):  # knows nothing of the maps already drawn
        page.wait_for_selector(connected, timeout=60_000)
        # a new server draws its first page twice, and loses the click that asked for it
        page.locator(".st-key-left button", has_text="Fold").click()
        page.wait_for_timeout(3000)
        settle(page)
        page.locator(".st-key-left button", has_text="Fold").click()
        expect(page).to_have_url(re.compile("left=fold"), timeout=60_000)
        settle(page)
        expect(page.locator(".js-plotly-plot").first).to_be_visible()
        page.context.close()


def test_the_view_stands_in_the_address(browser: Browser, server: str) -> None:
    page, watch = open_page(browser, server)
    drawn(page, f"{server}/?city=ker-bihan&study=whole")
    whole = standing(page)
    for _ in range(3):
        page.get_by_role("button", name="Closer").click()
    page.locator('[data-part="root"] canvas').press("ArrowLeft")
    expect(page).to_have_url(re.compile(r"&at=\d+_\d+_-?[\d.]+$"))
    zoomed = standing(page)
    assert (np.abs(whole - zoomed).max(axis=2) > 40).mean() > 0.1
    address = page.url
    # what the server writes keeps it, and the server's page is another entry
    page.locator(".st-key-right button", has_text="Fold").click()
    expect(page).to_have_url(re.compile(r"right=fold&at=|&at=.*&right=fold"))
    settle(page)
    page.get_by_role("button", name="Whole map").click()
    expect(page).to_have_url(re.compile(r"right=fold$"))
    page.go_back()
    expect(page).to_have_url(address)
    settle(page)
    assert differing(page, zoomed, 0.01) < 0.01
    # another visitor opens it and sees the same, before and after deck.gl
    other, watch_other = open_page(browser, server)
    held: list[Route] = []
    other.route(BUNDLE, lambda route: held.append(route))
    other.goto(address)
    other.wait_for_selector(PAINTED)
    assert differing(other, zoomed, 0.04) < 0.04
    for route in held:
        route.continue_()
    other.unroute(BUNDLE)
    other.wait_for_selector(DRAWN)
    settle(other)
    assert differing(other, zoomed, 0.01) < 0.01
    # a view of another place is none of this city's
    drawn(other, f"{server}/?city=ker-bihan&study=whole&at=1_2_-3")
    assert differing(other, whole, 0.01) < 0.01
    for opened, seen in ((page, watch), (other, watch_other)):
        seen.verify()
        opened.context.close()
