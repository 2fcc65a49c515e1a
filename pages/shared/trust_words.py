"""The sentences of the *Trust* page, computed from its figures."""

from __future__ import annotations

from typing import Any

import pandas as pd

from data.store.queries import City
from pages.shared.class_names import short_name
from pages.shared.forest import significant
from pages.shared.index_words import NOTHING, VERDICTS
from pages.shared.language import _, later, listed, number, percent, plural
from pages.shared.pattern_words import METHODS, signed, span

BASELINES = {
    "random": later("random pixels"),
    "area_uniform": later("every part alike"),
    "blurred": later("blurred map"),
    "edge": later("edges"),
}
# of so many cities that each can be named
_FEW = 6
# likeness to the trained map, with all weights drawn anew, from which on the map shows the photograph
_MOST_LEFT = 0.3


def method_name(method: object) -> str:
    """Return the name of a map in the reader's language; one that is not known as it stands."""
    return _(METHODS[str(method)]) if method in METHODS else str(method)


def reliance_sentence(rows: pd.DataFrame, city: City) -> str:
    """Name the classes on which the model relies beyond chance."""
    sure = rows[significant(rows) & (rows.value > 0)].sort_values("value", ascending=False)
    if sure.empty:
        return _(
            "In {city} painting over any one class takes no rank correlation away, beyond chance: no "
            "reliance on a single class could be shown."
        ).format(city=city.name)
    named = ", ".join(
        f"{short_name(code, name).lower()} ({signed(value)})"
        for code, name, value in sure[["code", "name", "value"]].head(4).itertuples(index=False)
    )
    return plural(
        "In {city} the model relies, beyond chance, on {n} of {total} classes: {named}.",
        "In {city} the model relies, beyond chance, on {n} of {total} classes: {named}.",
        len(sure),
    ).format(city=city.name, n=number(len(sure)), total=number(len(rows)), named=named)


def agreement_sentence(table: pd.DataFrame, city: City) -> str:
    """Say which map agrees with occlusion, and mark those that do not; with many cities count them."""
    parts, marked = [], []
    for method, of_method in table.groupby("method"):
        known = of_method[of_method.value.notna()]
        if known.empty:
            continue
        name = method_name(method)
        low, high = known.value.min(), known.value.max()
        parts.append(f"{name} {signed(low) if len(known) == 1 else span(low, high)}")
        lost = known[~(known.low > 0)]
        if len(lost) > _FEW:
            marked.append(
                _("{map} in {n} of {total} cities").format(
                    map=name, n=number(len(lost)), total=number(len(known))
                )
            )
        elif len(lost):
            marked.append(_("{map} in {cities}").format(map=name, cities=", ".join(lost.city)))
    if not parts:
        return _("No agreement can be computed.")
    text = _("Agreement with class occlusion: {parts}.").format(parts=_("; ").join(parts))
    if table.city_id.nunique() > _FEW:
        own = table[(table.city_id == city.city_id) & table.value.notna()]
        values = [
            f"{method_name(m)} {signed(v)}" for m, v in own[["method", "value"]].itertuples(index=False)
        ]
        if values:
            text += " " + _("In {city}: {values}.").format(city=city.name, values=_("; ").join(values))
    if marked:
        text += " " + _("Marked, because it cannot be told from 0: {marked}.").format(
            marked=_("; ").join(marked)
        )
    return text


def passed(agreements: pd.DataFrame, checks: pd.DataFrame, city: City, method: str) -> dict[str, bool]:
    """Return which checks the map `method` of a city passes, of those published: where (it agrees with class
    occlusion), weights (it is lost with them), first (it beats every baseline in deletion and insertion),
    learned (another fold's map is more like it than that of shuffled labels)."""
    found = {}
    own = agreements[(agreements.city_id == city.city_id) & (agreements.method == method)]
    if own.value.notna().any():
        found["where"] = bool((own.low > 0).all())
    left = _left(checks[checks.check_name == "cascade"])
    if method in left.index:
        found["weights"] = bool(left[method] < _MOST_LEFT)
    beaten = _beaten(checks[checks.check_name.isin(["deletion", "insertion"])], method)
    if beaten is not None:
        found["first"] = bool(beaten.all())
    same, shuffled = (_likeness(checks).get((name, method)) for name in ("other_fold", "label_shuffle"))
    if same is not None and shuffled is not None:
        found["learned"] = bool(same > shuffled)
    return found


