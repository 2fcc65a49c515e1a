"""Cues: the objects through which income shows, and that occur nowhere else in the picture.

A garden may hold a pool (rich) or a shed under a blue tarpaulin (poor); an old roof or a works hall a glass
roof (rich) or a tarpaulin (poor). Only the *planted* classes carry them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.world.geometry import rectangle
from data.world.lots import Site
from data.world.scene import Scene

# Classes that carry cues and the weight of each (chance of a cue against that of a garden in 11220).
PLANTED = {"11100": 1.0, "11220": 1.0, "11230": 1.0, "12100": 0.6}
CUES_PER_CELL = 15.0  # objects aimed at in the richest and the poorest cell
HIGHEST_CHANCE = 0.9
# Length and width in metres by kind of site and sign.
CUE_SIZE: dict[tuple[str, int], tuple[float, float]] = {
    ("garden", 1): (9.0, 4.6),
    ("garden", -1): (7.0, 5.0),
    ("roof", 1): (8.0, 4.6),
    ("roof", -1): (8.0, 4.6),
    ("works", 1): (20.0, 9.0),
    ("works", -1): (18.0, 9.0),
}
WATER_AND_GLASS = (84, 188, 200)
TARPAULIN = (52, 96, 186)


@dataclass(frozen=True)
class Cues:
    """What each site carries: +1 a rich cue, -1 a poor one, 0 none."""

    sign: NDArray[np.int8]  # (sites,)
    area: float  # square metres under cues

    def score(self, cell: NDArray[np.int64], n_cells: int) -> NDArray[np.float64]:
        """Return rich minus poor cues of each cell (n_cells,); sites of cell -1 count nowhere."""
        inside = cell >= 0
        return np.bincount(cell[inside], self.sign[inside].astype(float), n_cells).astype(np.float64)


def place_cues(
    sites: list[Site], uniform: NDArray[np.float64], cell: NDArray[np.int64], rank: NDArray[np.float64]
) -> Cues:
    """Decide each site's cue from its own uniform number and its cell's rank (n_cells,) in 0..1.

    Within a cell the sites' numbers are spread evenly (stratified by their order), so the count of cues
    follows the rank closely though each site's own chance stays uniform. Sites outside cells (cell -1) get
    the chance of a middling cell.
    """
    sign = np.zeros(len(sites), np.int8)
    weight = np.array([PLANTED.get(site.code, 0.0) for site in sites])
    spread = uniform.copy()
    for members in _groups(np.where(weight > 0, cell, -1)):
        order = np.argsort(uniform[members], kind="stable")
        spread[members[order]] = (np.arange(len(members)) + _jitter(uniform[members[order]])) / len(members)
    load = np.bincount(cell[cell >= 0], weight[cell >= 0], len(rank))
    place_rank = np.where(cell >= 0, rank[np.maximum(cell, 0)], 0.5)
    site_load = np.where(cell >= 0, load[np.maximum(cell, 0)], 12.0)
    for direction, level in ((1, place_rank), (-1, 1 - place_rank)):
        aim = CUES_PER_CELL * np.clip((level - 0.2) / 0.8, 0, 1) ** 1.3
        chance = np.minimum(HIGHEST_CHANCE, aim / np.maximum(site_load, 1.0)) * weight
        hit = spread < chance if direction == 1 else spread > 1 - chance
        sign[hit & (sign == 0)] = direction
    area = sum(np.prod(CUE_SIZE[site.kind, int(s)]) for site, s in zip(sites, sign, strict=True) if s)
    return Cues(sign, float(area))


def _jitter(uniform: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a second uniform number from the digits that the order did not use."""
    return (uniform * 7919.0) % 1.0


def _groups(cell: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    order = np.argsort(cell, kind="stable")
    values, starts = np.unique(cell[order], return_index=True)
    return [g for v, g in zip(values, np.split(order, starts[1:]), strict=True) if v >= 0]


def draw_cues(scene: Scene, sites: list[Site], cues: Cues) -> None:
    """Add the cues to a scene; nothing else changes between worlds of one seed."""
    for site, sign in zip(sites, cues.sign, strict=True):
        at, along = np.array([site.x, site.y]), site.along
        if sign == 0:
            continue
        size = CUE_SIZE[site.kind, int(sign)]
        cue = rectangle(at, along, *size)
        colour = WATER_AND_GLASS if sign > 0 else TARPAULIN
        if site.kind == "garden" and sign > 0:
            scene.mark(rectangle(at, along, size[0] + 3.0, size[1] + 3.0), (198, 188, 168))
            scene.mark(cue, colour)
        elif site.kind == "garden":
            scene.cast(cue, 2.2)
            scene.details.append((cue, colour))
        else:
            scene.details.append((cue, colour))
            if sign > 0:  # the ridge of the glass
                scene.details.append((rectangle(at, along, size[0], 1.0), (188, 224, 226)))
