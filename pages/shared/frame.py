"""What every page shares: the question as title, city control, what the data are, footer, empty and error
states."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import Literal, NoReturn

import streamlit as st
from PIL import Image
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.pages_manager import PagesManager

from data.grid import parse_cell_id
from data.store.queries import City
from pages.shared import palette, state, streamlits_words, study
from pages.shared.head_names import head_name
from pages.shared.language import LANGUAGES, _, day, language, later, number, readers_language
from pages.shared.plain_text import plain, warn
from pages.shared.study import OpenStudy

Width = Literal["stretch", "content"]

# how folds are made, by `fold_scheme`
FOLDS = {
    "block": later("spatial blocks of {metres} m"),
    "random": later("random folds"),
    "city": later("one city left out"),
}
_STYLE = Path(__file__).with_name("frame.css")
_IN_BROWSER = st.components.v2.component(
    "carreau.in_browser",
    html="<span></span>",
    js="".join(
        Path(__file__).with_name(name).read_text(encoding="utf-8")
        for name in ("streamlits_words.js", "in_browser.js")
    ),
)
_PERCENT = re.compile(r" %|(?<=\d)%(?=[\s,;:)]|\.?(?:\s|$))")
_SEEN = "carreau-seen"  # cookie and session value: the hint was closed


def icon() -> Image.Image:
    """Return the browser tab's icon, nine cells: drawn here, since a named icon would be fetched from the
    network."""
    steps = palette.rgb_table(palette.sequential(9))[[3, 6, 8, 1, 4, 7, 0, 2, 5]].reshape(3, 3, 3)
    return Image.fromarray(steps.repeat(16, axis=0).repeat(16, axis=1))


def style() -> None:
    """Put the few rules that the theme settings cannot say on the page."""
    # a file that ends in .css goes into the page's event container: it takes no room
    st.html(_STYLE)


def in_browser() -> None:
    """Have the browser do its part: Back leaves a page in one step, whatever the page wrote into the address
    on arrival; the document and Streamlit's own words have the reader's language; a closed hint stays closed.
    """
    _IN_BROWSER(
        key="in-browser",
        height=1,
        data={
            "language": language(),
            "words": streamlits_words.words(),
            "seen": bool(st.session_state.get(_SEEN)),
        },
    )


def first_visit_hint() -> None:
    """Say in three sentences how to begin, until the reader has closed it once."""
    if st.session_state.get(_SEEN) or _SEEN in st.context.cookies:
        return
    with st.container(key="first-visit"):
        text, close = st.columns([92, 8], vertical_alignment="center", gap="small")
    with text:
        note(
            _(
                "New here? A square on the maps is a census cell of 200 m; every prediction comes from a "
                "network that never saw that cell. <b>City</b> shows where the model is wrong: choose what "
                "each map shows, point at a cell, click it. <b>Patterns</b> says whether it looks at land "
                "use, <b>Trust</b> whether its maps can be believed."
            )
        )
    close.button(_("Got it"), on_click=_close_hint, key="first-visit.close", type="tertiary")


def _close_hint() -> None:
    st.session_state[_SEEN] = True


def through_dashboard() -> None:
    """Draw this page again inside dashboard.py where Streamlit has not.

    Until st.navigation has run once in a server, Streamlit takes any folder `pages` for its old kind of
    multi-page app: a deep link as the first visit would get the bare page beside a list of files.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()


def open_study() -> OpenStudy:
    """Return the study of the address (else the first); says so and stops the page when none is published."""
    through_dashboard()
    found = list(study.studies())
    if not found:
        _empty_installation()
    wrong = state.wrong_choice("study", found)
    if wrong:
        warn(
            _("No published study is called “{wrong}”. Shown instead: {shown}.").format(
                wrong=wrong, shown=found[0]
            )
        )
    return study.open_study(state.choice("study", found, found[0]))


def title_line(question: str, widths: list[float]) -> list[DeltaGenerator]:
    """Write the page's question as title and return columns right of it for controls, one a width.

    Widths are shares of the line in percent; the title takes what they leave.
    """
    through_dashboard()
    title, *controls = st.columns([100 - sum(widths), *widths], vertical_alignment="center", gap="small")
    title.title(plain(question), anchor=False)
    return controls


