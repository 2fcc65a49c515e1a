"""What the index of a city says: does the network follow how land use goes with income?"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from data.store import pattern_queries
from data.store.queries import City
from pages.shared import notes
from pages.shared.forest import significant
from pages.shared.language import _, later, listed, number
from pages.shared.study import CanBeAsked

NOTHING = "nothing to follow"
# kinds of index by (relation, null): how a sentence and how a row of the chart name it
KINDS: dict[tuple[str, str], str] = {
    ("activation", "torus"): later("by activation (null: map moved in its cell)"),
    ("activation", "other"): later("by activation (null: map of a like cell)"),
    ("occlusion", "moved masks"): later("by occlusion (null: mask moved in its cell)"),
}
ROWS: dict[tuple[str, str], str] = {
    ("activation", "torus"): later("By activation<br>null: map moved in its cell"),
    ("activation", "other"): later("By activation<br>null: map of a like cell"),
    ("occlusion", "moved masks"): later("By occlusion<br>null: mask moved in its cell"),
}
VERDICTS = {
    "follows": later("follows"),
    "disregards": later("disregards"),
    "cannot tell": later("cannot tell"),
    NOTHING: later("nothing to follow"),
}
_SAID = {
    "follows": later("Index of {city} over {n} classes: the network follows how land use goes with income."),
    "disregards": later(
        "Index of {city} over {n} classes: the network disregards how land use goes with income."
    ),
    "cannot tell": later(
        "Index of {city} over {n} classes: it cannot be told whether the network follows land use."
    ),
    NOTHING: later(
        "Index of {city} over {n} classes: no verdict, since the census ties no class to income beyond "
        "chance and there is nothing to follow or disregard."
    ),
}
_IN_CITIES = {
    "follows": later("the network follows land use in {cities}"),
    "disregards": later("it disregards land use in {cities}"),
    "cannot tell": later("it cannot be told in {cities}"),
    NOTHING: later("there is nothing to follow in {cities}, where the census ties no class to income"),
}
VERDICT_RULE = later(
    "“Follows”: the whole interval lies above half of what cities show whose income is land use alone; "
    "“disregards”: it ends below that half; else it cannot be told. “Nothing to follow”: the census ties no "
    "class to income beyond chance."
)


def judged(indices: pd.DataFrame, census: pd.DataFrame) -> pd.DataFrame:
    """Return the indices of a city with the verdict NOTHING, unless it is “follows”, where no class of
    `census`, relation (i) by Spearman, is told from 0: no network's pulls go with such noise."""
    if significant(census[census.enough.astype(bool)]).any():
        return indices
    return indices.assign(verdict=indices.verdict.where(indices.verdict == "follows", NOTHING))


def judged_of(
    here: CanBeAsked, city_id: str, with_imputed: bool, level: str = pattern_queries.FULL_LEVEL
) -> pd.DataFrame:
    """Return the published indices of a city with their verdicts, as of `judged`."""
    return judged(
        here.ask(pattern_queries.follow_indices, city_id, with_imputed, level),
        # the (i) that an index is made of, whatever coefficient is shown
        here.ask(pattern_queries.correlations, city_id, "census", "spearman", with_imputed, level),
    )


def kind(relation: str, null_model: str) -> str:
    """Return how a sentence names an index; one that is not known by what the publication calls it."""
    known = KINDS.get((relation, null_model))
    return _(known) if known else f"{relation} ({null_model})"


def index_sentence(indices: pd.DataFrame, city: City) -> str:
    """Say what may be concluded from the indices of a city."""
    known = indices[indices.value.notna()]
    if indices.empty:
        return _(
            "No index for {city} here: it is made of all classes and of the merged ones, by Spearman "
            "correlation; at higher levels there are too few classes."
        ).format(city=city.name)
    if known.empty:
        why = notes.said(indices.note.iloc[0])
        return _("No index for {city}: {why}.").format(city=city.name, why=why)
    counts = {"city": city.name, "n": number(known.n_classes.max())}
    verdicts = set(known.verdict)
    if len(verdicts) == 1:
        return _(_SAID[verdicts.pop()]).format(**counts)
    return _(
        "Index of {city} over {n} classes: {each}; not all say the same, so nothing is concluded."
    ).format(each=each_verdict(known), **counts)


def each_verdict(known: pd.DataFrame) -> str:
    """List the verdict of each index that has one."""
    return ", ".join(
        _("“{verdict}” {kind}").format(
            verdict=_(VERDICTS[row.verdict]), kind=kind(row.relation, row.null_model)
        )
        for row in known.itertuples()
    )


def indices_sentences(indices: pd.DataFrame, cities: Sequence[City]) -> list[str]:
    """Say, for each kind of index, which cities' networks follow land use; `indices` has city_id."""
    said = []
    names = {city.city_id: city.name for city in cities}
    for relation, null_model in KINDS:
        rows = indices[(indices.relation == relation) & (indices.null_model == null_model)]
        known = rows[rows.value.notna()]
        if known.empty:
            continue
        clauses = []
        for verdict, text in _IN_CITIES.items():
            having = [names[one] for one in known[known.verdict == verdict].city_id]
            if having:
                clauses.append(_(text).format(cities=listed(having)))
        said.append(
            _("Index {kind}: {clauses}.").format(
                kind=kind(relation, null_model), clauses=_("; ").join(clauses)
            )
        )
    return said
