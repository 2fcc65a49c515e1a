"""The dashboard in a real Chromium: pages, choices, map, an upload to its result; nothing complains."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from data.store.open import connect, current_publication
from data.store.queries import cities
from tests.pages.browser import (
    DEMO,
    Watch,
    chromium,
    dashboard,
    press_every_toggle,
    settle,
    study_with_networks,
    write_photograph,
)

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(240)]

QUESTIONS = {
    "city": "Where is the model wrong",
    "patterns": "Does the model look at land use as the census does?",
    "trust": "Can the maps be believed?",
}
# loaded machines: a first paint of two maps takes seconds there
expect.set_options(timeout=30_000)


def test_a_browser_is_installed() -> None:
    assert Path(chromium()).is_file()


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped demo where it is there, else a synthetic study with small untrained networks."""
    if (DEMO / "current.json").is_file():
        return DEMO
    folder = tmp_path_factory.mktemp("studies") / "synthetic"
    study_with_networks(folder)
    return folder


@pytest.fixture(scope="session")
def names(study: Path) -> list[tuple[str, str]]:
    """Ids and names of the study's cities."""
    with connect(current_publication(study).file) as connection:
        return [(city.city_id, city.name) for city in cities(connection)]


@pytest.fixture(scope="session")
def server(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    chromium()
    with dashboard(tmp_path_factory.mktemp("var"), study) as address:
        yield address


@pytest.fixture(params=["light"])
def page(browser: Browser, server: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page whose console and requests are judged when the test is over."""
    context = browser.new_context(viewport={"width": 1280, "height": 960}, color_scheme=request.param)
    opened = context.new_page()
    watch = Watch(server)
    watch.attach(opened)
    yield opened
    watch.verify()
    context.close()


def drawn(page: Page) -> None:
    page.wait_for_selector('[data-part="root"][data-drawn="yes"]', timeout=60_000)


def pick_city(page: Page, name: str) -> None:
    # the first select of every page with cities is the city's
    page.locator(
        ".st-key-city [data-testid='stSelectbox'] input, .st-key-city [role='combobox']"
    ).first.click()
    page.get_by_role("option", name=name, exact=True).click()


# the first is a deep link to a server that has drawn nothing yet; test_reach opens every page
@pytest.mark.parametrize(
    ("name", "page"), [("patterns", "dark"), ("city", "light"), ("trust", "light")], indirect=["page"]
)
def test_a_page_opens_by_its_address(
    page: Page, server: str, name: str, names: list[tuple[str, str]], pictures: Path
) -> None:
    page.goto(f"{server}/{'' if name == 'city' else name}?city={names[-1][0]}")
    expect(page.locator("h1").first).to_contain_text(QUESTIONS[name])
    settle(page)
    expect(page.get_by_role("link", name="Patterns")).to_be_visible()
    if name == "city":
        drawn(page)
        expect(page.locator("h1")).to_contain_text(names[-1][1])
    page.screenshot(path=pictures / f"{name}.png")


def test_back_from_a_row_of_the_table_keeps_what_was_chosen(page: Page, server: str) -> None:
    chosen = "/?classes=quintiles&left=difference"
    page.goto(server + chosen)
    drawn(page)
    settle(page)
    page.locator("[data-testid='stDataFrame'] .dvn-scroller").first.click(position={"x": 16, "y": 60})
    expect(page).to_have_url(re.compile("/cell.*cell=CRS3035RES200m"))
    settle(page)
    page.go_back()
    drawn(page)
    expect(page).to_have_url(re.compile(r"classes=quintiles&left=difference$"))
    expect(page.locator("h1")).to_contain_text(QUESTIONS["city"])


def test_the_first_page_is_found_by_its_name_too(
    page: Page, server: str, names: list[tuple[str, str]]
) -> None:
    page.goto(f"{server}/city?city={names[1][0]}&left=fold")
    expect(page).to_have_url(f"{server}/?city={names[1][0]}&left=fold")
    drawn(page)
    expect(page.locator("h1")).to_contain_text(names[1][1])
    settle(page)
    expect(page.get_by_text("Page not found")).to_have_count(0)


def test_a_city_is_picked_a_cell_is_clicked_and_back_goes_back(
    page: Page, server: str, names: list[tuple[str, str]]
) -> None:
    page.goto(server)
    drawn(page)
    pick_city(page, names[1][1])
    expect(page.locator("h1")).to_contain_text(names[1][1])
    expect(page).to_have_url(re.compile(f"city={names[1][0]}"))
    settle(page)
    canvas = page.locator('[data-part="root"] canvas').first
    box = canvas.bounding_box()
    assert box is not None
    canvas.click(position={"x": box["width"] / 4, "y": box["height"] / 2})
    expect(page).to_have_url(re.compile("cell=CRS3035RES200m"))
    settle(page)
    page.get_by_role("link", name="Patterns").click()
    expect(page.locator("h1")).to_contain_text(QUESTIONS["patterns"])
    expect(page).to_have_url(re.compile(f"city={names[1][0]}"))  # the city is carried over
    settle(page)
    page.go_back()
    expect(page.locator("h1")).to_contain_text(names[1][1])
    settle(page)


def test_cells_are_picked_out_on_the_map_and_in_the_confusion_matrix(
    page: Page, server: str, pictures: Path
) -> None:
    page.goto(server)
    drawn(page)
    settle(page)
    box = page.locator('[data-part="root"] canvas').first.bounding_box()
    assert box is not None
    page.keyboard.down("Shift")
    page.mouse.move(box["x"] + 220, box["y"] + 120)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 200)
    page.mouse.move(box["x"] + 380, box["y"] + 260)
    page.mouse.up()
    page.keyboard.up("Shift")
    expect(page).to_have_url(re.compile(r"only=r\d+_\d+_\d+_\d+$"))
    expect(page.get_by_text("Cells selected")).to_be_visible()
    settle(page)
    west, south, east, north = map(int, page.url.split("only=r")[1].split("_"))
    assert all(edge % 200 == 0 for edge in (west, south, east, north)) and west < east and south < north
    page.screenshot(path=pictures / "city-selection.png", full_page=True)
    page.go_back()
    expect(page.get_by_text("Cells selected")).to_be_hidden()
    settle(page)
    plot = page.locator(".st-key-confusion .nsewdrag, [class*='st-key-confusion'] .nsewdrag").first
    plot.scroll_into_view_if_needed()
    area = plot.bounding_box()
    assert area is not None
    # the first row and column: census and predicted class 1
    page.mouse.click(area["x"] + area["width"] / 20, area["y"] + area["height"] / 20)
    expect(page).to_have_url(re.compile("only=c1p1$"))
    expect(page.get_by_text("census decile 1 predicted as 1")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    expect(page.get_by_text("Cells selected")).to_be_hidden()
    settle(page)


def test_correlation_plots_are_toggled(page: Page, server: str, pictures: Path) -> None:
    page.goto(f"{server}/patterns")
    for label, relation in (
        ("(i) Land use – census", "census"),
        ("(ii) Land use – prediction", "prediction"),
    ):
        page.get_by_role("radio", name=label).or_(page.get_by_role("button", name=label)).first.click()
        expect(page).to_have_url(re.compile(f"relation={relation}"))
        expect(page.locator("h2").filter(has_text=label)).to_be_visible()
        settle(page)
    page.get_by_role("radio", name="Grad-CAM").or_(page.get_by_role("button", name="Grad-CAM")).first.click()
    expect(page).to_have_url(re.compile("map=paper"))
    settle(page)
    # labels of one row of controls are neither cut nor covered
    for control in page.locator("[data-testid='stButtonGroup']").all():
        assert control.evaluate("element => element.scrollWidth <= element.clientWidth + 1")
    page.screenshot(path=pictures / "patterns-paper.png", full_page=True)


def test_an_upload_comes_to_its_result(
    page: Page, server: str, browser: Browser, tmp_path: Path, pictures: Path
) -> None:
    page.goto(f"{server}/upload")
    page.locator("input[type=file]").first.set_input_files(write_photograph(tmp_path / "town.tif"))
    page.get_by_role("button", name="Ask the model").click()
    expect(page).to_have_url(re.compile("job=[0-9a-f]{32}"))
    expect(page.get_by_role("button", name="Take away")).to_be_visible(timeout=150_000)
    drawn(page)
    settle(page)
    page.get_by_role("button", name="Take away").click()
    with page.expect_download() as download:
        page.get_by_test_id("stPopoverBody").get_by_role("button", name="CSV").click()
    assert len(Path(download.value.path()).read_text().splitlines()) == 1 + 6
    page.keyboard.press("Escape")
    box = page.locator('[data-part="root"] canvas').first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    expect(page).to_have_url(re.compile("cell=CRS3035RES200m"))
    expect(page.get_by_text("spread of the networks")).to_be_visible()
    expect(page.locator("h2").filter(has_text="Cell N")).to_be_visible()
    settle(page)
    page.screenshot(path=pictures / "upload-result.png", full_page=True)
    again = browser.new_page()
    again.goto(page.url)
    expect(again.locator("h2").filter(has_text="Cell N")).to_be_visible()
    again.close()
    # a rectangle picks cells out, and Back shows all of them again
    box = page.locator('[data-part="root"] canvas').first.bounding_box()
    assert box is not None
    page.keyboard.down("Shift")
    page.mouse.move(box["x"] + 30, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 100, box["y"] + box["height"] - 80)
    page.mouse.move(box["x"] + box["width"] / 2 - 30, box["y"] + box["height"] - 30)
    page.mouse.up()
    page.keyboard.up("Shift")
    expect(page).to_have_url(re.compile(r"only=r\d+_\d+_\d+_\d+"))
    expect(page.get_by_text("Cells selected")).to_be_visible()
    settle(page)
    page.screenshot(path=pictures / "upload-selection.png", full_page=True)
    page.go_back()
    expect(page.get_by_text("Cells selected")).to_be_hidden()
    settle(page)
    assert press_every_toggle(page) >= 9  # two maps of three, deciles or quintiles, the photograph


def test_a_file_that_is_no_photograph_is_told_so(page: Page, server: str, tmp_path: Path) -> None:
    page.goto(f"{server}/upload")
    (tmp_path / "notes.tif").write_text("not a photograph")
    page.locator("input[type=file]").first.set_input_files(tmp_path / "notes.tif")
    expect(page.get_by_text("notes.tif: ")).to_be_visible()
    expect(page.get_by_role("button", name="Ask the model")).to_be_disabled()
    settle(page)