def chosen_city(here: OpenStudy) -> City:
    """Return the city of the address, else the one chosen on another page, else the first; says so and stops
    the page where the study has none. Call before the title."""
    if not here.cities:
        _empty_study(here)
    ids = [city.city_id for city in here.cities]
    return here.city(state.choice("city", ids, ids[0]))


def city_control(here: OpenStudy) -> None:
    """Draw the city select, keyed `city`; the address follows, and forgets the cell of the city before."""
    st.selectbox(
        _("City"),
        [city.city_id for city in here.cities],
        format_func=lambda city_id: here.city(city_id).name,
        key="city",
        on_change=_change_city,
        label_visibility="collapsed",
    )


def quintiles_control(on_change: Callable[[], None], help_text: str | None = None) -> bool:
    """Draw the control of deciles or quintiles; return whether quintiles are shown. For ten classes only.

    ``on_change``: writes the address.
    """
    options = {"deciles": _("Deciles"), "quintiles": _("Quintiles")}
    return one_of(_("Classes"), "classes", options, "deciles", help_text, on_change=on_change) == "quintiles"


def one_of(
    label: str,
    name: str,
    options: Mapping[str, str],
    default: str,
    help_text: str | None = None,
    *,
    is_labelled: bool = False,
    on_change: Callable[[], None] | None = None,
) -> str:
    """Draw a segmented control bound to `name` of the address and return its choice; an address that asks
    for something else is answered.

    `options`: what each is called. Without `is_labelled` the label is read aloud only. `on_change` writes
    the address where more than the choice is to change.
    """
    wrong = state.wrong_choice(name, list(options))
    if wrong:
        warn(
            _("The address asks for “{wrong}” under “{control}”; shown instead: {shown}.").format(
                wrong=wrong, control=label, shown=options[default]
            )
        )
    chosen = state.choice(name, list(options), default)
    st.segmented_control(
        label,
        list(options),
        format_func=options.__getitem__,
        key=name,
        required=True,
        on_change=on_change or (lambda: state.remember(name)),
        label_visibility="visible" if is_labelled else "collapsed",
        help=help_text,
    )
    return chosen


def _change_city() -> None:
    """Another city has other cells: forget the one chosen."""
    state.put("cell", None)
    state.put("only", None)
    state.remember("city")


def _change_study() -> None:
    """Another study has other cities."""
    state.put("cell", None)
    state.put("only", None)
    state.put("city", None)
    state.remember("study")


def say_wrong_city(here: OpenStudy, shown: City) -> None:
    """Say that the address asks for a city that the study does not have, where it does."""
    wrong = state.wrong_choice("city", [city.city_id for city in here.cities])
    if wrong:
        warn(
            _(
                "The address asks for the city “{wrong}”, which this study does not have. Shown instead: "
                "{shown}. Choose one of {names}."
            ).format(wrong=wrong, shown=shown.name, names=", ".join(city.name for city in here.cities))
        )


def data_line(here: OpenStudy, city: City | None = None) -> None:
    """Write what the data are, their dates, and whether the cities are invented; every page calls it once."""
    parts = []
    if city is None:
        names = escape(", ".join(c.name for c in here.cities))
        parts.append(_("{n} cities: {names}").format(n=len(here.cities), names=names))
    else:
        parts.append(_dates(city))
        years = {city.census_year, city.imagery_year, *([city.land_use_year] if city.has_land_use else [])}
        if len(years) > 1 or None in years:
            parts.append(_("the dates differ, so the place may have changed between them"))
    badge = ""
    if here.row.is_generated:
        badge = f'<span class="carreau-badge">{_("Invented cities")}</span>'
        parts.append(_("generated by this program; no real place or person is shown"))
    if len(study.studies()) > 1:
        named = _("Study <b>{title}</b>").format(title=escape(here.row.title))
        parts.insert(0, f"{named} ({escape(here.row.study_id)})")
    note(badge + " · ".join(parts) + ".")


