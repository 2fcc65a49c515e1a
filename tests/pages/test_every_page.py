"""Every page in every language: no text past the catalogue, no fault in studies that lack something."""

from __future__ import annotations

import gettext
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import streamlit as st
from google.protobuf.message import Message
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block

from data.store.write import schema_tables
from pages.shared import language
from tests.pages.conftest import RunPage
from tests.pages.synthetic import make_publication

PAGES = ("city", "patterns", "cell", "trust", "upload", "about")
# protobuf fields that hold what a reader sees
SHOWN = {"body", "label", "help", "content", "options", "placeholder", "alt", "caption", "title", "text"}
# names and marks that are the same in every language, and what comes from the publication
SAME = re.compile(
    r"⟪[^⟫]*⟫|<[^>]*>|&\w+;|:material/\w+:|%\{[^}]*\}|`[^`]*`|https?://\S+|\b[\w.-]+\.(?:toml|gpkg|tif|shp|md|py)\b"
    r"|CRS\w+|EPSG:\d+|[NE]\d{5,}"
)
KEPT = """
    carreau english français language langue levy abitbol karsai arxiv urban atlas insee filosofi copernicus
    spearman pearson kendall moran cam grad captum efficientnet mobilenet binomial coral softmax sha csv
    geoparquet geopackage parquet pdf html svg png synthetic study made for the tests of pages kêr bihan
    port azur rive est ouest none generated fold
"""


class Marked(gettext.NullTranslations):
    """A language whose every text stands between marks."""

    def gettext(self, message: str) -> str:
        return f"⟪{message}⟫"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟪{msgid1 if n == 1 else msgid2}⟫"


def shown_texts(test: AppTest) -> Iterator[tuple[str, str]]:
    """Yield (kind of element, text) of everything on a page that is read."""
    stack: list[Any] = [test._tree]
    while stack:
        node = stack.pop()
        if isinstance(node, Block):
            stack.extend(node.children.values())
        proto = getattr(node, "proto", None)
        if isinstance(proto, Message) and node.type != "json":  # settings of the study: data, not text
            for text in _strings(proto):
                if not text.startswith("<style>"):
                    yield node.type, text
            spec = getattr(getattr(proto, "figure", None), "spec", "") if node.type == "plotly_chart" else ""
            if spec:
                for text in _of_plot(json.loads(spec)):
                    yield "chart", text


def _strings(message: Message) -> Iterator[str]:
    for field, value in message.ListFields():
        if field.name in SHOWN and field.type == field.TYPE_STRING:
            yield from value if not isinstance(value, str) else [value]
        elif field.type == field.TYPE_MESSAGE:
            values = (
                value.values()
                if hasattr(value, "values")
                else value
                if hasattr(value, "__len__")
                else [value]
            )
            for one in values:
                if isinstance(one, Message):
                    yield from _strings(one)


def _of_plot(part: Any, key: str = "") -> Iterator[str]:
    if isinstance(part, dict):
        for name, value in part.items():
            if name != "template":
                yield from _of_plot(value, name)
    elif isinstance(part, list):
        for value in part:
            yield from _of_plot(value, key)
    elif isinstance(part, str) and key in {"text", "hovertemplate", "name"}:
        yield part


def unmarked_words(text: str) -> list[str]:
    """Return the words of a text that stand outside marks, which may be nested."""
    while "⟪" in text:
        shorter = re.sub(r"⟪[^⟪⟫]*⟫", " ", text)
        if shorter == text:
            break
        text = shorter
    words = re.findall(r"[^\W\d_]{3,}", SAME.sub(" ", text))
    return [word for word in words if word.lower() not in KEPT.split()]


def test_words_outside_marks_are_found() -> None:
    assert unmarked_words("<b>⟪3 cells of ⟪x⟫ y⟫</b> Moran") == []
    assert unmarked_words("⟪3 cells⟫ selected") == ["selected"]


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """French with every text between marks; pages keep what they draw in a language, so none before it and
    none of it after."""
    monkeypatch.setattr(language, "_catalogue", lambda _: Marked())
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.mark.parametrize("page", PAGES)
def test_no_text_bypasses_the_catalogue(page: str, run_page: RunPage, marked: None) -> None:
    test = run_page(page, lang="fr")
    assert not test.exception
    found = {
        f"{kind}: {text[:90]!r} has {' '.join(words[:6])}"
        for kind, text in shown_texts(test)
        if (words := unmarked_words(text))
    }
    assert not found, "\n".join(sorted(found))


@pytest.fixture(scope="module")
def bare_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with one city, without land use or photographs."""
    folder = tmp_path_factory.mktemp("bare")
    make_publication(folder / "synthetic", n_cities=1, cells=80, with_land_use=False)
    return folder


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("page", PAGES)
def test_a_study_of_one_city_without_land_use_is_shown(
    page: str, lang: str, run_page: RunPage, bare_study: Path
) -> None:
    test = run_page(page, studies=bare_study, lang=lang)
    assert not test.exception
    assert not test.error
    assert test.title


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("page", ["city", "upload", "about"])
def test_an_empty_installation_says_what_to_do(
    page: str, lang: str, run_page: RunPage, tmp_path: Path
) -> None:
    test = run_page(page, studies=tmp_path / "nothing", lang=lang)
    assert not test.exception
    assert "python -m core run" in test.markdown[0].value
    wanted = {"en": "No study is published yet", "fr": "Aucune étude n’est encore publiée"}
    assert test.title[0].value == wanted[lang]


@pytest.fixture(scope="module", params=["no cells", "no cities"])
def empty_study(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published study of which nothing is left but its name, or its name and those of its cities."""
    folder = tmp_path_factory.mktemp(request.param.replace(" ", "-"))
    file = make_publication(folder / "synthetic", cells=40)
    with duckdb.connect(str(file)) as connection:
        for table in schema_tables():
            if table != "study" and (table != "city" or request.param == "no cities"):
                connection.execute(f"DELETE FROM {table}")
    return folder


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_study_is_no_error(page: str, run_page: RunPage, empty_study: Path) -> None:
    test = run_page(page, studies=empty_study)
    assert not test.exception
    assert test.title
    if "cities" in empty_study.name and page != "upload":
        assert test.title[0].value.endswith("holds no city")
