"""`python -m pages.report CITY --out FILE.pdf`: write the report of a city of a published study.

Exits 0 when it is written, 2 with one sentence where it is refused.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from core.settings import read_settings
from data.errors import CarreauError
from data.store.open import find_publications
from pages.shared.language import LANGUAGES


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    from pages.report.make import FORMATS, make

    options = _parser().parse_args(arguments)
    try:
        suffix = options.out.suffix.lstrip(".").lower()
        if suffix not in FORMATS:
            return _refuse(f"--out {options.out}: name a file that ends in .pdf or .html.")
        found = find_publications(read_settings().study_roots)
        if not found:
            return _refuse("no published study was found. Run `python -m core run STUDY.toml` first.")
        study = options.study or next(iter(found))
        if study not in found:
            return _refuse(f"no published study is called {study!r}; there are {', '.join(sorted(found))}.")
        content = make(
            found[study],
            options.city,
            suffix,
            options.language,
            with_imputed=options.imputed,
            base=options.address,
        )
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_bytes(content)
    except (CarreauError, OSError) as error:
        return _refuse(str(error))
    print(options.out)
    return 0


def _refuse(why: str) -> int:
    print(f"carreau: {why}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pages.report", description="Write the report of a city.")
    parser.add_argument("city", metavar="CITY", help="id of the city, as in addresses of the dashboard")
    parser.add_argument("--study", help="id of the study (default: the first found)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="ends in .pdf or .html")
    parser.add_argument("--language", choices=tuple(LANGUAGES), default="en")
    parser.add_argument("--imputed", action="store_true", help="count cells with imputed income, too")
    parser.add_argument(
        "--address", default="", help="where the dashboard is, for the address of the same view"
    )
    return parser


if __name__ == "__main__":
    logging.disable(logging.WARNING)  # pages loaded without a server warn of caches that nobody asked for
    sys.exit(main())
