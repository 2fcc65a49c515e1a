"""Patterns: does the model look at land use as the census does?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from data.store import pattern_queries as ask
from data.store import queries
from data.store.queries import City
from pages.shared import (
    chart_tables,
    charts,
    figures,
    forest,
    frame,
    palette,
    pattern_words,
    ratio_chart,
    state,
    table_menu,
)
from pages.shared.pair_section import pair_section
from pages.shared.pattern_words import COEFFICIENTS, ESTIMATORS, LEVELS, METHODS, RELATIONS
from pages.shared.plain_text import inform, warn
from pages.shared.study import OpenStudy


def page() -> None:
    here = frame.open_study()
    city = frame.chosen_city(here)
    place, away = frame.title_line("Does the model look at land use as the census does?", [20, 14])
    with place:
        frame.city_control(here)
    with away:
        table_menu.menu(here, city, table_menu.PATTERNS if city.has_land_use else ())
    frame.say_wrong_city(here, city)
    frame.data_line(here, city)
    coefficients = here.ask(ask.coefficients)
    if not city.has_land_use or not coefficients:
        _without_land_use(here, city)
    else:
        choice = _controls(here, city, coefficients)
        _what_is_known(here, city, choice.with_imputed)
        _relations(here, city, choice)
        _ratios(here, city, choice)
        pair_section(here, city, choice.method, choice.level)
    frame.footer(here)


def _what_is_known(here: OpenStudy, city: City, with_imputed: bool) -> None:
    """Say what bounds every relation below: whether the model ranks incomes at all, and what was planted."""
    measures = here.ask(queries.agreement, city.city_id, with_imputed)
    said = [pattern_words.chance_sentence(measures, city), pattern_words.planted_sentence(city)]
    if any(said):
        inform(" ".join(part for part in said if part))


def _without_land_use(here: OpenStudy, city: City) -> None:
    with_it = [other.name for other in here.cities if other.has_land_use]
    text = (
        f"{city.name} was published without land use, so nothing can be said here of what the model looks "
        f"at by "
        "land-use class. Its maps and agreement with the census are on the page City."
    )
    if with_it:
        text += f" Cities of this study with land use: {', '.join(with_it)}."
    else:
        text += (
            " Name an Urban Atlas layer under [cities.land_use] in the study file and run the study again."
        )
    inform(text)


@dataclass(frozen=True)
class Choice:
    """What the reader has chosen to see."""

    relation: str
    level: str
    method: str
    coefficient: str
    with_imputed: bool


def _controls(here: OpenStudy, city: City, coefficients: list[str]) -> Choice:
    methods = here.ask(ask.map_methods) or ["cam"]
    published = here.ask(ask.relations, city.city_id)
    relations = [name for name in RELATIONS if name in published] or ["activation"]
    levels = here.ask(ask.levels) or ["full"]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        first = "activation" if "activation" in relations else relations[0]
        relation = _pick("relation", "Relation", relations, first, RELATIONS.__getitem__)
        level = _pick(
            "level",
            "Land-use classes",
            levels,
            levels[0],
            lambda name: LEVELS.get(name, name),
            "All classes: the full Urban Atlas code. Merged: display classes like the paper's. Level 1 and "
            "2: the official hierarchy. Relation (iv) exists for all classes only.",
        )
        method = _pick(
            "map",
            "Activation map",
            methods,
            methods[0],
            lambda name: METHODS.get(name, name),
            "CAM: signed evidence E, which adds up to the prediction. Grad-CAM × gradient: the map of Levy "
            "Abitbol and "
            "Karsai (2020). The choice changes the ratios below; relation (iii) exists for CAM only.",
        )
        coefficient = _pick(
            "coefficient",
            "Coefficient",
            coefficients,
            coefficients[0],
            lambda name: COEFFICIENTS.get(name, name),
        )
        with_imputed = state.switch("imputed")
        st.toggle(
            "Imputed cells",
            key="imputed",
            on_change=state.remember,
            args=("imputed",),
            help="Cells whose income the statistical office imputed for secrecy take part too.",
        )
    return Choice(relation, level, method, coefficient, with_imputed)


def _pick(
    name: str,
    title: str,
    options: list[str],
    default: str,
    said: Callable[[str], str],
    help_text: str | None = None,
) -> str:
    """Draw a segmented control bound to the address and return its choice."""
    wrong = state.wrong_choice(name, options)
    if wrong:
        warn(f"The address asks for {title.lower()} “{wrong}”; shown instead: {said(default)}.")
    chosen = state.choice(name, options, default)
    st.segmented_control(
        title,
        options,
        format_func=said,
        key=name,
        on_change=state.remember,
        args=(name,),
        help=help_text,
        required=True,
    )
    return chosen


def _relations(here: OpenStudy, city: City, choice: Choice) -> None:
    relation, method, coefficient = choice.relation, choice.method, choice.coefficient
    # painting over single classes does not add up to painting over merged ones
    level = ask.FULL_LEVEL if relation == "occlusion" else choice.level

    def of(name: str) -> pd.DataFrame:
        found = here.ask(ask.correlations, city.city_id, name, coefficient, choice.with_imputed, level)
        return pattern_words.less_null(found)

    everything = of(relation)
    if level == ask.FULL_LEVEL:
        relied = here.ask(ask.reliance, city.city_id, choice.with_imputed)
        everything["reliance"] = everything["code"].map(relied.set_index("code").value)
    rows, census = pattern_words.drawable(everything), pattern_words.drawable(of("census"))
    by = "occlusion" if relation == "occlusion" else "activation"
    measured = here.ask(ask.pulls, city.city_id, by, choice.with_imputed, level)
    pulls = pattern_words.drawable(pattern_words.less_null(measured))
    ink = palette.inks()
    left, right = st.columns([54, 46], gap="medium")
    with left:
        st.subheader(f"{RELATIONS[relation]}, by land-use class", anchor=False)
        if relation == "activation" and method != "cam":
            st.info(
                "Relation (iii) needs the signed excess that only the CAM map gives; the map of Grad-CAM × "
                "gradient "
                "has none. Shown for CAM; the choice of map changes the ratios below."
            )
        if relation == "occlusion" and choice.level != ask.FULL_LEVEL:
            st.info("Relation (iv) exists for all classes only, which are shown.")
        if len(rows):
            title = f"{COEFFICIENTS[coefficient]} correlation, 95 % interval"
            if relation == "activation":
                title += "; null taken off"
            reference = None if relation == "census" else census
            charts.draw(
                forest.forest(rows, reference, title, ink),
                "forest",
                f"Forest plot: {RELATIONS[relation]}",
                data=lambda: chart_tables.relation(rows, relation, coefficient),
            )
        frame.sentence(pattern_words.forest_sentence(relation, rows, census, city))
        frame.note(_reading(relation, rows, everything))
    with right:
        st.subheader("Does the network pull the way of the census?", anchor=False)
        pairs = pattern_words.side_by_side(census, pulls)
        if len(pairs):
            title = f"pull by {by}, standard deviations of z"
            charts.draw(
                forest.scatter(pairs, "(i) land use and census", title, ink),
                "scatter",
                f"Scatter of relation (i) against the pull of each land-use class by {by}",
                data=lambda: chart_tables.two_relations(pairs, "census_correlation", "pull"),
            )
        counts = pattern_words.compared(pairs)
        if counts.tied:
            _figures(counts)
        if measured.empty:
            frame.sentence(
                "This study was published by an earlier version, without the pull of its classes: run it "
                "again."
            )
        else:
            frame.sentence(pattern_words.scatter_sentence(counts, city))
            indices = here.ask(ask.follow_indices, city.city_id, choice.with_imputed, level)
            frame.sentence(pattern_words.index_sentence(indices, city))
        frame.note(
            f"Shaded: same sign. {pattern_words.PULL_NOTE[by]} {pattern_words.dates_caveat(city)} The "
            "index is the correlation of the two across classes, weighted by effective cells, the pull's "
            "null taken off. Not being able to tell is not the same as disregard."
        )
    _table("The correlations as a table", _correlation_table(everything, relation))


def _reading(relation: str, rows: pd.DataFrame, everything: pd.DataFrame) -> str:
    parts = [
        "Dot: coefficient, in the class's Urban Atlas colour; line: interval corrected for neighbours being "
        "alike."
    ]
    if relation != "census":
        parts.append("Grey tick: the census relation (i).")
    pale = int((~forest.significant(rows)).sum())
    if rows.get("reliance", pd.Series(dtype=float)).notna().any():
        parts.append("Reliance: rank correlation with income lost when the class is painted over.")
    parts.append(
        f"Pale ({pale} of {len(rows)}): q above 0.05 after false-discovery control over the classes."
    )
    if relation == "activation":
        null, other = (everything[f"null_{name}"].dropna() for name in ("torus", "other"))
        size = f", here {null.min():+.2f} to {null.max():+.2f}".replace("-", "−") if len(null) else ""
        if len(other):
            size += f" (by the map of a like cell {other.min():+.2f} to {other.max():+.2f})".replace("-", "−")
        parts.append(
            "(iii) correlates the excess (mean evidence in the class less that of its cell) with the "
            "predicted class "
            "where the class is present; its null, the map moved on the torus inside the cell, is taken off "
            f"value and interval{size}. Pale too where that interval holds 0, since q is of the coefficient "
            "as measured."
        )
    if relation == "occlusion":
        parts.append(
            "(iv) correlates what painting the class over does to z, less what masks of its shape moved "
            "within the cell do, with the predicted class where the class is present."
        )
    if relation in ("activation", "occlusion"):
        parts.append(
            "A class that says nothing is below 0 here: the richer the prediction, the more the rest of the "
            "cell outweighs it. Which way a class moves z is its pull, on the right; how much the ranking "
            "needs it, its reliance."
        )
    parts.append(pattern_words.too_few(everything, "n_present"))
    return " ".join(part for part in parts if part)


def _figures(counts: pattern_words.Comparison) -> None:
    tied = counts.tied
    figures.figures(
        [
            ("Tied to income", f"{tied} of {counts.classes}", "classes, in the census, q ≤ 0.05"),
            ("Pull agrees", f"{counts.same} of {tied}", "same sign, interval without 0"),
            ("Pull opposes", f"{counts.opposite} of {tied}", "other sign, interval without 0"),
            ("Cannot be told", f"{counts.undetermined} of {tied}", "no interval, or one with 0"),
        ]
    )


def _ratios(here: OpenStudy, city: City, choice: Choice) -> None:
    ink = palette.inks()
    method, level = choice.method, choice.level
    heading, control = st.columns([62, 38], vertical_alignment="bottom")
    heading.subheader(f"Where the poor and the rich map dwell ({METHODS.get(method, method)})", anchor=False)
    with control, st.container(horizontal=True, horizontal_alignment="right"):
        estimator = _pick(
            "estimator",
            "Estimator of the ratio",
            list(ESTIMATORS),
            "pooled",
            ESTIMATORS.__getitem__,
            "Pooled: ratio of sums over cells with at least 1 % of the class. Mean of cells: the paper's, "
            "over every "
            "cell where the class is present.",
        )
    everything = here.ask(ask.class_activation, city.city_id, method, estimator, level)
    incomes = here.ask(ask.class_income, city.city_id, level)
    rows = pattern_words.drawable(everything)
    income = incomes[incomes.enough.astype(bool) & incomes.probability.notna()]
    _legend(ink)
    if rows.empty and income.empty:
        st.info(f"No land-use class of {city.name} has 30 cells predicted poor or rich: too few for a ratio.")
        return
    figure = ratio_chart.ratios(rows, income, here.row.n_classes, ink)
    charts.draw(
        figure,
        "ratios",
        "Activation ratio by land-use class for the poor and the rich map, beside census shares",
        data=lambda: chart_tables.ratios(rows, income),
    )
    frame.sentence(pattern_words.ratio_sentence(rows, income, city))
    size = here.ask(ask.map_size, city.city_id, "cam")
    width = size[1] if size else here.row.input_px // here.row.output_stride
    frame.note(
        " ".join(
            part
            for part in (
                pattern_words.mirror_caveat(here.row),
                pattern_words.resolution_caveat(here.row, width),
                "Any function of the photograph relates to land use, so a ratio off 1 is no proof of "
                "attention to income.",
                pattern_words.without_interval(rows),
                pattern_words.too_few(everything, where=" on the left"),
            )
            if part
        )
    )
    table = everything.merge(
        incomes.drop(columns=["name", "colour"]),
        on=["code", "polarity"],
        how="outer",
        suffixes=("", " census"),
    )
    _table("The ratios and shares as a table", table.drop(columns=["colour"]))


def _legend(ink: palette.Inks) -> None:
    chips = "".join(
        f'<span style="color:{polarity.colour(ink)}">{"●" if polarity.symbol == "circle" else "◆"}</span>'
        f"<span>{polarity.name} map, cells predicted in the {edge} 40 % · {name} in the census</span>"
        for (name, polarity), edge in zip(ratio_chart.POLARITIES.items(), ("lowest", "highest"), strict=True)
    )
    reading = (
        "Left: activation share over area share. Right: of the cells where the class is present, the share "
        "with "
        "such an income; dotted: the share in the whole city."
    )
    st.html(f'<div class="carreau-legend">{chips}<span>{reading}</span></div>')


def _correlation_table(frame_: pd.DataFrame, relation: str) -> pd.DataFrame:
    table = frame_.drop(columns=["colour"])
    return table if relation == "activation" else table.drop(columns=["null_torus", "null_other"])


def _table(title: str, table: pd.DataFrame) -> None:
    with st.expander(title):
        numbers = {
            column: st.column_config.NumberColumn(format="%.3f")
            for column in table.select_dtypes("float").columns
        }
        st.dataframe(table, hide_index=True, column_config=numbers)


if __name__ == "__main__":  # Streamlit runs pages so; imported, a page draws nothing
    page()
