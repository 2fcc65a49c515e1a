"""What the rooms below say, in the reader's language: every template comes back, and no value confuses it."""

from __future__ import annotations

import string
import time
from collections.abc import Iterator
from string import Formatter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import InputError, StudyError
from pages.shared import told as rooms
from pages.shared.language import CATALOGUES, number, percent, speaking
from pages.shared.told import told, told_column, told_name
from pages.texts.catalogue import read
from pages.texts.told import COLUMN, FAULT, NAME, REMEDY, WHOLE, Told, collect, kinds_of, told_by_code

CODE = told_by_code()
FRENCH = {str(message.id): message for message in read(CATALOGUES / "fr.po") if isinstance(message.id, str)}
# what no literal part begins or ends with, so that there is one way only to read the text
CHARACTERS = "ßþœðxyz{}%<*$0_[`\\"
HOSTILE = "town: has no CRS (coordinate system). Give it one in a GIS. is empty (0 bytes) {name} %s "


def of_kind(kind: str) -> list[str]:
    return sorted(text for text, kinds in CODE.kinds.items() if kind in kinds)


@pytest.fixture(autouse=True)
def french() -> Iterator[None]:
    with speaking("fr"):
        yield


def test_what_was_expected_to_be_said_is_found_in_the_code() -> None:
    assert {"has no CRS (coordinate system)", "has {count:d} bands; band {bands} was asked for"} <= {
        *of_kind(FAULT)
    }
    assert "Copy or download it again." in of_kind(REMEDY)
    assert "took more than {limit_s:g} seconds" in of_kind(WHOLE)
    assert of_kind(NAME) == ["{name} and {more:d} more"]
    assert "Side of a census cell in metres." in of_kind(COLUMN)
    assert len(of_kind(FAULT)) > 100 and len(of_kind(COLUMN)) > 200


def test_the_catalogue_says_of_each_what_it_is_and_where_it_stands() -> None:
    wrong = [text for text in CODE.places if FRENCH[text].auto_comments != CODE.comments(text)]
    assert wrong == [], "run: python -m pages.texts"


@pytest.mark.parametrize(
    "code",
    [
        "why = look()['x'][0]\nraise StudyError(why)",
        "raise InputError(path, 'is bad', '%s it' % name)",
        "raise InputError(path, f'is bad{because + \" of it\"}', '')",
    ],
)
def test_what_cannot_be_known_from_the_code_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match=r"x\.py:\d"):
        collect(code, "x.py", Told())


def test_cases_and_names_and_constants_become_texts_of_their_own() -> None:
    found = Told()
    code = """
AGAIN = "Try again."
def refuse(path, n, given):
    what = "one band" if n == 1 else f"{n:d} bands"
    raise InputError(path, f"has {what}{f' of {given}' if given else ''}.", AGAIN)
"""
    collect(code, "x.py", found)
    assert sorted(found.kinds) == [
        "Try again.",
        "has one band",
        "has one band of {given}",
        "has {n:d} bands",
        "has {n:d} bands of {given}",
    ]
    assert kinds_of(found.comments("Try again.")) == {REMEDY}


