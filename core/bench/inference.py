"""Rejection rates of tests between unrelated, autocorrelated fields, and coverage of bootstrap intervals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from core.pipeline.progress import progress
from core.statistics.bootstrap import ratio_of_sums
from core.statistics.correlation import COEFFICIENTS, correlate_on
from core.statistics.interval import interval_of_sums
from core.statistics.lattice import Lattice
from core.statistics.variogram import Variogram, simulate_fields

Floats = NDArray[np.float64]

RANGES = (1, 2, 4, 8)  # cells: scale of exp(-d / range), 95 % of which is gone at three times that
KINDS = ("gaussian", "decile_share", "clumped")
LEVEL = 0.05
EACH_WITHIN = (0.03, 0.075)
MEAN_WITHIN = (0.04, 0.06)
COVERAGE_WORLDS = 300
ABSENT = 0.6  # share of the cells without the land-use class


@dataclass(frozen=True)
class Town:
    """Cells of an invented town: corners in metres (n,)."""

    x: Floats
    y: Floats

    @property
    def lattice(self) -> Lattice:
        """The cells on their grid."""
        return Lattice.of(self.x, self.y, 200)


def town(seed: int) -> Town:
    """A round town of about 700 cells with a river and uninhabited patches, as the census leaves them."""
    random = np.random.default_rng([seed, 1])
    across, up = np.meshgrid(np.arange(36), np.arange(36))
    middle = 17.5
    inside = np.hypot(across - middle, up - middle) < 16.5
    inside &= np.abs(across - middle - 4 * np.sin(up / 6)) > 0.7
    for _ in range(6):
        column, row = random.uniform(4, 32, 2)
        inside &= np.hypot(across - column, up - row) > random.uniform(1, 2)
    return Town(across[inside] * 200.0, up[inside] * 200.0)


def measure_inference(seed: int = 1, draws: int = 2000) -> dict[str, Any]:
    """Simulate unrelated fields on a town's cells and count how often each test at 5 % rejects.

    Exponential autocorrelation of range 1, 2, 4 and 8 cells, three kinds of pairs: two Gaussian fields;
    deciles of one against a land-use share, absent in 60 % of the cells, of the other; Gaussian fields on a
    clumped quarter of the cells. Returns naive_max, corrected_min, corrected_max, corrected_mean, rates,
    bootstrap_coverage and failed: the criteria that do not hold (every corrected rate within 3 to 7.5 %,
    their mean within 4 to 6 %).
    """
    place = town(seed)
    rates: list[dict[str, Any]] = []
    with progress("bench inference", len(RANGES) * len(KINDS) * draws, "pair") as advance:
        for number, reach in enumerate(RANGES):
            for kind in KINDS:
                random = np.random.default_rng([seed, number, KINDS.index(kind)])
                rejected = {name: np.zeros(2) for name in COEFFICIENTS}
                for lattice, a, b in pairs(place, kind, reach, draws, random):
                    for name in COEFFICIENTS:
                        found = correlate_on(lattice, a, b, name)
                        rejected[name] += (found.p_naive < LEVEL, found.p_value < LEVEL)
                    advance(1)
                for name, counts in rejected.items():
                    rates.append(
                        {
                            "kind": kind,
                            "range_cells": reach,
                            "coefficient": name,
                            "naive": counts[0] / draws,
                            "corrected": counts[1] / draws,
                        }
                    )
    naive = [row["naive"] for row in rates]
    corrected = [row["corrected"] for row in rates]
    report: dict[str, Any] = {
        "seed": seed,
        "cells": len(place.x),
        "draws": draws,
        "naive_max": max(naive),
        "corrected_min": min(corrected),
        "corrected_max": max(corrected),
        "corrected_mean": float(np.mean(corrected)),
        "rates": rates,
        "bootstrap_coverage": bootstrap_coverage(place, seed),
    }
    return {**report, "failed": failures(rates)}


def failures(rates: list[dict[str, Any]]) -> list[str]:
    """Say which criteria do not hold."""
    low, high = EACH_WITHIN
    said = [
        f"{row['coefficient']}, {row['kind']}, range {row['range_cells']}: corrected rate "
        f"{row['corrected']:.3f} is not within {low} to {high}"
        for row in rates
        if not low <= row["corrected"] <= high
    ]
    mean = float(np.mean([row["corrected"] for row in rates]))
    low, high = MEAN_WITHIN
    return said + (
        [] if low <= mean <= high else [f"mean corrected rate {mean:.4f} is not within {low} to {high}"]
    )


def pairs(
    place: Town, kind: str, reach: float, draws: int, random: np.random.Generator
) -> Iterator[tuple[Lattice, Floats, Floats]]:
    """Yield pairs of unrelated values with the lattice of the cells that they are known for."""
    lattice = place.lattice
    model = Variogram("exponential", nugget=0.0, sill=1.0, scale=float(reach))
    clump = Variogram("exponential", nugget=0.0, sill=1.0, scale=2.0)
    for start in range(0, draws, 100):
        count = min(100, draws - start)
        first, second = (simulate_fields(lattice, model, count, random) for _ in range(2))
        where = simulate_fields(lattice, clump, count, random) if kind == "clumped" else first
        for a, b, c in zip(first, second, where, strict=True):
            if kind == "gaussian":
                yield lattice, a, b
            elif kind == "decile_share":
                share = np.maximum(b - np.quantile(b, ABSENT), 0.0)
                yield lattice, np.ceil(stats.rankdata(a) / len(a) * 10), share
            else:
                kept = c > np.quantile(c, 0.75)
                yield Lattice.of(place.x[kept], place.y[kept], 200), a[kept], b[kept]


def bootstrap_coverage(place: Town, seed: int, worlds: int = COVERAGE_WORLDS) -> list[dict[str, Any]]:
    """Measure how often the 95 % block-bootstrap interval of a share holds the true one.

    The share is that of cells where a field of the given range lies above 0.3, in ``worlds`` simulated
    fields. ``covered`` is None where most have fewer than 30 blocks (then no interval is given).
    """
    truth = float(stats.norm.sf(0.3))
    rows = []
    for reach in RANGES:
        random = np.random.default_rng([seed, 99, reach])
        model = Variogram("exponential", nugget=0.0, sill=1.0, scale=float(reach))
        held, given = 0, 0
        for field in simulate_fields(place.lattice, model, worlds, random):
            columns = np.column_stack([field > 0.3, np.ones(len(field))]).astype(float)
            found = interval_of_sums(columns, ratio_of_sums, place.x, place.y, bounds=(0, 1), draws=499)
            if np.isfinite(found.low):
                given += 1
                held += found.low <= truth <= found.high
        covered = held / given if given >= worlds / 2 else None
        rows.append({"range_cells": reach, "covered": covered, "with_interval": given / worlds})
    return rows
