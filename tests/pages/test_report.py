"""The report of a city: its figures are the publication's, it is accessible, no name in it is markup."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import shapely
from PIL import Image
from pypdf import PdfReader

from core.settings import SHIPPED_DEMO
from data.errors import InputError
from data.store.open import Publication, current_publication
from pages.report import charts, html, map_file, map_picture, pdf
from pages.report.__main__ import main
from pages.report.agreement_part import ground
from pages.report.content import Report, Table, Text
from pages.report.drawing import Drawing, Scale
from pages.report.gather import gather
from pages.report.make import make, opened
from pages.report.map_picture import Ground, Key
from pages.report.source import Source
from pages.shared.language import speaking
from tests.pages.conftest import RunPage, texts

HOSTILE = "<script>alert(1)</script> #panic(\"x\") $x$ *b* ]]> & \\ 'q'"


@pytest.fixture(scope="module")
def published(publication: Path) -> Publication:
    return current_publication(publication.parent)


@pytest.fixture(scope="module")
def source(published: Publication) -> Iterator[Source]:
    with opened(published, "ker-bihan", base="http://carreau.example") as opened_source:
        yield opened_source


@pytest.fixture(scope="module")
def report(source: Source) -> Report:
    return gather(source, "en")


def text_of(content: bytes) -> str:
    """What a PDF says, its lines joined."""
    return " ".join(" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(content)).pages)


def agreement(rows: duckdb.DuckDBPyConnection, measure: str) -> tuple[float, float, float]:
    return rows.execute(
        "SELECT value, low, high FROM agreement WHERE city_id = 'ker-bihan' AND measure = ? AND scope = "
        "'within_fold' AND NOT includes_imputed",
        [measure],
    ).fetchone()


def test_pdf_holds_the_publications_figures_and_can_be_read_aloud(
    report: Report, rows: duckdb.DuckDBPyConnection
) -> None:
    content = pdf.write(report)
    said = text_of(content)
    value, low, high = agreement(rows, "spearman")
    assert f"{value:.2f}" in said and f"{low:.2f} to {high:.2f}".replace("-", "−") in said
    value, low, high = agreement(rows, "accuracy")
    assert f"{100 * value:.1f}" in said and f"{100 * low:.1f} to {100 * high:.1f}" in said
    for code, count in rows.execute(
        "SELECT code, n_present FROM correlation WHERE city_id = 'ker-bihan' AND relation = 'census' AND "
        "level = 'full' AND coefficient = 'spearman' AND NOT includes_imputed AND enough"
    ).fetchall():
        assert re.search(rf"{code} [^0-9]+{count} ", said), code
    assert "The predicted order of cells" in said and "Kêr-Bihan" in said
    hashes = rows.execute("SELECT sha256 FROM provenance WHERE city_id = 'ker-bihan'").fetchall()
    joined = said.replace(" ", "")
    assert hashes and all(sha in joined for (sha,) in hashes)
    assert "http://carreau.example/?study=synthetic&city=ker-bihan&lang=en" in joined

    root = PdfReader(io.BytesIO(content)).trailer["/Root"]
    assert root["/Lang"] == "en" and root["/MarkInfo"]["/Marked"] and "/StructTreeRoot" in root
    assert b"<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_data()


@pytest.mark.skipif(not SHIPPED_DEMO.is_dir(), reason=f"no demo study in {SHIPPED_DEMO}")
@pytest.mark.parametrize("language", ["en", "fr"])
def test_it_begins_with_the_answers_of_the_pages(run_page: RunPage, language: str) -> None:
    with opened(current_publication(SHIPPED_DEMO), "port-imagine") as demo:
        first = gather(demo, language).sections[0].blocks
    answers = [block for block in first if isinstance(block, Text)]
    assert len(answers) == 3
    for page, block in zip(("city", "patterns", "trust"), answers, strict=True):
        test = run_page(page, studies=SHIPPED_DEMO.parent, city="port-imagine", lang=language)
        (shown,) = [one for one in texts(test).split("<p ") if one.startswith('class="carreau-answer"')]
        plain = unescape(re.sub(r"</?\w+>|class=\"[^\"]*\">", "", shown.split("</p>")[0]))
        question, said = " ".join(block.lead.split()), " ".join(block.text.split())
        lead = question.split("?", 1)[1].strip()
        assert " ".join(plain.split()) == f"{lead} {said}".replace("\u202f", " "), page


def test_districts_are_listed_with_their_cells(report: Report, rows: duckdb.DuckDBPyConnection) -> None:
    (table,) = (
        block
        for section in report.sections
        for block in section.blocks
        if isinstance(block, Table) and block.title.startswith("Districts")
    )
    known = rows.execute(
        """
        SELECT d.name, count(*), round(avg(c.class), 1), round(avg(p.expected_class - c.class), 2) AS off
        FROM district d JOIN cell_district USING (city_id, district_id) JOIN cell c USING (city_id, cell_id)
        JOIN prediction p USING (city_id, cell_id)
        WHERE city_id = 'ker-bihan' AND NOT imputed AND c.class IS NOT NULL AND p.out_of_fold
        GROUP BY d.name ORDER BY abs(avg(p.expected_class - c.class)) DESC
        """
    ).fetchall()
    said = [(row[0], int(row[1]), float(row[2]), float(row[3].replace("−", "-"))) for row in table.rows]
    assert len(known) == 2 and said == known


def test_fonts_are_inside_and_pictures_have_words(report: Report) -> None:
    pictures = [one for s in report.sections for b in s.blocks if b.kind == "pictures" for one in b.items]
    assert len(pictures) >= 10 and all(len(picture.alt) > 20 for picture in pictures)
    reader = PdfReader(io.BytesIO(pdf.write(report)))
    fonts = [font.get_object() for page in reader.pages for font in page["/Resources"]["/Font"].values()]
    assert fonts
    for font in fonts:
        (below,) = font["/DescendantFonts"]
        descriptor = below.get_object()["/FontDescriptor"]
        assert {"/FontFile2", "/FontFile3"} & set(descriptor)


def test_html_asks_for_nothing_from_outside(report: Report, rows: duckdb.DuckDBPyConnection) -> None:
    page = html.write(report).decode()
    asked = re.findall(r"""(?:src|href|action|xlink:href)\s*=\s*["']([^"']*)|url\(([^)]*)""", page)
    assert asked and all(link.startswith(("#part-", "data:image/png;base64,")) for link, _ in asked)
    assert "<script" not in page and "@import" not in page and "<link" not in page
    assert "default-src 'none'" in page
    value, *_ = agreement(rows, "weighted_kappa")
    assert f'<div class="value">{value:.2f}</div>' in page


def test_a_hostile_name_is_text_in_both(source: Source) -> None:
    hostile = replace(source, city=replace(source.city, name=HOSTILE))
    report = gather(hostile, "en")
    page = html.write(report).decode()
    assert "<script" not in page and "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert(1)</script> #panic(" in text_of(pdf.write(report))


def test_a_letter_that_no_font_has_does_not_stop_the_report(report: Report) -> None:
    rare = replace(report, title="A\ue123B")
    assert len(PdfReader(io.BytesIO(pdf.write(rare))).pages) > 2


def test_the_report_speaks_french(source: Source, rows: duckdb.DuckDBPyConnection) -> None:
    report = gather(source, "fr")
    said = text_of(pdf.write(report))
    value, *_ = agreement(rows, "slope")
    assert f"{value:.2f}".replace(".", ",") in said
    assert "Concordance avec le recensement" in said and "15 janvier 2026" in said
    assert "Agreement with the census" not in said
    assert html.write(report).decode().startswith('<!doctype html>\n<html lang="fr">')


def test_too_few_households_have_no_report(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARREAU_LEAST_HOUSEHOLDS", "1000000")
    with pytest.raises(InputError, match="fewer than 1,000,000 households"):
        gather(source, "en")


def test_imputed_cells_change_the_figures(published: Publication, rows: duckdb.DuckDBPyConnection) -> None:
    page = make(published, "ker-bihan", "html", "en", with_imputed=True).decode()
    (n,) = rows.execute(
        "SELECT max(n) FROM agreement WHERE city_id = 'ker-bihan' AND includes_imputed"
    ).fetchone()
    assert f"{n} cells, imputed cells included" in page and "imputed=1" in page


def test_the_command_writes_and_refuses(
    publication: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CARREAU_STUDIES", str(publication.parent))
    monkeypatch.setenv("CARREAU_VAR", str(tmp_path / "var"))
    out = tmp_path / "new" / "report.html"
    assert main(["port-azur", "--study", "synthetic", "--out", str(out), "--language", "fr"]) == 0
    assert "<h1>Port Azur</h1>" in out.read_text(encoding="utf-8")
    capsys.readouterr()
    for arguments, sentence in (
        (["nowhere", "--study", "synthetic", "--out", str(out)], "has no city 'nowhere'"),
        (["port-azur", "--study", "none", "--out", str(out)], "no published study is called 'none'"),
        (["port-azur", "--study", "synthetic", "--out", str(tmp_path / "a.doc")], "ends in .pdf or .html"),
    ):
        assert main(arguments) == 2
        said = capsys.readouterr().err.strip()
        assert sentence in said and len(said.splitlines()) == 1


def test_a_city_without_land_use_has_a_report(tmp_path: Path) -> None:
    from tests.pages.synthetic import make_publication

    make_publication(tmp_path / "bare", cells=120, n_cities=1, with_land_use=False)
    content = make(current_publication(tmp_path / "bare"), "ker-bihan", "pdf", "en")
    assert "was published without land use" in text_of(content)


def square(x: list[int], y: list[int], imputed: list[bool]) -> Ground:
    cells = pd.DataFrame({"x": x, "y": y, "imputed": imputed})
    outline = shapely.to_wkb(shapely.box(min(x), min(y), max(x) + 200, max(y) + 200))
    return Ground.of(cells, outline, "EPSG:3035", 200)


def test_map_has_each_cell_in_its_place_and_hatches_the_imputed() -> None:
    place = square([4_000_000, 4_000_200, 4_000_200], [2_000_000, 2_000_000, 2_000_200], [False, True, False])
    url = map_picture.cells_bitmap(place, np.array([0, 1, -1]), ["#FF0000", "#0000FF"])
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))))
    assert picture.shape == (32, 32, 4)
    assert (picture[:16, :16, 3] == 0).all()  # no cell in the north-west
    assert (picture[16:, :16] == [255, 0, 0, 255]).all()
    hatched = picture[16:, 16:, :3].reshape(-1, 3)
    blue = (hatched == [0, 0, 255]).all(axis=1).mean()
    assert 0.5 < blue < 0.95
    assert len(np.unique(picture[:16, 16:, :3].reshape(-1, 3), axis=0)) == 1  # one grey, no lines


