"""One cell's activation map against its land use: sums, ratios, contributions and excess of each class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LandUseSums:
    """Sums of a map over land-use classes, each (..., k); ``area`` in the unit of the pixel area.

    ``positive``, ``negative``: sum over pixels of the positive part and of minus the negative part,
    weighted by coverage; ``maximum``, ``minimum``: over the pixels that the class covers at least half,
    else over those it touches; NaN where it touches none.
    """

    area: Floats
    positive: Floats
    negative: Floats
    maximum: Floats
    minimum: Floats


@dataclass(frozen=True)
class ClassQuantities:
    """What an activation map gives to each land-use class of a cell; arrays (..., k), scalars (...).

    ``area`` in pixels, ``share`` of the mapped area; ``sum_*`` activation in pixels and ``share_*`` of the
    mapped activation; ``ratio_*`` the one share over the other, NaN where the class is absent or the mapped
    pixels hold no activation; ``maximum_*``; ``contribution``, ``excess`` of the signed evidence (NaN for a
    pair of unsigned maps); ``unmapped_contribution`` (...) of the rest, so that contributions and rest add
    up to ``mean_evidence`` (...).
    """

    area: Floats
    share: Floats
    sum_rich: Floats
    sum_poor: Floats
    share_rich: Floats
    share_poor: Floats
    ratio_rich: Floats
    ratio_poor: Floats
    maximum_rich: Floats
    maximum_poor: Floats
    contribution: Floats
    excess: Floats
    unmapped_contribution: Floats
    mean_evidence: Floats

    def to_frame(self, codes: list[str], *, present_only: bool = True) -> pd.DataFrame:
        """One row a code for a single cell's quantities (k,), classes without area left out."""
        fields = (
            "area",
            "share",
            "sum_rich",
            "sum_poor",
            "share_rich",
            "share_poor",
            "ratio_rich",
            "ratio_poor",
            "maximum_rich",
            "maximum_poor",
            "contribution",
            "excess",
        )
        table = pd.DataFrame({"code": list(codes), **{name: getattr(self, name) for name in fields}})
        return table.loc[table["share"] > 0].reset_index(drop=True) if present_only else table


def land_use_sums(maps: ArrayLike, coverage: ArrayLike, pixel_area: float = 1.0) -> LandUseSums:
    """Sum maps (..., h, w) over classes of fractional pixel ``coverage`` (..., k, h, w) in 0..1.

    The leading axes broadcast. Where coverages add up to more than 1 (overlapping land use) the pixel is
    split in proportion. ``pixel_area``: area of a whole pixel, usually in square metres. Raises
    ``ValueError`` when the maps and the coverage have different pixels.

    >>> halves = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    >>> found = land_use_sums([[3.0, -2.0]], halves, pixel_area=25.0)
    >>> found.area.tolist(), found.positive.tolist(), found.negative.tolist()
    ([25.0, 25.0], [3.0, 0.0], [0.0, 2.0])
    """
    maps, coverage = np.asarray(maps, float), _split(coverage)
    if maps.shape[-2:] != coverage.shape[-2:]:
        raise ValueError(f"the map has {maps.shape[-2:]} pixels, the coverage {coverage.shape[-2:]}")
    area = np.broadcast_to(coverage.sum(axis=(-2, -1)) * pixel_area, _leading(maps, coverage))
    above, below = np.maximum(maps, 0), np.maximum(-maps, 0)
    return LandUseSums(
        area=area,
        positive=_zonal(above, coverage),
        negative=_zonal(below, coverage),
        maximum=_extreme(maps, coverage),
        minimum=-_extreme(-maps, coverage),
    )


