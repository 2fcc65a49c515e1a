"""Income of the cells, and the census table that an office would publish of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.special import ndtri

FIELD_RANGE = (2.2, 4.5)  # standard deviations of the smoothing kernels, in cells of 200 m
NOISE_SHARE = 0.18  # share of the variance that neighbours do not share
# How rich a land-use class is: what makes income in the recipe `mix`, and what labels follow it in `hidden`.
MIX_WEIGHTS = {"11230": 1.0, "14100": 0.8, "31000": 0.5, "12100": -1.0, "11210": -0.8, "12230": -0.6}


@dataclass(frozen=True)
class Cells:
    """The census cells of a city: lower-left corners (n, 2) in EPSG:3035 metres."""

    corner: NDArray[np.int64]

    @property
    def ids(self) -> list[str]:
        """Return the official identifiers."""
        return [cell_id(200, int(n), int(e)) for e, n in self.corner]

    @property
    def place(self) -> NDArray[np.int64]:
        """Return row and column (n, 2) on a grid that starts at the lowest corner."""
        return ((self.corner - self.corner.min(0)) // 200)[:, ::-1]


def cell_id(side: int, north: int, east: int) -> str:
    """Return INSEE's identifier of a square of the EPSG:3035 grid that contains a point.

    >>> cell_id(1000, 2466800, 3482800)
    'CRS3035RES1000mN2466000E3482000'
    """
    return f"CRS3035RES{side}mN{north // side * side}E{east // side * side}"


def rank_of(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks (n,) spread evenly inside 0..1."""
    order = np.empty(len(values))
    order[np.argsort(values, kind="stable")] = np.arange(len(values))
    return (order + 0.5) / len(values)


def _field(cells: Cells, rng: np.random.Generator) -> NDArray[np.float64]:
    rows, columns = cells.place.T
    shape = (int(rows.max()) + 1, int(columns.max()) + 1)
    total = np.zeros(len(rows))
    for sigma in FIELD_RANGE:
        smooth = gaussian_filter(rng.standard_normal((shape[0] + 40, shape[1] + 40)), sigma)[20:-20, 20:-20]
        total += (smooth / smooth.std())[rows, columns]
    return total


def _residual(values: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.float64]:
    design = np.column_stack([np.ones(len(values)), known])
    return values - design @ np.linalg.lstsq(design, values, rcond=None)[0]


