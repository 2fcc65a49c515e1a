"""The viewer of a cell's photograph in Chromium: what lies on what at every zoom, and who is told of it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from data.store import cell_queries
from data.store.open import connect
from pages.shared import photograph
from tests.pages.browser import Watch, dashboard, settle
from tests.pages.synthetic import make_publication

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(240)]
SIZE, METRES = 200, 2  # of a cell, and of a pixel of the synthetic photograph
expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies") / "seen"
    return make_publication(folder, n_cities=1, cells=60, with_photographs=True)


@pytest.fixture(scope="module")
def server(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with dashboard(tmp_path_factory.mktemp("var"), study.parent.parent) as address:
        yield address


@pytest.fixture
def page(browser: Browser, server: str) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 1280, "height": 1000}, base_url=server, color_scheme="light"
    )
    opened = context.new_page()
    watch = Watch(server)
    watch.attach(opened)
    yield opened
    watch.verify()
    context.close()


def view(page: Page) -> tuple[float, float, float]:
    """Place in the middle, in sides of the cell from its north-west, and zoom."""
    told = page.locator('[data-part="window"]').get_attribute("data-view")
    assert told is not None
    x, y, zoom = map(float, told.split())
    return x, y, zoom


def expected(
    study: Path, cell_id: str, opacity: float, east: NDArray[np.int64], south: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Colours (n, 3) of photograph and evidence map at pixels of the photograph, made without a browser."""
    with connect(study) as rows:
        x, y = rows.execute("SELECT x, y FROM cell WHERE cell_id = ?", [cell_id]).fetchone()
        evidence = cell_queries.evidence_map(rows, "ker-bihan", cell_id)
        reach = cell_queries.evidence_reach(rows, "ker-bihan")
    file = photograph.imagery_path(str(study.parent / "study.toml"), "ker-bihan")
    jpeg, pixels = photograph.read_photograph(str(file), "EPSG:3035", SIZE, x, y)
    assert pixels == SIZE // METRES
    below = np.asarray(Image.open(io.BytesIO(jpeg))).astype(float)[south, east]
    over = photograph.overlay(evidence, reach, pixels=1000).astype(float)[south * 10 + 5, east * 10 + 5]
    alpha = opacity * over[:, 3:] / 255
    return below * (1 - alpha) + over[:, :3] * alpha


def seen(page: Page, east: NDArray[np.int64], south: NDArray[np.int64]) -> NDArray[np.float64]:
    """Colours (n, 3) on the screen where the view says that pixels of the photograph are."""
    window = page.locator('[data-part="window"]')
    picture = np.asarray(Image.open(io.BytesIO(window.screenshot())).convert("RGB")).astype(float)
    x, y, zoom = view(page)
    side = picture.shape[0]
    across = side * (0.5 + ((east + 0.5) * METRES / SIZE - x) * zoom)
    down = side * (0.5 + ((south + 0.5) * METRES / SIZE - y) * zoom)
    return picture[down.astype(int), across.astype(int)]


