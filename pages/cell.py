"""Cell: why does the model say what it says of this square?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from data.grid import format_cell_id
from data.store import cell_queries
from data.store.queries import City
from pages.shared import (
    cell_words,
    chart_tables,
    charts,
    frame,
    photo_section,
    similar_section,
    state,
    take_away,
)
from pages.shared.language import _, number, percent, plural
from pages.shared.plain_text import warn
from pages.shared.study import OpenStudy, is_missing

# Row by row from the north-west; None is the cell itself.
_AROUND = (
    (("↖", -1, 1), ("↑", 0, 1), ("↗", 1, 1)),
    (("←", -1, 0), None, ("→", 1, 0)),
    (("↙", -1, -1), ("↓", 0, -1), ("↘", 1, -1)),
)


def page() -> None:
    here = frame.open_study()
    city = frame.chosen_city(here)
    ranked = here.ask(cell_queries.disagreement_corners, city.city_id)
    if not len(ranked) and here.ask(cell_queries.first_cell, city.city_id) is None:
        _no_cell(here, city)
        return
    cell, wrong = _chosen_cell(here, city, ranked)
    rank = rank_of(ranked, cell["x"], cell["y"])
    census = None if is_missing(cell["class"]) else int(cell["class"])
    predicted = None if is_missing(cell["predicted"]) else int(cell["predicted"])
    _title(here, cell_words.question(predicted, census, here.row.n_classes), ranked, rank)
    frame.say_wrong_city(here, city)
    if wrong:
        warn(
            _(
                "{city} has no cell “{wrong}”. Shown instead: its largest disagreement. Select a cell on the "
                "page City, or correct the address: ids look like CRS3035RES200mN2029800E4253000."
            ).format(city=city.name, wrong=wrong)
        )
    frame.data_line(here, city)
    left, right = st.columns([1, 1.08], gap="medium")
    with left:
        photo_section.section(here, city, cell)
        _neighbours(here, city, cell)
    with right:
        _facts(here, city, cell, len(ranked), rank)
        _distribution(here, cell, census)
        _land_use(here, city, cell)
    similar_section.section(here, city, cell)
    frame.footer(here)


def _no_cell(here: OpenStudy, city: City) -> None:
    (place,) = frame.title_line(_("{city} has no cell").format(city=city.name), [20])
    with place:
        frame.city_control(here)
    frame.data_line(here, city)
    frame.sentence(
        _(
            "No census square of this city was published. Choose another city, or look at what "
            "python -m core run prints while it reads the census."
        )
    )
    frame.footer(here)


def _chosen_cell(here: OpenStudy, city: City, ranked: NDArray[np.int32]) -> tuple[dict[str, Any], str | None]:
    """Return the cell of the address, else the largest disagreement, and the address's cell where there is
    none such."""
    asked = st.query_params.get("cell")
    if asked is not None:
        found: dict[str, Any] | None = here.ask(cell_queries.one_cell, city.city_id, asked)
        if found is not None:
            # a link to this same page changes what is asked for, but not the address in the browser
            st.query_params["cell"] = asked
            return found, None
    first = _id_at(here, ranked, 0) if len(ranked) else here.ask(cell_queries.first_cell, city.city_id)
    shown: dict[str, Any] | None = here.ask(cell_queries.one_cell, city.city_id, first)
    if shown is None:
        raise LookupError(first)
    return shown, asked


def _id_at(here: OpenStudy, ranked: NDArray[np.int32], rank: int) -> str:
    x, y = ranked[rank]
    return format_cell_id(int(x), int(y), here.row.grid_crs, here.row.cell_size_m)


def rank_of(ranked: NDArray[np.int32], x: int, y: int) -> int | None:
    """Return the place of the cell at (x, y) among lower-left corners (n, 2), None where it is not there.

    >>> rank_of(np.array([[0, 200], [200, 0]], np.int32), 200, 0)
    1
    """
    found = np.flatnonzero((ranked[:, 0] == x) & (ranked[:, 1] == y))
    return int(found[0]) if len(found) else None


def steps_through(n: int, rank: int | None) -> dict[str, int | None]:
    """Return the rank that each button of the title leads to, None where nowhere; a cell without rank starts
    at the top.

    >>> steps_through(3, 1)
    {'previous': 0, 'next': 2, 'largest-disagreement': 0}
    >>> steps_through(2, 0)
    {'previous': None, 'next': 1, 'largest-disagreement': None}
    """
    first = 0 if n else None
    if rank is None:
        return {"previous": None, "next": first, "largest-disagreement": first}
    return {
        "previous": rank - 1 if rank > 0 else None,
        "next": rank + 1 if rank + 1 < n else None,
        "largest-disagreement": 0 if rank > 0 else None,
    }


def _title(here: OpenStudy, question: str, ranked: NDArray[np.int32], rank: int | None) -> None:
    (place,) = frame.title_line(question, [62])
    steps = steps_through(len(ranked), rank)
    by_size = _("By size of the disagreement with the census; imputed cells last.")
    with place, st.container(horizontal=True, horizontal_alignment="right", gap="xsmall", key="steps"):
        frame.city_control(here)
        for key, label in (
            ("previous", _("Previous")),
            ("next", _("Next")),
            ("largest-disagreement", _("Largest disagreement")),
        ):
            target = steps[key]
            st.button(
                label,
                key=key,
                disabled=target is None,
                on_click=_go,
                args=(None if target is None else _id_at(here, ranked, target),),
                help=by_size,
            )
        st.button(
            _("Random"),
            key="random",
            disabled=len(ranked) < 2,
            on_click=_go_anywhere,
            args=(here, ranked, rank),
            help=_("Any cell with a census class and a prediction."),
        )


def _go(cell_id: str) -> None:
    state.put("cell", cell_id)


def _go_anywhere(here: OpenStudy, ranked: NDArray[np.int32], rank: int | None) -> None:
    """Go to another cell, each as likely as any."""
    rng = np.random.default_rng()
    chosen = int(rng.integers(len(ranked) - (rank is not None)))
    if rank is not None and chosen >= rank:
        chosen += 1
    _go(_id_at(here, ranked, chosen))


def _facts(here: OpenStudy, city: City, cell: dict[str, Any], n_ranked: int, rank: int | None) -> None:
    words = cell_words.words(here.row.n_classes)
    known = not is_missing(cell["income"]) and cell["income"] > 0
    figures = [
        (
            _(words.census),
            "–" if is_missing(cell["class"]) else str(int(cell["class"])),
            (_("imputed") if cell["imputed"] else _("from the census")) if known else "",
        ),
        (
            _(words.predicted),
            "–" if is_missing(cell["predicted"]) else str(int(cell["predicted"])),
            ""
            if is_missing(cell["expected_class"])
            else _("expected {value}").format(value=number(cell["expected_class"], 1)),
        ),
        (
            _("Income a person"),
            "–" if is_missing(cell["income"]) else f"{number(cell['income'])} €",
            _("a year"),
        ),
        (
            _("People"),
            "0" if is_missing(cell["individuals"]) else number(cell["individuals"]),
            "" if is_missing(cell["households"]) else _households(cell["households"]),
        ),
    ]
    st.html(
        '<div class="carreau-figures">'
        + "".join(
            f'<div class="carreau-figure"><div class="name">{name}</div><div class="value">{value}</div>'
            f'<div class="aside">{aside or "&nbsp;"}</div></div>'
            for name, value, aside in figures
        )
        + "</div>"
    )
    said = [
        _("Cell <b>{cell}</b> of {city}").format(
            cell=frame.short_id(cell["cell_id"]), city=frame.escape(city.name)
        )
    ]
    if rank is not None:
        said.append(
            _("number {rank} of {n} by disagreement with the census (imputed cells come last)").format(
                rank=number(rank + 1), n=number(n_ranked)
            )
        )
    if not is_missing(cell["fold"]):
        said.append(_("fold {fold}").format(fold=int(cell["fold"])))
    frame.note(", ".join(said) + ".")


def _households(n: float) -> str:
    return plural("{n} household", "{n} households", round(n)).format(n=number(n))


def _distribution(here: OpenStudy, cell: dict[str, Any], census: int | None) -> None:
    if is_missing(cell["predicted"]):
        covered = _(
            "Not predicted: the photograph covers {share} of the cell, and {needed} are needed."
        ).format(share=percent(cell["valid_share"]), needed=percent(0.99))
        frame.sentence(covered)
        return
    chances = np.asarray(cell["probabilities"], dtype=float)
    households = 0.0 if is_missing(cell["households"]) else float(cell["households"])
    charts.draw(
        charts.distribution(chances, census),
        "distribution",
        _("Chance of each income class"),
        data=lambda: chart_tables.distribution(chances, census),
        withheld=take_away.too_few(households),
    )
    n_classes, out_of_fold = here.row.n_classes, bool(cell["out_of_fold"])
    frame.sentence(cell_words.distribution_sentence(chances, census, n_classes, out_of_fold))


def _neighbours(here: OpenStudy, city: City, cell: dict[str, Any]) -> None:
    """Draw the eight cells around as buttons, each with its census and predicted class."""
    size = here.row.cell_size_m
    near = here.ask(cell_queries.cells_near, city.city_id, int(cell["x"]), int(cell["y"]), size)
    by_corner = {(row["x"], row["y"]): row for row in near.to_dict("records")}
    st.header(_("The eight cells around"), anchor=False)
    frame.note(_("Census class, then predicted class of each neighbour; select one to go there."))
    with st.container(key="neighbours"):
        for row in _AROUND:
            for column, direction in zip(st.columns(3, gap="xxsmall"), row, strict=True):
                with column:
                    if direction is None:
                        st.button(_classes(cell), key="here", disabled=True, width="stretch")
                        continue
                    arrow, east, north = direction
                    other = by_corner.get((cell["x"] + east * size, cell["y"] + north * size))
                    st.button(
                        _("no cell") if other is None else f"{arrow} {_classes(other)}",
                        key=f"neighbour{arrow}",
                        width="stretch",
                        disabled=other is None,
                        on_click=_go,
                        args=(None if other is None else other["cell_id"],),
                    )


def _classes(cell: dict[str, Any]) -> str:
    census = "–" if is_missing(cell["class"]) else str(int(cell["class"]))
    predicted = "–" if is_missing(cell["predicted"]) else str(int(cell["predicted"]))
    return f"{census} · {predicted}"


def _land_use(here: OpenStudy, city: City, cell: dict[str, Any]) -> None:
    st.header(_("Where the evidence lies"), anchor=False)
    z_standard = None if is_missing(cell["z_standard"]) else float(cell["z_standard"])
    if not city.has_land_use:
        without = _(
            "{city} was published without land use: the evidence cannot be shared out among classes."
        ).format(city=city.name)
        if z_standard is not None:
            nothing = pd.DataFrame({"contribution": []})
            without += " " + cell_words.contribution_sentence(nothing, z_standard)
        frame.sentence(without)
        return
    rows = here.ask(cell_queries.land_use_of_cell, city.city_id, cell["cell_id"]).rename(
        columns={"name": "name_official"}
    )
    if rows.empty:
        frame.sentence(_("No land use is mapped in this cell."))
        return
    if z_standard is not None:
        frame.sentence(cell_words.contribution_sentence(rows, z_standard))
    mapped = None if is_missing(cell["mapped_share"]) else float(cell["mapped_share"])
    if mapped is not None:  # published shares are of the mapped ground, and the table is of the cell
        rows = rows.assign(share=rows["share"] * mapped)
    st.html(cell_words.land_use_table(rows, z_standard, mapped))
    said = _(
        "Contribution: the part of the cell’s z, in training standard deviations, that lies on the class; "
        "the parts add up. Excess: mean evidence on the class minus that of the cell. Ratio: share of the "
        "rich (or poor) map on the class over its share of the area; 1 = in proportion to area."
    )
    if not rows["occlusion"].isna().all():
        said += " " + _(
            "Occlusion: how far z falls when the class is painted over, less what masks of its shape do "
            "elsewhere in the cell; where the class is large enough to be painted."
        )
    frame.note(f"{said} {cell_words.mirror_note(here.row.head)}")


# Streamlit runs a page as __main__; anything else only imports it.
if __name__ == "__main__":
    page()