def checks_note() -> str:
    """Say when a map passes each of the checks of `passed`."""
    return _(
        "A map passes where the interval of its agreement with painting classes over lies above 0; where "
        "less than {share} of its likeness is left with all weights drawn anew; where it beats every "
        "baseline in deletion and insertion; and where it is more like the map of another fold’s network "
        "than that of shuffled labels. These are the least to ask: passing them does not make a map right."
    ).format(share=number(_MOST_LEFT, 1))


def _left(cascade: pd.DataFrame) -> pd.Series:
    """Return the likeness that is left with all weights drawn anew, by method."""
    last = cascade.loc[cascade.groupby(["model_id", "method"]).position.idxmax()]
    return last.groupby("method").value.mean()


def _beaten(removal: pd.DataFrame, method: str) -> pd.Series | None:
    """Return which baselines a map beats in deletion and insertion; None where there are no curves."""
    mean = removal.groupby(["check_name", "method"]).value.mean().unstack("check_name")
    baselines = mean.loc[[name for name in BASELINES if name in mean.index]]
    if method not in mean.index or baselines.empty or not {"deletion", "insertion"} <= set(mean.columns):
        return None
    return (mean.deletion[method] < baselines.deletion) & (mean.insertion[method] > baselines.insertion)


def _likeness(checks: pd.DataFrame) -> pd.Series:
    return checks.groupby(["check_name", "method"]).value.mean()


def cascade_sentence(cascade: pd.DataFrame) -> str:
    """Say how much likeness is left with all weights drawn anew."""
    left = _left(cascade)
    said = listed(
        [_("{value} of {map}").format(value=number(v, 2), map=method_name(m)) for m, v in left.items()]
    )
    text = (
        _("With all weights drawn anew {said} is left: most of a map comes from the weights.")
        if (left < _MOST_LEFT).all()
        else _(
            "With all weights drawn anew {said} is left: much of a map comes from the photograph, whatever "
            "the weights."
        )
    )
    return text.format(said=said)


def removal_sentence(removal: pd.DataFrame) -> str:
    """Say whether each map beats every baseline in deletion and insertion."""
    parts = []
    for method in ("cam", "paper"):
        beaten = _beaten(removal, method)
        if beaten is None:
            continue
        lost = [_(BASELINES[str(one)]) for one in beaten.index[~beaten]]
        text = (
            _("{map} beats every baseline in both")
            if beaten.all()
            else _("{map} fails to beat {lost} in at least one of the two")
        )
        parts.append(text.format(map=method_name(method), lost=", ".join(lost)))
    return _("; ").join(parts) + "." if parts else _("No curves were published.")


def likeness_sentence(checks: pd.DataFrame) -> str:
    """Compare likeness to another fold with likeness to shuffled labels."""
    mean = _likeness(checks)
    parts = []
    for method in ("cam", "paper"):
        same, shuffled = mean.get(("other_fold", method)), mean.get(("label_shuffle", method))
        if same is None or shuffled is None:
            continue
        text = (
            _(
                "The {map} map is like that of the other fold to {same} and like that of shuffled labels to "
                "{shuffled}: {difference} of it is owed to what was learned."
            )
            if same > shuffled
            else _(
                "The {map} map is like that of the other fold to {same} and like that of shuffled labels to "
                "{shuffled}: nothing in it is owed to what was learned."
            )
        )
        parts.append(
            text.format(
                map=method_name(method),
                same=number(same, 2),
                shuffled=number(shuffled, 2),
                difference=number(same - shuffled, 2),
            )
        )
    return " ".join(parts) if parts else _("Nothing was trained on shuffled labels.")


