"""Cell: default, navigation, evidence and outlines in their place, what is missing is said."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
import shapely
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.settings import SHIPPED_DEMO
from data.store import cell_queries, queries
from data.store.open import connect
from pages.shared import cell_words, palette, photo_viewer, photograph
from pages.shared.language import number, percent, speaking
from tests.pages.conftest import RunPage, texts
from tests.pages.synthetic import make_publication

PLAIN = (
    "SELECT cell_id FROM cell c JOIN prediction p USING (city_id, cell_id) WHERE city_id = 'ker-bihan' AND "
    "NOT imputed AND c.class IS NOT NULL"
)


def viewed(test: AppTest) -> dict[str, Any]:
    """What the viewer of the photograph was handed."""
    texts_of = [component.proto.json for component in test.get("bidi_component")]
    (data,) = [json.loads(text) for text in texts_of if '"outlines"' in text]
    return data


def asked(test: AppTest, name: str) -> str:
    """What stands in the address; AppTest gives what the page wrote as a list, now and then."""
    value = test.query_params[name]
    return value[0] if isinstance(value, list) else value


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


def test_random_goes_to_any_other_cell(run_page: RunPage, rows: duckdb.DuckDBPyConnection) -> None:
    order = cell_queries.disagreement_order(rows, "ker-bihan")
    test, before, seen = run_page("cell"), order[0], set()
    for _ in range(6):
        test.button(key="random").click().run()
        now = asked(test, "cell")
        assert now in order
        assert now != before
        before = now
        seen.add(now)
    assert len(seen) > 2  # of 150: six draws that hit two cells are one in millions


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
            "SELECT l.share, a.contribution, a.excess, a.ratio_rich, a.ratio_poor, "
            "o.effect - o.moved_effect AS occlusion FROM land_use l JOIN activation a ON "
            "a.city_id = l.city_id AND a.cell_id = l.cell_id AND a.code = l.code AND a.method = 'cam' "
            "LEFT JOIN occlusion o ON o.city_id = l.city_id AND o.cell_id = l.cell_id AND o.code = l.code "
            "WHERE l.city_id = 'ker-bihan' AND l.cell_id = ?",
            [cell_id],
        )
        .df()
        .itertuples()
    ):
        assert f"<td>{100 * row.share:.1f} %</td><td>{cell_words.signed(row.contribution)}</td>" in shown
        rich, poor = ("–" if pd.isna(v) else number(v, 2) for v in (row.ratio_rich, row.ratio_poor))
        masked = "–" if pd.isna(row.occlusion) else cell_words.signed(row.occlusion)
        last = f"<td>{cell_words.signed(row.excess)}</td><td>{rich}</td><td>{poor}</td><td>{masked}</td></tr>"
        assert last in shown
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
            "share": [0.7],
            "contribution": [0.5],
            "excess": [0.1],
            "ratio_rich": [1.2],
            "ratio_poor": [np.nan],
            "occlusion": [np.nan],
        }
    )
    assert cell_words.contribution_sentence(rows, 0.2) == (
        "z is 0.20 standard deviations above the training mean: +0.50 from green urban areas, −0.30 from "
        "unmapped ground."
    )
    table = cell_words.land_use_table(rows, 0.2, 0.7)
    assert f"<td>Unmapped</td><td>{percent(0.3, 1)}</td><td>−0.30</td>" in table
    assert "Occlusion" not in table
    assert "Occlusion</th>" in cell_words.land_use_table(rows.assign(occlusion=0.25), 0.2, 0.7)
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
    data = viewed(test)
    assert data["photograph"] is None
    assert data["evidence"].startswith("data:image/png")


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
    assert viewed(test)["opacity"] == 25
    assert viewed(test)["outlines"]
    test.toggle(key="outlines").set_value(False).run()
    assert asked(test, "outlines") == "0"
    assert not viewed(test)["outlines"]
    assert viewed(test)["opacity"] == 25
    assert viewed(run_page("cell", evidence="26"))["opacity"] == 60  # no step of the slider


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
    test = run_page("cell", studies=tmp_path / "seen", cell=cell_id)
    data = viewed(test)
    assert data["photograph"].startswith("data:image/jpeg;base64")
    assert (data["pixels"], data["size"], data["around"]) == (100, 200, None)
    assert "2 m a pixel" in texts(test)
    # the photograph around: three cells wide, the cell its middle third
    place = data["place"]
    test.toggle(key="around").set_value(True).run()
    assert asked(test, "around") == "1"
    data = viewed(test)
    wide = Image.open(io.BytesIO(base64.b64decode(data["around"].split(",")[1])))
    assert wide.size == (300, 300)
    middle = np.asarray(wide.crop((100, 100, 200, 200))).astype(float)
    assert np.abs(middle - picture).mean() < 8  # two JPEGs of one picture; a pixel off: 16 and more
    assert data["place"] != place  # the view begins anew
    assert any(re.search(r"-\d", shape["path"]) for shape in data["outlines"])  # west or north of the cell


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
    assert photo_viewer._path(square, (1000, 2000), 200) == "M50.0 50.0L50.0 0.0L0.0 0.0L0.0 50.0L50.0 50.0Z"


@pytest.mark.skipif(
    not SHIPPED_DEMO.is_dir(), reason=f"no demo study has been published to {SHIPPED_DEMO} yet"
)
def test_another_map_is_drawn_on_demand_and_stands_in_the_address(run_page: RunPage) -> None:
    test = run_page("cell", studies=SHIPPED_DEMO.parent, city="feinteville")
    assert "standard deviations of z</span>" in texts(test)
    assert test.selectbox(key="explains").disabled  # the evidence map explains z, and nothing else
    test.selectbox(key="map").select("gradcam").run(timeout=120)
    assert not test.warning
    assert asked(test, "map") == "gradcam"
    shown = texts(test)
    assert "scale of this map alone" in shown
    assert "each feature weighed by its mean gradient" in shown
    of_z = viewed(test)["evidence"]
    test.selectbox(key="explains").select("1").run(timeout=120)
    shown = texts(test)
    assert "against decile 1" in shown
    of_poorest = viewed(test)["evidence"]
    assert of_z
    assert of_poorest
    assert of_z != of_poorest


def test_a_map_that_cannot_be_drawn_leaves_the_evidence_and_says_why(run_page: RunPage) -> None:
    test = run_page("cell", map="occlusion")  # a synthetic study has neither photographs nor networks
    assert "This map cannot be drawn: " in test.warning[0].value
    assert "Shown instead: the evidence map." in test.warning[0].value
    assert "standard deviations of z</span>" in texts(test)


def test_one_cell_and_its_neighbours_are_those_of_the_city(rows: duckdb.DuckDBPyConnection) -> None:
    cells = queries.city_cells(rows, "ker-bihan")
    for row in cells.iloc[::23].to_dict("records"):
        one = cell_queries.one_cell(rows, "ker-bihan", row["cell_id"])
        assert one is not None
        for name, value in row.items():
            assert pd.isna(value) if one[name] is None else one[name] == pytest.approx(value), name
        near = cell_queries.cells_near(rows, "ker-bihan", row["x"], row["y"], 200)
        around = cells[(cells["x"] - row["x"]).abs().le(200) & (cells["y"] - row["y"]).abs().le(200)]
        assert near["cell_id"].tolist() == around["cell_id"].tolist()
        assert near["predicted"].fillna(0).tolist() == around["predicted"].fillna(0).tolist()
    assert cell_queries.one_cell(rows, "ker-bihan", "CRS3035RES200mN1E1") is None
    assert cell_queries.one_cell(rows, "ker-bihan", "<b>") is None
    counts = cells["class"].dropna().astype(int).value_counts()
    assert cell_queries.class_counts(rows, "ker-bihan").tolist() == [counts.get(k, 0) for k in range(1, 11)]
    order = cells.set_index("cell_id").loc[cell_queries.disagreement_order(rows, "ker-bihan"), ["x", "y"]]
    assert (cell_queries.disagreement_corners(rows, "ker-bihan") == order.to_numpy()).all()


def test_in_french(run_page: RunPage, rows: duckdb.DuckDBPyConnection) -> None:
    cell_id, income, share = rows.execute(
        "SELECT c.cell_id, income, l.share FROM cell c JOIN prediction p USING (city_id, cell_id) "
        "JOIN land_use l USING (city_id, cell_id) WHERE c.city_id = 'ker-bihan' AND c.class <> p.class "
        "ORDER BY c.cell_id LIMIT 1"
    ).fetchone()
    test = run_page("cell", lang="fr", cell=cell_id)
    assert not test.exception
    assert re.fullmatch(r"Pourquoi le décile \d+ ici, et non le \d+\u202f\?", test.title[0].value)
    shown = texts(test)
    with speaking("fr"):
        assert f"{number(income)} €" in shown
        assert percent(share, 1).replace("\u202f%", " %") in shown
    assert test.button(key="random").label == "Au hasard"
    assert viewed(test)["texts"]["opacity"] == "Carte sur la photographie"
    assert "Prédit par le réseau qui n’a jamais vu ce carreau." in shown


@pytest.mark.skipif(not SHIPPED_DEMO.is_dir(), reason=f"no demo study in {SHIPPED_DEMO}")
def test_areas_of_a_cell_add_up_to_the_cell(run_page: RunPage) -> None:
    cell = "CRS3035RES200mN2899200E3150600"  # 4.3 % of it is not mapped
    test = run_page("cell", studies=SHIPPED_DEMO.parent, city="feinteville", cell=cell)
    (table,) = re.findall(r'<table class="carreau-table">.*?</table>', texts(test), re.DOTALL)
    areas = [float(text) for text in re.findall(r"</td><td>([\d.]+)\s%", table)]
    assert "Unmapped" in table and len(areas) == 5
    assert sum(areas) == pytest.approx(100, abs=0.25)
