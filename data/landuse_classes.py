"""The Urban Atlas legend: codes, names, hierarchy, colours, and a merging like the paper's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

Level = Literal[1, 2, "full", "paper"]

LEVEL1_NAMES = {
    "1": "Artificial surfaces",
    "2": "Agricultural areas",
    "3": "Natural and semi-natural areas",
    "4": "Wetlands",
    "5": "Water",
}

# Second digit of the nomenclature; classes 2 to 5 are not divided further than their own code.
LEVEL2_NAMES = {
    "11": "Urban fabric",
    "12": "Industrial, commercial, public, military, private and transport units",
    "13": "Mine, dump and construction sites",
    "14": "Artificial non-agricultural vegetated areas",
    "20": "Agricultural, semi-natural and wetland areas (2006)",
    "21": "Arable land (annual crops)",
    "22": "Permanent crops",
    "23": "Pastures",
    "24": "Complex and mixed cultivation",
    "25": "Orchards at the fringe of urban classes",
    "30": "Forests (2006)",
    "31": "Forests",
    "32": "Herbaceous vegetation associations",
    "33": "Open spaces with little or no vegetation",
    "40": "Wetlands",
    "50": "Water",
}


@dataclass(frozen=True)
class LandUseClass:
    """One class of the Urban Atlas: code, English name, levels, colour, and the merging like the paper's."""

    code: str
    name: str
    level1: str
    level2: str
    colour: str
    paper_class: str
    paper_group: str

    @property
    def name_level1(self) -> str:
        """Name of the level 1 class.

        >>> CLASSES["14100"].name_level1
        'Artificial surfaces'
        """
        return LEVEL1_NAMES[self.level1]

    @property
    def name_level2(self) -> str:
        """Name of the level 2 class.

        >>> CLASSES["12210"].name_level2[:22]
        'Industrial, commercial'
        """
        return LEVEL2_NAMES[self.level2]


# (code, name, colour, merged class, group). The paper's record says 19 display classes in five groups without
# listing their members here, so this merging is ours: urban fabric 6, functional 4, infrastructure 3, nature
# 4, no use 2.
_TABLE = (
    ("11100", "Continuous urban fabric (S.L. > 80%)", "#800000", "Continuous urban fabric", "urban fabric"),
    ("11210", "Discontinuous dense urban fabric (50-80%)", "#BF0000", "Dense urban fabric", "urban fabric"),
    ("11220", "Discontinuous medium density urban fabric (30-50%)", "#FF4040", "Medium density urban fabric",
     "urban fabric"),
    ("11230", "Discontinuous low density urban fabric (10-30%)", "#FF8080", "Low density urban fabric",
     "urban fabric"),
    ("11240", "Discontinuous very low density urban fabric (< 10%)", "#FFBFBF",
     "Very low density urban fabric", "urban fabric"),
    ("11300", "Isolated structures", "#CC6666", "Isolated structures", "urban fabric"),
    ("12100", "Industrial, commercial, public, military and private units", "#CC4DF2",
     "Industrial, commercial and public units", "functional"),
    ("12210", "Fast transit roads and associated land", "#959595", "Fast transit roads", "infrastructure"),
    ("12220", "Other roads and associated land", "#B3B3B3", "Other roads", "infrastructure"),
    ("12230", "Railways and associated land", "#595959", "Railways", "infrastructure"),
    ("12300", "Port areas", "#E6CCCC", "Ports", "functional"),
    ("12400", "Airports", "#E6CCE6", "Airports", "functional"),
    ("13100", "Mineral extraction and dump sites", "#734D37",
     "Extraction, dump and construction sites", "no use"),
    ("13300", "Construction sites", "#B9A56E", "Extraction, dump and construction sites", "no use"),
    ("13400", "Land without current use", "#874545", "Land without current use", "no use"),
    ("14100", "Green urban areas", "#8CDC00", "Green urban areas", "nature"),
    ("14200", "Sports and leisure facilities", "#AFD2A5", "Sports and leisure facilities", "functional"),
    ("20000", "Agricultural, semi-natural and wetland areas (2006)", "#FFFFA8",
     "Agricultural land", "nature"),
    ("21000", "Arable land (annual crops)", "#FFFFA8", "Agricultural land", "nature"),
    ("22000", "Permanent crops", "#F2A64D", "Agricultural land", "nature"),
    ("23000", "Pastures", "#E6E64D", "Agricultural land", "nature"),
    ("24000", "Complex and mixed cultivation", "#FFE64D", "Agricultural land", "nature"),
    ("25000", "Orchards at the fringe of urban classes", "#F2CC80", "Agricultural land", "nature"),
    ("30000", "Forests (2006)", "#008C00", "Forests and natural vegetation", "nature"),
    ("31000", "Forests", "#008C00", "Forests and natural vegetation", "nature"),
    ("32000", "Herbaceous vegetation associations", "#CCF24D", "Forests and natural vegetation", "nature"),
    ("33000", "Open spaces with little or no vegetation", "#CCFFCC",
     "Forests and natural vegetation", "nature"),
    ("40000", "Wetlands", "#A6A6FF", "Wetlands and water", "nature"),
    ("50000", "Water", "#80F2E6", "Wetlands and water", "nature"),
)  # fmt: skip

