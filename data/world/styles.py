"""Styles of districts: size and crookedness of blocks, width of streets, what stands there."""

from __future__ import annotations

# By style: largest block length and width, street widths by level, crookedness (radians), kinds by weight.
STYLES: dict[str, dict] = {
    "core": {
        "size": (105, 62),
        "streets": (10, 8, 6.5),
        "crook": 0.17,
        "base": "asphalt",
        "kinds": {"perimeter": 0.84, "square": 0.05, "park": 0.04, "school": 0.04, "hall": 0.03},
    },
    "faubourg": {
        "size": (150, 84),
        "streets": (13, 11, 9),
        "crook": 0.09,
        "base": "asphalt",
        "kinds": {
            "perimeter": 0.56,
            "terrace": 0.17,
            "slabs": 0.07,
            "school": 0.05,
            "park": 0.05,
            "hall": 0.06,
            "square": 0.02,
            "construction": 0.02,
        },
    },
    "terraces": {
        "size": (170, 62),
        "streets": (12, 9, 8),
        "crook": 0.05,
        "base": "asphalt",
        "kinds": {
            "terrace": 0.50,
            "houses": 0.30,
            "perimeter": 0.08,
            "school": 0.04,
            "park": 0.04,
            "hall": 0.04,
        },
    },
    "houses": {
        "size": (190, 66),
        "streets": (12, 9, 8),
        "crook": 0.07,
        "base": "asphalt",
        "kinds": {
            "houses": 0.66,
            "terrace": 0.10,
            "villas": 0.10,
            "school": 0.025,
            "park": 0.035,
            "sport": 0.02,
            "wasteland": 0.02,
            "slabs": 0.02,
            "allotment": 0.02,
        },
    },
    "villas": {
        "size": (230, 92),
        "streets": (11, 9, 7),
        "crook": 0.12,
        "base": "verge",
        "kinds": {
            "villas": 0.60,
            "houses": 0.20,
            "estate": 0.08,
            "park": 0.03,
            "forest": 0.04,
            "pasture": 0.05,
        },
    },
    "slabs": {
        "size": (210, 150),
        "streets": (13, 10, 9),
        "crook": 0.03,
        "base": "asphalt",
        "kinds": {"slabs": 0.66, "houses": 0.14, "school": 0.08, "sport": 0.06, "retail": 0.06},
    },
    "works": {
        "size": (260, 150),
        "streets": (14, 12, 10),
        "crook": 0.03,
        "base": "asphalt",
        "kinds": {"hall": 0.62, "retail": 0.20, "wasteland": 0.08, "houses": 0.06, "construction": 0.04},
    },
    "leisure": {
        "size": (300, 210),
        "streets": (9, 7, 6),
        "crook": 0.08,
        "base": "verge",
        "kinds": {"park": 0.42, "sport": 0.34, "allotment": 0.14, "cemetery": 0.10},
    },
    "rural": {
        "size": (330, 200),
        "streets": (9, 6, 4),
        "crook": 0.16,
        "base": "verge",
        "kinds": {
            "field": 0.42,
            "pasture": 0.22,
            "forest": 0.09,
            "farm": 0.16,
            "villas": 0.09,
            "orchard": 0.02,
        },
    },
    "forest": {
        "size": (460, 330),
        "streets": (7, 5, 4),
        "crook": 0.15,
        "base": "verge",
        "kinds": {"forest": 0.78, "farm": 0.10, "pasture": 0.12},
    },
    "port": {
        "size": (260, 130),
        "streets": (14, 12, 10),
        "crook": 0.02,
        "base": "asphalt",
        "kinds": {"port": 0.75, "hall": 0.25},
    },
}
# Chances of a district's style by distance from the centre (share of the radius).
RINGS: list[tuple[float, dict[str, float]]] = [
    (0.15, {"core": 1.0}),
    (0.33, {"faubourg": 0.82, "terraces": 0.10, "leisure": 0.08}),
    (0.60, {"houses": 0.40, "terraces": 0.26, "slabs": 0.14, "works": 0.10, "leisure": 0.06, "villas": 0.04}),
    (
        0.88,
        {
            "houses": 0.42,
            "villas": 0.25,
            "works": 0.10,
            "slabs": 0.06,
            "leisure": 0.05,
            "rural": 0.10,
            "forest": 0.02,
        },
    ),
    (9.99, {"houses": 0.18, "villas": 0.34, "rural": 0.38, "works": 0.03, "forest": 0.07}),
]
