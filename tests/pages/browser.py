"""A running dashboard and a real Chromium for tests, console and network watched."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import rasterio
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Response
from rasterio.transform import from_origin

from core.bench import chromium as installed
from tests.pages.synthetic import make_publication

REPOSITORY = Path(__file__).resolve().parents[2]
DEMO = REPOSITORY / "data" / "demo" / "published"
FLAGS = list(installed.FLAGS)
# Streamlit looks for these beside the page of a deep link, before it looks at the root; nothing of ours.
ALLOWED_404 = ("/_stcore/health", "/_stcore/host-config")
ALLOWED_TEXT = ("GL Driver Message", "GPU stall", "WebGL", "swiftshader")


def chromium() -> str:
    """Return the installed browser; AssertionError that names the apt line when there is none."""
    program = installed.installed()
    assert program is not None, f"no Chromium was found: {installed.INSTALL}"
    return program


def launch(playwright: Playwright) -> Browser:
    """Start the installed Chromium without a window."""
    return playwright.chromium.launch(executable_path=chromium(), args=FLAGS)


@dataclass
class Watch:
    """What a page complained of: console errors and requests beyond the dashboard's own server."""

    origin: str
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def attach(self, page: Page) -> None:
        """Listen to a page from now on."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self._request(request.url))
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type != "error" or any(text in message.text for text in ALLOWED_TEXT):
            return
        # the address of a failed resource is in the location, and judged by its response
        if "status of 404" in message.text and message.location["url"].endswith(ALLOWED_404):
            return
        self.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def _request(self, url: str) -> None:
        if not url.startswith((self.origin, self.origin.replace("http", "ws"), "data:", "blob:")):
            self.outside.append(url)

    def _response(self, response: Response) -> None:
        if response.status >= 400 and not response.url.split("?")[0].endswith(ALLOWED_404):
            self.broken.append(f"{response.status} {response.url}")

    def verify(self) -> None:
        """Fail with everything that went wrong so far."""
        assert not self.errors, f"console: {self.errors}"
        assert not self.broken, f"failed requests: {self.broken}"
        assert not self.outside, f"requests to the outside: {self.outside}"


@contextmanager
def dashboard(
    var: Path,
    studies: Path | None,
    secrets: Callable[[str], str] | None = None,
    repository: Path = REPOSITORY,
    port: int | None = None,
) -> Iterator[str]:
    """Run `streamlit run dashboard.py` of a repository with its own var folder and yield its address.

    ``secrets``: makes the content of `secrets.toml` from that address; ``port``: one that was free a moment
    ago (`free_port`), by default any.
    """
    var.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("CARREAU_", "STREAMLIT_"))}
    environment |= {"CARREAU_VAR": str(var), "CARREAU_WORKER_IDLE_S": "5", "CARREAU_THREADS": "1"}
    if studies is not None:
        environment["CARREAU_STUDIES"] = str(studies)
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        "dashboard.py",
        "--server.port",
        str(port),
        "--server.headless",
        "true",
        "--server.fileWatcherType",
        "none",
    ]
    if secrets is not None:
        (var / "secrets.toml").write_text(secrets(f"http://localhost:{port}"), encoding="utf-8")
        command += ["--secrets.files", str(var / "secrets.toml")]
    log = (var / "server.log").open("wb")
    process = subprocess.Popen(command, cwd=repository, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_until_healthy(f"http://localhost:{port}/_stcore/health", process, var / "server.log")
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)
        log.close()


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float = 40) -> None:
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        assert process.poll() is None, f"the dashboard ended at its start: {log.read_text()[-2000:]}"
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own server
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the dashboard was not there after {seconds} s: {log.read_text()[-2000:]}")


def study_with_networks(folder: Path) -> Path:
    """Write a synthetic published study with networks, small and untrained, from a seed; return its file."""
    import torch

    from models.checkpoint import round_to_half, save_model
    from models.network import NetworkSettings, build_network

    file = make_publication(folder, n_cities=2, cells=300)
    torch.set_num_threads(1)
    settings = NetworkSettings(architecture="mobilenet_v3_small", input_px=128, output_stride=16)
    with duckdb.connect(str(file)) as connection:
        for name, fold in connection.execute("SELECT file, fold FROM model").fetchall():
            network = build_network(settings, seed=int(fold))
            generator = torch.Generator().manual_seed(int(fold))
            with torch.no_grad():  # an untrained head says nothing: give it weights, so that maps have signs
                for parameter in network.head.parameters():
                    parameter.copy_(0.5 * torch.randn(parameter.shape, generator=generator))
            round_to_half(network)
            sha256 = save_model(folder / name, network, {"fold": int(fold)})
            connection.execute("UPDATE model SET sha256 = ? WHERE file = ?", [sha256, name])
        connection.execute("UPDATE study SET architecture = 'mobilenet_v3_small'")
    assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == sha256
    return file


def write_photograph(path: Path, *, side_m: int = 700, resolution_m: float = 1.0) -> Path:
    """Write a small invented orthophoto (Lambert-93, GeoTIFF, blocks of colour) west of Brittany."""
    side = round(side_m / resolution_m)
    rng = np.random.default_rng(4)
    blocks = rng.integers(60, 200, (3, side // 25 + 1, side // 25 + 1), dtype=np.uint8)
    pixels = blocks.repeat(25, axis=1).repeat(25, axis=2)[:, :side, :side]
    pixels = np.clip(pixels + rng.normal(0, 8, pixels.shape), 1, 255).astype(np.uint8)
    profile = {
        "driver": "GTiff",
        "width": side,
        "height": side,
        "count": 3,
        "dtype": "uint8",
        "crs": "EPSG:2154",
        "transform": from_origin(60_000, 6_830_000, resolution_m, resolution_m),
        "photometric": "RGB",
    }
    with rasterio.open(path, "w", **profile) as file:
        file.write(pixels)
    return path


def settle(page: Page, timeout_ms: int = 30_000) -> None:
    """Wait until the script has run and fail on any exception box."""
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=timeout_ms)
    page.wait_for_function(
        "document.querySelectorAll('[data-stale=\"true\"]').length === 0", timeout=timeout_ms
    )
    page.wait_for_function(
        "document.querySelectorAll('[data-testid=\"stSkeleton\"]').length === 0", timeout=timeout_ms
    )
    # charts of a first page with maps come in a second run, once the maps are there
    page.wait_for_selector(".carreau-place", state="detached", timeout=timeout_ms)
    boxes = page.locator('[data-testid="stException"]')
    assert boxes.count() == 0, boxes.first.inner_text()


def controls_in_sight(page: Page) -> None:
    """Fail where a control is cut off by the window or lies under another one."""
    hidden = page.evaluate(
        """() => [...document.querySelectorAll(
            "[data-testid='stButtonGroup'] button, [data-testid='stSelectbox']")]
        .filter(one => one.offsetParent && (one.getBoundingClientRect().right > innerWidth
                || one.getBoundingClientRect().width < 8))
        .map(one => one.textContent)"""
    )
    assert not hidden, f"cut off: {hidden}"


def press_every_toggle(page: Page) -> int:
    """Press every option of every segmented control but the language's, and every switch; say how many."""
    pressed = 0
    for group in range(page.locator("[data-testid='stButtonGroup']").count()):
        options = page.locator("[data-testid='stButtonGroup']").nth(group).locator("button")
        if "Français" in options.all_inner_texts():
            continue
        for option in range(options.count()):
            button = page.locator("[data-testid='stButtonGroup']").nth(group).locator("button").nth(option)
            if not button.is_visible():  # the question mark of a label that is not shown
                continue
            button.click()
            settle(page)
            controls_in_sight(page)
            pressed += 1
    for switch in range(page.locator("[data-testid='stCheckbox']").count()):
        page.locator("[data-testid='stCheckbox'] label").nth(switch).click()
        settle(page)
        pressed += 1
    return pressed


