"""How soon does a reader see the maps of a large city? A real server, a real Chromium, no graphics card."""

from __future__ import annotations

import contextlib
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from core.bench import chromium
from core.bench.country import STUDY_ID, make_country
from core.bench.pages import server
from core.settings import SHIPPED_DEMO
from data.errors import SettingsError
from data.store.open import current_publication

PAINT_MS = 3000  # goal of the project on two cores
VISITS = 5
CITY = "city-01"
_MAP = '[data-part="root"]'
_PAINTED = "carreau-painted"  # the mark that map_pair.js sets a frame after its pictures


def measure_paint(cells: int = 100_000, *, visits: int = VISITS) -> dict[str, Any]:
    """Open the page City of a city of ``cells`` cells in headless Chromium, each time as a new visitor.

    Returns cells, visits, fresh_server_ms (first paint for the first visitor of a server just started, which
    loads its modules), paint_ms (median of the others: from the request until both maps are on the screen),
    paint_ms_max, hover_ms (from a move of the pointer to the tooltip), movable_ms (until deck.gl has drawn),
    charts_ms (until the first chart is there) and failed. Raises SettingsError without Chromium or the
    package playwright.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise SettingsError(
            "bench paint drives a browser with the package playwright, which is missing: "
            "pip install -r requirements-dev.txt"
        ) from error
    program = chromium.installed()
    if program is None:
        raise SettingsError(f"bench paint needs a browser: {chromium.INSTALL}")
    template = current_publication(SHIPPED_DEMO)
    with contextlib.ExitStack() as open_things:
        folder = Path(open_things.enter_context(tempfile.TemporaryDirectory(prefix="carreau-paint-")))
        make_country(
            template.file,
            folder / STUDY_ID,
            cells + 1000,
            study_file=template.study_file,
            cities=2,
            largest=cells,
        )
        origin, _process = open_things.enter_context(server(folder))
        playwright = open_things.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=program, args=list(chromium.FLAGS))
        open_things.callback(browser.close)
        found = [_visit(browser, f"{origin}/?study={STUDY_ID}&city={CITY}") for _ in range(visits + 1)]
    report: dict[str, Any] = {"cells": cells, "visits": visits, "fresh_server_ms": found[0]["paint_ms"]}
    for name in found[0]:
        report[name] = round(statistics.median(one[name] for one in found[1:]))
    report["paint_ms_max"] = max(one["paint_ms"] for one in found[1:])
    return report | {"failed": failures(report)}


def failures(report: dict[str, Any]) -> list[str]:
    """Say which goal is missed.

    >>> failures({"paint_ms": 3100, "cells": 5})
    ['paint_ms: the maps of 5 cells are seen after 3100 ms, goal 3000']
    """
    if report["paint_ms"] <= PAINT_MS:
        return []
    said = f"the maps of {report['cells']} cells are seen after {report['paint_ms']} ms, goal {PAINT_MS}"
    return [f"paint_ms: {said}"]


def _visit(browser: Any, address: str) -> dict[str, int]:
    """Open an address as a new visitor (no cache, no cookie) and time what comes, in milliseconds."""
    context = browser.new_context(viewport={"width": 1280, "height": 960})
    page = context.new_page()
    began, clock = time.monotonic(), 1000 * time.time()

    def until(selector: str) -> int:
        page.wait_for_selector(selector, timeout=120_000)
        return round(1000 * (time.monotonic() - began))

    page.goto(address, wait_until="commit")
    # the browser's own clock: playwright looks twice a second, and later where the thread is held
    page.wait_for_selector(f'{_MAP}[data-painted="yes"]', timeout=120_000)
    page.wait_for_function(f"performance.getEntriesByName({_PAINTED!r}).length", timeout=120_000)
    seen = page.evaluate(f"performance.timeOrigin + performance.getEntriesByName({_PAINTED!r})[0].startTime")
    found = {"paint_ms": round(seen - clock), "hover_ms": 0}
    found["movable_ms"] = until(f'{_MAP}[data-drawn="yes"]')
    found["charts_ms"] = until(".js-plotly-plot")
    # let the charts be finished: a reader's pointer waits for them as for any script
    page.wait_for_function("() => document.querySelectorAll('.js-plotly-plot').length >= 5", timeout=120_000)
    found["hover_ms"] = _hover(page)
    context.close()
    return found


def _hover(page: Any) -> int:
    box = page.locator(_MAP).bounding_box()
    tooltip = page.locator('[data-part="tooltip"]')
    for part in (0.2, 0.22, 0.24, 0.26, 0.28):  # somewhere over a cell
        began = time.monotonic()
        page.mouse.move(box["x"] + part * box["width"], box["y"] + 0.5 * box["height"])
        while time.monotonic() - began < 1:
            if tooltip.is_visible():
                return round(1000 * (time.monotonic() - began))
    return 1000
