"""Cell: default, navigation, evidence and outlines in their place, what is missing is said."""

from __future__ import annotations

import io
import re
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import shapely
from PIL import Image

from core.settings import SHIPPED_DEMO
from data.store import cell_queries
from data.store.open import connect
from pages.shared import cell_words, palette, photograph
from pages.shared.city_words import number
from tests.pages.conftest import RunPage, texts
from tests.pages.synthetic import make_publication

PLAIN = (
    "SELECT cell_id FROM cell c JOIN prediction p USING (city_id, cell_id) WHERE city_id = 'ker-bihan' AND "
    "NOT imputed AND c.class IS NOT NULL"
)


def test_default_is_the_largest_disagreement(run_page: RunPage, rows: duckdb.DuckDBPyConnection) -> None:
    test = run_page("cell")
    assert not test.exception
    cell_id, census, predicted = rows.execute(
        "SELECT cell_id, c.class, p.class FROM cell c JOIN prediction p USING (city_id, cell_id) WHERE "
        "city_id = 'ker-bihan' AND NOT imputed AND c.class IS NOT NULL ORDER BY abs(c.class::INT - "
        "p.class::INT) DESC, abs(c.class - expected_class) DESC, cell_id"
    ).fetchone()
    assert test.title[0].value == f"Why decile {predicted} here, and not {census}?"
    assert cell_words.escape(cell_id[cell_id.index("N2") : cell_id.index("E2", 15)]) in texts(test)
    assert "number 1 of" in texts(test)
    assert test.button(key="previous").disabled
    assert test.button(key="largest-disagreement").disabled


def test_next_and_back(run_page: RunPage, rows: duckdb.DuckDBPyConnection) -> None:
    test = run_page("cell")
    order = cell_queries.disagreement_order(rows, "ker-bihan")
    test.button(key="next").click().run()
    assert test.query_params["cell"] == order[1]
    test.button(key="next").click().run()
    assert test.query_params["cell"] == order[2]
    test.button(key="previous").click().run()
    assert test.query_params["cell"] == order[1]
    test.button(key="largest-disagreement").click().run()
    assert test.query_params["cell"] == order[0]


def test_neighbour_to_the_north_is_200_m_north(run_page: RunPage, rows: duckdb.DuckDBPyConnection) -> None:
    south, north = rows.execute(
        "SELECT a.cell_id, b.cell_id FROM cell a JOIN cell b ON b.city_id = a.city_id AND b.x = a.x AND b.y "
        "= a.y + 200 WHERE a.city_id = 'ker-bihan' ORDER BY a.cell_id LIMIT 1"
    ).fetchone()
    test = run_page("cell", cell=south)
    test.button(key="neighbour↑").click().run()
    assert test.query_params["cell"] == north


def test_numbers_are_the_publications(run_page: RunPage, rows: duckdb.DuckDBPyConnection) -> None:
    (cell_id,) = rows.execute(PLAIN + " ORDER BY cell_id LIMIT 1").fetchone()
    shown = texts(run_page("cell", cell=cell_id))
    for row in (
        rows.execute(
            "SELECT l.share, a.contribution, a.excess, a.ratio_rich FROM land_use l JOIN activation a ON "
            "a.city_id = l.city_id AND a.cell_id = l.cell_id AND a.code = l.code AND a.method = 'cam' "
            "WHERE l.city_id = 'ker-bihan' AND l.cell_id = ?",
            [cell_id],
        )
        .df()
        .itertuples()
    ):
        assert f"<td>{100 * row.share:.1f} %</td><td>{cell_words.signed(row.contribution)}</td>" in shown
        ratio = "–" if pd.isna(row.ratio_rich) else number(row.ratio_rich)
        assert f"<td>{cell_words.signed(row.excess)}</td><td>{ratio}</td>" in shown
    z, income = rows.execute(
        "SELECT z_standard, income FROM prediction JOIN cell USING (city_id, cell_id) WHERE cell_id = ?",
        [cell_id],
    ).fetchone()
    assert f"z is {abs(z):.2f} standard deviations {'above' if z > 0 else 'below'} the training mean" in shown
    assert f"{income:,.0f}" in shown
    assert "mirror images of one signed map" in shown