def cut_texts(page: Page) -> list[str]:
    """Return what a reader cannot read whole: texts that leave the box which hides what leaves it, choices
    longer than their field, and words that leave their chart."""
    found: list[str] = page.evaluate(
        """() => {
        const edges = (one) => {  // of the chart, else of the nearest box that hides what leaves it
          const chart = one.closest(".js-plotly-plot");
          if (chart) return chart.getBoundingClientRect();
          for (let box = one; box && box !== document.body; box = box.parentElement)
            if (/hidden|clip/.test(getComputedStyle(box).overflowX)) return box.getBoundingClientRect();
          return null;
        };
        const main = document.querySelector("[data-testid='stMain']");
        const texts = document.createTreeWalker(main, NodeFilter.SHOW_TEXT), cut = [];
        while (texts.nextNode()) {
          const text = texts.currentNode, range = document.createRange();
          if (!text.textContent.trim()) continue;
          if (!text.parentElement.checkVisibility({ visibilityProperty: true })) continue;
          range.selectNodeContents(text);
          const at = range.getBoundingClientRect(), box = edges(text.parentElement);
          if (!box || box.width <= 2 || !at.width) continue;
          if (at.left < box.left - 2 || at.right > box.right + 2) cut.push(text.textContent);
        }
        const typed = [...document.querySelectorAll("input")]
          .filter(one => one.offsetParent && one.value && one.scrollWidth > one.clientWidth + 1);
        return cut.concat(typed.map(one => one.value));
        }"""
    )
    return found
