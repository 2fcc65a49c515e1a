"""What a photograph leaves open, and the likeliest answer, for a person to look at and to confirm."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rasterio.enums import ColorInterp

from data.photograph import opened
from data.reading import STRETCHABLE, Reading

_WORLDVIEW = 8  # bands: coastal, blue, green, yellow, red, ...


@dataclass(frozen=True)
class Band:
    """A band as its file describes it."""

    number: int  # from 1
    kind: str  # of its values, as NumPy names it
    colour: str  # red, green, blue, alpha, palette, ...; "" where the file does not say


@dataclass(frozen=True)
class FirstLook:
    """What a file says, how it would be read, and what of that is a guess."""

    bands: tuple[Band, ...]
    has_crs: bool
    how: Reading
    guesses: tuple[str, ...]


def first_look(path: Path) -> FirstLook:
    """Look at the bands of a photograph; raises InputError for what is none.

    What the file says is taken; where it is silent, the likeliest reading is in ``how`` and said in
    ``guesses``: bands in their usual order, one band as grey, more than 8 bits stretched.
    """
    with opened(path) as dataset:
        bands = tuple(
            Band(number, str(kind), "" if colour in _SILENT else colour.name)
            for number, (kind, colour) in enumerate(
                zip(dataset.dtypes, dataset.colorinterp, strict=True), start=1
            )
        )
        has_crs = dataset.crs is not None
    chosen, guesses = _bands(bands)
    kinds = {band.kind for band in bands if band.colour != "alpha"}
    deep = kinds != {"uint8"} and kinds <= set(STRETCHABLE)
    if deep:
        guesses.append(f"{' and '.join(sorted(kinds))} values are stretched to 8 bits")
    return FirstLook(bands, has_crs, Reading(bands=chosen, levels="auto" if deep else None), tuple(guesses))


_SILENT = (ColorInterp.undefined, ColorInterp.gray)


def _bands(bands: tuple[Band, ...]) -> tuple[tuple[int, int, int] | None, list[str]]:
    """Return the bands to ask for (None: what reading without a word takes), and what is guessed."""
    colours = [band.colour for band in bands]
    values = [band.number for band in bands if band.colour != "alpha"]
    guesses: list[str] = []
    if {"red", "green", "blue"} <= set(colours) or (colours == ["palette"] and bands[0].kind == "uint8"):
        return None, []
    if len(values) < 3:
        first = values[0] if values else 1
        guesses.append(f"band {first} is read as grey")
        return (first, first, first), guesses
    if len(values) <= 4:
        red, green, blue = values[:3]
        guesses.append(f"bands {red}, {green}, {blue} are taken for red, green, blue; the file does not say")
        return None, guesses
    red, green, blue = (5, 3, 2) if len(values) == _WORLDVIEW else (3, 2, 1)
    order = "blue, green, red, ..."
    if len(values) == _WORLDVIEW:
        order = "coastal, blue, green, yellow, red, ..., as WorldView orders them"
    elif len(values) < _WORLDVIEW:
        order = "blue, green, red, ..., as multispectral cameras order them"
    guesses.append(
        f"bands {red}, {green}, {blue} are taken for red, green, blue ({order}); the file does not say"
    )
    return (red, green, blue), guesses
