"""What the heads of networks are called in a sentence."""

from __future__ import annotations

from pages.shared.language import _, later

_NAMES = {"binomial": later("binomial")}  # the others are names in every language


def head_name(head: str) -> str:
    """Return the name of a head as the word "head" takes it (French: tête binomiale).

    >>> head_name("binomial"), head_name("of another version")
    ('binomial', 'of another version')
    """
    return _(_NAMES[head]) if head in _NAMES else head
