"""About: what are these data, and what may they be used for?"""

from __future__ import annotations

import json
from html import escape

import pandas as pd
import streamlit as st

from data.store import pattern_queries as ask
from data.store.queries import City
from pages.shared import figures, frame, glossary, study
from pages.shared.class_names import short_name
from pages.shared.language import number
from pages.shared.plain_text import plain
from pages.shared.study import OpenStudy, is_missing


def page() -> None:
    here = frame.open_study()
    city = frame.chosen_city(here)
    (place,) = frame.title_line("What are these data, and what may they be used for?", [20])
    with place:
        frame.city_control(here)
    frame.say_wrong_city(here, city)
    frame.data_line(here, city)
    _study(here)
    _use(here)
    _city(here, city)
    _files(here)
    _models(here)
    _glossary(here)
    _publication(here)
    frame.footer(here)


def _study(here: OpenStudy) -> None:
    row = here.row
    if row.description:
        frame.sentence(row.description)
    cells = sum(city.n_cells for city in here.cities)
    predicted = sum(city.n_predicted for city in here.cities)
    figures.figures(
        [
            ("Cities", str(len(here.cities)), ", ".join(city.name for city in here.cities)),
            ("Cells with income", number(cells), f"squares of {row.cell_size_m} m in {row.grid_crs}"),
            (
                "Predicted",
                number(predicted),
                "each by a network that never saw it, where it has an income",
            ),
            (
                "Income classes",
                str(row.n_classes),
                "1 = poorest, cut "
                + ("inside each city" if row.label_scope == "city" else "once for all cities"),
            ),
            (
                "Network",
                row.architecture,
                f"{row.head} head, {row.input_px} px a cell, output stride {row.output_stride}",
            ),
        ]
    )


def _use(here: OpenStudy) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("What it may be used for", anchor=False)
        st.markdown(
            "- To see where a network that reads income from aerial photographs is right, and where it is "
            "wrong.\n"
            "- To ask which land-use classes it looks at, and whether they are those that the census ties "
            "to income.\n"
            "- To judge a method on cities whose truth is known, before it is believed elsewhere."
        )
    with right:
        st.subheader("What it may not be used for", anchor=False)
        st.markdown(
            "- To describe a household, a building or a person: figures describe squares, and imputed "
            "squares not even those.\n"
            "- To decide on anyone's benefits, credit, prices or policing, or to rank streets.\n"
            "- To replace a census: a predicted class is a guess on the census scale that shrinks toward "
            "the middle.\n"
            "- To conclude from a map alone what causes income: attention is not cause."
        )


def _city(here: OpenStudy, city: City) -> None:
    st.subheader(plain(city.name), anchor=False)
    if here.row.is_generated and city.recipe is not None:
        frame.sentence(_invented(city))
    left, right = st.columns([46, 54], gap="medium")
    with left:
        rows = [
            ("Cells in the census", number(city.n_cells + city.n_without_income)),
            ("with income", number(city.n_cells)),
            ("of them imputed by the statistical office", number(city.n_imputed)),
            ("without people or income", number(city.n_without_income)),
            ("Left out: more than 1 % empty pixels", number(city.n_empty_pixels)),
            ("Predicted", number(city.n_predicted)),
            ("Income of", _known(city.census_year)),
            ("Land use of", _known(city.land_use_year) if city.has_land_use else "none in this study"),
            ("Photograph of", _known(city.imagery_year)),
            (
                "Photograph's resolution",
                f"{city.imagery_resolution_m:.2g} m" if city.imagery_resolution_m else "unknown",
            ),
            (
                "Range of the residual variogram",
                f"{city.residual_range_m:.0f} m" if city.residual_range_m else "unknown",
            ),
        ]
        st.table(pd.DataFrame(rows, columns=["", city.name]).set_index(""), border="horizontal")
    with right:
        thresholds = here.ask(ask.thresholds, city.city_id)
        if len(thresholds):
            st.table(_threshold_table(thresholds, here.row.n_classes), border="horizontal")
            frame.note(
                "Income per person, euros a year (winsorised standard of living). Class k holds q(k−1) ≤ "
                "income < q(k), the "
                "last one closed; labels use the thresholds from all cells."
            )


def _known(year: int | None) -> str:
    return "unknown year" if year is None else str(year)


