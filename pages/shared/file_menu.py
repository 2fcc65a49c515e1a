"""What else of a city can be taken away: the maps shown as pictures, its tables, and its report.

The rooms that draw and write are loaded when a file is asked for: no page waits for them.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

import streamlit as st

from data.store.queries import City
from pages.shared import cluster_layer, frame, land_use_layer, layers, state, table_menu
from pages.shared.download_row import File, report_rows, row
from pages.shared.language import _, language
from pages.shared.study import OpenStudy

# sides of the page City, and what they show at first
_MAPS = {"left": "census", "right": "predicted"}
TITLES = {
    **layers.NAMES,
    land_use_layer.NAME: land_use_layer.TITLE,
    cluster_layer.NAME: cluster_layer.TITLE,
}


def offer(here: OpenStudy, city: City) -> None:
    """Offer the report of the city, the two maps shown and the tables; to be drawn inside the page's menu."""
    now, stem = language(), f"{here.row.study_id}-{city.city_id}"
    with_imputed = state.peek("imputed", ("0", "1"), "0") == "1"
    base = dashboard_address(st.context.url)
    frame.note(
        _(
            "Report of the whole of {city}: maps, figures with intervals, charts, caveats and where "
            "everything comes from. It is made in some seconds."
        ).format(city=frame.escape(city.name))
    )
    with st.container(key="files-report", gap=None):
        report_rows(stem, _report(here, city, with_imputed, base))
        for name in maps_shown(city):
            files = [
                File(said, suffix, _map(here, city, name, suffix, now))
                for said, suffix in (("PNG", "png"), ("SVG", "svg"))
            ]
            title = _("Map: {title}").format(title=_(TITLES[name]))
            row(title, f"{stem}-map-{name}", f"map.{name}", files)
    table_menu.rows(here, city, table_menu.CITY)


def maps_shown(city: City) -> list[str]:
    """Return those layers of the two maps on the page City that are drawn as files, each once."""
    names = [name for name in TITLES if name != land_use_layer.NAME or city.has_land_use]
    chosen = [st.query_params.get(side, default) for side, default in _MAPS.items()]
    return [name for name in dict.fromkeys(chosen) if name in names]


def dashboard_address(url: str | None) -> str:
    """Return where the dashboard is, from the address of a page of it; empty where that is not known.

    >>> dashboard_address("http://carreau.example/tool/city?city=a"), dashboard_address(None)
    ('http://carreau.example/tool', '')
    """
    if not url:
        return ""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    path = path.removesuffix("/city")
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def _report(here: OpenStudy, city: City, with_imputed: bool, base: str) -> Callable[[str, str], bytes]:
    def made(suffix: str, code: str) -> bytes:
        from pages.report.make import make

        return make(here.publication, city.city_id, suffix, code, with_imputed=with_imputed, base=base)

    return made


def _map(here: OpenStudy, city: City, name: str, suffix: str, code: str) -> Callable[[], bytes]:
    quintiles = (
        here.row.n_classes == 10 and state.peek("classes", ("deciles", "quintiles"), "") == "quintiles"
    )

    def made() -> bytes:
        from pages.report.map_file import make

        return make(here.publication, city.city_id, name, suffix, code, quintiles)

    return made
