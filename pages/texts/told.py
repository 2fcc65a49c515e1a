"""The texts that the rooms below the pages say in English: faults, warnings, reasons, column descriptions.

They are raised or stored where nothing is known of languages, with their values filled in. Here they are
found in the code, as the templates that they were: `f"has {n:d} bands"` is the text "has {n:d} bands".
`pages.shared.told` finds the template of a text again, and says it in the reader's language.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SCHEMA = ROOT / "data" / "store" / "schema.sql"

FAULT, REMEDY, WHOLE, NAME, COLUMN = "fault", "remedy", "text", "name", "column"
# who says something to a reader: function -> position of its argument -> what the argument is
_SAYING = {
    "InputError": {1: FAULT, 2: REMEDY},
    "CarreauError": {0: WHOLE},
    "SettingsError": {0: WHOLE},
    "StudyError": {0: WHOLE},
    "QuotaError": {0: WHOLE},
    "unusable": {0: WHOLE},  # core.preview
    "check_file": {2: WHOLE},  # core.job_files: a kind of file
    "_ended": {1: WHOLE},  # core.worker
    "_end": {1: WHOLE},  # core.watchdog
}
# who returns what is said
_RETURNING = {"name_of": NAME}  # core.job_files
# what texts are kept in: lists that are appended to, and names and keys that are set
_LISTS = {"warnings", "said", "guesses"}
_NAMES = {"reason"}
# what speaks to the command line, to the log or to programmers alone
_NOT_ON_PAGES = (
    "core/__main__.py",
    "core/bench/",
    "core/folds.py",
    "core/info.py",
    "core/metrics.py",
    "core/pipeline/",
    "core/statistics/",  # its notes: pages.shared.notes
    "core/submit.py",
    "data/districts.py",
    "data/store/write.py",
    "data/world/",
    "models/activation.py",
    "models/heads.py",
    "models/network.py",
    "models/occlusion.py",
    "models/train.py",
)
_COMMENT = re.compile(r"COMMENT ON (?:TABLE|COLUMN) \S+ IS '((?:[^']|'')*)'")
_PLACES = {"iloc", "loc", "at", "args"}


@dataclass
class Told:
    """Templates, each with what it is (FAULT, ...) and the files that it stands in."""

    places: dict[str, set[str]] = field(default_factory=dict)
    kinds: dict[str, set[str]] = field(default_factory=dict)

    def add(self, template: str, kind: str, place: str) -> None:
        """Take one more; an empty text is none."""
        if template:
            self.places.setdefault(template, set()).add(place)
            self.kinds.setdefault(template, set()).add(kind)

    def comments(self, template: str) -> list[str]:
        """Return what stands above the template in a catalogue; `kinds_of` reads it."""
        kinds = ", ".join(sorted(self.kinds[template]))
        return [f"{kinds}: {place}" for place in sorted(self.places[template])]


def kinds_of(comments: list[str]) -> set[str]:
    """Return what a text of a catalogue is by the comments above it; nothing for a text of the pages.

    >>> sorted(kinds_of(["fault, text: data/reading.py"]))
    ['fault', 'text']
    """
    return {kind for line in comments for kind in line.partition(": ")[0].split(", ")}


def told_by_code() -> Told:
    """Return the templates of all that the rooms below may say on a page.

    Raises ValueError where one cannot be known from the code: say each case as a text of its own there.
    """
    told = Told()
    for room in ("core", "data", "models", "pages/shared/uploads.py"):
        for file in [*sorted((ROOT / room).rglob("*.py"))] or [ROOT / room]:
            name = file.relative_to(ROOT).as_posix()
            if not name.startswith(_NOT_ON_PAGES):
                collect(file.read_text(encoding="utf-8"), name, told)
    for found in _COMMENT.finditer(SCHEMA.read_text(encoding="utf-8")):
        told.add(escaped(found[1].replace("''", "'")), COLUMN, SCHEMA.relative_to(ROOT).as_posix())
    return told


def collect(code: str, name: str, told: Told) -> None:
    """Add the templates in one file's code.

    >>> told = Told()
    >>> collect("InputError(path, f'has {len(rows)} rows' if rows else 'is empty', 'Fill it.')", "x.py", told)
    >>> sorted(told.places)
    ['Fill it.', 'has {rows:d} rows', 'is empty']
    """
    module = ast.parse(code)
    for scope, node in _with_scopes(module, [module]):
        for expression, kind in _said_by(node):
            try:
                for template in _templates(expression, scope):
                    told.add(template.rstrip(".") if kind == FAULT else template, kind, name)
            except _UnknownTextError:
                where = f"{name}:{expression.lineno}"
                raise ValueError(f"{where}: no text that can be known: {ast.unparse(expression)}") from None


def escaped(text: str) -> str:
    """Return a plain text as a template."""
    return text.replace("{", "{{").replace("}", "}}")


class _UnknownTextError(Exception):
    """An expression that is no text with values in it."""


def _with_scopes(node: ast.AST, scope: list[ast.AST]) -> Iterator[tuple[list[ast.AST], ast.AST]]:
    yield scope, node
    inner = [*scope, node] if isinstance(node, (ast.FunctionDef, ast.Lambda)) else scope
    for child in ast.iter_child_nodes(node):
        yield from _with_scopes(child, inner)


def _said_by(node: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name):
            for position, kind in _SAYING.get(node.func.id, {}).items():
                if position < len(node.args):
                    yield node.args[position], kind
        elif isinstance(node.func, ast.Attribute) and node.func.attr == "append":
            yield from [(node.args[0], WHOLE)] if _name(node.func.value) in _LISTS else []
    elif isinstance(node, ast.Assign):
        set_to = [target for target in node.targets if isinstance(target, (ast.Name, ast.Subscript))]
        yield from [(node.value, WHOLE)] if any(_name(target) in _NAMES for target in set_to) else []
    elif isinstance(node, ast.FunctionDef) and node.name in _RETURNING:
        for inner in ast.walk(node):
            if isinstance(inner, ast.Return) and inner.value is not None:
                yield inner.value, _RETURNING[node.name]


def _templates(node: ast.expr, scope: list[ast.AST]) -> list[str]:
    """Return the templates that an expression may stand for; none where it hands on what was said before."""
    texts = []
    for case in _branches(node, scope):
        found = _alternatives(case, scope)
        handed_on = isinstance(case, (ast.Call, ast.Attribute, ast.Constant)) or (
            isinstance(case, ast.Name) and _is_argument(case.id, scope)
        )
        if found is None and not handed_on:
            raise _UnknownTextError
        texts += [_filled(parts) for parts in found or []]
    return texts


_Parts = list["str | _Value"]


@dataclass(frozen=True)
class _Value:
    name: str
    form: str  # ":.0%", or "" for what is no number


def _alternatives(node: ast.expr, scope: list[ast.AST]) -> list[_Parts] | None:
    """Return each case of a text as literal parts and values; None for what is no text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [[node.value]]
    if isinstance(node, ast.JoinedStr):
        return _joined([_of_field(part, scope) for part in node.values])
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        both = [_alternatives(side, scope) for side in (node.left, node.right)]
        return None if None in both else _joined([side for side in both if side is not None])
    branches = _branches(node, scope)
    if branches == [node]:
        return None
    given = [_alternatives(branch, scope) for branch in branches]
    return None if None in given else [case for one in given if one is not None for case in one]


