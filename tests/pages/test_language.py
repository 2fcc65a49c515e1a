"""The catalogue of texts: whole, faithful to its templates, and used by the pages."""

from __future__ import annotations

import re
from string import Formatter

import pytest
from babel.messages.catalog import Message

from pages.shared.language import CATALOGUES, LANGUAGES, number, plural, speaking
from pages.texts.catalogue import read, texts_of, texts_of_code, untranslated
from tests.pages.conftest import RunPage

FRENCH = read(CATALOGUES / "fr.po")
MESSAGES = [message for message in FRENCH if message.id]


def test_every_language_has_a_catalogue() -> None:
    assert {file.stem for file in CATALOGUES.glob("*.po")} == set(LANGUAGES) - {"en"}


def test_the_catalogue_holds_the_texts_of_the_code_and_no_others() -> None:
    in_catalogue = {tuple(m.id) if isinstance(m.id, (list, tuple)) else m.id for m in MESSAGES}
    assert in_catalogue == texts_of_code(), "run: python -m pages.texts"


def test_every_text_is_translated() -> None:
    assert untranslated(FRENCH) == []


def _forms(message: Message) -> list[tuple[str, str]]:
    if isinstance(message.id, str):
        return [(message.id, str(message.string))]
    return [(message.id[min(k, 1)], text) for k, text in enumerate(message.string)]


@pytest.mark.parametrize(
    "pattern",
    [r"</?\w+[^>]*>", r"\*\*", r"`[^`]*`", r"\]\([^)]*\)"],
    ids=["html", "bold", "code", "links"],
)
def test_translations_keep_their_markup(pattern: str) -> None:
    for message in MESSAGES:
        for text, translated in _forms(message):
            assert sorted(re.findall(pattern, text)) == sorted(re.findall(pattern, translated)), translated


def test_translations_are_filled_with_the_same_values() -> None:
    def fields(text: str) -> set[str]:
        return {f"{name}:{spec}" for _, name, spec, _ in Formatter().parse(text) if name is not None}

    for message in MESSAGES:
        for text, translated in _forms(message):
            if isinstance(message.id, str):
                assert fields(text) == fields(translated), translated
            else:  # "one cell" may leave the number out
                assert fields(translated) <= fields(message.id[1]), translated


def test_texts_inside_f_strings_are_found_and_f_strings_as_texts_refused() -> None:
    assert texts_of("f'<b>{_(\"a\")}</b>' + plural('one', 'many', n)", "x.py") == {"a", ("one", "many")}
    with pytest.raises(ValueError, match="x.py:1"):
        texts_of("_(f'{n} cells')", "x.py")


def test_numbers_never_show_a_minus_nothing() -> None:
    assert number(-0.001, 2) == "0.00"
    assert number(0.0, 2, sign=True) == "0.00"
    assert number(-1234.5, 1) == "−1,234.5"
    with speaking("fr"):
        assert number(-1234.5, 1) == "−1\u202f234,5"


def test_french_counts_nothing_in_the_singular() -> None:
    assert plural("{n} cell", "{n} cells", 0) == "{n} cells"


def test_the_address_chooses_the_language_and_an_unknown_one_falls_back(run_page: RunPage) -> None:
    assert any(
        "Étude" in e.proto.body or "publiée" in e.proto.body for e in run_page("about", lang="fr").get("html")
    )
    english = run_page("about", lang="xx")
    assert any("published" in e.proto.body for e in english.get("html"))
