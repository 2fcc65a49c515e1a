"""The sentences of the *Trust* page, computed from its figures."""

from __future__ import annotations

from typing import Any

import pandas as pd

from data.store.queries import City
from pages.shared.class_names import short_name
from pages.shared.forest import significant
from pages.shared.pattern_words import METHODS

BASELINES = {
    "random": "random pixels",
    "area_uniform": "every part alike",
    "blurred": "blurred map",
    "edge": "edges",
}


def reliance_sentence(rows: pd.DataFrame, city: City) -> str:
    """Name the classes on which the model relies beyond chance."""
    sure = rows[significant(rows) & (rows.value > 0)].sort_values("value", ascending=False)
    if sure.empty:
        return (
            f"In {city.name} painting over any one class takes no rank correlation away, beyond chance: no "
            "reliance on a single class could be shown."
        )
    named = ", ".join(
        f"{short_name(row.code, row.name_).lower()} ({_signed(row.value)})"
        for row in sure.rename(columns={"name": "name_"}).head(4).itertuples()
    )
    return f"In {city.name} the model relies, beyond chance, on {len(sure)} of {len(rows)} classes: {named}."


def agreement_sentence(table: pd.DataFrame) -> str:
    """Say which map agrees with occlusion, and mark those that do not."""
    parts, marked = [], []
    for method, of_method in table.groupby("method"):
        known = of_method[of_method.value.notna()]
        if known.empty:
            continue
        name = METHODS.get(str(method), str(method))
        low, high = known.value.min(), known.value.max()
        span = _signed(low) if len(known) == 1 else f"{_signed(low)} to {_signed(high)}"
        parts.append(f"{name} {span}")
        lost = known[~(known.low > 0)]
        if len(lost):
            marked.append(f"{name} in {', '.join(lost.city)}")
    text = (
        f"Agreement with class occlusion: {'; '.join(parts)}." if parts else "No agreement can be computed."
    )
    if marked:
        text += f" Marked, because it cannot be told from 0: {'; '.join(marked)}."
    return text


def cascade_sentence(cascade: pd.DataFrame) -> str:
    """Say how much likeness is left with all weights drawn anew."""
    last = cascade.loc[cascade.groupby(["model_id", "method"]).position.idxmax()]
    left = last.groupby("method").value.mean()
    said = " and ".join(f"{value:.2f} of {METHODS.get(str(m), str(m))}" for m, value in left.items())
    judged = "most of a map comes from the weights" if (left < 0.3).all() else (
        "much of a map comes from the photograph, whatever the weights"
    )  # fmt: skip
    return f"With all weights drawn anew {said} is left: {judged}."


def removal_sentence(removal: pd.DataFrame) -> str:
    """Say whether each map beats every baseline in deletion and insertion."""
    mean = removal.groupby(["check_name", "method"]).value.mean().unstack("check_name")
    baselines = mean.loc[[name for name in BASELINES if name in mean.index]]
    parts = []
    for method in ("cam", "paper"):
        if method not in mean.index or baselines.empty:
            continue
        beaten = (mean.deletion[method] < baselines.deletion) & (mean.insertion[method] > baselines.insertion)
        name = METHODS[method]
        lost = [BASELINES[str(one)] for one in baselines.index[~beaten]]
        parts.append(
            f"{name} beats every baseline in both"
            if beaten.all()
            else f"{name} fails to beat {', '.join(lost)} in at least one of the two"
        )
    return "; ".join(parts) + "." if parts else "No curves were published."


def likeness_sentence(checks: pd.DataFrame) -> str:
    """Compare likeness to another fold with likeness to shuffled labels."""
    mean = checks.groupby(["check_name", "method"]).value.mean()
    parts = []
    for method in ("cam", "paper"):
        same, shuffled = mean.get(("other_fold", method)), mean.get(("label_shuffle", method))
        if same is None or shuffled is None:
            continue
        parts.append(
            f"the {METHODS[method]} map is like that of the other fold to {same:.2f} and like that of "
            f"shuffled labels to {shuffled:.2f}: "
            + (
                f"{same - shuffled:.2f} of it is owed to what was learned"
                if same > shuffled
                else "nothing in it is owed to what was learned"
            )
        )
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}." if text else "Nothing was trained on shuffled labels."


_RECOVERY_TITLES = {
    "reliance": "by reliance",
    "occlusion": "by occlusion",
    "cam": "by CAM",
    "paper": "by Grad-CAM × gradient",
}


def recovery_table(runs: list[dict[str, Any]]) -> pd.DataFrame:
    """Return runs of `bench recovery` as a table for people, one row a run."""
    rows = []
    for run in runs:
        accuracy, found = run["accuracy"], run["recovery"]
        value, low, high = (accuracy[name] for name in ("value", "low", "high"))
        indices = {one["relation"]: one for one in reversed(run["index"])}  # of two nulls, the first
        rows.append(
            {
                "recipe": run["recipe"],
                "seed": run["seed"],
                "rank correlation": f"{value:.2f} ({low:.2f} to {high:.2f})".replace("-", "−"),
                "oracle": _figure(run["oracle"]),
                "object pixels": f"{100 * run['object_pixels']:.2f} %",
                "chance": f"{accuracy['null_low']:.2f} to {accuracy['null_high']:.2f}".replace("-", "−"),
                **{title: _figure(found[name]) for name, title in _RECOVERY_TITLES.items()},
                **{f"index by {name}": _index(indices.get(name)) for name in ("activation", "occlusion")},
            }
        )
    return pd.DataFrame(rows)


_REQUIRED = {
    "objects": "planted classes found by reliance (at least 0.9)",
    "mix": "signed effects ordered as the planted weights (at least 0.8)",
    "hidden": "rank correlation within the band of chance",
    "nothing": "rank correlation within the band of chance, no class relied on",
}


def recovery_sentences(runs: list[dict[str, Any]]) -> list[str]:
    """Say of each recipe what had to come out and in how many runs it did."""
    said = []
    for recipe, required in _REQUIRED.items():
        mine = [run for run in runs if run["recipe"] == recipe]
        if mine:
            held = sum(not run["failed"] for run in mine)
            said.append(f"{recipe}: {required}: {held} of {len(mine)} runs.")
    for relation in ("activation", "occlusion"):
        apart, both = separated_seeds(runs, relation)
        if both:
            said.append(
                f"The index by {relation} of mix lies above that of hidden, intervals apart, in {len(apart)} "
                f"of {len(both)} seeds."
            )
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


def _index(index: dict[str, Any] | None) -> str:
    if index is None or index["value"] is None:
        return "–"
    if index["low"] is None:
        return _figure(index["value"])
    text = f"{index['value']:.2f} ({index['low']:.2f} to {index['high']:.2f}), {index['verdict']}"
    return text.replace("-", "−")


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}".replace("-", "−")


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")