def test_map_and_outlines_stay_on_the_photograph_at_every_zoom(page: Page, study: Path) -> None:
    with connect(study) as rows:
        (cell_id,) = rows.execute(
            "SELECT cell_id FROM activation_map ORDER BY cell_id LIMIT 1 OFFSET 20"
        ).fetchone()
    page.goto(f"/cell?cell={cell_id}&evidence=80&outlines=0")
    window = page.locator('[data-part="window"]')
    expect(window).to_have_attribute("data-drawn", "yes", timeout=90_000)
    settle(page)
    address = page.url
    window.focus()
    for key in ("+", "+", "+", "+", "ArrowRight", "ArrowUp"):
        page.keyboard.press(key)
    assert view(page) == pytest.approx((0.525, 0.475, 4))
    box = window.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 300, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 240, box["y"] + 290, steps=3)
    page.mouse.up()
    x, y, zoom = view(page)  # what was under the pointer went with it
    assert (x, y) == pytest.approx((0.525 + 60 / box["width"] / 4, 0.475 - 90 / box["height"] / 4), abs=1e-3)
    # pixels in the middle of the window, away from the buttons and the scale bar
    middle = np.array([x, y]) * SIZE / METRES
    east, south = (axis.ravel() for axis in np.mgrid[-8:9, -8:5] + middle.astype(int)[:, None, None])
    off = np.abs(seen(page, east, south) - expected(study, cell_id, 0.8, east, south))
    assert off.mean() < 2.5  # a pixel beside it differs by 16 on average, for the photograph has grain
    assert off.max() < 25
    # the outlines' own coordinates, metres from the north-west, end where the photograph ends
    page.get_by_text("Land-use outlines").click()
    expect(page.locator('[data-part="outlines"] path').first).to_be_attached()
    settle(page)
    corners = page.evaluate(
        """() => {
            let shadow;
            for (const host of document.querySelectorAll("*"))
                if (host.shadowRoot?.querySelector('[data-part="outlines"]')) shadow = host.shadowRoot;
            const find = (name) => (shadow ?? document).querySelector(`[data-part="${name}"]`);
            const { left, top, right, bottom } = find("photograph").getBoundingClientRect();
            const on_screen = find("outlines").querySelector("path").getScreenCTM();
            const ends = [[0, 0], [200, 200]].map(([e, s]) => new DOMPoint(e, s).matrixTransform(on_screen));
            const { left: l, top: t, right: r, bottom: b } = find("evidence").getBoundingClientRect();
            return [[left, top, right, bottom], [ends[0].x, ends[0].y, ends[1].x, ends[1].y], [l, t, r, b]];
        }"""
    )
    assert corners[1] == pytest.approx(corners[0], abs=0.05)
    assert corners[2] == pytest.approx(corners[0], abs=0.05)
    assert corners[0][2] - corners[0][0] == pytest.approx(4 * box["width"], abs=1)
    page.get_by_text("Land-use outlines").click()
    # the server writes the address without the view, and the browser keeps it there
    expect(page).to_have_url(re.compile(r"outlines=0.*&near=[\d.]+_[\d.]+_4$"))
    address = page.url
    settle(page)
    assert view(page) == pytest.approx((x, y, zoom))  # the same cell: the view stays

    slider = page.locator('[data-part="opacity"]')
    bar = slider.bounding_box()
    assert bar is not None
    page.mouse.move(bar["x"] + 0.8 * bar["width"], bar["y"] + bar["height"] / 2)
    page.mouse.down()
    page.mouse.move(bar["x"] - 20, bar["y"] + bar["height"] / 2, steps=4)
    expect(slider).to_have_value("0")
    off = np.abs(seen(page, east, south) - expected(study, cell_id, 0, east, south))
    assert off.mean() < 2.5
    assert page.url == address  # while it moves, nobody is told
    page.mouse.up()
    expect(page).to_have_url(re.compile("evidence=0"))
    settle(page)
    page.go_back()
    expect(page).to_have_url(address)
    expect(slider).to_have_value("80")
    settle(page)


def test_a_similar_cell_is_a_click_away_and_back_is_back(page: Page, study: Path) -> None:
    page.goto("/cell?evidence=30&around=1")
    expect(page.locator('[data-part="window"]')).to_have_attribute("data-drawn", "yes", timeout=90_000)
    settle(page)
    title = page.locator("h1").inner_text()
    assert view(page)[2] == pytest.approx(1 / 3)
    link = page.locator(".st-key-similar0 a")
    cell_id = re.search("cell=([^&]+)", link.get_attribute("href") or "")
    assert cell_id
    thumbnail = page.locator(".st-key-similar0 img")
    thumbnail.scroll_into_view_if_needed()
    box = thumbnail.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 40, box["y"] + 40)  # the picture leads where its words do
    expect(page).to_have_url(re.compile(f"cell={cell_id.group(1)}"))
    assert "evidence=30" in page.url and "around=1" in page.url
    settle(page)
    page.go_back()
    expect(page.locator("h1")).to_have_text(title)
    settle(page)
