"""What may be done with a job that has ended: try again, share, delete."""

from __future__ import annotations

import streamlit as st

from core import access, again, jobs, keeping
from core.access import Visitor
from core.jobs import JobState
from core.settings import read_settings
from data.errors import CarreauError
from pages.shared import selection, state, visitor
from pages.shared.language import _, number, plural
from pages.shared.plain_text import fault


def bar(now: JobState, who: Visitor) -> None:
    """Offer what whoever may change the job can do with it."""
    with st.container(horizontal=True):
        if now.state in again.MAY_BE_TRIED:
            _again(now)
        _sharing(now, who)
        _deletion(now)


def leave() -> None:
    """Go back to the form."""
    state.put("job", None)
    state.put("cell", None)
    state.put(selection.NAME, None)
    state.put(visitor.KEY, None)
    st.rerun()


def _again(now: JobState) -> None:
    """Offer to try a job again that did not come to a result."""
    if st.button(_("Try again"), key="job.again", type="primary", icon=":material/replay:"):
        try:
            state.put("job", again.try_again(now.job))
        except CarreauError as error:
            fault(error)
            return
        jobs.ensure_worker()
        st.rerun()


def _deletion(now: JobState) -> None:
    """Offer to delete the job; a second click confirms."""
    days = read_settings().keep_days
    with st.popover(_("Delete this job"), icon=":material/delete:"):
        st.write(
            plural(
                "The photograph and everything made from it go for good. Undeleted, they stay {n} day from "
                "their submission.",
                "The photograph and everything made from it go for good. Undeleted, they stay {n} days from "
                "their submission.",
                days,
            ).format(n=number(days))
        )
        if st.button(_("Delete for good"), key="job.delete", type="primary"):
            keeping.delete(now.job)
            leave()


def _sharing(now: JobState, who: Visitor) -> None:
    """Offer the link to share: it shows the job, and lets nobody change it."""
    with st.popover(_("Share"), icon=":material/share:"):
        st.write(_("Whoever opens this address sees the photograph and the result, and can change nothing."))
        st.code(f"{st.context.url or '/upload'}?job={now.job}", language=None)
        if who.signed_in:
            asked, settings = jobs.read_job(now.job, read_settings()), read_settings()
            st.toggle(
                _("Show it to everybody who signs in and has the address"),
                value=access.is_shared(asked, settings),
                key="job.shared",
                on_change=lambda: access.share(asked, settings, bool(st.session_state["job.shared"])),
            )
