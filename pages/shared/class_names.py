"""Short names of Urban Atlas classes, so that a chart can label every row."""

from __future__ import annotations

# The official names run to 55 characters; the code beside the short name keeps it unambiguous.
SHORT_NAMES: dict[str, str] = {
    "11100": "Continuous urban",
    "11210": "Dense urban",
    "11220": "Medium-density urban",
    "11230": "Low-density urban",
    "11240": "Very low density",
    "11300": "Isolated structures",
    "12100": "Industry, commerce, public",
    "12210": "Fast transit roads",
    "12220": "Other roads",
    "12230": "Railways",
    "12300": "Ports",
    "12400": "Airports",
    "13100": "Mineral extraction, dumps",
    "13300": "Construction sites",
    "13400": "Land without use",
    "14100": "Green urban areas",
    "14200": "Sports and leisure",
    "21000": "Arable land",
    "22000": "Permanent crops",
    "23000": "Pastures",
    "24000": "Mixed cultivation",
    "25000": "Orchards",
    "31000": "Forests",
    "32000": "Herbaceous vegetation",
    "33000": "Open spaces",
    "40000": "Wetlands",
    "50000": "Water",
}


def short_name(code: str, name: str) -> str:
    """Short name of a class; an unknown code keeps its own name, cut at 40 characters.

    >>> short_name("12230", "Railways and associated land")
    'Railways'
    >>> short_name("99999", "A class that some other atlas describes at length")
    'A class that some other atlas describes…'
    """
    known = SHORT_NAMES.get(code)
    if known is not None:
        return known
    return name if len(name) <= 40 else name[:39] + "…"


def label(code: str, name: str) -> str:
    """Code and short name, as charts and sentences write a class.

    >>> label("12230", "Railways and associated land")
    '12230 Railways'
    """
    return f"{code} {short_name(code, name)}" if code != name else short_name(code, name)
