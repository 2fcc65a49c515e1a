"""The sentences of the *Patterns* page, computed from the figures of its charts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.store.queries import City
from pages.shared.class_names import short_name
from pages.shared.forest import apart_from_zero, significant
from pages.shared.language import _, later, number, percent, plural

RELATIONS = {
    "census": later("(i) Land use – census"),
    "prediction": later("(ii) Land use – prediction"),
    "activation": later("(iii) Activation – prediction"),
    "occlusion": later("(iv) Occlusion – prediction"),
}
LEVELS = {
    "full": later("All classes"),
    "paper": later("Merged"),
    "2": later("Level 2"),
    "1": later("Level 1"),
}
COEFFICIENTS = {"spearman": later("Spearman"), "pearson": later("Pearson"), "kendall": later("Kendall")}
METHODS = {"cam": later("CAM"), "paper": later("Grad-CAM × gradient")}
ESTIMATORS = {"pooled": later("Pooled"), "mean": later("Mean of cells")}


def less_null(frame: pd.DataFrame) -> pd.DataFrame:
    """Return correlations with the null (map moved on the torus) taken off value and interval, if any.

    >>> measured = {"value": [0.3], "low": [0.1], "high": [0.5], "null_torus": [0.1]}
    >>> less_null(pd.DataFrame(measured)).value.round(2).tolist()
    [0.2]
    """
    null = frame.null_torus.astype(float).fillna(0.0)
    return frame.assign(**{column: frame[column] - null for column in ("value", "low", "high")})


def drawable(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the classes with enough cells and a value."""
    return frame[frame.enough.astype(bool) & frame.value.notna()].reset_index(drop=True)


def signed(value: float) -> str:
    """Return a coefficient with its sign.

    >>> signed(-0.126)
    '−0.13'
    """
    return number(value, 2, sign=True)


def span(low: float, high: float) -> str:
    """Return the ends of an interval of a coefficient, as a sentence writes them.

    >>> span(-0.1, 0.25)
    '−0.10 to +0.25'
    """
    return _("{low} to {high}").format(low=signed(low), high=signed(high))


def forest_sentence(relation: str, rows: pd.DataFrame, census: pd.DataFrame, city: City) -> str:
    """Say what the forest plot shows, with what it may not be taken for."""
    if rows.empty:
        return _("No land-use class of {city} has enough cells for a correlation.").format(city=city.name)
    sure = rows[significant(rows)]
    counts = {"city": city.name, "n": number(len(sure)), "total": number(len(rows))}
    if relation == "census":
        return (
            _census_sentence(sure, counts)
            + " "
            + _("Shares of one cell add up to one, so a class can correlate because others do: read signs.")
        )
    if relation == "prediction":
        return _prediction_sentence(rows, len(sure), census, counts)
    if relation == "occlusion":
        return _occlusion_sentence(sure, counts)
    return _activation_sentence(sure, counts)


def _census_sentence(sure: pd.DataFrame, counts: dict[str, str]) -> str:
    if sure.empty:
        return _(
            "In {city} no land-use class goes with the census class beyond chance; that is no proof that "
            "none does."
        ).format(**counts)
    most = _extremes(
        sure,
        _("richer above all with {name} ({value}, {span})"),
        _("poorer above all with {name} ({value}, {span})"),
    )
    return plural(
        "In {city} {n} of {total} classes goes with the census class beyond chance: {most}.",
        "In {city} {n} of {total} classes go with the census class beyond chance: {most}.",
        len(sure),
    ).format(most=most, **counts)


def _prediction_sentence(
    rows: pd.DataFrame, n_sure: int, census: pd.DataFrame, counts: dict[str, str]
) -> str:
    both = rows.merge(census[["code", "value"]], on="code", suffixes=("", "_census"))
    same = int((np.sign(both.value) == np.sign(both.value_census)).sum())
    text = (
        plural(
            "{n} of {total} classes goes with the predicted class beyond chance, and {same} of {both} have "
            "the sign that they have in the census.",
            "{n} of {total} classes go with the predicted class beyond chance, and {same} of {both} have the "
            "sign that they have in the census.",
            n_sure,
        )
        if n_sure
        else _(
            "None of {total} classes go with the predicted class beyond chance, and {same} of {both} have "
            "the sign that they have in the census."
        )
    )
    said = text.format(same=number(same), both=number(len(both)), **counts)
    return (
        said
        + " "
        + _(
            "That agreement follows from the model's accuracy alone: it says nothing of what the network "
            "looks at."
        )
    )


