"""Hostile addresses: every page of the dashboard on the shipped study, asked for what it does not expect."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import numpy as np

from core.settings import Settings

DASHBOARD = Path(__file__).parents[2] / "dashboard.py"
ADDRESSES = (
    "city?city=port-imagine&left=difference&right=fold&classes=quintiles&imputed=1",
    "city?city=port-imagine&cell=CRS3035RES200mN2927800E3156600",
    "patterns?city=port-imagine&relation=iv&map=rich&method=cam&level=2&coefficient=kendall",
    "cell?city=port-imagine&cell=CRS3035RES200mN2927800E3156600&evidence=80&outlines=0&map=evidence",
    "trust?city=port-imagine&imputed=1",
    "upload?job=0123456789abcdef0123456789abcdef&key=abcdef&networks=port-imagine",
    "about?study=demo",
)
# what no page may put on itself as it came: a picture that is fetched, a tag that runs
TAG, PICTURE = "<img src=x onerror=alert(1)>", "![x](http://127.0.0.1:9/a.png)"
_HOSTILE = (
    TAG,
    PICTURE,
    "",
    "-1",
    "1e999",
    "nan",
    "\x00",
    "é" * 3000,
    "' OR 1=1 --",
    '"; DROP TABLE cell; --',
    "../../../etc/passwd",
    "/proc/self/mem",
    "CRS3035RES200mN99999999999999999999E0",
    "CRS3035RES0mN0E0",
    "__import__('os')",
    "{{7*7}}",
    "\u202e\ufeff",
)


def hostile_address(address: str, rng: np.random.Generator) -> str:
    """Return an address of the dashboard with one to three parameters changed, doubled or added."""
    page, _, query = address.partition("?")
    pairs = parse_qsl(query)
    for _ in range(rng.integers(1, 4)):
        place = int(rng.integers(len(pairs)))
        name = pairs[place][0]
        change = rng.integers(4)
        if change == 0:
            pairs[place] = (name, pairs[int(rng.integers(len(pairs)))][1])
        elif change == 1:
            pairs.append((name, _HOSTILE[rng.integers(len(_HOSTILE))]))
        else:
            pairs[place] = (name, _HOSTILE[rng.integers(len(_HOSTILE))])
    return f"{page}?{urlencode(pairs)}"


class UnsafeTextError(Exception):
    """A page put on itself, as markup, what stands in its address."""


def read_address(path: Path, settings: Settings) -> None:
    """Run the page that a file's text addresses, as `page?name=value&...`; the shipped study is shown.

    Raises:
        UnsafeTextError: the page shows a tag or a picture of the address as such.
        RuntimeError: the page ended in an exception.
    """
    from streamlit.testing.v1 import AppTest

    os.environ["CARREAU_VAR"] = str(settings.var)
    text = path.read_bytes().decode("utf-8", "replace")
    page, _, query = text.partition("?")
    test = AppTest.from_file(str(DASHBOARD), default_timeout=60)
    test.query_params.update(dict(parse_qsl(query)))
    if page != "city" and (DASHBOARD.parent / "pages" / f"{page}.py").is_file():
        test.switch_page(f"pages/{page}.py")
    test.run()
    if test.exception:
        raise RuntimeError(test.exception[0].value)
    for element in test.get("html"):
        if "<img src=x" in element.proto.body:
            raise UnsafeTextError(f"a tag from the address stands in {element.proto.body[:200]!r}")
    for kind in ("warning", "error", "info", "markdown", "title", "subheader"):
        for element in test.get(kind):
            shown = str(getattr(element, "value", ""))
            if PICTURE[:3] in shown:
                raise UnsafeTextError(f"a picture from the address stands in {shown[:200]!r}")
