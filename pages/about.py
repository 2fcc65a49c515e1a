"""About: what are these data, and what may they be used for?"""

from __future__ import annotations

import json
from html import escape

import pandas as pd
import streamlit as st

from core.settings import read_settings
from data.store import pattern_queries as ask
from data.store.queries import City
from pages.shared import figures, frame, glossary, study, table_numbers
from pages.shared.about_files import files_section, models_section
from pages.shared.class_names import official_name, short_name
from pages.shared.head_names import head_name
from pages.shared.language import _, day, later, number, percent
from pages.shared.plain_text import plain
from pages.shared.study import OpenStudy, is_missing
from pages.shared.told import told_column

_SCOPES = {
    "city": later("1 = poorest, cut inside each city"),
    "study": later("1 = poorest, cut once for all cities"),
}
_MAY = (
    later(
        "To see where a network that reads income from aerial photographs is right, and where it is wrong."
    ),
    later(
        "To ask which land-use classes it looks at, and whether they are those that the census ties to "
        "income."
    ),
    later("To judge a method on cities whose truth is known, before it is believed elsewhere."),
    later(
        "To learn how much of a figure is chance: each comes with an interval or with the reason for none."
    ),
)  # fmt: skip
_MAY_NOT = (
    later(
        "To describe a household, a building or a person: figures describe squares, and imputed squares not "
        "even those."
    ),
    later("To decide on anyone's benefits, credit, prices or policing, or to rank streets."),
    later(
        "To replace a census: a predicted class is a guess on the census scale that shrinks toward the "
        "middle."
    ),
    later("To say which of two cities is richer where classes are cut inside each city."),
    later("To speak of another place, year or kind of photograph than those the networks learned from."),
    later("To conclude from a map alone what causes income: attention is not cause."),
)
# so many names of cities are read; more are counted
_MOST_NAMES = 6


def page() -> None:
    here = frame.open_study()
    city = frame.chosen_city(here)
    (place,) = frame.title_line(_("What are these data, and what may they be used for?"), [20])
    with place:
        frame.city_control(here)
    frame.say_wrong_city(here, city)
    frame.data_line(here, city)
    _study(here)
    _use()
    _city(here, city)
    files_section(here, city)
    models_section(here)
    _glossary(here)
    _publication(here)
    frame.footer(here)


def _study(here: OpenStudy) -> None:
    row = here.row
    if row.description:
        frame.sentence(row.description)
    cells = sum(city.n_cells for city in here.cities)
    predicted = sum(city.n_predicted for city in here.cities)
    names = [city.name for city in here.cities]
    if len(names) > _MOST_NAMES:
        named = _("{some} and {n} more").format(
            some=", ".join(names[:_MOST_NAMES]), n=number(len(names) - _MOST_NAMES)
        )
    else:
        named = ", ".join(names)
    figures.figures(
        [
            (_("Cities"), number(len(names)), named),
            (
                _("Cells with income"),
                number(cells),
                _("squares of {size} m in {crs}").format(size=number(row.cell_size_m), crs=row.grid_crs),
            ),
            (
                _("Predicted"),
                number(predicted),
                _("each by a network that never saw it, where it has an income"),
            ),
            (_("Income classes"), number(row.n_classes), _(_SCOPES.get(row.label_scope, row.label_scope))),
            (
                _("Network"),
                row.architecture,
                _("{head} head, {input} px a cell, output stride {stride}").format(
                    head=head_name(row.head), input=number(row.input_px), stride=number(row.output_stride)
                ),
            ),
        ]
    )


def _use() -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        st.header(_("What it may be used for"), anchor=False)
        st.markdown("\n".join(f"- {_(text)}" for text in _MAY))
    with right:
        st.header(_("What it may not be used for"), anchor=False)
        least = read_settings().least_households
        secrecy = _(
            "To look for those whom secrecy protects: selections of cells with fewer than {least} households "
            "are not handed out."
        ).format(least=number(least))
        st.markdown("\n".join(f"- {text}" for text in (*(_(text) for text in _MAY_NOT), secrecy)))


def _city(here: OpenStudy, city: City) -> None:
    st.header(plain(city.name), anchor=False)
    if here.row.is_generated and city.recipe is not None:
        frame.sentence(_invented(city))
    left, right = st.columns([46, 54], gap="medium")
    with left:
        unknown = _("unknown")
        rows = [
            (_("Cells in the census"), number(city.n_cells + city.n_without_income)),
            (_("with income"), number(city.n_cells)),
            (_("of them imputed by the statistical office"), number(city.n_imputed)),
            (_("without people or income"), number(city.n_without_income)),
            (_("Left out: more than 1 % empty pixels"), number(city.n_empty_pixels)),
            (_("Predicted"), number(city.n_predicted)),
            (_("Income of"), _known(city.census_year)),
            (_("Land use of"), _known(city.land_use_year) if city.has_land_use else _("none in this study")),
            (_("Photograph of"), _known(city.imagery_year)),
            (_("Photograph's resolution"), _metres(city.imagery_resolution_m) or unknown),
            (_("Range of the residual variogram"), _metres(city.residual_range_m, 0) or unknown),
            (_("Published"), day(here.row.created_at)),
        ]
        facts = pd.DataFrame(rows, columns=[_("City"), plain(city.name)])
        st.table(facts, border="horizontal", hide_index=True)
    with right:
        thresholds = here.ask(ask.thresholds, city.city_id)
        if len(thresholds):
            st.table(_threshold_table(thresholds, here.row.n_classes), border="horizontal", hide_index=True)
            frame.note(
                _(
                    "Income per person, euros a year (winsorised standard of living). Class k holds q(k−1) ≤ "
                    "income < q(k), the last one closed; labels use the thresholds from all cells."
                )
            )


