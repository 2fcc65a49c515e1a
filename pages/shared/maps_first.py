"""Maps first: a browser gets the charts of its first page with maps once the maps are on the screen.

The codes of plotly and of tables hold a browser's only thread for two seconds (Chromium, two cores), and the
map's own would wait behind them: a city was seen after 6 s, and is after 2. So the first run of a page keeps
the places of its charts, and the map's component asks for a second one when it has drawn, cannot draw, or
has had long enough.
"""

from __future__ import annotations

import streamlit as st

_SEEN, _AWAITED = "maps.seen", "maps.awaited"


def begin() -> None:
    """Expect no maps yet; dashboard.py calls it before every page."""
    st.session_state[_AWAITED] = False


def awaited() -> bool:
    """Say that maps are drawn here; return whether the page waits for them: once a browser session.

    Whoever asks without a browser (a test, a measurement) draws no maps and gets pages whole.
    """
    in_browser = st.context.headers.get("User-Agent", "").startswith("Mozilla/")
    st.session_state[_AWAITED] = in_browser and not st.session_state.get(_SEEN, False)
    return bool(st.session_state[_AWAITED])


def painted() -> None:
    """The maps are on the screen, or never will be."""
    st.session_state[_SEEN] = True


def place_kept(height: int) -> bool:
    """Return whether what comes here, of so many pixels, has to wait; its place is kept then."""
    if not st.session_state.get(_AWAITED, False):
        return False
    st.html(f'<div class="carreau-place" style="height:{height}px"></div>')
    return True