def test_borders_of_districts_lie_between_their_cells() -> None:
    place = square([0, 200, 400, 600], [0, 0, 0, 0], [False] * 4)  # 4 by 1 cells
    key = Key(("#000000",), "few", "many")
    with speaking("en"):
        plain = map_picture.draw(place, "data:image/png;base64,", key, 416, height=116).svg()
        parted = replace(place, borders=np.array([[1, 0, 1, 1], [3, 0, 3, 1]], np.int16))
        drawn = map_picture.draw(parted, "data:image/png;base64,", key, 416, height=116).svg()
    # a cell has 100 pixels, with 8 beside the row and the rest above and below it
    assert 'd="M108 8L108 108M308 8L308 108"' in drawn and ">districts</text>" in drawn
    assert "M108" not in plain and "districts" not in plain


def test_a_citys_maps_show_its_districts(source: Source) -> None:
    place = ground(source)
    assert place.borders is not None and len(place.borders)
    numbers = np.zeros((place.raster.height, place.raster.width), int)
    numbers[place.raster.pixel(source.cells["x"], source.cells["y"])] = source.district_of_cells.cat.codes + 1
    for column, row, to_column, to_row in place.borders.tolist():
        if column == to_column:
            sides = numbers[row:to_row, column - 1], numbers[row:to_row, column]
        else:
            sides = numbers[row - 1, column:to_column], numbers[row, column:to_column]
        assert ((sides[0] != sides[1]) & (sides[0] > 0) & (sides[1] > 0)).all()