def filled(draw: Any, template: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return values of a template as the code writes them, and as a French reader is to see them."""
    written, shown = {}, {}
    for _literal, name, form, _conversion in Formatter().parse(template):
        if name is None:
            continue
        if form and form.endswith("%"):
            share = draw(st.integers(0, 100)) / 100
            written[name], shown[name] = format(share, form), percent(share)
        elif form:
            whole = form in ("d", ",", ".0f", "g", ".3g")
            value = draw(st.integers(0, 999)) if "g" in form else draw(st.integers(0, 3_000_000))
            figure = value if whole else value / 10
            written[name] = format(figure, form)
            shown[name] = number(figure, 0 if whole else int(form[1]))
        else:
            written[name] = shown[name] = draw(st.text(CHARACTERS, min_size=1, max_size=12))
    return written, shown


def fill(template: str, values: dict[str, str]) -> str:
    return rooms._AsWritten().format(template, **values)


def translation(template: str) -> str:
    return str(FRENCH[template].string)


@pytest.mark.parametrize("template", of_kind(WHOLE))
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_every_whole_text_comes_back_in_french_with_its_values(template: str, data: st.DataObject) -> None:
    written, shown = filled(data.draw, template)
    assert told(fill(template, written)) == fill(translation(template), shown)


@pytest.mark.parametrize("kind", [FAULT, REMEDY])
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_every_fault_and_remedy_comes_back_in_french_with_its_values(kind: str, data: st.DataObject) -> None:
    fixed = {FAULT: "is empty (0 bytes)", REMEDY: "Check the path."}
    for template in of_kind(kind):
        parts = {**fixed, kind: template}
        fault, fault_shown = filled(data.draw, parts[FAULT])
        remedy, remedy_shown = filled(data.draw, parts[REMEDY])
        file = data.draw(st.text(CHARACTERS, min_size=1, max_size=12))
        error = InputError(file, fill(parts[FAULT], fault), fill(parts[REMEDY], remedy))
        expected = (
            f"{file}\u202f: {fill(translation(parts[FAULT]), fault_shown)}. "
            f"{fill(translation(parts[REMEDY]), remedy_shown)}"
        )
        assert told(error) == expected


@given(st.text(st.characters(), max_size=300))
def test_any_text_is_told_and_any_unknown_one_stays(text: str) -> None:
    assert isinstance(told(text), str)
    assert told("♦" + text + "♦") == "♦" + text + "♦"
    with speaking("en"):
        assert told(text) == text


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_a_name_of_any_characters_is_copied(name: str) -> None:
    said = told(InputError(name, "has no CRS (coordinate system)", "Give it one in a GIS."))
    assert said == f"{name}\u202f: aucun système de coordonnées (CRS). Attribuez-lui-en un dans un SIG."


def test_a_hostile_name_neither_confuses_nor_slows() -> None:
    name = (HOSTILE * 150)[:10_000] + "é.tif"
    texts = [
        str(InputError(name, "is empty (0 bytes)", "Copy or download it again.")),
        f"{name}: polygons overlap; where they do, the mean of both is taken.",
        f"{name}: tiles overlap (34% of the area is covered more than once); the first by file name is "
        "shown. Remove the tiles that are not meant.",
        "The study's networks cannot be used: " * 250 + name,
        str(InputError(name, f"cannot be read ({name})", "Copy or download it again.")),
    ]
    before = time.perf_counter()
    french = [told(text) for text in texts]
    assert time.perf_counter() - before < 2
    assert french[0] == f"{name}\u202f: fichier vide (0 octet). Copiez-le ou téléchargez-le à nouveau."
    assert french[1].startswith(name) and french[1].endswith("la moyenne des deux est retenue.")
    assert french[2].startswith(name) and "34\u202f%" in french[2]
    assert french[3].endswith(name)
    assert french[4].count(name) == 2
    too_long = "x" * rooms.MOST_CHARACTERS + ": polygons overlap; where they do, the mean of both is taken."
    assert told(too_long) == too_long


def test_fields_in_values_are_copied_not_filled() -> None:
    for name in ("{file}", "{0}", "{}", "{fault.__class__}", "%(x)s"):
        assert told(InputError(name, "is empty (0 bytes)", "Copy or download it again.")).startswith(name)


def test_texts_in_texts_are_told_too_and_numbers_are_the_readers() -> None:
    inner = InputError("fold-1.safetensors", "does not exist", "Check the path.")
    assert told(StudyError(f"The study's networks cannot be used: {inner}")) == (
        "Les réseaux de l’étude sont inutilisables\u202f: fold-1.safetensors\u202f: n’existe pas. "
        "Vérifiez le chemin."
    )
    assert told("This part of the job (chunk-00001) took more than 1800 seconds, 2 times.") == (
        "Cette étape du calcul (chunk-00001) a pris plus de 1\u202f800 secondes\u202f; "
        "nombre d’échecs\u202f: 2."
    )
    kind = "a GeoTIFF (.tif) or JPEG 2000 (.jp2) file"
    assert told(InputError("a.txt", f"is not {kind} by its name", f"Give {kind}.")) == (
        "a.txt\u202f: n’est pas, d’après son nom, un fichier GeoTIFF (.tif) ou JPEG 2000 (.jp2). "
        "Indiquez un fichier GeoTIFF (.tif) ou JPEG 2000 (.jp2)."
    )
    assert told("Values from 1.5 to 12000 were stretched to grey levels 0 to 255, all bands alike; the "
                "networks learned from 8-bit photographs: trust the prediction less.").startswith(
        "Les valeurs de 1,5 à 12\u202f000 ont été étirées"
    )  # fmt: skip


def test_names_of_several_photographs_and_columns() -> None:
    assert told_name("0001.tif and 1234 more") == "0001.tif (+ 1\u202f234)"
    assert told_name("sand and stone.tif") == "sand and stone.tif"
    assert told_column("Cell.") == "Carreau."
    assert told_column("Somebody else's column.") == "Somebody else's column."
    assert told_column(None) == ""


def test_no_template_is_so_bare_that_it_takes_any_text() -> None:
    for kind in (FAULT, REMEDY, WHOLE, NAME):
        for text in of_kind(kind):
            literal = "".join(part for part, *_ in Formatter().parse(text))
            assert sum(c in string.ascii_letters for c in literal) >= 4, text
