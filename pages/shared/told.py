"""What the rooms below the pages say (faults, warnings, reasons), in the reader's language.

They say it in English, with the values filled in, and jobs and results keep it so. The catalogue knows the
templates that they were made from (`pages.texts.told`): the one that fits is found, and its translation is
filled with the same values. What fits none stays as it is.

Values come from files and addresses: they are copied, never read. Literal parts are looked for from either
end, so that a name that holds half a template, however long, costs no more than another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from string import Formatter

from pages.shared.language import _, language, messages, number, percent
from pages.texts.told import FAULT, NAME, REMEDY, WHOLE, kinds_of

MOST_CHARACTERS = 20_000  # what is longer is none of ours
# values that are such texts themselves: why a step was given up, the fault behind a fault, a kind of file
_TEXTS = {"why", "error", "kind"}
_DEEPEST = 2  # texts in texts
_NUMBER = re.compile(r"(?P<digits>-?\d[\d,]*(?:\.(?P<decimals>\d+))?)(?P<percent>%?)")
_NO_DIGITS = re.compile(r"-?(?:nan|inf|\d(?:\.\d+)?e[+-]\d+)%?")  # no figure for a sentence: left as it is


def told(said: object) -> str:
    """Return an error or a stored text in the reader's language; as it is where that is not known.

    >>> from pages.shared.language import speaking
    >>> with speaking("fr"):
    ...     told("town.tif: is empty (0 bytes). Copy or download it again.")
    'town.tif\\u202f: fichier vide (0 octet). Copiez-le ou téléchargez-le à nouveau.'
    """
    text = str(said)
    return _told(text, _DEEPEST) or text if language() != "en" and len(text) <= MOST_CHARACTERS else text


def told_name(name: str) -> str:
    """Return the name of photographs, which is such a text where there are several that nobody named."""
    found = _best(NAME, name) if language() != "en" and len(name) <= MOST_CHARACTERS else None
    return found.translated(0) if found else name


def told_column(meaning: object) -> str:
    """Return what a publication says of a table's column, which has no values in it; nothing where it does
    not."""
    return _(meaning) if isinstance(meaning, str) else ""


@dataclass(frozen=True)
class _Template:
    """A text of the catalogue: its literal parts, one more than values; a value is (name, format)."""

    text: str
    literals: tuple[str, ...]
    values: tuple[tuple[str, str], ...]

    @property
    def weight(self) -> int:
        """Characters of literal text: the more of them fit, the surer it is that this is the template."""
        return sum(map(len, self.literals))

    def match(self, said: str) -> _Match | None:
        """Return what `said` was filled with, when it was made from this template."""
        first, last = self.literals[0], self.literals[-1]
        if not self.values:
            return _Match(self, ()) if said == first else None
        if len(said) < len(first) + len(last) or not (said.startswith(first) and said.endswith(last)):
            return None
        for values in self._splits(said[len(first) : len(said) - len(last)]):
            if all(_fits(value, form) for value, (_name, form) in zip(values, self.values, strict=True)):
                return _Match(self, tuple(values))
        return None

    def _splits(self, inner: str) -> Iterator[list[str]]:
        """Yield the values between the literal parts: with each part as early as can be, then as late."""
        values, rest = [], inner
        for literal in self.literals[1:-1]:
            value, found, rest = rest.partition(literal)
            if not found:
                return
            values.append(value)
        yield [*values, rest]
        values, rest = [], inner
        for literal in self.literals[-2:0:-1]:
            rest, _found, value = rest.rpartition(literal)
            values.append(value)
        yield [rest, *reversed(values)]


@dataclass(frozen=True)
class _Match:
    """A template, and what it was filled with."""

    template: _Template
    values: tuple[str, ...]

    def translated(self, deeper: int) -> str:
        """Return the text in the reader's language."""
        given = zip(self.template.values, self.values, strict=True)
        written = {name: _written(name, form, value, deeper) for (name, form), value in given}
        return _AsWritten().format(_(self.template.text), **written)


class _AsWritten(Formatter):
    """Fills in values that have their form already."""

    def format_field(self, value: object, format_spec: str) -> str:
        return str(value)


def _told(text: str, deeper: int) -> str | None:
    """Return the translation of a text as a whole or as that of a file, by which more of it is literal."""
    whole, of_file = _best(WHOLE, text), _of_file(text)
    if of_file is None or (whole and whole.template.weight > sum(part.template.weight for part in of_file)):
        return whole.translated(deeper) if whole else None
    fault, remedy = (part.translated(deeper) for part in of_file)
    return (
        _("{file}: {fault}. {remedy}").format(file=of_file[0].values[0], fault=fault, remedy=remedy).rstrip()
    )


def _of_file(text: str) -> tuple[_Match, _Match] | None:
    """Return fault and remedy of the text of an `InputError`; the first value of the fault is the file."""
    found: list[tuple[_Match, _Match]] = []
    for template in _templates(REMEDY):
        # the last place where it may begin: before it stand the file and the fault, with values of their own
        at = len(text) - len(template.text) if not template.values else text.rfind(template.literals[0])
        if at < 2 or text[at - 2 : at] != ". ":
            continue
        remedy = template.match(text[at:])
        fault = _best(FAULT, text[: at - 2]) if remedy else None
        if remedy and fault:
            found.append((fault, remedy))
    return max(found, key=lambda parts: sum(part.template.weight for part in parts), default=None)


def _best(kind: str, text: str) -> _Match | None:
    """Return the match with the most literal text among templates of a kind."""
    return next((match for template in _templates(kind) if (match := template.match(text))), None)


def _templates(kind: str) -> tuple[_Template, ...]:
    """Return the templates of a kind, those with the most literal text first."""
    return _compiled(language(), kind)


@lru_cache(maxsize=8)
def _compiled(catalogue: str, kind: str) -> tuple[_Template, ...]:
    texts = [str(one.id) for one in messages(catalogue) if kind in kinds_of(one.auto_comments)]
    templates = [template_of(text, of_file=kind == FAULT) for text in texts]
    return tuple(sorted(templates, key=lambda template: -template.weight))


def template_of(text: str, of_file: bool = False) -> _Template:
    """Take a text with fields apart; a file and a colon stand before the fault `of_file`.

    >>> template_of("has {n:d} bands", of_file=True).literals
    ('', ': has ', ' bands')
    """
    literals, values = [""], []
    if of_file:
        literals, values = ["", ": "], [("", "")]
    for literal, name, form, _conversion in Formatter().parse(text):
        literals[-1] += literal
        if name is not None:
            values.append((name, form or ""))
            literals.append("")
    return _Template(text, tuple(literals), tuple(values))


def _fits(value: str, form: str) -> bool:
    return not form or bool(_NUMBER.fullmatch(value) or _NO_DIGITS.fullmatch(value))


def _written(name: str, form: str, value: str, deeper: int) -> str:
    """Return a value as the reader writes it: a number that was formatted as one, or a text of ours."""
    found = _NUMBER.fullmatch(value) if form else None
    if found:
        figure, digits = float(found["digits"].replace(",", "")), len(found["decimals"] or "")
        return percent(figure / 100, digits) if found["percent"] else number(figure, digits)
    if name in _TEXTS and deeper > 0:
        return _told(value, deeper - 1) or value
    return value