def _dates(city: City) -> str:
    """Return of which years a city's income, land use and photograph are, as HTML."""
    land_use = (
        _("land use <b>{year}</b>").format(year=_year(city.land_use_year))
        if city.has_land_use
        else _("<b>no land use</b>")
    )
    text = _(
        "Income <b>{census}</b> (200 m census squares), {land_use}, photograph <b>{photograph}</b>"
    ).format(census=_year(city.census_year), land_use=land_use, photograph=_year(city.imagery_year))
    metres = city.imagery_resolution_m
    if not metres:
        return text
    digits = next((n for n in (0, 1) if round(metres, n) == round(metres, 2)), 2)
    return f"{text}, {number(metres, digits)}\u202fm"


def footer(here: OpenStudy, has_own_study_control: bool = False, of_uploads: bool = False) -> None:
    """Write the last line of a page: study, its date, network and folds, how to read a predicted class.

    With several published studies it holds the control of the study shown, unless the page has its own. What
    holds for census cells of the study alone is left out `of_uploads`.
    """
    row = here.row
    folds = _(FOLDS.get(row.fold_scheme, row.fold_scheme)).format(metres=number(row.block_m or 0))
    what = (
        _("{title} · published {day} · {architecture}, {head} head · {n} folds ({folds}).")
        if of_uploads
        else _(
            "{title} · published {day} · {architecture}, {head} head · {n} folds ({folds}); every prediction "
            "shown for a census cell comes from a network that never saw it."
        )
    )
    how = _(
        "A predicted class is on the census scale and shrinks toward the middle. Figures describe squares, "
        "never households."
    )
    note(
        f"{what} {how}".format(
            title=escape(row.title),
            day=day(row.created_at),
            architecture=escape(row.architecture),
            head=escape(head_name(row.head)),
            n=row.n_folds,
            folds=folds,
        ),
        extra_class="carreau-footer",
    )
    found = list(study.studies())
    with st.container(horizontal=True, vertical_alignment="center"):
        if len(found) > 1 and not has_own_study_control:
            note(_("Published study shown:"), width="content")
            st.selectbox(
                _("Study"),
                found,
                key="study",
                on_change=_change_study,
                format_func=lambda study_id: f"{study.open_study(study_id).row.title} ({study_id})",
                label_visibility="collapsed",
                width=420,
            )
        language_control()


def language_control() -> None:
    """Draw the control of the language, each in its own name; the address follows."""
    one_of("Language / Langue", "lang", LANGUAGES, readers_language())


def note(html: str, extra_class: str = "", width: Width = "stretch") -> None:
    """Write a small muted line; `html` is trusted, escape what comes from data."""
    st.html(f'<p class="carreau-note {extra_class}">{html}</p>', width=width)


def sentence(text: str) -> None:
    """Write the plain sentence that says what a figure shows."""
    st.html(f'<p class="carreau-sentence">{tight(escape(text))}</p>')


def tight(text: str) -> str:
    """Return a text whose percent signs stay with their number (a narrow space that does not break).

    >>> tight("21 %, 100% of a.tif; 50%.tif") == "21\\u202f%, 100\\u202f% of a.tif; 50%.tif"
    True
    """
    return _PERCENT.sub("\u202f%", text)


def _empty_installation() -> NoReturn:
    st.title(_("No study is published yet"), anchor=False)
    st.markdown(
        _("Carreau shows published studies. To publish one, run")
        + "\n\n```\npython -m core world var/world --recipe objects --seed 1 --size demo\n"
        "python -m core run var/world/study.toml\n```\n\n"
        + _("or name a folder that holds one in `CARREAU_STUDIES`, then reload this page.")
    )
    language_control()
    st.stop()


def _empty_study(here: OpenStudy) -> NoReturn:
    st.title(plain(_("{title} holds no city").format(title=here.row.title)), anchor=False)
    sentence(
        _(
            "This study was published on {day} without a city, so there is nothing to show. Add a city to "
            "its study file, run it again (python -m core run), and reload this page."
        ).format(day=day(here.row.created_at))
    )
    footer(here)
    st.stop()


def _year(year: int | None) -> str:
    return _("of unknown year") if year is None else str(year)


def short_id(cell_id: str) -> str:
    """Return the readable part of a cell id: its lower-left corner, metres north and east.

    >>> short_id("CRS3035RES200mN2029800E4253000")
    'N2029800 E4253000'
    """
    try:
        x, y = parse_cell_id(cell_id)
    except ValueError:
        return cell_id
    return f"N{y} E{x}"