def _occlusion_sentence(sure: pd.DataFrame, counts: dict[str, str]) -> str:
    if sure.empty:
        return _(
            "In {city} painting a class over moves the prediction, beyond chance, no more where it is rich "
            "than where it is poor: no class is told apart from the rest of its cell."
        ).format(**counts)
    most = _extremes(
        sure,
        _("more lost where rich {name} ({value}, {span})"),
        _("more lost where poor {name} ({value}, {span})"),
    )
    return plural(
        "Painting over {n} of {total} classes moves the prediction otherwise, beyond chance, where it is "
        "rich than where it is poor: {most}.",
        "Painting over {n} of {total} classes moves the prediction otherwise, beyond chance, where it is "
        "rich than where it is poor: {most}.",
        len(sure),
    ).format(most=most, **counts)


def _activation_sentence(sure: pd.DataFrame, counts: dict[str, str]) -> str:
    if sure.empty:
        return _(
            "In {city} no class carries more or less of the evidence, beyond chance, where the prediction is "
            "richer. That does not show that the network disregards land use: the intervals say what it "
            "could still be."
        ).format(**counts)
    most = _extremes(
        sure,
        _("more, above all {name} ({value}, {span})"),
        _("less, above all {name} ({value}, {span})"),
    )
    return plural(
        "{n} of {total} classes carries more or less of the wealthy evidence than the rest of its cell, "
        "beyond chance, as the prediction gets richer: {most}.",
        "{n} of {total} classes carry more or less of the wealthy evidence than the rest of their cell, "
        "beyond chance, as the prediction gets richer: {most}.",
        len(sure),
    ).format(most=most, **counts)


def _extremes(sure: pd.DataFrame, up: str, down: str) -> str:
    parts = []
    for text, rows in (
        (up, sure[sure.value > 0].nlargest(1, "value")),
        (down, sure[sure.value < 0].nsmallest(1, "value")),
    ):
        for code, name, value, low, high in rows[["code", "name", "value", "low", "high"]].itertuples(
            index=False
        ):
            parts.append(
                text.format(name=short_name(code, name).lower(), value=signed(value), span=span(low, high))
            )
    return _("; ").join(parts)


@dataclass(frozen=True)
class Comparison:
    """How the network pulls on the classes that the census ties to income (i)."""

    classes: int
    tied: int
    same: int
    opposite: int

    @property
    def undetermined(self) -> int:
        """Classes tied in the census whose pull cannot be told from its null."""
        return self.tied - self.same - self.opposite


def side_by_side(census: pd.DataFrame, pulls: pd.DataFrame) -> pd.DataFrame:
    """Return the classes that have both: code, name, colour, relation (i) as _x, the pull as _y."""
    first = census.set_index(["code", "name", "colour"]).add_suffix("_x").reset_index()
    second = pulls.drop(columns=["name", "colour"]).set_index("code").add_suffix("_y").reset_index()
    return first.merge(second, on="code")


def compared(pairs: pd.DataFrame) -> Comparison:
    """Count classes significant in (i, suffix _x) by the sign of the pull (suffix _y) where it has one."""
    tied = pairs[significant(pairs, "_x")]
    told = tied[apart_from_zero(tied, "_y")]
    same = int((np.sign(told.value_x) == np.sign(told.value_y)).sum())
    return Comparison(classes=len(pairs), tied=len(tied), same=same, opposite=len(told) - same)