def income_score(
    recipe: str, cells: Cells, shares: pd.DataFrame, distance: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the score (n,) by which cells are ranked.

    In `objects`, `nothing` and `hidden` a smooth field and noise, both regressed on the land-use shares and
    the distance from the centre: without that step chance correlations of 0.1 with the land use remain. In
    `mix` the weighted land-use mix, smoothed only by the town itself, and noise.
    """
    field, noise = _field(cells, rng), rng.standard_normal(len(cells.corner))
    common = shares.columns[(shares > 0.005).sum() >= 12]
    known = np.column_stack([shares[common].to_numpy(), distance, distance**2])
    field = field / field.std()
    if recipe == "mix":
        mix = mix_score(shares)
        return mix / mix.std() + 0.35 * _residual(field, known) + 0.3 * noise
    score = np.sqrt(1 - NOISE_SHARE) * field + np.sqrt(NOISE_SHARE) * noise
    return _residual(score, known)


def weights_per_share(shares: pd.DataFrame) -> dict[str, float]:
    """Return the planted weight of a whole cell of each class in `mix`, by code, from shares (n, codes).

    ``MIX_WEIGHTS`` are per standard deviation of the share, so that rare classes count as much as common
    ones; a square metre of a rare class then weighs more.

    >>> weights_per_share(pd.DataFrame({"12230": [0.0, 0.5, 1.0], "50000": [1.0, 0.5, 0.0]}))
    {'12230': -1.2}
    """
    return {c: w / max(float(shares[c].std()), 1e-9) for c, w in MIX_WEIGHTS.items() if c in shares}


def mix_score(shares: pd.DataFrame) -> NDArray[np.float64]:
    """Return the weighted land-use mix (n,): each class's share times its weight."""
    parts = [weight * shares[code] for code, weight in weights_per_share(shares).items()]
    return np.sum(np.asarray(parts, float), axis=0)


def euros(rank: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return income per person in euros a year for ranks in 0..1: log-normal, 11,500 to 41,000.

    >>> euros(np.array([0.5])).round().tolist()
    [22400.0]
    """
    return np.clip(22_400 * np.exp(0.235 * ndtri(np.clip(rank, 1e-4, 1 - 1e-4))), 11_500, 41_000)


def census_table(
    cells: Cells,
    income: NDArray[np.float64],
    households: NDArray[np.float64],
    flats: NDArray[np.float64],
    commune: str,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return the census with the official 2015 columns, one row for each inhabited cell that is published.

    `households` and `flats` (n,) count dwellings. The smallest cells are imputed for secrecy: within a 1 km
    square they share one income per person, and their counts are decimals. About 1.5 % of the inhabited cells
    are not published at all and a few have no income.
    """
    table = pd.DataFrame({"IdINSPIRE": cells.ids})
    east, north = cells.corner.T
    n = len(table)
    table["Id_carr1km"] = [cell_id(1000, int(y), int(x)) for x, y in cells.corner]
    men = np.maximum(households.round(), 0)
    ind = np.maximum(1.0, (men * rng.uniform(1.75, 2.7, n) * 2).round() / 2)
    lived = men >= 1
    snv = income * ind
    imputed = np.zeros(n, int)
    group = np.where(True, table["Id_carr1km"], "")
    order = np.argsort(np.where(lived, men + rng.uniform(0, 6, n), np.inf))
    imputed[order[: int(0.12 * lived.sum())]] = 1
    squares = pd.Series(np.where(imputed == 1, table["Id_carr1km"], ""))
    counts = squares.value_counts()
    for i in np.flatnonzero(imputed):
        if counts[squares[i]] < 2:
            group[i] = cell_id(4000, int(north[i]), int(east[i]))
    for name in np.unique(group[imputed == 1]):
        members = (group == name) & (imputed == 1)
        snv[members] = snv[members].sum() / ind[members].sum() * ind[members]
    table["I_est_cr"] = imputed
    table["Id_carr_n"] = group
    table["Groupe"] = 900_000 + pd.factorize(table["Id_carr1km"])[0]
    table["Depcom"] = commune
    table["I_pauv"] = 0
    table["Id_car2010"] = table["IdINSPIRE"]
    table["Ind"], table["Men"] = ind, men
    _counts(table, income, flats, rng)
    table["Ind_snv"] = snv.round(1)
    table["I_est_1km"] = 0
    decimals = table["I_est_cr"] == 1
    for name in _COUNTS[1:]:
        if name in table and decimals.any():
            wobble = rng.uniform(0.85, 1.15, int(decimals.sum()))
            table.loc[decimals, name] = (table.loc[decimals, name].to_numpy() * wobble).round(1)
    table = table[COLUMNS_2015]
    published = lived & (rng.random(n) > 0.015)
    unknown = np.flatnonzero(published & (rng.random(n) < 0.004))
    table.loc[unknown, "Ind_snv"] = np.nan
    return table[published].reset_index(drop=True)


_AGES = {
    "Ind_0_3": 0.05,
    "Ind_4_5": 0.024,
    "Ind_6_10": 0.06,
    "Ind_11_17": 0.08,
    "Ind_18_24": 0.064,
    "Ind_25_39": 0.21,
    "Ind_40_54": 0.2,
    "Ind_55_64": 0.12,
    "Ind_65_79": 0.13,
    "Ind_80p": 0.05,
}
_BUILT = {"Log_av45": 0.2, "Log_45_70": 0.18, "Log_70_90": 0.28, "Log_ap90": 0.34}
_COUNTS = [
    "Ind",
    "Men",
    "Men_pauv",
    "Men_1ind",
    "Men_5ind",
    "Men_prop",
    "Men_fmp",
    "Men_surf",
    "Men_coll",
    "Men_mais",
    *_BUILT,
    "Log_inc",
    "Log_soc",
    *_AGES,
    "Ind_inc",
]
COLUMNS_2015 = [
    "IdINSPIRE",
    "Id_carr1km",
    "I_est_cr",
    "Id_carr_n",
    "Groupe",
    "Depcom",
    "I_pauv",
    "Id_car2010",
    "Ind",
    "Men",
    "Men_pauv",
    "Men_1ind",
    "Men_5ind",
    "Men_prop",
    "Men_fmp",
    "Ind_snv",
    "Men_surf",
    "Men_coll",
    "Men_mais",
    *_BUILT,
    "Log_inc",
    "Log_soc",
    *_AGES,
    "Ind_inc",
    "I_est_1km",
]
COLUMNS_2019 = [
    "idcar_200m",
    "idcar_1km",
    "idcar_nat",
    "i_est_200",
    "i_est_1km",
    "lcog_geo",
    *(c.lower() for c in COLUMNS_2015[8:-1]),
]


def _counts(
    table: pd.DataFrame, income: NDArray[np.float64], flats: NDArray[np.float64], rng: np.random.Generator
) -> None:
    """Fill the counts that depend on income, dwellings and age in the manner of the real table."""
    n, men, ind = len(table), table["Men"].to_numpy(), table["Ind"].to_numpy()
    poor = np.clip(0.55 - (income - 11_500) / 26_000, 0.02, 0.5)
    for name, share in (
        ("Men_pauv", poor),
        ("Men_1ind", 0.34),
        ("Men_5ind", 0.06),
        ("Men_prop", 0.75 - poor),
        ("Men_fmp", 0.11),
    ):
        table[name] = np.minimum(men, rng.binomial(men.astype(int), np.broadcast_to(share, n)))
    table["Men_surf"] = (men * rng.uniform(62, 118, n)).round()
    table["Men_coll"] = np.minimum(men, flats.round())
    table["Men_mais"] = men - table["Men_coll"]
    ages = (
        np.array([rng.multinomial(int(2 * i), [*_AGES.values(), 1 - sum(_AGES.values())]) for i in ind]) / 2
    )
    for k, name in enumerate([*_AGES, "Ind_inc"]):
        table[name] = ages[:, k]
    built = np.array([rng.multinomial(int(m), list(_BUILT.values())) for m in men])
    for k, name in enumerate(_BUILT):
        table[name] = built[:, k].astype(float)
    table["Log_inc"] = 0.0
    table["Log_soc"] = rng.binomial(men.astype(int), 0.5 * poor).astype(float)


def table_2019(table: pd.DataFrame) -> pd.DataFrame:
    """Return the same census under the 2019 names, all lower case."""
    names = {
        "IdINSPIRE": "idcar_200m",
        "Id_carr1km": "idcar_1km",
        "Id_carr_n": "idcar_nat",
        "I_est_cr": "i_est_200",
        "I_est_1km": "i_est_1km",
        "Depcom": "lcog_geo",
    }
    renamed = table.rename(columns=names).rename(columns=str.lower)
    return renamed[COLUMNS_2019]
