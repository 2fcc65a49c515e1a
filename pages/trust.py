"""Trust: can the maps be believed, and what does the model rely on?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.settings import REPOSITORY
from data.store import pattern_queries, trust_queries
from data.store.queries import City
from pages.shared import (
    answers,
    chart_data,
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
from pages.shared.index_words import VERDICT_RULE
from pages.shared.kept import kept
from pages.shared.language import _, later, number
from pages.shared.pattern_caveats import too_few
from pages.shared.pattern_words import drawable
from pages.shared.plain_text import inform, plain
from pages.shared.study import OpenStudy

RECOVERY = REPOSITORY / "data" / "recovery.json"

# by method and check
_LIKENESS = {
    ("cam", "other_fold"): later("CAM, other fold"),
    ("cam", "label_shuffle"): later("CAM, shuffled labels"),
    ("paper", "other_fold"): later("Grad-CAM × gradient, other fold"),
    ("paper", "label_shuffle"): later("Grad-CAM × gradient, shuffled labels"),
}


@dataclass(frozen=True)
class _Part:
    figure: go.Figure | None
    sentence: str
    note: str = ""


def page() -> None:
    here = frame.open_study()
    city = frame.chosen_city(here)
    place, switch, away = frame.title_line(_("Can the maps be believed?"), [20, 18, 15])
    with place:
        frame.city_control(here)
    with away:
        table_menu.menu(here, city, table_menu.TRUST)
    with switch:
        with_imputed = state.switch("imputed")
        st.toggle(_("Imputed cells"), key="imputed", on_change=state.remember, args=("imputed",))
    frame.say_wrong_city(here, city)
    frame.data_line(here, city)
    answer = kept(_answer, here, city.city_id)
    if answer is not None:
        answers.draw(answer)
        frame.note(trust_words.checks_note())
    left, right = st.columns(2, gap="medium")
    with left:
        _reliance(here, city, with_imputed)
    with right:
        _agreement(here, city)
    checks = here.ask(trust_queries.checks, city.city_id)
    if checks.empty:
        st.info(
            _("The networks of this study were published without checks of their maps ([trust] enabled).")
        )
    else:
        _cascade_and_removal(here, city)
        _likeness(here, city)
    _recovery(here)
    frame.footer(here)


def _answer(here: OpenStudy, city_id: str) -> answers.Answer | None:
    return answers.on_maps(here, here.city(city_id))


def _reliance(here: OpenStudy, city: City, with_imputed: bool) -> None:
    st.header(
        _("What the model relies on in {city}").format(city=plain(city.name)),
        anchor=False,
    )
    part = kept(_reliance_part, here, city.city_id, with_imputed)
    if part.figure is None:
        inform(
            _("{city} was published without class occlusion, so no reliance can be shown.").format(
                city=city.name
            )
        )
        return
    alt = _("Forest plot of reliance by land-use class in {city}").format(city=city.name)
    charts.draw(
        part.figure,
        "reliance",
        alt,
        data=lambda: chart_tables.by_class(
            _relied(here, city.city_id, with_imputed), "reliance_rank_correlation_lost"
        ),
    )
    frame.sentence(part.sentence)
    frame.note(part.note)


def _relied(here: OpenStudy, city_id: str, with_imputed: bool) -> pd.DataFrame:
    rows = drawable(here.ask(pattern_queries.reliance, city_id, with_imputed))
    return rows[rows.low.notna()].reset_index(drop=True)


def _reliance_part(here: OpenStudy, city_id: str, with_imputed: bool) -> _Part:
    everything = here.ask(pattern_queries.reliance, city_id, with_imputed)
    rows = _relied(here, city_id, with_imputed)
    if rows.empty:
        return _Part(None, "")
    pale = _("Pale: not told from 0 (q above 0.05, false-discovery control over the classes).")
    note = _(
        "Each class is painted over in every cell and the rank correlation of z with income is measured "
        "again, within folds: what is lost is the reliance. Good: the classes on which income shows stand to "
        "the right, the others at 0. Negative: without the class the model would do better. A reliance near "
        "0 is no proof that a class is not looked at: in a world whose truth is known, painting over found a "
        "quarter to two thirds of what the exact counterfactual did (docs/occlusion.md)."
    )
    return _Part(
        forest.forest(rows, None, _("Reliance: rank correlation lost, 95 % interval"), palette.inks()),
        trust_words.reliance_sentence(rows, here.city(city_id)),
        f"{note} {pale} {too_few(everything, 'n_present')}",
    )


def _agreement(here: OpenStudy, city: City) -> None:
    st.header(_("Do the maps point where it matters?"), anchor=False)
    part = kept(_agreement_part, here, city.city_id)
    if part.figure is None:
        st.info(_("No agreement of maps with class occlusion was published."))
        return
    charts.draw(
        part.figure,
        "agreement",
        _("Agreement of each activation map with class occlusion, by city"),
        data=lambda: chart_tables.checks(here.ask(trust_queries.map_agreements), "rank_correlation"),
    )
    frame.sentence(part.sentence)
    if part.note:
        frame.note(part.note)
    frame.note(
        _(
            "Rank correlation, over cells and land-use classes, of a map's attention to a class with what "
            "painting the class over does to z, each mask less masks of its shape moved within the cell. "
            "Good: near 1. Bad: near 0, where the map cannot say where the network looks."
        )
    )


def _agreement_part(here: OpenStudy, city_id: str) -> _Part:
    table = here.ask(trust_queries.map_agreements)
    if table.empty:
        return _Part(None, "")
    shown = trust_charts.some_cities(table, city_id)
    sentence = trust_words.agreement_sentence(table, here.city(city_id))
    drawn, total = shown.city_id.nunique(), table.city_id.nunique()
    note = (
        _("Drawn: {city} and {n} of the {total} other cities; the sentence counts all.").format(
            city=escape(here.city(city_id).name), n=number(drawn - 1), total=number(total - 1)
        )
        if drawn < total
        else ""
    )
    return _Part(trust_charts.agreement(shown, palette.inks()), sentence, note)


def _cascade_and_removal(here: OpenStudy, city: City) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        st.header(_("Does the map know the weights?"), anchor=False)
        part = kept(_cascade_part, here, city.city_id)
        if part.figure is not None:
            charts.draw(
                part.figure,
                "cascade",
                _("Likeness of maps as weights are drawn anew"),
                data=lambda: chart_tables.checks(_checked(here, city.city_id, "cascade"), "likeness"),
            )
            frame.sentence(part.sentence)
        frame.note(
            _(
                "Weights are drawn anew layer by layer, from the head down (Adebayo et al. 2018). Good: the "
                "map loses its likeness. Bad: it keeps it, and shows the photograph rather than the network."
            )
        )
    with right:
        st.header(_("Does the map find the evidence first?"), anchor=False)
        part = kept(_removal_part, here, city.city_id)
        if part.figure is not None:
            charts.draw(
                part.figure,
                "removal",
                _("Areas under the deletion and insertion curves"),
                data=lambda: chart_tables.checks(
                    _checked(here, city.city_id, "deletion", "insertion"), "area_under_curve"
                ),
            )
        frame.sentence(part.sentence)
        frame.note(
            _(
                "Pixels are painted over (deletion) or shown (insertion) in the order of the map or of a "
                "baseline that knows nothing of the network. Good: deletion lower, insertion higher than "
                "every baseline."
            )
        )


def _checked(here: OpenStudy, city_id: str, *names: str) -> pd.DataFrame:
    checks = here.ask(trust_queries.checks, city_id)
    return checks[checks.check_name.isin(names)]


def _cascade_part(here: OpenStudy, city_id: str) -> _Part:
    rows = _checked(here, city_id, "cascade")
    if rows.empty:
        return _Part(None, "")
    return _Part(trust_charts.cascade(rows, palette.inks()), trust_words.cascade_sentence(rows))


def _removal_part(here: OpenStudy, city_id: str) -> _Part:
    rows = _checked(here, city_id, "deletion", "insertion")
    if rows.check_name.nunique() < 2:
        return _Part(None, _("No curves were published."))
    return _Part(trust_charts.removal(rows, palette.inks()), trust_words.removal_sentence(rows))


def _likeness(here: OpenStudy, city: City) -> None:
    st.header(_("Does the map depend on what was learned?"), anchor=False)
    rows, said = kept(_likeness_part, here, city.city_id)
    if rows:
        figures.figures(rows)
        frame.sentence(said)
    frame.note(
        _(
            "Likeness of a network's maps to those of the network of another fold, which learned the same "
            "from other cells, and of one trained on shuffled labels (for as many epochs as the study sets: "
            "a short training leaves maps alike). Good: high for the first, low for the second."
        )
    )


def _likeness_part(here: OpenStudy, city_id: str) -> tuple[list[tuple[str, str, str]], str]:
    checks = here.ask(trust_queries.checks, city_id)
    rows = []
    for (method, name), title in _LIKENESS.items():
        values = checks[(checks.check_name == name) & (checks.method == method)].value
        if len(values):
            rows.append((_(title), number(values.mean(), 2), _("likeness, 0 to 1")))
    return rows, trust_words.likeness_sentence(checks)


def _recovery(here: OpenStudy) -> None:
    st.header(_("Worlds whose truth is known"), anchor=False)
    if not RECOVERY.is_file():
        st.info(
            _(
                "No runs on generated worlds ship with this version. One is made, in about half an hour, by "
                "`python -m core bench recovery --recipe objects --seed 1 --json`."
            )
        )
        return
    table, sentences = kept(_recovery_part, here, str(RECOVERY), RECOVERY.stat().st_mtime_ns)
    with chart_data.beside("recovery", lambda: table, None):
        # not a canvas: its cells would be cut where these wrap
        st.table(table, border="horizontal", hide_index=True)
    for said in sentences:
        frame.sentence(said)
    frame.note(
        " ".join(
            (
                _(
                    "Each row is one generated city, trained and taken apart: <code>python -m core bench "
                    "recovery --recipe R --seed N --json</code>. Recovery: chance that a class that carries "
                    "income scores above one that does not (0.5 = by luck); in mix, rank agreement with the "
                    "planted weights. Oracle: rank correlation of income with the true objects, the most "
                    "that can be seen; object pixels: their share of the photograph; chance: 95 % band of "
                    "the rank correlation for incomes unrelated to it."
                ),
                _(VERDICT_RULE),
                _(
                    "Where nothing can be learned (nothing, hidden) a verdict on following says nothing of "
                    "attention."
                ),
            )
        )
    )


def _recovery_part(here: OpenStudy, file: str, changed_ns: int) -> tuple[pd.DataFrame, list[str]]:
    """Return table and sentences of the runs in a file, made again when it has changed."""
    runs = json.loads(Path(file).read_text(encoding="utf-8"))["runs"]
    return trust_words.recovery_table(runs), trust_words.recovery_sentences(runs)


if __name__ == "__main__":  # Streamlit runs pages so; imported, a page draws nothing
    page()
