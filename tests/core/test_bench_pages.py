"""The bench of pages: its mosaic is a publication like any other, its visitor sees what pages send."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from core.bench.country import city_sizes, make_country
from core.bench.pages import failures
from core.bench.visitor import Visitor
from core.settings import SHIPPED_DEMO
from data.grid import format_cell_ids
from data.store.open import connect, current_publication
from tests.pages.browser import dashboard

CELLS, CITIES, LARGEST = 2600, 3, 1500


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Path:
    template = current_publication(SHIPPED_DEMO)
    folder = tmp_path_factory.mktemp("studies") / "country"
    return make_country(
        template.file, folder, CELLS, study_file=template.study_file, cities=CITIES, largest=LARGEST
    )


@pytest.fixture
def rows(country: Path) -> duckdb.DuckDBPyConnection:
    return connect(country).cursor()


def test_every_city_has_its_cells_each_once_in_its_place(rows: duckdb.DuckDBPyConnection) -> None:
    cells = rows.execute("SELECT city_id, cell_id, x, y FROM cell").df()
    assert sorted(cells["city_id"].value_counts()) == sorted(city_sizes(CELLS, CITIES, LARGEST))
    assert cells["cell_id"].is_unique
    assert list(format_cell_ids(cells["x"], cells["y"])) == list(cells["cell_id"])
    outside = rows.execute(
        "SELECT count(*) FROM cell JOIN city USING (city_id) "
        "WHERE x < x_min OR y < y_min OR x >= x_max OR y >= y_max"
    ).fetchone()
    assert outside == (0,)


def test_each_cell_keeps_the_rows_of_the_one_it_copies(rows: duckdb.DuckDBPyConnection) -> None:
    template = connect(current_publication(SHIPPED_DEMO).file)
    for table in ("prediction", "land_use", "activation", "activation_map"):
        have = rows.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
        share = template.execute(f"SELECT count(*) / (SELECT count(*) FROM cell) FROM {table}").fetchall()[0][
            0
        ]
        assert have == pytest.approx(share * CELLS, rel=0.1), table
    astray = rows.execute(  # the last square of a city holds fewer cells than land use
        "SELECT count(*) FROM land_use_polygon p JOIN city c USING (city_id) "
        "WHERE p.x_max < c.x_min - 9000 OR p.x_min > c.x_max + 9000 OR p.y_max < c.y_min - 9000 "
        "OR p.y_min > c.y_max + 9000"
    ).fetchone()
    assert astray == (0,)


def test_statistics_of_a_class_stand_for_every_city(rows: duckdb.DuckDBPyConnection) -> None:
    per_city = rows.execute("SELECT count(*) AS n FROM correlation GROUP BY city_id").df()["n"]
    assert len(per_city) == CITIES
    assert (per_city > 100).all()


def test_a_visitor_sees_pages_drawn_and_what_they_weigh(country: Path, tmp_path: Path) -> None:
    with dashboard(tmp_path / "var", country.parent.parent) as origin, Visitor(origin) as visitor:
        first = visitor.open("", "study=country&city=city-01")
        again = visitor.open("", "study=country&city=city-01")
        other = visitor.open("about", "study=country")
    assert first.exceptions == again.exceptions == other.exceptions == ()
    assert first.sent > first.largest_message > 10_000  # the maps
    assert again.largest_message <= first.largest_message and other.sent > 10_000
    assert first.milliseconds > 0


def test_failures_name_the_goal_and_the_worst_view() -> None:
    view = {"page": "", "query": "city=a", "cold_ms": 900, "warm_ms": 100, "message_mb": 1.0, "fault": ""}
    slow = {**view, "page": "patterns", "warm_ms": 151}
    assert failures({"views": [view], "server_mb": 1400}) == []
    said = failures({"views": [view, slow], "server_mb": 1600})
    assert len(said) == 2
    assert "patterns?city=a" in said[0] and "1 of 2" in said[0]
    assert failures({"views": [{**view, "fault": "KeyError"}], "server_mb": 1}) == ["city?city=a: KeyError"]