def scatter_sentence(counts: Comparison, city: City) -> str:
    """Say whether the network pulls as the census would; absence of significance is no disregard."""
    if counts.classes == 0:
        return _("No class of {city} has enough cells for both.").format(city=city.name)
    if counts.tied == 0:
        return _(
            "In {city} the census ties no class to income beyond chance, so there is no relation that the "
            "network could follow or disregard."
        ).format(city=city.name)
    if counts.tied == 1:
        fate = (
            _("The census ties one class to income; the network pulls it the same way.")
            if counts.same
            else _("The census ties one class to income; the network pulls it the opposite way.")
            if counts.opposite
            else _("The census ties one class to income; the network cannot be told to pull it.")
        )
        return fate + " " + _("One class says nothing of land use in general.")
    follows = _(
        "Of the {tied} classes that the census ties to income, the network pulls {same} the same way and "
        "{opposite} the opposite way; of {undetermined} it cannot be told."
    ).format(
        tied=number(counts.tied),
        same=number(counts.same),
        opposite=number(counts.opposite),
        undetermined=number(counts.undetermined),
    )
    if counts.undetermined > counts.tied / 2:
        judged = _("Too little can be told to say that the network follows land use or disregards it.")
    elif counts.same > 2 * counts.opposite:
        judged = _("Where it can be told, the network mostly reads land use as the census does.")
    elif counts.opposite > 2 * counts.same:
        judged = _("Where it can be told, the network mostly reads it the other way.")
    else:
        judged = _("Where it can be told, the signs are mixed: the network does not simply follow land use.")
    return f"{follows} {judged}"


# by polarity
_TOO_FEW_PREDICTED = {
    "poor": later("No class has enough cells predicted in the lowest 40 % of classes for the poor map."),
    "rich": later("No class has enough cells predicted in the highest 40 % of classes for the rich map."),
}
_DWELLS_MOST = {
    "poor": later("The poor map dwells most on {name} ({value} times its area share, {span})."),
    "rich": later("The rich map dwells most on {name} ({value} times its area share, {span})."),
}
_DWELLS_MOST_BARE = {
    "poor": later("The poor map dwells most on {name} ({value} times its area share, no interval)."),
    "rich": later("The rich map dwells most on {name} ({value} times its area share, no interval)."),
}
_DWELLS_NOWHERE = {
    "poor": later("The poor map dwells on no class beyond its area share."),
    "rich": later("The rich map dwells on no class beyond its area share."),
}
_DWELLS_BEYOND = {
    "poor": later("The poor map dwells on {name} beyond its area share ({value}, {span})."),
    "rich": later("The rich map dwells on {name} beyond its area share ({value}, {span})."),
}
_COUNTED = {
    "poor": later("Of the cells with that class, {share} are poor in the census."),
    "rich": later("Of the cells with that class, {share} are rich in the census."),
}


def ratio_sentence(rows: pd.DataFrame, income: pd.DataFrame, city: City) -> str:
    """Say on which classes each map dwells most and what incomes are found there."""
    said = []
    for polarity in ("poor", "rich"):
        part = rows[rows.polarity == polarity]
        if part.empty:
            said.append(_(_TOO_FEW_PREDICTED[polarity]))
            continue
        beyond = part[part.low > 1]
        known = part[part.low.notna()]
        top = part.loc[(known if len(known) else part).value.idxmax()]
        if np.isnan(top.low):
            text = _DWELLS_MOST_BARE
        elif top.low > 1:
            text = _DWELLS_MOST
        elif len(beyond):  # a smaller ratio can still be told from 1
            text, top = _DWELLS_BEYOND, beyond.loc[beyond.value.idxmax()]
        else:
            text = _DWELLS_NOWHERE
        said.append(
            _(text[polarity]).format(
                name=short_name(top.code, top["name"]).lower(),
                value=number(top.value, 2),
                span="" if np.isnan(top.low) else _unsigned_span(top.low, top.high),
            )
        )
        there = income[(income.code == top.code) & (income.polarity == polarity)]
        if len(beyond) and len(there) and np.isfinite(there.probability.iloc[0]):
            said.append(_(_COUNTED[polarity]).format(share=percent(there.probability.iloc[0])))
    return _("{city}: {said}").format(city=city.name, said=" ".join(said))


def _unsigned_span(low: float, high: float) -> str:
    return _("{low} to {high}").format(low=number(low, 2), high=number(high, 2))
