"""Patterns: does the model look at land use as the census does?"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from data.store import pattern_queries as ask
from data.store import queries
from data.store.queries import City
from pages.shared import answers, compared_cities, frame, pattern_caveats, state, table_menu
from pages.shared.compare_section import compare_section
from pages.shared.kept import kept
from pages.shared.language import _
from pages.shared.pair_section import pair_section
from pages.shared.pattern_words import COEFFICIENTS, ESTIMATORS, LEVELS, METHODS, RELATIONS
from pages.shared.plain_text import inform, plain
from pages.shared.ratio_section import ratio_section
from pages.shared.relation_section import Asked, relation_section
from pages.shared.study import OpenStudy


def page() -> None:
    here = frame.open_study()
    city = frame.chosen_city(here)
    place, away = frame.title_line(_("Does the model look at land use as the census does?"), [20, 14])
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
        others = compared_cities.compared_cities(here, city)
        answers.draw(kept(_answer, here, city.city_id, state.switch("imputed")))
        choice = _controls(here, city, coefficients)
        _what_is_known(here, city, choice.with_imputed)
        _relations(here, [city, *others], choice)
        _ratios(here, city, choice, bool(others))
        heading = (
            _("Classes side by side in {city}").format(city=plain(city.name))
            if others
            else _("Classes side by side")
        )
        pair_section(here, city, choice.method, choice.level, heading)
    frame.footer(here)


def _answer(here: OpenStudy, city_id: str, with_imputed: bool) -> answers.Answer:
    return answers.on_land_use(here, here.city(city_id), with_imputed)


def _what_is_known(here: OpenStudy, city: City, with_imputed: bool) -> None:
    """Say what bounds every relation below: whether the model ranks incomes at all, and what was planted."""
    measures = here.ask(queries.agreement, city.city_id, with_imputed)
    said = pattern_caveats.joined(
        (pattern_caveats.chance_sentence(measures, city), pattern_caveats.planted_sentence(city))
    )
    if said:
        inform(said)


def _without_land_use(here: OpenStudy, city: City) -> None:
    with_it = [other.name for other in here.cities if other.has_land_use]
    text = _(
        "{city} was published without land use, so nothing can be said here of what the model looks at by "
        "land-use class. Its maps and agreement with the census are on the page City."
    ).format(city=city.name)
    if with_it:
        more = _("Cities of this study with land use: {cities}.").format(cities=", ".join(with_it))
    else:
        more = _(
            "Name an Urban Atlas layer under [cities.land_use] in the study file and run the study again."
        )
    inform(f"{text} {more}")


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
        relation = _pick("relation", _("Relation"), relations, first, RELATIONS)
        level = _pick(
            "level",
            _("Land-use classes"),
            levels,
            levels[0],
            LEVELS,
            _(
                "All classes: the full Urban Atlas code. Merged: display classes like the paper's. Level 1 "
                "and 2: the official hierarchy. Relation (iv) exists for all classes only."
            ),
        )
        method = _pick(
            "map",
            _("Activation map"),
            methods,
            methods[0],
            METHODS,
            _(
                "CAM: signed evidence E, which adds up to the prediction. Grad-CAM × gradient: the map of "
                "Levy Abitbol and Karsai (2020). The choice changes the ratios below; relation (iii) exists "
                "for CAM only."
            ),
        )
        coefficient = _pick("coefficient", _("Coefficient"), coefficients, coefficients[0], COEFFICIENTS)
        compared_cities.control(here, city)
        with_imputed = state.switch("imputed")
        st.toggle(
            _("Imputed cells"),
            key="imputed",
            on_change=state.remember,
            args=("imputed",),
            help=_("Cells whose income the statistical office imputed for secrecy take part too."),
        )
    return Choice(relation, level, method, coefficient, with_imputed)


def _pick(
    name: str,
    title: str,
    options: list[str],
    default: str,
    said: dict[str, str],
    help_text: str | None = None,
) -> str:
    """Draw a segmented control bound to the address and return its choice; `said` names the options."""

    words = {option: _(said[option]) if option in said else option for option in options}
    return frame.one_of(title, name, words, default, help_text, is_labelled=True)


def _relations(here: OpenStudy, cities: list[City], choice: Choice) -> None:
    # painting over single classes does not add up to painting over merged ones
    level = ask.FULL_LEVEL if choice.relation == "occlusion" else choice.level
    if choice.relation == "activation" and choice.method != "cam":
        inform(
            _(
                "Relation (iii) needs the signed excess that only the CAM map gives; the map of Grad-CAM × "
                "gradient has none. Shown for CAM; the choice of map changes the ratios below."
            )
        )
    if level != choice.level:
        inform(_("Relation (iv) exists for all classes only, which are shown."))
    asked = Asked(choice.relation, level, choice.coefficient, choice.with_imputed)
    if len(cities) > 1:
        compare_section(here, cities, asked)
    else:
        relation_section(here, cities[0], asked)


def _ratios(here: OpenStudy, city: City, choice: Choice, has_others: bool) -> None:
    words, control = st.columns([62, 38], vertical_alignment="bottom")
    method = _(METHODS[choice.method]) if choice.method in METHODS else choice.method
    if has_others:
        heading = _("Where the poor and the rich map of {city} dwell ({method})")
    else:
        heading = _("Where the poor and the rich map dwell ({method})")
    words.header(heading.format(method=method, city=plain(city.name)), anchor=False)
    with control, st.container(horizontal=True, horizontal_alignment="right"):
        estimator = _pick(
            "estimator",
            _("Estimator of the ratio"),
            list(ESTIMATORS),
            "pooled",
            ESTIMATORS,
            _(
                "Pooled: ratio of sums over cells with at least 1 % of the class. Mean of cells: the "
                "paper's, over every cell where the class is present."
            ),
        )
    ratio_section(here, city, choice.method, estimator, choice.level)


if __name__ == "__main__":  # Streamlit runs pages so; imported, a page draws nothing
    page()