def _joined(parts: list[list[_Parts]]) -> list[_Parts]:
    return [[part for one in case for part in one] for case in product(*parts)]


def _of_field(node: ast.expr, scope: list[ast.AST]) -> list[_Parts]:
    """Return the cases of a part of an f-string: what is named there may be a text itself, or a value."""
    if not isinstance(node, ast.FormattedValue):
        return _alternatives(node, scope) or []
    form = ""
    if isinstance(node.format_spec, ast.JoinedStr):
        form = "".join(str(part.value) for part in node.format_spec.values if isinstance(part, ast.Constant))
    counted = isinstance(node.value, ast.Call) and _name(node.value.func) in {"len", "int"}
    value: _Parts = [_Value(_name(node.value), f":{form or 'd'}" if form or counted else "")]
    if form or node.conversion != -1:
        return [value]
    cases: list[_Parts] = []
    for one in _branches(node.value, scope):
        text = _alternatives(one, scope)
        if text is None and isinstance(one, ast.BinOp) and _has_words(one):
            raise _UnknownTextError
        cases += [case for case in (text or [value]) if case not in cases]
    return cases


def _has_words(node: ast.expr) -> bool:
    return any(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in ast.walk(node))


def _branches(node: ast.expr, scope: list[ast.AST]) -> list[ast.expr]:
    """Return the cases of an expression: the sides of `a if b else c` and `a or b`, what a name is set to."""
    if isinstance(node, ast.IfExp):
        sides = [node.body, node.orelse]
    elif isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        sides = node.values
    elif isinstance(node, ast.Name):
        sides = _values_of(node.id, scope)
    else:
        sides = []
    return [branch for side in sides for branch in _branches(side, scope)] or [node]


def _values_of(name: str, scope: list[ast.AST]) -> list[ast.expr]:
    """Return what a name is set to in the innermost function (or the module) that sets it; nothing for an
    argument, and for what is set from itself."""
    for place in reversed(scope):
        inside = place.body if isinstance(place, ast.Module) else ast.walk(place)
        set_here = [node for node in inside if isinstance(node, ast.Assign)]
        found = [node.value for node in set_here if any(_is(name, target) for target in node.targets)]
        if found:
            return [] if any(_is(name, part) for value in found for part in ast.walk(value)) else found
    return []


def _is(name: str, node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _is_argument(name: str, scope: list[ast.AST]) -> bool:
    return any(
        argument.arg == name
        for place in scope
        if isinstance(place, (ast.FunctionDef, ast.Lambda))
        for argument in (*place.args.args, *place.args.kwonlyargs)
    )


def _name(node: ast.expr) -> str:
    """Return a word for a value: that of `path.name`, `len(rows)`, `', '.join(names)`, `found["rows"]`."""
    match node:
        case ast.Name(id=name):
            return name.lower().strip("_")
        case ast.Attribute(value=of, attr=name):
            return _name(of) if name in _PLACES else name.lower().strip("_")
        case ast.Call(func=ast.Attribute(value=ast.Constant() | ast.Name(), attr="join"), args=[of, *_]):
            return _name(of)
        case ast.Call(func=ast.Name(id="map"), args=[_, of, *_]):
            return _name(of)
        case ast.Call(func=ast.Name(), args=[of, *_]):
            return _name(of)
        case ast.Call(func=ast.Attribute(value=of)):
            return _name(of)
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
        case ast.Subscript(value=of) | ast.BinOp(left=of) | ast.GeneratorExp(elt=of) | ast.IfExp(body=of):
            return _name(of)
        case ast.BoolOp(values=[of, *_]) | ast.UnaryOp(operand=of):
            return _name(of)
    return "value"


def _filled(parts: _Parts) -> str:
    """Return literals and values as one template; two values of one name are told apart by a number."""
    names: list[str] = []
    text = ""
    for part in parts:
        if isinstance(part, str):
            text += escaped(part)
            continue
        name = part.name if part.name not in names else f"{part.name}{1 + names.count(part.name)}"
        names.append(part.name)
        text += "{" + name + part.form + "}"
    return text