def _invented(city: City) -> str:
    meaning = glossary.RECIPES.get(str(city.recipe), "described in the documentation of generated cities.")
    text = f"{city.name} is invented, by the recipe “{city.recipe}”: {meaning}"
    if not is_missing(city.oracle_spearman):
        text += (
            f" An oracle that knows the true objects ranks incomes with a Spearman correlation of "
            f"{city.oracle_spearman:.2f}"
        ).replace("-", "−")
        share = city.object_pixel_share
        text += f"; the objects cover {share:.1%} of the photograph." if share is not None else "."
    if city.planted_codes:
        named = ", ".join(f"{code} {short_name(code, code)}" for code in city.planted_codes)
        text += f" Classes whose objects carry income: {named}."
    return text


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
    return pd.DataFrame(rows, columns=["Class", "All cells, €", "Without imputed, €"]).set_index("Class")


def _files(here: OpenStudy) -> None:
    st.subheader("Files that went in", anchor=False)
    files = here.ask(ask.provenance)
    if files.empty:
        st.info("This publication names no files.")
        return
    total = files.bytes.sum()
    frame.note(
        f"{len(files)} files, {_size(total)}. The hash of a file tells whether you hold the same one: "
        "<code>sha256sum FILE</code>."
    )
    shown = files.assign(bytes=[_size(n) for n in files.bytes])
    st.dataframe(
        shown,
        hide_index=True,
        column_config={
            "city": "City",
            "kind": "Kind",
            "file": st.column_config.TextColumn("File", width="medium"),
            "sha256": st.column_config.TextColumn("SHA-256", width="medium"),
            "bytes": "Size",
            "source": "Source",
            "licence": "Licence",
            "vintage": "Vintage",
            "crs": "CRS",
        },
    )


def _size(n_bytes: float) -> str:
    """Return a size as people write it.

    >>> _size(532), _size(14_200_000)
    ('532 B', '14.2 MB')
    """
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= factor:
            return f"{n_bytes / factor:.1f} {unit}"
    return f"{int(n_bytes)} B"


def _models(here: OpenStudy) -> None:
    st.subheader("Networks", anchor=False)
    models = here.ask(ask.models)
    if models.empty:
        st.info("This publication names no networks.")
        return
    frame.note(
        "One network a fold; the cells of its fold it never saw, and those it predicts. z is the linear "
        "unit; the evidence map "
        "is measured from its mean over the training cells, in its standard deviations."
    )
    st.dataframe(
        models.drop(columns=["city_id"] if models.city_id.isna().all() else []),
        hide_index=True,
        column_config={
            "model_id": "Network",
            "city_id": "City",
            "fold": "Fold",
            "file": "Weights",
            "sha256": st.column_config.TextColumn("SHA-256", width="small"),
            "n_train": "Training cells",
            "n_test": "Predicted cells",
            "bias": st.column_config.NumberColumn("Bias b", format="%.3f"),
            "z_mean": st.column_config.NumberColumn("Mean z", format="%.3f"),
            "z_std": st.column_config.NumberColumn("Deviation of z", format="%.3f"),
            "epochs": "Epochs",
            "final_loss": st.column_config.NumberColumn("Final loss", format="%.3f"),
            "seconds": st.column_config.NumberColumn("Seconds", format="%.0f"),
            "device": "Device",
        },
    )


def _glossary(here: OpenStudy) -> None:
    st.subheader("Words", anchor=False)
    columns = st.columns(2, gap="medium")
    terms = list(glossary.TERMS.items())
    half = (len(terms) + 1) // 2
    for column, part in zip(columns, (terms[:half], terms[half:]), strict=True):
        with column:
            frame.note("<br>".join(f"<b>{escape(word)}</b> {escape(meaning)}" for word, meaning in part))
    classes = here.ask(ask.class_names)
    if len(classes):
        with st.expander(f"Land-use classes of this study ({len(classes)})"):
            st.dataframe(
                classes.drop(columns="colour"),
                hide_index=True,
                column_config={
                    "code": "Code",
                    "name": "Name",
                    "name_fr": "Nom",
                    "cells": "Cells where present",
                },
            )


def _publication(here: OpenStudy) -> None:
    with st.expander("Settings of the study"):
        st.json(json.loads(here.row.settings_json), expanded=2)
    with st.expander("Tables and columns of the publication"):
        frame.note(
            f"One DuckDB file, <code>{escape(here.publication.file.name)}</code>, never changed after it "
            f"was published; "
            f"open it read-only with any DuckDB {escape('≥')} 1.0."
        )
        st.dataframe(here.ask(ask.column_descriptions), hide_index=True)
    versions = ", ".join(study.studies())
    frame.note(
        f"Written by Carreau {escape(here.row.carreau_version)}. Published studies here: {escape(versions)}."
    )


if __name__ == "__main__":  # Streamlit runs pages so; imported, a page draws nothing
    page()
