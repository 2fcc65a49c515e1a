"""Cell: why does the model say what it says of this square?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from data.errors import InputError
from data.store import cell_queries, queries
from data.store.queries import City
from pages.shared import (
    cell_words,
    chart_tables,
    charts,
    city_words,
    explanation,
    frame,
    photograph,
    state,
    take_away,
)
from pages.shared.class_names import short_name
from pages.shared.language import number
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
    cells = here.ask(queries.city_cells, city.city_id)
    order = here.ask(cell_queries.disagreement_order, city.city_id)
    cell, wrong = _chosen_cell(cells, order)
    census = None if is_missing(cell["class"]) else int(cell["class"])
    predicted = None if is_missing(cell["predicted"]) else int(cell["predicted"])
    _title(here, cell_words.question(predicted, census, here.row.n_classes), order, cell["cell_id"])
    frame.say_wrong_city(here, city)
    if wrong:
        warn(
            f"{city.name} has no cell “{wrong}”. Shown instead: its largest disagreement. Select a cell on "
            "the page City, or correct the address: ids look like CRS3035RES200mN2029800E4253000."
        )
    frame.data_line(here, city)
    left, right = st.columns([1, 1.08], gap="medium")
    with left:
        _photograph(here, city, cell)
        _neighbours(here, cells, cell)
    with right:
        _facts(here, city, cell, order)
        _distribution(here, city, cell, census)
        _land_use(here, city, cell)
    frame.footer(here)


def _chosen_cell(cells: pd.DataFrame, order: list[str]) -> tuple[pd.Series, str | None]:
    """Return the cell of the address, else the largest disagreement, and the address's cell where there is
    none such."""
    by_id = cells.set_index("cell_id", drop=False)
    asked = st.query_params.get("cell")
    if asked in by_id.index:
        return by_id.loc[asked], None
    return by_id.loc[order[0] if order else by_id.index[0]], asked


def _title(here: OpenStudy, question: str, order: list[str], cell_id: str) -> None:
    place, *columns = frame.title_line(question, [15, 10, 10, 18])
    with place:
        frame.city_control(here)
    steps = steps_through(order, cell_id)
    for column, (label, target) in zip(columns, steps.items(), strict=True):
        with column:
            st.button(
                label,
                key=label.lower().replace(" ", "-"),
                disabled=target is None,
                width="stretch",
                on_click=_go,
                args=(target,),
                help="By size of the disagreement with the census; imputed cells last.",
            )


def steps_through(order: list[str], cell_id: str) -> dict[str, str | None]:
    """Return where each button of the title leads, None where nowhere; a cell without rank starts at the top.

    >>> steps_through(["a", "b", "c"], "b")
    {'Previous': 'a', 'Next': 'c', 'Largest disagreement': 'a'}
    >>> steps_through(["a", "b"], "a")
    {'Previous': None, 'Next': 'b', 'Largest disagreement': None}
    """
    first = order[0] if order else None
    if cell_id not in order:
        return {"Previous": None, "Next": first, "Largest disagreement": first}
    at = order.index(cell_id)
    return {
        "Previous": order[at - 1] if at > 0 else None,
        "Next": order[at + 1] if at + 1 < len(order) else None,
        "Largest disagreement": first if at > 0 else None,
    }


def _go(cell_id: str) -> None:
    state.put("cell", cell_id)


def _photograph(here: OpenStudy, city: City, cell: pd.Series) -> None:
    corner = int(cell["x"]), int(cell["y"])
    evidence = here.ask(cell_queries.evidence_map, city.city_id, cell["cell_id"])
    reach = here.ask(cell_queries.evidence_reach, city.city_id)
    asked = explanation.controls(here, enabled=evidence is not None)
    slider, toggle = st.columns([1.25, 1], vertical_alignment="center", gap="medium")
    with slider:
        steps = [str(percent) for percent in range(0, 101, 5)]
        st.session_state["evidence"] = int(state.choice("evidence", steps, "60"))
        opacity = st.slider(
            "Map over the photograph",
            0,
            100,
            step=5,
            format="%d %%",
            key="evidence",
            disabled=evidence is None,
            on_change=state.remember,
            args=("evidence",),
        )
    with toggle:
        outlined = state.switch("outlines", city.has_land_use)
        st.toggle(
            "Land-use outlines",
            key="outlines",
            disabled=not city.has_land_use,
            on_change=state.remember,
            args=("outlines",),
        )
    jpeg, said = _read(here, city, corner)
    polygons = None
    if outlined and city.has_land_use:
        polygons = here.ask(cell_queries.polygons_in_square, city.city_id, *corner, here.row.cell_size_m)
    legend = photograph.legend_of_evidence(reach)
    if evidence is not None and asked.method != explanation.EVIDENCE:
        try:
            evidence = explanation.drawn(here, city.city_id, cell["cell_id"], asked)
            reach = explanation.reach(evidence)
            legend = explanation.legend(asked, city_words.unit(here.row.n_classes))
        except explanation.NotDrawnError as error:
            warn(f"This map cannot be drawn: {error} Shown instead: the evidence map.")
            asked = explanation.Asked(explanation.EVIDENCE, "z")
    drawn = None if evidence is None else photograph.overlay(evidence, reach)
    label = f"Photograph of cell {frame.short_id(cell['cell_id'])}, north up"
    st.html(photograph.stack(jpeg, drawn, opacity / 100, polygons, corner, here.row.cell_size_m, label))
    if evidence is not None:
        st.html(legend)
    if polygons is not None:
        present = polygons.drop_duplicates("code").sort_values("code")
        chips = "".join(
            f'<span class="chip" style="background:{colour}"></span>'
            f"<span>{frame.escape(short_name(code, name))}</span>"
            for code, name, colour in zip(present["code"], present["name"], present["colour"], strict=True)
        )
        st.html(f'<div class="carreau-legend">{chips}</div>')
    if evidence is None:
        said += " No evidence map: this cell was not predicted."
    elif asked.method != explanation.EVIDENCE:
        said += " " + explanation.sentence(asked, here.row.head)
    else:
        metres = here.row.cell_size_m / evidence.shape[0]
        rows, columns = evidence.shape
        low, high = float(evidence.min()), float(evidence.max())
        said += (
            f" Evidence map: {rows} × {columns} values of {metres:.3g} m, smoothed between them; here from "
            f"{low:+.2f} to {high:+.2f}, and the nearer to 0 the paler."
        ).replace("-", "−")
    frame.note(said.strip())


def _read(here: OpenStudy, city: City, corner: tuple[int, int]) -> tuple[bytes | None, str]:
    """Return the photograph as JPEG and what to say of it; without one, only the reason."""
    try:
        path = photograph.imagery_path(str(here.publication.study_file), city.city_id)
        jpeg, pixels = photograph.read_photograph(
            str(path), here.row.grid_crs, here.row.cell_size_m, corner[0], corner[1]
        )
    except InputError as error:
        return None, f"The photograph cannot be shown: {error}"
    year = f" of {city.imagery_year}" if city.imagery_year else ""
    return (
        jpeg,
        f"Photograph{year}, {here.row.cell_size_m / pixels:.2g} m a pixel, turned to the census grid, north "
        "up.",
    )


def _facts(here: OpenStudy, city: City, cell: pd.Series, order: list[str]) -> None:
    one = city_words.unit(here.row.n_classes)
    imputed = "imputed" if cell["imputed"] else "from the census"
    figures = [
        (
            f"Census {one}",
            "–" if is_missing(cell["class"]) else f"{int(cell['class'])}",
            imputed if cell["income"] > 0 else "",
        ),
        (
            f"Predicted {one}",
            "–" if is_missing(cell["predicted"]) else f"{int(cell['predicted'])}",
            "" if is_missing(cell["expected_class"]) else f"expected {cell['expected_class']:.1f}",
        ),
        (
            "Income a person",
            "–" if is_missing(cell["income"]) else f"{number(cell['income'])} €",
            "a year",
        ),
        (
            "People",
            "0" if is_missing(cell["individuals"]) else number(cell["individuals"]),
            "" if is_missing(cell["households"]) else f"{number(cell['households'])} households",
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
    said = [f"Cell <b>{frame.short_id(cell['cell_id'])}</b> of {frame.escape(city.name)}"]
    if cell["cell_id"] in order:
        rank = order.index(cell["cell_id"]) + 1
        said.append(f"number {number(rank)} of {number(len(order))} by disagreement with the census")
    if not is_missing(cell["fold"]):
        said.append(f"fold {int(cell['fold'])}")
    frame.note(", ".join(said) + ".")


def _distribution(here: OpenStudy, city: City, cell: pd.Series, census: int | None) -> None:
    chances = here.ask(cell_queries.probabilities, city.city_id, cell["cell_id"])
    if chances is None:
        frame.sentence(
            f"Not predicted: the photograph covers {100 * cell['valid_share']:.0f} % of the cell, and 99 % "
            "are needed."
        )
        return
    charts.draw(
        charts.distribution(chances, census),
        "distribution",
        "Chance of each income class",
        data=lambda: chart_tables.distribution(chances, census),
        withheld=take_away.too_few_households(cell.to_frame().T),
    )
    one = city_words.unit(here.row.n_classes)
    frame.sentence(cell_words.distribution_sentence(chances, census, one, bool(cell["out_of_fold"])))


def _neighbours(here: OpenStudy, cells: pd.DataFrame, cell: pd.Series) -> None:
    """Draw the eight cells around as buttons, each with its census and predicted class."""
    size = here.row.cell_size_m
    by_corner = cells.set_index(["x", "y"])
    st.subheader("The eight cells around", anchor=False)
    frame.note("Census class, then predicted class of each neighbour; select one to go there.")
    with st.container(key="neighbours"):
        for row in _AROUND:
            for column, direction in zip(st.columns(3, gap="xxsmall"), row, strict=True):
                with column:
                    if direction is None:
                        st.button(_classes(cell), key="here", disabled=True, width="stretch")
                        continue
                    arrow, east, north = direction
                    corner = (int(cell["x"]) + east * size, int(cell["y"]) + north * size)
                    if corner not in by_corner.index:
                        st.button("no cell", key=f"neighbour{arrow}", disabled=True, width="stretch")
                        continue
                    other = by_corner.loc[corner]
                    st.button(
                        f"{arrow} {_classes(other)}",
                        key=f"neighbour{arrow}",
                        width="stretch",
                        on_click=_go,
                        args=(other["cell_id"],),
                    )


def _classes(cell: pd.Series) -> str:
    census = "–" if is_missing(cell["class"]) else str(int(cell["class"]))
    predicted = "–" if is_missing(cell["predicted"]) else str(int(cell["predicted"]))
    return f"{census} · {predicted}"


def _land_use(here: OpenStudy, city: City, cell: pd.Series) -> None:
    st.subheader("Where the evidence lies", anchor=False)
    z_standard = None if is_missing(cell["z_standard"]) else float(cell["z_standard"])
    if not city.has_land_use:
        frame.sentence(
            f"{city.name} was published without land use: the evidence cannot be shared out among classes. "
            + (
                ""
                if z_standard is None
                else cell_words.contribution_sentence(pd.DataFrame({"contribution": []}), z_standard)
            )
        )
        return
    rows = here.ask(cell_queries.land_use_of_cell, city.city_id, cell["cell_id"]).rename(
        columns={"name": "name_official"}
    )
    if rows.empty:
        frame.sentence("No land use is mapped in this cell.")
        return
    if z_standard is not None:
        frame.sentence(cell_words.contribution_sentence(rows, z_standard))
    mapped = None if is_missing(cell["mapped_share"]) else float(cell["mapped_share"])
    st.html(cell_words.land_use_table(rows, z_standard, mapped))
    frame.note(
        "Contribution: the part of the cell’s z, in training standard deviations, that lies on the class; "
        "the parts add up. Excess: mean evidence on the class minus that of the cell. Ratio: share of the "
        "rich (or poor) map on the class "
        "over its share of the area; 1 = in proportion to area. " + cell_words.mirror_note(here.row.head)
    )


# Streamlit runs a page as __main__; anything else only imports it.
if __name__ == "__main__":
    page()
