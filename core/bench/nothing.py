"""How often is land use found to go with income in generated cities where it does not?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from core.bench.inference import EACH_WITHIN, LEVEL
from core.pipeline.progress import progress
from core.statistics.correlation import correlate_classes
from data.errors import SettingsError
from data.world.income import Cells, income_score, rank_of
from data.world.plan import SIZES, city_plans
from data.world.write import make_world


def measure_nothing(seed: int = 1, worlds: int = 50, size: str = "city", fields: int = 20) -> dict[str, Any]:
    """Correlate area shares with income deciles (relation (i)) in cities where nothing carries income.

    One city a world, of seeds ``seed`` to ``seed + worlds - 1``; classes with enough cells; Spearman;
    corrected and naive p-value against 0.05, before false-discovery control. ``as_generated``: the city's own
    incomes, which the generator has regressed on the shares, so that fewer than nominal are rejected.
    ``drawn_anew``: ``fields`` incomes a city drawn in the same way without that step: here the rate must be
    nominal, within 3 to 7.5 %. Each has the rates, the 95 % interval of the corrected one over worlds (the
    tests of a world share its layout; Student's t) and the number of tests. Also cities, cells (median),
    failed: which criterion fails.

    Raises ``SettingsError`` for an unknown size or fewer than 2 worlds.
    """
    if size not in SIZES:
        raise SettingsError(f"--size: unknown size {size!r}: choose among {', '.join(SIZES)}")
    if worlds < 2:
        raise SettingsError(f"--worlds: {worlds}; at least 2 are needed for an interval")
    plan = city_plans(size)[0]
    generated, anew, cells = [], [], []
    with progress("bench nothing", worlds, "world") as advance:
        for number in range(seed, seed + worlds):
            world = make_world(plan, "nothing", number, 0)
            lived = world.households >= 0.5
            corner, shares = world.cells.corner[lived], world.shares[lived].reset_index(drop=True)
            cells.append(len(corner))
            generated.append(rejections(shares, rank_of(world.income[lived]), corner))
            random = np.random.default_rng([number, 40])
            for_each = [
                rejections(shares, rank_of(_free_income(Cells(corner), shares, random)), corner)
                for _ in range(fields)
            ]
            anew.append(pd.concat(for_each))
            advance(1)
    report: dict[str, Any] = {
        "seed": seed,
        "cities": worlds,
        "size": size,
        "cells": int(np.median(cells)),
        "as_generated": rates(generated),
        "drawn_anew": rates(anew),
    }
    return {**report, "failed": failures(report)}


def _free_income(cells: Cells, shares: pd.DataFrame, random: np.random.Generator) -> NDArray[np.float64]:
    """Return an income score (n,) drawn as in `nothing`, and not regressed on shares or distance."""
    return income_score("nothing", cells, shares.iloc[:, :0], np.zeros(len(shares)), random)


def rejections(shares: pd.DataFrame, rank: ArrayLike, corner: NDArray[np.int64]) -> pd.DataFrame:
    """Return which classes are rejected: columns naive, corrected (bool), one row a class with enough cells.

    ``shares`` (n, codes), ``rank`` (n,) in 0..1, ``corner`` (n, 2) in metres.
    """
    decile = np.ceil(np.asarray(rank) * 10)
    found = correlate_classes(shares, decile, corner[:, 0], corner[:, 1], "spearman")
    found = found[found.enough]
    return pd.DataFrame({"naive": found.p_naive < LEVEL, "corrected": found.p_value < LEVEL})


def rates(worlds: list[pd.DataFrame]) -> dict[str, Any]:
    """Return naive and corrected rate, the latter's interval over worlds, and the number of tests."""
    each = np.array([world.corrected.mean() for world in worlds if len(world)])
    half = stats.t.ppf(0.975, len(each) - 1) * each.std(ddof=1) / np.sqrt(len(each))
    return {
        "tests": sum(map(len, worlds)),
        "naive": round(float(np.mean([world.naive.mean() for world in worlds if len(world)])), 4),
        "corrected": round(float(each.mean()), 4),
        "low": round(float(max(each.mean() - half, 0)), 4),
        "high": round(float(each.mean() + half), 4),
    }


def failures(report: dict[str, Any]) -> list[str]:
    """Say which rates are not what a test at 5 % promises."""
    own, anew = report["as_generated"], report["drawn_anew"]
    said = []
    if own["low"] > LEVEL:
        said.append(f"as generated: {100 * own['corrected']:.1f} % rejected, over 5 %")
    low, high = EACH_WITHIN
    if not low <= anew["corrected"] <= high:
        said.append(
            f"incomes drawn anew: {100 * anew['corrected']:.1f} % rejected, not within {low} to {high}"
        )
    return said