def _known(year: int | None) -> str:
    return _("unknown year") if year is None else str(year)


def _metres(length: float | None, most: int = 2) -> str:
    """Return a length in metres with as many digits as it has, at most `most`; empty where unknown."""
    if not length or is_missing(length):
        return ""
    digits = next((n for n in range(most) if round(length, n) == round(length, most)), most)
    return _("{n} m").format(n=number(length, digits))


def _invented(city: City) -> str:
    recipe = glossary.RECIPES.get(str(city.recipe))
    parts = [
        _("{city} is invented, by the recipe “{recipe}”: {meaning}").format(
            city=city.name,
            recipe=city.recipe,
            meaning=_(recipe) if recipe else _("described in the documentation of generated cities."),
        )
    ]
    if not is_missing(city.oracle_spearman):
        value = number(float(city.oracle_spearman or 0), 2)
        if city.object_pixel_share is None:
            text = _(
                "An oracle that knows the true objects ranks incomes with a Spearman correlation of {value}."
            )
            parts.append(text.format(value=value))
        else:
            text = _(
                "An oracle that knows the true objects ranks incomes with a Spearman correlation of {value}; "
                "the objects cover {share} of the photograph."
            )
            parts.append(text.format(value=value, share=percent(city.object_pixel_share, 1)))
    if city.planted_codes:
        named = ", ".join(f"{code} {short_name(code, code)}" for code in city.planted_codes)
        parts.append(_("Classes whose objects carry income: {named}.").format(named=named))
    return " ".join(parts)


def _threshold_table(thresholds: pd.DataFrame, n_classes: int) -> pd.DataFrame:
    """One row a class: lower and upper end, from all cells and without the imputed ones."""
    ends = thresholds.set_index("k")
    rows = []
    for k in range(1, n_classes + 1):
        if k not in ends.index or k - 1 not in ends.index:
            continue
        row = [str(k)]
        for column in ("with_imputed", "without_imputed"):
            low, high = ends.loc[k - 1, column], ends.loc[k, column]
            missing = is_missing(low) or is_missing(high)
            row.append("" if missing else f"{number(float(low))} – {number(float(high))}")
        rows.append(row)
    heads = [_("Class"), _("All cells, €"), _("Without imputed, €")]
    return pd.DataFrame(rows, columns=heads)


def _glossary(here: OpenStudy) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        st.header(_("Words of the census, for those who know networks"), anchor=False)
        st.html(_words(glossary.CENSUS_TERMS))
    with right:
        st.header(_("Words of networks, for those who know the census"), anchor=False)
        st.html(_words(glossary.NETWORK_TERMS))
    st.header(_("Words of this study"), anchor=False)
    st.html(_words(glossary.STUDY_TERMS))
    classes = here.ask(ask.class_names)
    if len(classes):
        with st.expander(_("Land-use classes of this study ({n})").format(n=number(len(classes)))):
            shown = classes.drop(columns="colour").assign(
                name=[official_name(name) for name in classes["name"]]
            )
            st.dataframe(
                table_numbers.written(shown, {}),
                hide_index=True,
                placeholder=table_numbers.MISSING,
                column_config={
                    "code": _("Code"),
                    "name": _("Name"),
                    "cells": table_numbers.column(_("Cells with income where present"), len(shown)),
                },
            )


def _words(terms: dict[str, str]) -> str:
    rows = "".join(
        f"<div><dt>{escape(_(word))}</dt><dd>{escape(_(meaning))}</dd></div>"
        for word, meaning in terms.items()
    )
    return f'<dl class="carreau-words">{rows}</dl>'


def _publication(here: OpenStudy) -> None:
    with st.expander(_("Settings of the study")):
        st.json(json.loads(here.row.settings_json), expanded=2)
    with st.expander(_("Tables and columns of the publication")):
        frame.note(
            _(
                "One DuckDB file, <code>{file}</code>, never changed after it was published; open it "
                "read-only with any DuckDB ≥ 1.0."
            ).format(file=escape(here.publication.file.name))
        )
        columns = here.ask(ask.column_descriptions)
        st.dataframe(
            columns.assign(description=[told_column(meaning) for meaning in columns.description]),
            hide_index=True,
            column_config={
                "table": _("Table"),
                "column": _("Column"),
                "type": _("Type"),
                "description": _("Description"),
            },
        )
    frame.note(
        _("Written by Carreau {version}. Published studies here: {studies}.").format(
            version=escape(here.row.carreau_version), studies=escape(", ".join(study.studies()))
        )
    )


if __name__ == "__main__":  # Streamlit runs pages so; imported, a page draws nothing
    page()
