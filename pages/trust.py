"""Trust: can the maps be believed, and what does the model rely on?"""

from __future__ import annotations

import json

import pandas as pd
import streamlit as st

from core.settings import REPOSITORY
from data.store import pattern_queries, trust_queries
from data.store.queries import City
from pages.shared import (
    chart_tables,
    charts,
    figures,
    forest,
    frame,
    palette,
    state,
    table_menu,
    trust_charts,
    trust_words,
)
from pages.shared.pattern_words import METHODS, VERDICT_RULE, drawable, too_few
from pages.shared.plain_text import inform, plain
from pages.shared.study import OpenStudy

RECOVERY = REPOSITORY / "data" / "recovery.json"


def page() -> None:
    here = frame.open_study()
    city = frame.chosen_city(here)
    place, switch, away = frame.title_line("Can the maps be believed?", [20, 14, 14])
    with place:
        frame.city_control(here)
    with away:
        table_menu.menu(here, city, table_menu.TRUST)
    with switch:
        with_imputed = state.switch("imputed")
        st.toggle("Imputed cells", key="imputed", on_change=state.remember, args=("imputed",))
    frame.say_wrong_city(here, city)
    frame.data_line(here, city)
    left, right = st.columns(2, gap="medium")
    with left:
        _reliance(here, city, with_imputed)
    with right:
        _agreement(here)
    checks = here.ask(trust_queries.checks, city.city_id)
    if checks.empty:
        st.info("The networks of this study were published without checks of their maps ([trust] enabled).")
    else:
        _cascade_and_removal(checks)
        _likeness(checks)
    _recovery()
    frame.footer(here)


def _reliance(here: OpenStudy, city: City, with_imputed: bool) -> None:
    st.subheader(f"What the model relies on in {plain(city.name)}", anchor=False)
    everything = here.ask(pattern_queries.reliance, city.city_id, with_imputed)
    rows = drawable(everything)
    rows = rows[rows.low.notna()].reset_index(drop=True)
    if rows.empty:
        inform(f"{city.name} was published without class occlusion, so no reliance can be shown.")
        return
    figure = forest.forest(rows, None, "Reliance: rank correlation lost, 95 % interval", palette.inks())
    charts.draw(
        figure,
        "reliance",
        f"Forest plot of reliance by land-use class in {city.name}",
        data=lambda: chart_tables.by_class(rows, "reliance_rank_correlation_lost"),
    )
    frame.sentence(trust_words.reliance_sentence(rows, city))
    frame.note(
        "Each class is painted over in every cell and the rank correlation of z with income is measured "
        "again, within folds: what is lost is the reliance. Good: the classes on which income shows stand to "
        "the right, the others at 0. Negative: without the class the model would do better. A reliance near "
        "0 is no proof that a class is not looked at: in a world whose truth is known, painting over found a "
        "quarter to two thirds of what the exact counterfactual did (docs/occlusion.md). "
        + too_few(everything, "n_present")
    )


def _agreement(here: OpenStudy) -> None:
    st.subheader("Do the maps point where it matters?", anchor=False)
    table = here.ask(trust_queries.map_agreements)
    if table.empty:
        st.info("No agreement of maps with class occlusion was published.")
        return
    figure = trust_charts.agreement(table, palette.inks())
    charts.draw(
        figure,
        "agreement",
        "Agreement of each activation map with class occlusion, by city",
        data=lambda: chart_tables.checks(table, "rank_correlation"),
    )
    frame.sentence(trust_words.agreement_sentence(table))
    frame.note(
        "Rank correlation, over cells and land-use classes, of a map's attention to a class with what "
        "painting "
        "the class over does to z, each mask less masks of its shape moved within the cell. Good: near "
        "1. Bad: "
        "near 0, where the map cannot say where the network looks."
    )


def _cascade_and_removal(checks: pd.DataFrame) -> None:
    ink = palette.inks()
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("Does the map know the weights?", anchor=False)
        cascade = checks[checks.check_name == "cascade"]
        charts.draw(
            trust_charts.cascade(cascade, ink),
            "cascade",
            "Likeness of maps as weights are drawn anew",
            data=lambda: chart_tables.checks(cascade, "likeness"),
        )
        frame.sentence(trust_words.cascade_sentence(cascade))
        frame.note(
            "Weights are drawn anew layer by layer, from the head down (Adebayo et al. 2018). Good: the map "
            "loses its likeness. Bad: it keeps it, and shows the photograph rather than the network."
        )
    with right:
        st.subheader("Does the map find the evidence first?", anchor=False)
        removal = checks[checks.check_name.isin(["deletion", "insertion"])]
        charts.draw(
            trust_charts.removal(removal, ink),
            "removal",
            "Areas under the deletion and insertion curves",
            data=lambda: chart_tables.checks(removal, "area_under_curve"),
        )
        frame.sentence(trust_words.removal_sentence(removal))
        frame.note(
            "Pixels are painted over (deletion) or shown (insertion) in the order of the map or of a "
            "baseline "
            "that knows nothing of the network. Good: deletion lower, insertion higher than every baseline."
        )


def _likeness(checks: pd.DataFrame) -> None:
    st.subheader("Does the map depend on what was learned?", anchor=False)
    rows = []
    for method in ("cam", "paper"):
        for name, title in (("other_fold", "other fold"), ("label_shuffle", "shuffled labels")):
            values = checks[(checks.check_name == name) & (checks.method == method)].value
            if len(values):
                rows.append(
                    (f"{METHODS.get(method, method)}, {title}", f"{values.mean():.2f}", "likeness, 0 to 1")
                )
    if rows:
        figures.figures(rows)
        frame.sentence(trust_words.likeness_sentence(checks))
    frame.note(
        "Likeness of a network's maps to those of the network of another fold, which learned the same from "
        "other cells, and of one trained on shuffled labels (for as many epochs as the study sets: a "
        "short training leaves "
        "maps alike). Good: high for the first, low for the second."
    )


def _recovery() -> None:
    st.subheader("Worlds whose truth is known", anchor=False)
    if not RECOVERY.is_file():
        st.info(
            "No runs on generated worlds ship with this version. One is made, in about half an hour, by "
            "`python -m core bench recovery --recipe objects --seed 1 --json`."
        )
        return
    runs = json.loads(RECOVERY.read_text(encoding="utf-8"))["runs"]
    st.dataframe(trust_words.recovery_table(runs), hide_index=True, height="content")
    for said in trust_words.recovery_sentences(runs):
        frame.sentence(said)
    frame.note(
        "Each row is one generated city, trained and taken apart: <code>python -m core bench recovery "
        "--recipe R --seed N --json</code>. Recovery: chance that a class that carries income scores above "
        "one that does not (0.5 = by luck); in mix, rank agreement with the planted weights. Oracle: rank "
        "correlation of income with the true objects, the most that can be seen; object pixels: their share "
        "of the photograph; chance: 95 % band of the rank correlation for incomes unrelated to it. "
        + VERDICT_RULE
        + " Where nothing can be learned (nothing, hidden) a verdict on following says nothing of attention."
    )


if __name__ == "__main__":  # Streamlit runs pages so; imported, a page draws nothing
    page()
