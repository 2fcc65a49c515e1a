"""The report of a result: its figures are those of the cells, whatever is selected, in both languages."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import confusion_matrix

from core.jobs import JobState
from pages.report import html, pdf
from pages.report.content import Figures, Pictures, Report, Section, Table
from pages.report.of_result import gather, make
from pages.shared import job_result
from pages.shared.job_cells import ResultCells
from pages.shared.selection import Selection
from tests.pages.conftest import RunPage
from tests.pages.stand_in_job import JOB
from tests.pages.synthetic_result import HIGH, SOUTH, WEST, WIDE, K, cells_of, make_result
from tests.pages.test_report import HOSTILE, text_of

NOW = JobState(
    "j-7", "done", None, 204, 204, None, 204, 0, None, "CPU", datetime(2026, 11, 29), "demo", HOSTILE, "me"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A result with a census, whose photograph is green in the west and blue in the east."""
    made = make_result(tmp_path_factory.mktemp("job") / "result", with_census=True)
    picture = np.zeros((HIGH * 20, WIDE * 20, 4), np.uint8)
    picture[..., 3] = 255
    picture[:, : 8 * 20, 1] = picture[:, 8 * 20 :, 2] = 255
    Image.fromarray(picture).save(made / "preview.png")
    return made


@pytest.fixture(scope="module")
def view(folder: Path) -> ResultCells:
    return ResultCells(Selection(), False, False, job_result.read_result(folder))


@pytest.fixture(scope="module")
def report(view: ResultCells) -> Report:
    return gather(view, NOW, "en")


def part(report: Report, title: str) -> Section:
    (found,) = [section for section in report.sections if section.title == title]
    return found


def figures(section: Section) -> dict[str, str]:
    return {
        one.name: one.value for block in section.blocks if isinstance(block, Figures) for one in block.items
    }


def test_figures_are_those_of_the_cells(report: Report, folder: Path) -> None:
    cells = cells_of(folder)
    short = figures(part(report, "In short"))
    assert short["Cells predicted"] == "204"
    assert float(short["Median decile"]) == cells["class"].median()
    assert short["Mean spread"].startswith(f"{cells.spread.mean():.2f} ")
    assert short["In the lowest or highest"] == f"{cells['class'].isin([1, K]).sum()} of 204"
    assert report.question == "What does the model say of this photograph?"


def test_a_census_is_compared_as_on_the_page(report: Report, folder: Path) -> None:
    cells = cells_of(folder)
    cells = cells.astype({"census_class": int, "region_class": int})
    known = cells[(cells.census_class > 0) & (cells.region_class > 0) & ~cells.census_imputed]
    section = part(report, "Against your census")
    exact = (known.census_class == known.region_class).mean()
    assert figures(section)["Exact decile"] == f"{100 * exact:.1f}\u202f%"
    pictures = [one for block in section.blocks if isinstance(block, Pictures) for one in block.items]
    (drawn,) = [one.svg for one in pictures if one.title.startswith("Confusion")]
    counted = confusion_matrix(known.census_class, known.region_class, labels=range(1, K + 1))
    shares = 100 * counted / counted.sum(axis=1, keepdims=True)
    said = [f"{share:.0f}" for share in shares.ravel() if share >= 0.5]
    shown = re.findall(r">(\d+)</text>", drawn)
    assert sorted(shown) == sorted(
        [*said, *(str(k) for k in range(1, K + 1)), *(str(k) for k in range(1, K + 1))]
    )
    (table,) = [block for block in section.blocks if isinstance(block, Table)]
    off = (known.census_class - known.region_class).abs().sort_values(ascending=False)
    assert [abs(int(row[1]) - int(row[2])) for row in table.rows] == off.head(len(table.rows)).tolist()


def test_the_photograph_lies_where_its_cells_do(report: Report) -> None:
    pictures = [
        one
        for block in part(report, "What the networks say").blocks
        if isinstance(block, Pictures)
        for one in block.items
    ]
    (drawn,) = [one.svg for one in pictures if one.title == "Photograph"]
    picture = Image.open(io.BytesIO(pdf.as_png(drawn, 72))).convert("RGB")
    at = np.asarray(picture).astype(int)
    green, blue = at[..., 1] - at[..., 2] > 150, at[..., 2] - at[..., 1] > 150
    across = lambda mask: np.flatnonzero(mask.any(axis=0))  # noqa: E731
    assert across(green).max() < across(blue).min()
    share = np.ptp(across(green)) / (np.ptp(across(green)) + np.ptp(across(blue)))
    assert share == pytest.approx(8 / WIDE, abs=0.02)


def test_a_selection_changes_nothing(view: ResultCells, report: Report) -> None:
    few = view.only(Selection(rectangle=(WEST, SOUTH, WEST + 600, SOUTH + 600)))
    assert few.n_selected < len(few.cells)
    assert gather(few, NOW, "en") == report


def test_both_formats_hold_names_as_text_and_ask_for_nothing(view: ResultCells, report: Report) -> None:
    said = text_of(pdf.write(report))
    assert "<script>alert(1)</script> #panic(" in said and "Against your census" in said
    page = html.write(report).decode()
    assert "<script" not in page and "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    asked = re.findall(r"""(?:src|href|action)\s*=\s*["']([^"']*)""", page)
    assert asked and all(link.startswith(("#part-", "data:image/")) for link in asked)


def test_it_speaks_french(view: ResultCells, report: Report) -> None:
    french = text_of(make(view, NOW, "pdf", "fr"))
    assert "Que dit le modèle de cette photographie" in french and "29 novembre 2026" in french
    exact = figures(part(report, "Against your census"))["Exact decile"].replace(".", ",")
    assert exact.rstrip("%").strip() in french
    for section in report.sections:
        assert section.title not in french


def test_without_census_or_land_use_there_is_no_such_part(tmp_path: Path) -> None:
    bare = make_result(tmp_path / "result", with_census=False)
    (bare / "activation.parquet").unlink(missing_ok=True)
    view = ResultCells(Selection(), False, False, job_result.read_result(bare))
    titles = [section.title for section in gather(view, NOW, "en").sections]
    assert titles == [
        "In short",
        "What the data are",
        "What the networks say",
        "What this may and may not be used for",
        "Where it comes from",
    ]


def test_the_page_offers_it_in_both_languages(
    run_page: RunPage, stand_in: Callable[..., None], folder: Path
) -> None:
    stand_in(state="done", result=folder, cells=204, done=204, total=204)
    test = run_page("upload", job=JOB)
    ids = [button.proto.id for button in test.get("download_button")]
    for code in ("en", "fr"):
        for suffix in ("pdf", "html"):
            assert any(f"report.{code}.{suffix}" in one for one in ids), (code, suffix)