def test_scale_bar_is_as_long_as_it_says() -> None:
    place = square([4_000_000, 4_009_800], [2_000_000, 2_009_800], [False, False])  # 10 km
    url = map_picture.cells_bitmap(place, np.array([0, 0]), ["#FF0000"])
    svg = map_picture.draw(place, url, Key(("#FF0000",), "a", "b"), 516).svg()
    assert ">2 km<" in svg
    x0, x1 = map(float, re.search(r'<line x1="([\d.]+)" y1="[\d.]+" x2="([\d.]+)"', svg).groups())
    image = re.search(r'<image [^>]*width="([\d.]+)"', svg)
    assert (x1 - x0) / float(image.group(1)) == pytest.approx(0.2, rel=0.01)


def test_a_map_alone_is_png_or_svg_with_its_source(published: Publication) -> None:
    svg = map_file.make(published, "ker-bihan", "land_use", "svg", "fr").decode()
    assert "Kêr-Bihan" in svg and "publiée le 15 janvier 2026" in svg and "<image " in svg
    picture = Image.open(io.BytesIO(map_file.make(published, "ker-bihan", "difference", "png", "en")))
    assert picture.format == "PNG" and picture.width > 1500


def test_colours_and_texts_of_files_cannot_leave_a_drawing() -> None:
    drawing = Drawing(10, 10)
    drawing.rect(0, 0, 1, 1, 'url(http://a.example/#x)"/><script>')
    drawing.text(0, 0, "</text><script>", "#000000")
    assert "example" not in drawing.svg() and "<script" not in drawing.svg()
    with pytest.raises(ValueError, match="never fetched"):
        drawing.picture("http://a.example/b.png", 0, 0, 1, 1)


