"""Names of Urban Atlas classes in the reader's language: official ones, and short ones that label a row."""

from __future__ import annotations

from pages.shared.language import _, later

# The official names run to 55 characters; the code beside the short name keeps it unambiguous.
SHORT_NAMES: dict[str, str] = {
    "11100": later("Continuous urban"),
    "11210": later("Dense urban"),
    "11220": later("Medium-density urban"),
    "11230": later("Low-density urban"),
    "11240": later("Very low density"),
    "11300": later("Isolated structures"),
    "12100": later("Industry, commerce, public"),
    "12210": later("Fast transit roads"),
    "12220": later("Other roads"),
    "12230": later("Railways"),
    "12300": later("Ports"),
    "12400": later("Airports"),
    "13100": later("Mineral extraction, dumps"),
    "13300": later("Construction sites"),
    "13400": later("Land without use"),
    "14100": later("Green urban areas"),
    "14200": later("Sports and leisure"),
    "21000": later("Arable land"),
    "22000": later("Permanent crops"),
    "23000": later("Pastures"),
    "24000": later("Mixed cultivation"),
    "25000": later("Orchards"),
    "31000": later("Forests"),
    "32000": later("Herbaceous vegetation"),
    "33000": later("Open spaces"),
    "40000": later("Wetlands"),
    "50000": later("Water"),
}

# The names that a publication holds (data/landuse_classes.py), by code: they are what is translated.
OFFICIAL_NAMES: dict[str, str] = {
    "11100": later("Continuous urban fabric (S.L. > 80%)"),
    "11210": later("Discontinuous dense urban fabric (50-80%)"),
    "11220": later("Discontinuous medium density urban fabric (30-50%)"),
    "11230": later("Discontinuous low density urban fabric (10-30%)"),
    "11240": later("Discontinuous very low density urban fabric (< 10%)"),
    "11300": later("Isolated structures"),
    "12100": later("Industrial, commercial, public, military and private units"),
    "12210": later("Fast transit roads and associated land"),
    "12220": later("Other roads and associated land"),
    "12230": later("Railways and associated land"),
    "12300": later("Port areas"),
    "12400": later("Airports"),
    "13100": later("Mineral extraction and dump sites"),
    "13300": later("Construction sites"),
    "13400": later("Land without current use"),
    "14100": later("Green urban areas"),
    "14200": later("Sports and leisure facilities"),
    "20000": later("Agricultural, semi-natural and wetland areas (2006)"),
    "21000": later("Arable land (annual crops)"),
    "22000": later("Permanent crops"),
    "23000": later("Pastures"),
    "24000": later("Complex and mixed cultivation"),
    "25000": later("Orchards at the fringe of urban classes"),
    "30000": later("Forests (2006)"),
    "31000": later("Forests"),
    "32000": later("Herbaceous vegetation associations"),
    "33000": later("Open spaces with little or no vegetation"),
    "40000": later("Wetlands"),
    "50000": later("Water"),
}
# Levels 1 and 2 of the hierarchy; a level 2 that is one class has that class's name.
LEVEL_NAMES: dict[str, str] = {
    "1": later("Artificial surfaces"),
    "2": later("Agricultural areas"),
    "3": later("Natural and semi-natural areas"),
    "11": later("Urban fabric"),
    "12": later("Industrial, commercial, public, military, private and transport units"),
    "13": later("Mine, dump and construction sites"),
    "14": later("Artificial non-agricultural vegetated areas"),
}
# Names of merged classes that no class of its own has; they are their own code.
MERGED_NAMES = (
    later("Continuous urban fabric"),
    later("Dense urban fabric"),
    later("Medium density urban fabric"),
    later("Low density urban fabric"),
    later("Very low density urban fabric"),
    later("Industrial, commercial and public units"),
    later("Extraction, dump and construction sites"),
    later("Agricultural land"),
    later("Forests and natural vegetation"),
    later("Wetlands and water"),
)
_KNOWN = {*SHORT_NAMES.values(), *OFFICIAL_NAMES.values(), *LEVEL_NAMES.values(), *MERGED_NAMES}
# the heads of level 1 and 2 are as long as a sentence
_LONGEST = 40


def official_name(name: str) -> str:
    """Name of a class in the reader's language; one of another atlas stays as it stands in the publication.

    >>> official_name("Railways and associated land"), official_name("Vineyards, terraced")
    ('Railways and associated land', 'Vineyards, terraced')
    """
    return _(name) if name in _KNOWN else name


def short_name(code: str, name: str) -> str:
    """Short name of a class; an unknown code keeps its own name, cut at 40 characters.

    >>> short_name("12230", "Railways and associated land")
    'Railways'
    >>> short_name("99999", "A class that some other atlas describes at length")
    'A class that some other atlas describes…'
    """
    known = SHORT_NAMES.get(code)
    if known is not None:
        return _(known)
    said = official_name(name)
    return said if len(said) <= _LONGEST else said[: _LONGEST - 1] + "…"


def label(code: str, name: str) -> str:
    """Code and short name, as charts and sentences write a class.

    >>> label("12230", "Railways and associated land")
    '12230 Railways'
    """
    return f"{code} {short_name(code, name)}" if code != name else short_name(code, name)
