"""The dashboard: navigation and the common frame; `streamlit run dashboard.py`."""

from __future__ import annotations

import duckdb
import streamlit as st

from data.errors import CarreauError
from pages.shared import collecting, frame, language, maps_first, state
from pages.shared.language import LANGUAGES, _, readers_language
from pages.shared.plain_text import fault

st.set_page_config(page_title="Carreau", page_icon=frame.icon(), layout="wide")

language.arrive(state.peek("lang", LANGUAGES, readers_language()))
city = st.Page("pages/city.py", title=_("City"), url_path="first", default=True)


def _city() -> None:
    """The first page's address is the root: who asks for it by its name is led there."""
    st.switch_page(city, query_params=st.query_params.to_dict())


page = st.navigation(
    [
        city,
        st.Page(_city, title=_("City"), url_path="city", visibility="hidden"),
        st.Page("pages/patterns.py", title=_("Patterns"), url_path="patterns"),
        st.Page("pages/cell.py", title=_("Cell"), url_path="cell"),
        st.Page("pages/trust.py", title=_("Trust"), url_path="trust"),
        st.Page("pages/upload.py", title=_("Upload"), url_path="upload"),
        st.Page("pages/about.py", title=_("About"), url_path="about"),
    ],
    position="top",
)
frame.style()
state.arrive(page.url_path)
state.choice("lang", list(LANGUAGES), readers_language())
frame.first_visit_hint()
maps_first.begin()
try:
    page.run()
except CarreauError as error:
    fault(error)
except duckdb.Error as error:
    fault(_("The publication cannot be read: {why}").format(why=error))
frame.in_browser()
collecting.settle()
