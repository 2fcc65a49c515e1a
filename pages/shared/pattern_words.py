"""The sentences of the *Patterns* page, computed from the figures of its charts, each with its caveat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.store.queries import City, StudyRow
from pages.shared.class_names import label, short_name
from pages.shared.forest import significant

RELATIONS = {
    "census": "(i) Land use – census",
    "prediction": "(ii) Land use – prediction",
    "activation": "(iii) Activation – prediction",
}
COEFFICIENTS = {"spearman": "Spearman", "pearson": "Pearson", "kendall": "Kendall"}
METHODS = {"cam": "CAM", "paper": "Grad-CAM × gradient"}
ESTIMATORS = {"pooled": "Pooled", "mean": "Mean of cells"}
# Heads with one weight vector: the poor and the rich map are one signed map.
MIRROR_HEADS = {"binomial", "coral"}


def less_null(frame: pd.DataFrame) -> pd.DataFrame:
    """Return correlations with the null (map moved on the torus) taken off value and interval, where there
    is one.

    >>> measured = {"value": [0.3], "low": [0.1], "high": [0.5], "null_value": [0.1]}
    >>> less_null(pd.DataFrame(measured)).value.round(2).tolist()
    [0.2]
    """
    null = frame.null_value.astype(float).fillna(0.0)
    return frame.assign(**{column: frame[column] - null for column in ("value", "low", "high")})


def drawable(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the classes with enough cells and a value."""
    return frame[frame.enough.astype(bool) & frame.value.notna()].reset_index(drop=True)


def too_few(frame: pd.DataFrame, cells: str = "n") -> str:
    """Name the classes that are left out, for each map where there are two; empty when none is."""
    left = frame[~frame.enough.astype(bool) | frame.value.isna()]
    if left.empty:
        return ""
    groups = left.groupby("polarity") if "polarity" in left else [("", left)]
    parts = []
    for polarity, part in groups:
        codes = zip(part.code, part.name, part[cells], strict=True)
        named = ", ".join(f"{label(code, name)} ({int(count)})" for code, name, count in codes)
        parts.append(f"{polarity} map: {named}" if polarity else named)
    return f"Too few cells to show (cells in brackets): {'; '.join(parts)}."


def without_interval(frame: pd.DataFrame) -> str:
    """Say for how many dots no interval could be computed, and why; empty when all have one."""
    bare = frame[frame.low.isna() | frame.high.isna()]
    if bare.empty:
        return ""
    reasons = sorted({note for note in bare.note if note})
    because = f" ({'; '.join(reasons[:2])})" if reasons else ""
    return (
        f"Dots without a line ({len(bare)} of {len(frame)}) have no interval that could be trusted{because}."
    )


def forest_sentence(relation: str, rows: pd.DataFrame, census: pd.DataFrame, city: City) -> str:
    """Say what the forest plot shows, with what it may not be taken for."""
    if rows.empty:
        return f"No land-use class of {city.name} has enough cells for a correlation."
    sure = rows[significant(rows)]
    of = f"{len(sure) or 'none'} of {len(rows)} classes"
    if relation == "census":
        if sure.empty:
            said = (
                f"In {city.name} no land-use class goes with the census class beyond chance; "
                "that is no proof that none does."
            )
        else:
            most = _extremes(sure, "richer", "poorer")
            said = f"In {city.name} {of} go with the census class beyond chance: {most}."
        return (
            said
            + " Shares of one cell add up to one, so a class can correlate because others do: read signs."
        )
    if relation == "prediction":
        both = rows.merge(census[["code", "value"]], on="code", suffixes=("", "_census"))
        same = int((np.sign(both.value) == np.sign(both.value_census)).sum())
        return (
            f"{of[0].upper() + of[1:]} go with the predicted class beyond chance, and {same} of {len(both)} "
            f"have the sign "
            "that they have in the census. That agreement follows from the model's accuracy alone: it says "
            "nothing of "
            "what the network looks at."
        )
    if sure.empty:
        return (
            f"In {city.name} no class carries more or less of the evidence, beyond chance, where the "
            f"prediction is "
            "richer. That does not show that the network disregards land use: the intervals say what it "
            "could still be."
        )
    return (
        f"{of[0].upper() + of[1:]} carry more or less of the wealthy evidence than the rest of their cell, "
        f"beyond chance, as "
        f"the prediction gets richer: {_extremes(sure, 'more', 'less')}."
    )


def _extremes(sure: pd.DataFrame, up: str, down: str) -> str:
    parts = []
    for word, rows in (
        (up, sure[sure.value > 0].nlargest(1, "value")),
        (down, sure[sure.value < 0].nsmallest(1, "value")),
    ):
        for row in rows.itertuples():
            numbers = f"({row.value:+.2f}, {row.low:+.2f} to {row.high:+.2f})".replace("-", "−")
            parts.append(f"{word} most with {_short(row)} {numbers}")
    return "; ".join(parts)


