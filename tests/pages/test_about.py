"""About: provenance, hashes, thresholds and limits of use are those of the publication."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pytest

from data.store import pattern_queries
from pages.shared import about_files, glossary
from tests.pages.conftest import RunPage, texts
from tests.pages.synthetic import make_publication


def frames(run) -> list[pd.DataFrame]:  # type: ignore[no-untyped-def]
    return [element.value for element in run.dataframe]


def test_every_file_stands_there_with_its_hash(run_page: RunPage, rows: duckdb.DuckDBPyConnection) -> None:
    test = run_page("about")
    assert not test.exception
    shown = next(frame for frame in frames(test) if "licence" in frame)
    expected = rows.execute("SELECT file, sha256, source, licence, vintage FROM provenance").fetchall()
    assert sorted(
        shown[["file", "sha256", "source", "licence", "vintage"]].itertuples(index=False, name=None)
    ) == sorted(expected)


def test_networks_and_schema_are_shown(run_page: RunPage, rows: duckdb.DuckDBPyConnection) -> None:
    shown = frames(run_page("about"))
    models = next(frame for frame in shown if "model_id" in frame)
    assert models.sha256.tolist() == [
        row[0] for row in rows.execute("SELECT sha256 FROM model ORDER BY fold").fetchall()
    ]
    schema = next(frame for frame in shown if "description" in frame)
    assert (schema.description.str.len() > 0).all()
    assert {"cell", "prediction", "provenance"} <= set(schema["table"])


def test_thresholds_are_those_of_the_city(run_page: RunPage, rows: duckdb.DuckDBPyConnection) -> None:
    test = run_page("about", city="port-azur")
    table = next(element.value for element in test.table if "All cells, €" in element.value)
    low, high = rows.execute(
        "SELECT max(income) FILTER (k = 2), max(income) FILTER (k = 3) FROM threshold "
        "WHERE city_id = 'port-azur' AND includes_imputed"
    ).fetchone()
    assert table.set_index("Class").loc["3", "All cells, €"].replace(",", "") == f"{low:.0f} – {high:.0f}"
    assert len(table) == 10


def test_sources_stand_together_with_their_cities_and_size() -> None:
    files = pd.DataFrame(
        {
            "city": ["", "A", "A", "B", "C", "D", "E"],
            "kind": ["study", "census", "imagery", "census", "census", "census", "census"],
            "bytes": [10, 1_000_000, 5, 2_000_000, 1, 1, 1],
            "source": ["", "Insee", "IGN", "Insee", "Insee", "Insee", "Insee"],
            "licence": ["", "Etalab 2.0", "", "Etalab 2.0", "Etalab 2.0", "Etalab 2.0", "CC-BY"],
            "vintage": ["", "2019", "", "2019", "2019", "2019", "2019"],
        }
    )
    table = about_files.sources(files)
    assert table["Data"].tolist() == ["census", "photographs", "census"]
    assert table["Files"].tolist() == ["4", "1", "1"]
    assert table["Cities"].tolist() == ["4 cities, A, B and C among them", "A", "E"]
    assert table["Size"][0] == "3.0 MB"
    assert table.loc[1, ["Licence", "Vintage"]].tolist() == ["not stated", "unknown"]


def test_a_study_of_many_files_lists_those_of_the_city(
    run_page: RunPage, rows: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(about_files, "MOST_FILES", 3)
    test = run_page("about", city="port-azur")
    shown = next(frame for frame in frames(test) if "licence" in frame)
    own = rows.execute(
        "SELECT file FROM provenance WHERE city_id = 'port-azur' OR city_id IS NULL"
    ).fetchall()
    assert sorted(shown.file) == sorted(row[0] for row in own)
    assert any("Files of the study and of Port Azur (4 of 7 files" in box.label for box in test.expander)


def test_classes_are_counted_without_reading_the_cells(rows: duckdb.DuckDBPyConnection) -> None:
    counted = rows.execute(
        "SELECT code, count(*) FROM land_use JOIN cell USING (city_id, cell_id) JOIN prediction p USING "
        "(city_id, cell_id) WHERE fold IS NOT NULL GROUP BY code ORDER BY code"
    ).fetchall()
    found = pattern_queries.class_names(rows)
    assert list(zip(found.code, found.cells, strict=True)) == counted


def test_both_fields_have_their_words(run_page: RunPage) -> None:
    said = texts(run_page("about"))
    for terms in (glossary.CENSUS_TERMS, glossary.NETWORK_TERMS, glossary.STUDY_TERMS):
        for word in terms:
            assert f"<dt>{word}</dt>" in said, word
    assert not set(glossary.CENSUS_TERMS) & set(glossary.NETWORK_TERMS)


def test_says_what_is_invented_and_what_it_may_not_be_used_for(run_page: RunPage) -> None:
    test = run_page("about")
    said = texts(test)
    assert "is invented, by the recipe “objects”" in said
    assert "Spearman correlation of 0.93" in said
    assert "11220 Medium-density urban" in said
    written = " ".join(markdown.value for markdown in test.markdown)
    assert "To describe a household" in written
    assert set(glossary.RECIPES) == {"objects", "mix", "hidden", "nothing"}


def test_a_bare_study_and_a_wrong_city(run_page: RunPage, tmp_path: Path) -> None:
    file = make_publication(tmp_path / "studies" / "bare", cells=60, n_cities=1, with_land_use=False)
    with duckdb.connect(str(file)) as connection:
        for table in ("provenance", "model", "threshold"):
            connection.execute(f"DELETE FROM {table}")
        connection.execute(
            "UPDATE city SET oracle_spearman = NULL, census_year = NULL, residual_range_m = NULL"
        )
    test = run_page("about", studies=tmp_path / "studies", city="atlantis")
    assert not test.exception
    assert "“atlantis”" in test.warning[0].value
    assert {info.value for info in test.info} == {
        "This publication names no files.",
        "This publication names no networks.",
    }


def test_no_published_study_is_told_how_to_make_one(run_page: RunPage, tmp_path: Path) -> None:
    for page in ("about", "patterns", "upload"):
        test = run_page(page, studies=tmp_path / "empty")
        assert not test.exception
        assert "No study is published yet" in test.title[0].value
