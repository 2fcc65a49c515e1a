"""The texts of the code, and the catalogues that translate them."""

from __future__ import annotations

import ast
import io
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

from pages.texts.told import told_by_code

ROOT = Path(__file__).parent.parent.parent
# functions of pages.shared.language, and how many texts they take first
TEXTS = {"_": 1, "later": 1, "plural": 2}
_HEADER = (
    "# The texts of Carreau: English as in the code; `python -m pages.texts` keeps this file beside it.\n"
)


def texts_of_code() -> set[str | tuple[str, str]]:
    """Return every text that is to be translated; (one, many) for plurals.

    Those of `dashboard.py` and `pages/`, and what the rooms below say on a page (`pages.texts.told`). Raises
    ValueError where a text cannot be looked up: an f-string, or texts put together.
    """
    found: set[str | tuple[str, str]] = set(told_by_code().places)
    for file in [ROOT / "dashboard.py", *sorted((ROOT / "pages").rglob("*.py"))]:
        found |= texts_of(file.read_text(encoding="utf-8"), str(file.relative_to(ROOT)))
    return found


def texts_of(code: str, name: str) -> set[str | tuple[str, str]]:
    """Return the texts of one file's code, also of calls inside f-strings, which Babel's reader passes over.

    >>> sorted(texts_of("_('a ' 'b') + f'{later(\\"c\\")}' + _(name)", "x.py"))
    ['a b', 'c']
    """
    found: set[str | tuple[str, str]] = set()
    for node in ast.walk(ast.parse(code)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TEXTS):
            continue
        given = node.args[: TEXTS[node.func.id]]
        if any(isinstance(text, (ast.JoinedStr, ast.BinOp)) for text in given):
            raise ValueError(f"{name}:{node.lineno}: a text to translate is one plain string: use .format()")
        values = [text.value for text in given if isinstance(text, ast.Constant)]
        texts = [value for value in values if isinstance(value, str) and value]
        if len(texts) == TEXTS[node.func.id]:
            found.add(texts[0] if len(texts) == 1 else (texts[0], texts[1]))
    return found


def read(file: Path) -> Catalog:
    """Return a catalogue; the file's name is its language."""
    with file.open("rb") as opened:
        return read_po(opened, locale=file.stem[:2])


def brought_up_to_date(file: Path, further: list[Path]) -> Catalog:
    """Return the catalogue of exactly the texts of the code, translations from `file`, else `further`."""
    known = [read(one) for one in (file, *further)]
    catalogue, told = Catalog(locale=file.stem), told_by_code()
    # the file's own rule: Babel's changes with its version (French got a form for millions)
    catalogue.mime_headers = [("Plural-Forms", known[0].plural_forms)]
    for text in sorted(texts_of_code(), key=lambda text: text if isinstance(text, str) else text[0]):
        comments = told.comments(text) if isinstance(text, str) and text in told.places else []
        catalogue.add(text, _first(known, text), auto_comments=comments)
    return catalogue


def untranslated(catalogue: Catalog) -> list[str]:
    """Return the texts that have no translation, or only one of several forms."""
    return [_name(message) for message in catalogue if message.id and not _complete(message)]


def write(catalogue: Catalog, file: Path) -> None:
    """Write a catalogue: sorted, without places or dates, so that only texts make differences."""
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=100, no_location=True, omit_header=True, sort_output=True)
    language = file.stem
    header = (
        f'{_HEADER}msgid ""\nmsgstr ""\n"Language: {language}\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n'
        f'"Plural-Forms: {catalogue.plural_forms}\\n"\n\n'
    )
    file.write_text(header + buffer.getvalue().decode("utf-8"), encoding="utf-8")


def _first(known: list[Catalog], text: str | tuple[str, str]) -> str | tuple[str, ...] | None:
    for catalogue in known:
        translation = _translation(catalogue, text)
        if translation:
            return translation
    return None


def _translation(catalogue: Catalog, text: str | tuple[str, str]) -> str | tuple[str, ...] | None:
    message = catalogue.get(text)
    if message is None or not _complete(message) or isinstance(message.id, str) != isinstance(text, str):
        return None
    string = message.string
    return string if string is None or isinstance(string, str) else tuple(string)


def _complete(message: Message) -> bool:
    strings = message.string if isinstance(message.string, (list, tuple)) else (message.string,)
    wanted = 2 if isinstance(message.id, (list, tuple)) else 1
    return len([s for s in strings if s]) >= wanted and not message.fuzzy


def _name(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]