_RECOVERY_TITLES = {
    "reliance": later("by reliance"),
    "occlusion": later("by occlusion"),
    "cam": later("by CAM"),
    "paper": later("by Grad-CAM × gradient"),
}
_INDEX_TITLES = {"activation": later("index by activation"), "occlusion": later("index by occlusion")}


def recovery_table(runs: list[dict[str, Any]]) -> pd.DataFrame:
    """Return runs of `bench recovery` as a table for people, one row a run."""
    rows = []
    for run in runs:
        accuracy, found = run["accuracy"], run["recovery"]
        value, low, high = (accuracy[name] for name in ("value", "low", "high"))
        indices = {one["relation"]: one for one in reversed(run["index"])}  # of two nulls, the first
        rows.append(
            {
                _("recipe"): run["recipe"],
                _("seed"): run["seed"],
                _("rank correlation"): f"{number(value, 2)} ({_ends(low, high)})",
                _("oracle"): _figure(run["oracle"]),
                _("object pixels"): percent(run["object_pixels"], 2),
                _("chance"): _ends(accuracy["null_low"], accuracy["null_high"]),
                **{_(title): _figure(found[name]) for name, title in _RECOVERY_TITLES.items()},
                **{
                    _(title): _index(indices.get(name), run["recipe"])
                    for name, title in _INDEX_TITLES.items()
                },
            }
        )
    return pd.DataFrame(rows)


# recipes in which no land-use class goes with income, by construction
_NO_TIES = ("objects", "nothing")
_REQUIRED = {
    "objects": later("objects: planted classes found by reliance (at least 0.9): {held} of {n} runs."),
    "mix": later("mix: signed effects ordered as the planted weights (at least 0.8): {held} of {n} runs."),
    "hidden": later("hidden: rank correlation within the band of chance: {held} of {n} runs."),
    "nothing": later(
        "nothing: rank correlation within the band of chance, no class relied on: {held} of {n} runs."
    ),
}
_SEPARATED = {
    "activation": later(
        "The index by activation of mix lies above that of hidden, intervals apart, in {apart} of {n} seeds."
    ),
    "occlusion": later(
        "The index by occlusion of mix lies above that of hidden, intervals apart, in {apart} of {n} seeds."
    ),
}


def recovery_sentences(runs: list[dict[str, Any]]) -> list[str]:
    """Say of each recipe what had to come out and in how many runs it did."""
    said = []
    for recipe, required in _REQUIRED.items():
        mine = [run for run in runs if run["recipe"] == recipe]
        if mine:
            held = sum(not run["failed"] for run in mine)
            said.append(_(required).format(held=number(held), n=number(len(mine))))
    for relation, text in _SEPARATED.items():
        apart, both = separated_seeds(runs, relation)
        if both:
            said.append(_(text).format(apart=number(len(apart)), n=number(len(both))))
    return said


def separated_seeds(runs: list[dict[str, Any]], relation: str) -> tuple[list[int], list[int]]:
    """Return the seeds in which the index of `mix` lies wholly above that of `hidden`, and all with both.

    Of two indices by one relation (two nulls), the first counts.
    """
    interval = {
        (run["recipe"], run["seed"]): (index["low"], index["high"])
        for run in runs
        for index in reversed(run["index"])
        if index["relation"] == relation and index["low"] is not None
    }
    both = sorted(seed for recipe, seed in interval if recipe == "mix" and ("hidden", seed) in interval)
    return [seed for seed in both if interval["mix", seed][0] > interval["hidden", seed][1]], both


def _index(index: dict[str, Any] | None, recipe: str) -> str:
    if index is None or index["value"] is None:
        return "–"
    if index["low"] is None:
        return _figure(index["value"])
    said = index["verdict"]
    if recipe in _NO_TIES and said != "follows":
        said = NOTHING  # as of `index_words.judged`: no land-use class goes with income there
    verdict = _(VERDICTS.get(said, said))
    return f"{number(index['value'], 2)} ({_ends(index['low'], index['high'])}), {verdict}"


def _ends(low: float, high: float) -> str:
    return _("{low} to {high}").format(low=number(low, 2), high=number(high, 2))


def _figure(value: float | None) -> str:
    return "–" if value is None else number(value, 2)
