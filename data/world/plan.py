"""What is to be generated: the invented cities, their place in the sea, their size and their character."""

from __future__ import annotations

from dataclasses import dataclass

SUN = (0.5, -0.866)  # horizontal unit vector toward the sun: south-south-east, as on a French morning flight
SUN_HEIGHT = 0.87  # radians above the horizon (50 degrees)


@dataclass(frozen=True)
class CityPlan:
    """One invented city: place (Lambert-93, metres), size, character and the kind of its files."""

    id: str
    name: str
    source_name: str  # as the official layers spell it: capitals, no accents
    fua_code: str
    commune: str
    centre: tuple[float, float]  # Lambert-93 x, y; in the sea west of Ouessant
    radius: float  # metres, mean radius of the outline
    resolution: float  # metres a pixel
    photo_format: str  # "cog", "gtiff" or "jp2"
    census_year: int
    land_use_year: int
    photo_year: int
    tile: int  # metres, side of a photo tile
    slate: float  # share of slate (not tile) roofs
    river_angle: float  # radians
    river_width: float  # metres
    coast: bool
    n_radials: int
    bend: float = 1.0


NAMES = (
    # id, name, name in the sources, FUA code, commune code
    ("port-imagine", "Port-Imaginé", "PORT_IMAGINE", "XX001L1", "99001"),
    ("feinteville", "Feinteville", "FEINTEVILLE", "XX002L1", "99002"),
    ("saint-inventaire", "Saint-Inventaire", "SAINT_INVENTAIRE", "XX003L1", "99003"),
)
# West of Ouessant (its west end is near x = 94 km): open sea, yet x stays positive as tile names need.
CENTRES = ((46_300.0, 6_843_700.0), (43_100.0, 6_812_600.0), (52_400.0, 6_781_300.0))
CHARACTER = (
    {"slate": 0.30, "river_angle": 0.35, "river_width": 64.0, "coast": True, "n_radials": 7},
    {"slate": 0.75, "river_angle": 2.05, "river_width": 46.0, "coast": False, "n_radials": 6},
    {"slate": 0.12, "river_angle": 1.15, "river_width": 30.0, "coast": False, "n_radials": 8},
)
# cities of a size; "city" is one like those of the demo
SIZES = {"tiny": 2, "city": 1, "demo": 3}


def city_plans(size: str) -> list[CityPlan]:
    """Return the plans of all cities of a size.

    `tiny`: two of 95 cells for tests; `city`: one of 800; `demo`: three of 800. ValueError for another.

    >>> [plan.name for plan in city_plans("tiny")]
    ['Port-Imaginé', 'Feinteville']
    """
    if size not in SIZES:
        raise ValueError(f"unknown size {size!r}: choose one of {', '.join(SIZES)}")
    tiny = size == "tiny"
    plans = []
    for i, (identifier, name, source_name, code, commune) in enumerate(NAMES[: SIZES[size]]):
        first = i == 0
        plans.append(
            CityPlan(
                id=identifier,
                name=name,
                source_name=source_name,
                fua_code=code,
                commune=commune,
                centre=CENTRES[i],
                radius=1130.0 if tiny else 3420.0 if first else 3330.0,
                resolution=2.0 if tiny else 1.0,
                photo_format=("gtiff" if first else "jp2") if tiny else "cog",
                census_year=2015 if first else 2019,
                land_use_year=2012 if first else 2018,
                photo_year=2016 if first else 2020,
                tile=2000 if tiny else 5000,
                **CHARACTER[i],  # type: ignore[arg-type]
            )
        )
    return plans
