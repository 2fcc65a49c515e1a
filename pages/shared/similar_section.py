"""The cells that the network sees as most like one: small photographs that lead there, and what they tell."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from data.errors import InputError
from data.store import cell_queries, place_queries
from data.store.queries import City
from pages.shared import cell_words, frame, photograph, state
from pages.shared.language import _, number
from pages.shared.study import OpenStudy, is_missing

SHOWN = 6
# what the reader chose of the photograph stays chosen at the next cell
_KEPT = ("evidence", "outlines", "around", "map", "explains")


def section(here: OpenStudy, city: City, cell: dict[str, Any]) -> None:
    """Draw the row of similar cells; one line where the publication holds no features of the cell."""
    st.header(_("Similar cells"), anchor=False)
    alike = similar(here, city.city_id, cell["cell_id"])
    if alike.empty:
        frame.sentence(_("No cell can be compared: the publication holds no features of this one."))
        return
    census = None if is_missing(cell["class"]) else int(cell["class"])
    chance = None
    if census is not None:
        chance = cell_words.mean_distance(census, here.ask(cell_queries.class_counts, city.city_id))
    others = [int(value) for value in alike["class"].dropna()]
    sentence = cell_words.similar_sentence(census, others, chance)
    if sentence:
        frame.sentence(sentence)
    apart = np.hypot(alike["x"] - cell["x"], alike["y"] - cell["y"]) / 1000
    chosen = {name: st.query_params[name] for name in _KEPT if name in st.query_params}
    with st.container(key="similar"):
        for place, (column, other) in enumerate(
            zip(st.columns(SHOWN, gap="small"), alike.to_dict("records"), strict=False)
        ):
            with column, st.container(key=f"similar{place}"):
                picture = _picture(here, city, other)
                if picture:
                    st.html(picture)
                st.page_link(
                    "pages/cell.py",
                    label=_said(other),
                    query_params=state.address(**chosen, city=city.city_id, cell=other["cell_id"]),
                )
                frame.note(
                    _("likeness {likeness} · {distance} km").format(
                        likeness=_likeness(float(other["likeness"])), distance=number(apart.iloc[place], 1)
                    )
                )
    frame.note(
        _(
            "Likeness: cosine of what the network that never saw these cells makes of them, 1 = the same. "
            "Only cells of one fold can be compared, each fold having its own network; alike to the network "
            "need not be alike to the eye."
        )
    )


def similar(here: OpenStudy, city_id: str, cell_id: str) -> pd.DataFrame:
    """Return the most similar cells, most alike first: cell_id, likeness, x, y, class, imputed, predicted."""
    found = here.ask(place_queries.similar_cells, city_id, cell_id, SHOWN)
    if found.empty:
        return found
    rows = here.ask(cell_queries.named_cells, city_id, tuple(found["cell_id"]))
    return rows.assign(likeness=found["likeness"].to_numpy())


def _said(other: dict[str, Any]) -> str:
    predicted = "–" if is_missing(other["predicted"]) else int(other["predicted"])
    if is_missing(other["class"]):
        return _("no census class, predicted {predicted}").format(predicted=predicted)
    text = (
        _("census {census} (imputed), predicted {predicted}")
        if other["imputed"]
        else _("census {census}, predicted {predicted}")
    )
    return text.format(census=int(other["class"]), predicted=predicted)


def _picture(here: OpenStudy, city: City, other: dict[str, Any]) -> str:
    """Return the photograph of a cell as HTML, empty where there is none: the words then stand alone."""
    try:
        path = photograph.imagery_path(str(here.publication.study_file), city.city_id)
        jpeg = photograph.read_thumbnail(
            str(path), here.row.grid_crs, here.row.cell_size_m, int(other["x"]), int(other["y"])
        )
    except InputError:
        return ""
    label = _("Photograph of cell {cell}").format(cell=frame.short_id(other["cell_id"]))
    url = "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
    return f'<img class="carreau-thumbnail" alt="{frame.escape(label)}" src="{url}">'


def _likeness(cosine: float) -> str:
    """Return a likeness as people read it; none that only rounds to it is 1."""
    return f"> {number(0.999, 3)}" if 0.9995 <= cosine < 1 else number(cosine, 3)
