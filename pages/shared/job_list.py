"""The visitor's jobs, and the one that the address asks for."""

from __future__ import annotations

import streamlit as st

from core import access, jobs
from core.access import Visitor
from core.settings import read_settings
from data.errors import CarreauError
from pages.shared import job_words, state
from pages.shared.language import _
from pages.shared.plain_text import plain, warn
from pages.shared.told import told

_ICONS = {
    "queued": ":material/hourglass_empty:",
    "running": ":material/pending:",
    "paused": ":material/pause:",
    "done": ":material/check_circle:",
    "rejected": ":material/error:",
    "failed": ":material/error:",
    "cancelled": ":material/cancel:",
}


def asked_job(who: Visitor) -> str | None:
    """Return the job of the address, after a word when there is none of that name for this visitor."""
    asked = st.query_params.get("job")
    if asked is None:
        return None
    try:
        jobs.state(asked)
    except CarreauError as error:
        warn(_("The address asks for a job, but {why}.").format(why=told(error)))
        return None
    if access.may_see(jobs.read_job(asked, read_settings()), who, read_settings()):
        return asked
    text = _(
        "The address asks for a job, but there is no job “{job}” of yours, and none that was shared with you."
    )
    warn(text.format(job=asked))
    return None


def show(shown: str | None, who: Visitor) -> None:
    """List the visitor's jobs but the one that is shown, newest first."""
    others = [job for job in jobs.recent(who.owner) if job.job != shown]
    if not others:
        return
    st.header(
        _("Your earlier photographs") if who.signed_in else _("Earlier in this browser session"), anchor=False
    )
    for job in others:
        st.page_link(
            "pages/upload.py",
            label=plain(job_words.state_line(job)),
            query_params=state.address(job=job.job),
            icon=_ICONS[job.state],
        )
