"""What the reader chose lives in the address: session state and query parameters kept equal.

Streamlit's own `bind="query-params"` drops defaults and breaks the Back button across pages, so: before a
widget is drawn its session value is set from the validated address; when it changes, the address is written.
Choices that pages share (study, city, ...) are carried over when the reader navigates, and written once on
arrival, never again on the same page, so that Back always leaves it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import streamlit as st

SHARED = ("study", "city", "imputed", "lang")
_ARRIVED = "address.arrived"
_CARRIED = "address.carried."
_DEFAULT = "address.default."
_OWN = "address.own"
_LEFT = "address.left."


def arrive(page: str) -> None:
    """Note which page is being drawn (its url_path); dashboard.py calls it before every page.

    Who comes back to a page by the navigation, whose address names nothing of its own, finds it as it was
    left, as long as study and city are the same.
    """
    before = st.session_state.get("address.page")
    arrived = before != page
    own = {name: value for name, value in st.query_params.items() if name not in SHARED}
    if arrived:
        place = [st.session_state.get(_CARRIED + name) for name in ("study", "city")]
        st.session_state[f"{_LEFT}{before}"] = place, st.session_state.get(_OWN, {})
        left, choices = st.session_state.get(_LEFT + page, (None, {}))
        if left == place and not own:
            own = choices
            st.query_params.update(own)
    st.session_state[_OWN] = own
    st.session_state[_ARRIVED] = arrived
    st.session_state["address.page"] = page


def choice(name: str, options: Sequence[str], default: str) -> str:
    """Return the valid choice called `name` and set it as the session value of the widget keyed `name`.

    Order: the address, then (shared choices) what was chosen on another page, then the default. Draw the
    widget with `key=name, on_change=state.remember, args=(name,)`. An address that asks for something else
    than `options` is answered by `wrong_choice(name)`.
    """
    asked = st.query_params.get(name)
    value = peek(name, options, default)
    if name in SHARED:
        # which study is the default changes when another is published, so it always stands in the address
        is_named = value != default or (name == "study" and len(options) > 1)
        if asked is None and is_named and st.session_state.get(_ARRIVED):
            st.query_params[name] = value
        st.session_state[_CARRIED + name] = value
        st.session_state[_DEFAULT + name] = default
    st.session_state[name] = value
    return value


def peek(name: str, options: Collection[str], default: str) -> str:
    """Return what `choice` would, without setting or writing anything."""
    carried = st.session_state.get(_CARRIED + name) if name in SHARED else None
    return next((str(v) for v in (st.query_params.get(name), carried) if v in options), default)


def wrong_choice(name: str, options: Sequence[str]) -> str | None:
    """Return what the address asks for under `name` when it is not among the options, else None."""
    asked = st.query_params.get(name)
    return asked if asked is not None and asked not in options else None


def remember(name: str) -> None:
    """Write the widget's value into the address; give it as `on_change` with `args=(name,)`."""
    put(name, st.session_state[name])


def put(name: str, value: object) -> None:
    """Write a choice into the address and carry it when shared; None removes it."""
    if value is None:
        st.query_params.pop(name, None)
        st.session_state.pop(_CARRIED + name, None)
        return
    text = _as_text(value)
    st.query_params[name] = text
    if name in SHARED:
        st.session_state[_CARRIED + name] = text


def switch(name: str, default: bool = False) -> bool:
    """Return the on/off choice `name` (address: 1 or 0) and set it for the toggle keyed `name`.

    Draw the widget with `key=name, on_change=state.remember, args=(name,)`.
    """
    value = choice(name, ("0", "1"), _as_text(default)) == "1"
    st.session_state[name] = value
    return value


def address(**choices: object) -> dict[str, str]:
    """Return query parameters for `st.page_link` or `st.switch_page`: shared choices, then the given ones.

    Shared choices at their default, and given ones that are None, are left out.
    """
    shared = {
        name: st.session_state[_CARRIED + name]
        for name in SHARED
        if st.session_state.get(_CARRIED + name) not in (None, st.session_state.get(_DEFAULT + name))
        or (name == "study" and st.query_params.get(name) is not None)
    }
    return {name: _as_text(value) for name, value in {**shared, **choices}.items() if value is not None}


def _as_text(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)