def test_dots_lie_at_their_values() -> None:
    bins = pd.DataFrame(
        {"probability": [0.1, 0.3], "frequency": [0.2, 0.1], "low": [0.1, np.nan], "high": [0.3, np.nan]}
    )
    svg = charts.calibration(bins).svg()
    (x0, y0), (x1, y1) = [tuple(map(float, at)) for at in re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', svg)]
    per_point = Scale(0, 31.5, 46, charts.HALF - 8)
    assert x1 - x0 == pytest.approx(per_point(30) - per_point(10), abs=0.02)
    assert y1 > y0  # the lower share lies lower
    with speaking("fr"):
        groups = pd.DataFrame({"group": ["1"], "value": [0.5], "low": [0.2], "high": [0.8]})
        assert re.search(r">0,[2468]<", charts.by_group(groups, "x").svg())


@pytest.mark.parametrize("sure", [[False] * 3, [True, False, True]])
def test_classes_of_a_scatter_are_named_whether_or_not_they_are_sure(sure: list[bool]) -> None:
    ends = {"value_x": [-0.4, 0.0, 0.5], "value_y": [0.2, -0.3, 0.1]}
    pairs = pd.DataFrame({**ends, "colour": ["#808080"] * 3})
    for side in ("_x", "_y"):
        pairs[f"low{side}"], pairs[f"high{side}"] = pairs[f"value{side}"] - 0.1, pairs[f"value{side}"] + 0.1
    drawn = charts.scatter(pairs, ["water", "forest", "roads"], sure, ("across", "up")).svg()
    for name in ("water", "forest", "roads"):
        assert f">{name}</text>" in drawn
