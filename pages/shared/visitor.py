"""Who looks at the page: signed in where the dashboard wants it, else an owner for one browser session."""

from __future__ import annotations

import secrets

import streamlit as st

from core import access
from core.access import Visitor
from pages.shared.language import _
from pages.shared.plain_text import plain

KEY = "key"  # in the address, beside the job
_OWNER = "upload.owner"
_LOCAL = ("localhost", "127.0.0.1", "::1")


def wants_sign_in() -> bool:
    """Return whether `.streamlit/secrets.toml` names a provider (docs/operations.md, sign-in)."""
    return bool(st.secrets.load_if_toml_exists()) and "auth" in st.secrets


def visitor() -> Visitor | None:
    """Return who looks at the page; None, after a word and a button, where they are to sign in first."""
    key = st.query_params.get(KEY)
    if wants_sign_in():
        if not st.user.is_logged_in:
            _ask_to_sign_in()
            return None
        owner = access.owner_of_person(str(st.user.get("iss", "")), str(st.user.get("sub", "")))
        return Visitor(owner, signed_in=True, key=key)
    if st.get_option("server.address") not in _LOCAL:
        st.error(
            _(
                "Uploads are closed: this dashboard listens to other machines and knows nobody who asks. Set "
                "up sign-in (docs/operations.md), or let it listen to this machine alone."
            )
        )
        return None
    owner = st.session_state.setdefault(_OWNER, f"browser-{secrets.token_hex(8)}")
    return Visitor(str(owner), key=key)


def _ask_to_sign_in() -> None:
    st.info(_("Sign in to send a photograph, and to see those that you sent."))
    given = st.secrets["auth"]
    if "client_id" in given:
        st.button(_("Sign in"), type="primary", on_click=st.login, key="sign_in")
        return
    for name in given:
        if hasattr(given[name], "get") and given[name].get("client_id"):
            label = _("Sign in with {name}").format(name=plain(name))
            st.button(label, on_click=st.login, args=(name,), key=f"sign_in.{name}")


def sign_out_button() -> None:
    """Say who is signed in, and offer to sign out."""
    name = st.user.get("email") or st.user.get("name") or _("signed in")
    label = _("Sign out ({name})").format(name=plain(name))
    st.button(label, on_click=st.logout, key="sign_out", icon=":material/logout:")
