"""Sign-in with a provider on this machine, in a real Chromium: jobs belong to whoever signed in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core import access
from tests.pages.browser import chromium, dashboard, write_photograph
from tests.pages.identity import provider
from tests.pages.synthetic import make_publication

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def signed_in(browser: Browser, server: str) -> Page:
    page = browser.new_context().new_page()
    page.set_default_navigation_timeout(90_000)  # two servers and two readers on a busy machine
    page.goto(f"{server}/upload", wait_until="domcontentloaded")
    expect(page.get_by_text("Sign in to send a photograph")).to_be_visible(timeout=60_000)
    expect(page.locator("input[type=file]")).to_have_count(0)
    page.get_by_role("button", name="Sign in", exact=True).click()
    # the way to the provider and back ends on the first page: to go on before would be interrupted
    page.wait_for_url(f"{server}/", wait_until="domcontentloaded", timeout=60_000)
    page.goto(f"{server}/upload", wait_until="domcontentloaded")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible(timeout=60_000)
    return page


def test_a_job_belongs_to_whoever_signed_in(browser: Browser, tmp_path: Path) -> None:
    chromium()
    make_publication(tmp_path / "studies" / "one", cells=60)
    var = tmp_path / "var"
    with (
        provider() as known,
        dashboard(var, tmp_path / "studies" / "one", known.secrets) as server,
    ):
        ann = signed_in(browser, server)
        expect(ann.get_by_role("button", name="Sign out (ann@example.org)")).to_be_visible()
        ann.locator("input[type=file]").first.set_input_files(write_photograph(tmp_path / "town.tif"))
        ann.get_by_role("button", name="Ask the model").click(timeout=60_000)
        ann.wait_for_url("**job=**", timeout=60_000)
        assert "key=" not in ann.url
        address = ann.url
        (folder,) = [p for p in (var / "jobs").iterdir() if (p / "job.json").is_file()]
        owner = json.loads((folder / "job.json").read_text())["owner"]
        assert owner == access.owner_of_person(known.address, "id-of-ann")
        known.person = "bob"
        bob = signed_in(browser, server)
        bob.goto(address, wait_until="domcontentloaded")
        expect(bob.get_by_text("there is no job")).to_be_visible(timeout=60_000)
        expect(bob.get_by_text("town.tif")).to_have_count(0)
        stranger = browser.new_context().new_page()
        stranger.goto(address, wait_until="domcontentloaded", timeout=90_000)
        expect(stranger.get_by_text("Sign in to send a photograph")).to_be_visible(timeout=60_000)
