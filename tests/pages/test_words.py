"""Names, notes and pages in the reader's language: nothing that a reader sees stays English by mistake."""

from __future__ import annotations

import re

import duckdb
import pytest

from data.landuse_classes import CLASSES, LEVEL1_NAMES, LEVEL2_NAMES
from data.store.open import connect
from pages.shared import class_names, notes
from pages.shared.language import speaking
from tests.conftest import REPOSITORY
from tests.pages.conftest import RunPage, texts

# in no French sentence, and in no name of a class or city of the synthetic study
ENGLISH = re.compile(r"\b(the|of|and|with|which|cells|where|whose|is|are|not)\b", re.I)


def test_every_name_that_a_publication_may_hold_is_known() -> None:
    assert {code: known.name for code, known in CLASSES.items()} == class_names.OFFICIAL_NAMES
    known = class_names._KNOWN
    assert set(LEVEL1_NAMES.values()) <= known
    assert set(LEVEL2_NAMES.values()) <= known
    assert {one.paper_class for one in CLASSES.values()} <= known


def test_class_names_are_french_where_they_are_known() -> None:
    with speaking("fr"):
        assert class_names.label("12230", "Railways and associated land") == "12230 Voies ferrées"
        assert class_names.official_name("Water") == "Eau"
        assert class_names.short_name("Dense urban fabric", "Dense urban fabric") == "Tissu urbain dense"
        assert class_names.official_name("Vineyards") == "Vineyards"
        # a class of another atlas with a code of its own keeps its name, even if it is long
        assert class_names.short_name("v1", "Vineyards on slopes that face south, terraced")[-1] == "…"


def test_every_note_of_the_shipped_study_is_said_in_french() -> None:
    file = next((REPOSITORY / "data" / "demo" / "published").glob("*.duckdb"))
    tables = ("correlation", "class_activation", "class_income", "follow_index", "reliance", "class_pull")
    with connect(file) as connection, speaking("fr"):
        found = {
            row[0]
            for table in tables
            for row in connection.execute(f"SELECT DISTINCT note FROM {table} WHERE note <> ''").fetchall()
        }
        assert len(found) > 20
        assert [note for note in found if ENGLISH.search(notes.said(note))] == []
        assert notes.said("too few blocks (3 of 30); cells worth 1285 independent ones") == (
            "trop peu de blocs (3 sur 30)\u202f; carreaux qui en valent 1\u202f285 indépendants"
        )


@pytest.mark.parametrize(
    ("page", "address"),
    [
        ("patterns", {"relation": "census"}),
        ("patterns", {"relation": "activation", "map": "paper", "with": "port-azur,atlantis", "city": "x"}),
        ("patterns", {"relation": "occlusion", "level": "9", "polarity": "rich", "pairs": "gain"}),
        ("trust", {}),
        ("about", {}),
    ],
)
def test_a_french_page_says_nothing_in_english(
    run_page: RunPage, page: str, address: dict[str, str], rows: duckdb.DuckDBPyConnection
) -> None:
    test = run_page(page, lang="fr", **address)
    assert not test.exception
    said = [texts(test)]
    for kind in ("title", "header", "info", "warning", "markdown"):
        said += [str(element.value) for element in getattr(test, kind)]
    said += [str(element.label) for element in (*test.expander, *test.toggle, *test.multiselect)]
    for chart in test.get("plotly_chart"):
        said += [chart.proto.alt, *re.findall(r'"(?:text|hovertemplate|name)":"([^"]*)"', chart.proto.spec)]
    said += [str(column) for element in test.table for column in element.value.columns]
    description = rows.execute("SELECT description FROM study").fetchone()
    plain = re.sub(r"<style.*?</style>|<[^>]+>|%\{[^}]*\}", " ", "\n".join(said), flags=re.S)
    plain = plain.replace(description[0] if description else "", "")
    left = [f"{plain[max(0, m.start() - 30) : m.end() + 30]!r}" for m in ENGLISH.finditer(plain)]
    assert left == []


def test_tables_are_headed_in_the_readers_language(run_page: RunPage) -> None:
    test = run_page("patterns", lang="fr")
    box = next(box for box in test.expander if box.label == "Les corrélations en tableau")
    assert not box.dataframe  # closed: not sent