def test_contributions_in_the_sentence_add_up(rows: duckdb.DuckDBPyConnection) -> None:
    for cell_id, z in rows.execute(
        "SELECT cell_id, z_standard FROM prediction WHERE city_id = 'ker-bihan' AND abs(z_standard) > 0.01 "
        "LIMIT 30"
    ).fetchall():
        parts = cell_queries.land_use_of_cell(rows, "ker-bihan", cell_id).rename(
            columns={"name": "name_official"}
        )
        said = cell_words.contribution_sentence(parts, z)
        numbers = [float(text.replace("−", "-")) for text in re.findall(r"[+−]\d+\.\d\d", said)]
        assert sum(numbers) == pytest.approx(z, abs=0.005 * (len(numbers) + 1) + 0.05)


def test_unmapped_ground_is_counted() -> None:
    rows = pd.DataFrame(
        {
            "code": ["14100"],
            "name_official": ["Green urban areas"],
            "colour": ["#8CDC00"],
            "share": [1.0],
            "contribution": [0.5],
            "excess": [0.1],
            "ratio_rich": [1.2],
            "ratio_poor": [np.nan],
        }
    )
    assert cell_words.contribution_sentence(rows, 0.2) == (
        "z is 0.20 standard deviations above the training mean: +0.50 from green urban areas, −0.30 from "
        "unmapped ground."
    )
    table = cell_words.land_use_table(rows, 0.2, 0.7)
    assert "<td>Unmapped</td><td>30.0 %</td><td>−0.30</td>" in table
    assert "<td>–</td>" in table


def test_unknown_cell_is_answered(run_page: RunPage) -> None:
    test = run_page("cell", cell="CRS3035RES200mN1E1")
    assert not test.exception
    assert "has no cell “CRS3035RES200mN1E1”" in test.warning[0].value
    assert "largest disagreement" in test.warning[0].value
    test = run_page("cell", cell="<b>", city="nowhere")
    assert not test.exception
    assert len(test.warning) == 2


def test_absent_photograph_is_said(run_page: RunPage) -> None:
    test = run_page("cell")
    shown = texts(test)
    assert "The photograph cannot be shown" in shown
    assert "photograph.tif" in shown
    assert 'alt="Evidence map"' in shown


def test_cells_without_prediction_or_income(run_page: RunPage, rows: duckdb.DuckDBPyConnection) -> None:
    (empty,) = rows.execute(
        "SELECT cell_id FROM cell WHERE valid_share < 0.99 AND city_id = 'ker-bihan'"
    ).fetchone()
    test = run_page("cell", cell=empty)
    assert not test.exception
    assert test.title[0].value == "What is in this cell?"
    assert "the photograph covers 90 % of the cell, and 99 % are needed" in texts(test)
    (poor,) = rows.execute(
        "SELECT cell_id FROM cell WHERE income IS NULL AND city_id = 'ker-bihan'"
    ).fetchone()
    test = run_page("cell", cell=poor)
    assert not test.exception
    assert "the census has no income here" in texts(test)
    assert "all folds together" in texts(test)


def test_without_land_use(run_page: RunPage, tmp_path: Path) -> None:
    make_publication(tmp_path / "bare", n_cities=1, cells=60, with_land_use=False)
    test = run_page("cell", studies=tmp_path / "bare")
    assert not test.exception
    assert "was published without land use" in texts(test)
    assert test.toggle(key="outlines").disabled


def test_evidence_strength_and_outlines_live_in_the_address(run_page: RunPage) -> None:
    test = run_page("cell", evidence="25")
    assert test.slider(key="evidence").value == 25
    assert 'style="opacity:0.25"' in texts(test)
    assert 'alt="Land-use outlines"' in texts(test)
    test.slider(key="evidence").set_value(80).run()
    assert test.query_params["evidence"] == "80"
    test.toggle(key="outlines").set_value(False).run()
    assert test.query_params["outlines"] == "0"
    assert 'alt="Land-use outlines"' not in texts(test)