def _short(row: object) -> str:
    return short_name(str(row.code), str(row.name)).lower()  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Comparison:
    """How the classes tied to income in the census (i) fare in the activation (iii)."""

    classes: int
    tied: int
    same: int
    opposite: int

    @property
    def undetermined(self) -> int:
        """Classes tied in the census whose activation cannot be told from its null."""
        return self.tied - self.same - self.opposite


def compared(pairs: pd.DataFrame) -> Comparison:
    """Count classes significant in (i, suffix _x) by the significant sign of (iii, suffix _y)."""
    tied = pairs[significant(pairs, "_x")]
    told = tied[significant(tied, "_y")]
    same = int((np.sign(told.value_x) == np.sign(told.value_y)).sum())
    return Comparison(classes=len(pairs), tied=len(tied), same=same, opposite=len(told) - same)


def scatter_sentence(counts: Comparison, city: City) -> str:
    """Say how activation relates to the census relation, never calling absence of significance disregard."""
    if counts.classes == 0:
        return f"No class of {city.name} has enough cells for both relations."
    if counts.tied == 0:
        return (
            f"In {city.name} the census ties no class to income beyond chance, so there is no relation that "
            f"the network "
            "could follow or disregard."
        )
    if counts.tied == 1:
        fate = (
            "goes the same way"
            if counts.same
            else "goes the opposite way"
            if counts.opposite
            else "cannot be told from its null"
        )
        return (
            f"The census ties one class to income; its activation {fate}. "
            "One class says nothing of land use in general."
        )
    follows = (
        f"Of the {counts.tied} classes that the census ties to income, the activation goes the same way in "
        f"{counts.same}, "
        f"the opposite way in {counts.opposite}, and cannot be told from its null in {counts.undetermined}."
    )
    if counts.undetermined > counts.tied / 2:
        return follows + " Too little can be told to say that the network follows land use or disregards it."
    if counts.same > 2 * counts.opposite:
        return follows + " Where it can be told, the network mostly looks at land use as the census does."
    if counts.opposite > 2 * counts.same:
        return follows + " Where it can be told, the network mostly looks the other way."
    return (
        follows + " Where it can be told, the signs are mixed: the network does not simply follow land use."
    )


def ratio_sentence(rows: pd.DataFrame, income: pd.DataFrame, city: City) -> str:
    """Say on which classes each map dwells most and what incomes are found there."""
    said = []
    for polarity in ("poor", "rich"):
        part = rows[rows.polarity == polarity]
        if part.empty:
            said.append(f"No class has enough cells predicted {_lowest(polarity)} for the {polarity} map")
            continue
        beyond = part[part.low > 1]
        top = part.loc[part.value.idxmax()]
        interval = f"{top.low:.2f} to {top.high:.2f}" if np.isfinite(top.low) else "no interval"
        fact = (
            f"The {polarity} map dwells most on {short_name(top.code, top['name']).lower()} "
            f"({top.value:.2f} times its area share, {interval})"
        )
        if top.low <= 1:
            fact = f"The {polarity} map dwells on no class beyond its area share"
            if len(beyond):  # a smaller ratio can still be told from 1
                best = beyond.loc[beyond.value.idxmax()]
                fact = (
                    f"The {polarity} map dwells on {short_name(best.code, best['name']).lower()} beyond its "
                    f"area share "
                    f"({best.value:.2f}, {best.low:.2f} to {best.high:.2f})"
                )
        chosen = beyond.loc[beyond.value.idxmax()] if len(beyond) else top
        there = income[(income.code == chosen.code) & (income.polarity == polarity)]
        if len(there) and np.isfinite(there.probability.iloc[0]) and top.low is not None and len(beyond):
            fact += (
                f"; {there.probability.iloc[0]:.0%} of the cells with that class are {polarity} in the census"
            )
        said.append(fact)
    return f"{city.name}: " + ". ".join(said) + "."


def _lowest(polarity: str) -> str:
    return "in the lowest 40 % of classes" if polarity == "poor" else "in the highest 40 % of classes"


def mirror_caveat(study: StudyRow) -> str:
    """Say what the head makes of the pair of maps."""
    if study.head in MIRROR_HEADS:
        return (
            f"Under the {study.head} head the poor and the rich map are one signed map turned round: "
            "that they differ is arithmetic, not a second piece of evidence."
        )
    return f"The {study.head} head has a weight vector for each class, so the two maps are independent."


def resolution_caveat(study: StudyRow, width: int) -> str:
    """Say how fine the activation map is: 200 m over its width."""
    metres = study.cell_size_m / width
    return (
        f"One pixel of the map is {metres:.3g} m ({width} × {width} a cell of {study.cell_size_m} m): "
        "what is narrower, such as roads and railways, shares its activation with its neighbours."
    )


def dates_caveat(city: City) -> str:
    """Name the three dates and say whether they differ."""
    dates = {"incomes": city.census_year, "land use": city.land_use_year, "photograph": city.imagery_year}
    known = {year for year in dates.values() if year is not None}
    said = ", ".join(
        f"{what} {year if year is not None else 'of unknown year'}" for what, year in dates.items()
    )
    return f"Dates: {said}" + (
        "; they differ, so change between them is mixed in." if len(known) > 1 else "."
    )
