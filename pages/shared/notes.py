"""What a publication notes beside a figure (too few cells, kind of interval), in the reader's words."""

from __future__ import annotations

import re

from pages.shared.language import _, later, number

# what `core.statistics` writes, and how it is said; groups are numbers
_FORMS: tuple[tuple[str, str], ...] = (
    (r"no cells", later("no cells")),
    (r"not defined", later("not defined")),
    (r"too few", later("too few cells")),
    (r"fewer than 4 cells", later("fewer than 4 cells")),
    (r"constant|one of the two is constant", later("the values are all the same")),
    (r"too few classes to compare", later("too few classes to compare")),
    (r"no correlation can be computed", later("no correlation can be computed")),
    (r"painting it over changes no rank", later("painting it over changes no rank")),
    (r"perfect correlation: the interval is a point", later("perfect correlation: the interval is a point")),
    (r"undefined in too many bootstrap draws", later("undefined in too many bootstrap draws")),
    (r"the same in every block: no interval", later("the same in every block: no interval")),
    (r"too few cells \((?P<n>\d+) of (?P<least>\d+)\)", later("too few cells ({n} of {least})")),
    (r"too few classes \((?P<n>\d+) of (?P<least>\d+)\)", later("too few classes ({n} of {least})")),
    (r"too few blocks \((?P<n>\d+) of (?P<least>\d+)\)", later("too few blocks ({n} of {least})")),
    (
        r"too few blocks \((?P<n>\d+) of (?P<least>\d+)\): interval by the variogram, "
        r"cells worth (?P<worth>\d+) independent ones",
        later(
            "too few blocks ({n} of {least}): interval by the variogram, cells worth {worth} independent ones"
        ),
    ),
    (r"cells worth (?P<worth>\d+) independent ones", later("cells worth {worth} independent ones")),
    (r"blocks of (?P<side>\d+) m", later("blocks of {side} m")),
    (
        r"blocks of (?P<side>\d+) m, smaller than twice the range \((?P<reach>\d+) m\)",
        later("blocks of {side} m, smaller than twice the range ({reach} m)"),
    ),
)


def said(note: object) -> str:
    """Return a note of the publication in the reader's language; one that is not known as it stands.

    >>> said("too few blocks (3 of 30); cells worth 1285 independent ones")
    'too few blocks (3 of 30); cells worth 1,285 independent ones'
    >>> said("somebody else's note")
    "somebody else's note"
    """
    return _("; ").join(_said(part) for part in str(note).split("; "))


def _said(part: str) -> str:
    for pattern, text in _FORMS:
        found = re.fullmatch(pattern, part)
        if found:
            return _(text).format(**{name: number(float(value)) for name, value in found.groupdict().items()})
    return part