CLASSES: dict[str, LandUseClass] = {
    code: LandUseClass(code, name, code[0], code[:2], colour, merged, group)
    for code, name, colour, merged, group in _TABLE
}

# "Not classified" (no data, clouds): treated as unmapped.
NOT_CLASSIFIED = frozenset({"91000", "92000"})

_OTHER_COLOURS = ("#4E79A7", "#F28E2B", "#59A14F", "#B07AA1", "#9C755F", "#EDC948", "#76B7B2", "#E15759")


def level_code(code: str, level: Level) -> str:
    """Class of `code` at a level of the hierarchy: 1, 2, 'full' (the code itself) or 'paper' (the merged
    class).

    A code outside the Urban Atlas stays itself at every level.

    >>> [level_code("11220", level) for level in (1, 2, "full", "paper")]
    ['1', '11', '11220', 'Medium density urban fabric']
    """
    if level not in (1, 2, "full", "paper"):
        raise ValueError(f"level {level!r} is none of 1, 2, 'full', 'paper'")
    known = CLASSES.get(code)
    if known is None or level == "full":
        return code
    return {1: known.level1, 2: known.level2, "paper": known.paper_class}[level]


def class_name(code: str, level: Level = "full") -> str:
    """English name of a class at a level; a code outside the Urban Atlas is its own name.

    >>> class_name("1", 1), class_name("14", 2), class_name("31000"), class_name("meadow")
    ('Artificial surfaces', 'Artificial non-agricultural vegetated areas', 'Forests', 'meadow')
    """
    if level == 1:
        return LEVEL1_NAMES.get(code, code)
    if level == 2:
        return LEVEL2_NAMES.get(code, code)
    return CLASSES[code].name if level == "full" and code in CLASSES else code


def class_colour(code: str, level: Level = "full") -> str:
    """Colour '#RRGGBB' of a class: Urban Atlas's, a merged class taking that of its first member.

    >>> class_colour("14100"), class_colour("Railways", "paper"), class_colour("3", 1)
    ('#8CDC00', '#595959', '#008C00')
    """
    if code in CLASSES:
        return CLASSES[code].colour
    # the 2006 aggregates stand before the finer classes in the table, and share their colours
    for known in CLASSES.values():
        if level != "full" and level_code(known.code, level) == code:
            return known.colour
    return _OTHER_COLOURS[sum(code.encode()) % len(_OTHER_COLOURS)]


def class_table(codes: list[str], level: Level = "full") -> pd.DataFrame:
    """Legend of full codes at a level, as a publication holds it: level, code, name, colour, parent.

    ``parent`` is the class one level up: level 2 of a full code, level 1 of level 2, the group of a merged
    class; none at level 1.

    >>> class_table(["14100"]).iloc[0].to_list()
    ['full', '14100', 'Green urban areas', '#8CDC00', '14']
    >>> class_table(["31000", "32000"], "paper").iloc[0].to_list()
    ['paper', 'Forests and natural vegetation', 'Forests and natural vegetation', '#008C00', 'nature']
    """
    members: dict[str, str] = {}
    for code in codes:
        members.setdefault(level_code(code, level), code)
    rows = [
        (str(level), code, class_name(code, level), class_colour(code, level), _parent(member, level))
        for code, member in members.items()
    ]
    return pd.DataFrame(rows, columns=["level", "code", "name", "colour", "parent"])


def _parent(full_code: str, level: Level) -> str | None:
    if level == "full":
        return level_code(full_code, 2)
    if level == 2:
        return level_code(full_code, 1)
    return CLASSES[full_code].paper_group if level == "paper" and full_code in CLASSES else None