def class_quantities(evidence: ArrayLike, coverage: ArrayLike) -> ClassQuantities:
    """Ratios, contributions and excess of signed evidence E (..., h, w) over ``coverage`` (..., k, h, w).

    Rich = max(E, 0), poor = max(-E, 0). Formulas: ratio_u = (sum of m in u / sum of m over mapped pixels) /
    (a_u / a); contribution_u = (1/hw) sum over u of E; excess_u = mean of E in u - mean of E in the cell.
    Raises ``ValueError`` when map and coverage have different pixels.

    >>> halves = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    >>> found = class_quantities([[3.0, -1.0]], halves)
    >>> found.ratio_rich.tolist(), found.contribution.tolist(), found.excess.tolist()
    ([2.0, 0.0], [1.5, -0.5], [2.0, -2.0])
    """
    evidence, coverage = np.asarray(evidence, float), _split(coverage)
    sums = land_use_sums(evidence, coverage)
    pixels = evidence.shape[-2] * evidence.shape[-1]
    signed = sums.positive - sums.negative
    mean = evidence.mean(axis=(-2, -1))
    contribution = signed / pixels
    rest = np.maximum(1 - coverage.sum(axis=-3), 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        excess = np.where(sums.area > 0, signed / sums.area, np.nan) - np.expand_dims(mean, -1)
    return ClassQuantities(
        area=sums.area,
        share=_share(sums.area),
        sum_rich=sums.positive,
        sum_poor=sums.negative,
        share_rich=_activation_share(sums.positive),
        share_poor=_activation_share(sums.negative),
        ratio_rich=_ratio(sums.positive, sums.area),
        ratio_poor=_ratio(sums.negative, sums.area),
        maximum_rich=np.maximum(sums.maximum, 0),
        maximum_poor=np.maximum(-sums.minimum, 0),
        contribution=contribution,
        excess=excess,
        unmapped_contribution=(evidence * rest).sum(axis=(-2, -1)) / pixels,
        mean_evidence=mean,
    )


def pair_quantities(rich: ArrayLike, poor: ArrayLike, coverage: ArrayLike) -> ClassQuantities:
    """The same for two unsigned maps (the ``paper`` method): contribution, excess and their mean are NaN.

    ``rich``, ``poor`` (..., h, w) >= 0. Raises ``ValueError`` for a negative value or other pixels.
    """
    coverage = _split(coverage)
    first, second = land_use_sums(rich, coverage), land_use_sums(poor, coverage)
    if first.negative.any() or second.negative.any():
        raise ValueError("rich and poor maps hold no negative activation")
    missing = np.full(first.area.shape, np.nan)
    unknown = np.full(first.area.shape[:-1], np.nan)
    return ClassQuantities(
        area=first.area,
        share=_share(first.area),
        sum_rich=first.positive,
        sum_poor=second.positive,
        share_rich=_activation_share(first.positive),
        share_poor=_activation_share(second.positive),
        ratio_rich=_ratio(first.positive, first.area),
        ratio_poor=_ratio(second.positive, first.area),
        maximum_rich=first.maximum,
        maximum_poor=second.maximum,
        contribution=missing,
        excess=missing,
        unmapped_contribution=unknown,
        mean_evidence=unknown,
    )


def _split(coverage: ArrayLike) -> Floats:
    """Coverage with every pixel's sum brought down to 1 where land use overlaps."""
    coverage = np.asarray(coverage, float)
    total = coverage.sum(axis=-3, keepdims=True)
    return np.asarray(coverage / np.maximum(total, 1.0))


def _leading(maps: Floats, coverage: Floats) -> tuple[int, ...]:
    return (*np.broadcast_shapes(maps.shape[:-2], coverage.shape[:-3]), coverage.shape[-3])


def _zonal(maps: Floats, coverage: Floats) -> Floats:
    return np.asarray(np.einsum("...hw,...khw->...k", maps, coverage))


def _extreme(maps: Floats, coverage: Floats) -> Floats:
    """Largest value over the pixels at least half covered, else over those touched; NaN without any."""
    values = np.expand_dims(maps, -3)
    halves, touched = (
        np.where(inside, values, -np.inf).max(axis=(-2, -1), initial=-np.inf)
        for inside in (coverage >= 0.5, coverage > 0)
    )
    largest = np.where(np.isfinite(halves), halves, touched)
    return np.where(np.isfinite(largest), largest, np.nan)


def _share(area: Floats) -> Floats:
    mapped = area.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(mapped > 0, area / mapped, 0.0)


def _activation_share(sums: Floats) -> Floats:
    mapped = sums.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(mapped > 0, sums / mapped, np.nan)


def _ratio(sums: Floats, area: Floats) -> Floats:
    share = _share(area)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(share > 0, _activation_share(sums) / share, np.nan)