def test_photograph_outlines_and_evidence_lie_on_each_other(run_page: RunPage, tmp_path: Path) -> None:
    file = make_publication(tmp_path / "seen", n_cities=1, cells=60, with_photographs=True)
    with connect(file) as rows:
        cell_id, x, y = rows.execute(
            "SELECT cell_id, x, y FROM cell ORDER BY cell_id LIMIT 1 OFFSET 20"
        ).fetchone()
        polygons = cell_queries.polygons_in_square(rows, "ker-bihan", x, y, 200)
    assert shapely.area(polygons["geometry"].to_numpy()).sum() == pytest.approx(200 * 200)
    path = photograph.imagery_path(str(tmp_path / "seen" / "study.toml"), "ker-bihan")
    jpeg, pixels = photograph.read_photograph(str(path), "EPSG:3035", 200, x, y)
    assert pixels == 100  # 2 m: full resolution
    picture = np.asarray(Image.open(io.BytesIO(jpeg))).astype(float)
    for row in polygons.itertuples():
        inside = shapely.buffer(row.geometry, -8)
        if inside.is_empty:
            continue
        west, south, east, north = (int(v) for v in inside.bounds)
        part = picture[(y + 200 - north) // 2 : (y + 200 - south) // 2, (west - x) // 2 : (east - x) // 2]
        expected = 0.6 * np.array(palette.rgb(row.colour)) + 50
        assert np.abs(part.mean(axis=(0, 1)) - expected).max() < 12, row.code
    shown = texts(run_page("cell", studies=tmp_path / "seen", cell=cell_id))
    assert "data:image/jpeg;base64" in shown
    assert "2 m a pixel" in shown


def test_overlay_is_north_up_and_clear_where_nothing_is_said() -> None:
    evidence = np.zeros((4, 4), np.float32)
    evidence[0, 3], evidence[3, 0] = 2.0, -2.0  # north-east for, south-west against
    picture = photograph.overlay(evidence, reach=2.0, pixels=64)
    for_, against = (palette.rgb(palette.diverging(9)[k]) for k in (7, 1))
    assert picture[4, 60].tolist() == [*for_, 255]
    assert picture[60, 4].tolist() == [*against, 255]
    assert picture[4, 4, 3] == picture[60, 60, 3] == 0
    # half-pixel registration: the value of a feature sits in the middle of its own quarter of the cell
    single = np.zeros((4, 4), np.float32)
    single[1, 2] = 1
    strength = photograph.overlay(single, reach=1.0, pixels=400)[..., 3].astype(float)
    middle = (np.indices((400, 400)) + 0.5).reshape(2, -1) @ strength.ravel() / strength.sum()
    assert middle == pytest.approx([150, 250], abs=1)


def test_outlines_are_drawn_from_the_north_west() -> None:
    square = shapely.box(1000, 2150, 1050, 2200)  # the north-western 50 m of the cell at (1000, 2000)
    assert photograph._path(square, (1000, 2000), 200) == "M50.0 50.0L50.0 0.0L0.0 0.0L0.0 50.0L50.0 50.0Z"


@pytest.mark.skipif(
    not SHIPPED_DEMO.is_dir(), reason=f"no demo study has been published to {SHIPPED_DEMO} yet"
)
def test_another_map_is_drawn_on_demand_and_stands_in_the_address(run_page: RunPage) -> None:
    test = run_page("cell", studies=SHIPPED_DEMO.parent, city="feinteville")
    assert "standard deviations of z</span>" in texts(test)
    assert test.selectbox(key="explains").disabled  # the evidence map explains z, and nothing else
    test.selectbox(key="map").select("gradcam").run(timeout=120)
    assert not test.warning
    assert test.query_params["map"] == ["gradcam"] or test.query_params["map"] == "gradcam"
    shown = texts(test)
    assert "scale of this map alone" in shown
    assert "each feature weighed by its mean gradient" in shown
    of_z = re.search(r'alt="Evidence map" src="([^"]+)"', shown)
    test.selectbox(key="explains").select("1").run(timeout=120)
    shown = texts(test)
    assert "against decile 1" in shown
    of_poorest = re.search(r'alt="Evidence map" src="([^"]+)"', shown)
    assert of_z
    assert of_poorest
    assert of_z.group(1) != of_poorest.group(1)


def test_a_map_that_cannot_be_drawn_leaves_the_evidence_and_says_why(run_page: RunPage) -> None:
    test = run_page("cell", map="occlusion")  # a synthetic study has neither photographs nor networks
    assert "This map cannot be drawn: " in test.warning[0].value
    assert "Shown instead: the evidence map." in test.warning[0].value
    assert "standard deviations of z</span>" in texts(test)
