"""`python -m pages.texts [FILE.po ...]`: bring the catalogues up to date with the texts in the code.

New texts are added without a translation, those no longer used are dropped, and what is still to be
translated is printed; exits 1 where anything is. Further catalogues named are read for translations, too:
two people can translate apart.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pages.shared.language import CATALOGUES
from pages.texts.catalogue import brought_up_to_date, untranslated, write


def main(further: list[Path]) -> int:
    missing = 0
    for file in sorted(CATALOGUES.glob("*.po")):
        catalogue = brought_up_to_date(file, further)
        write(catalogue, file)
        open_texts = untranslated(catalogue)
        missing += len(open_texts)
        print(f"{file.name}: {len(catalogue)} texts, {len(open_texts)} without a translation")
        for text in open_texts:
            print(f"  {text!r}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main([Path(name) for name in sys.argv[1:]]))
