"""A job on the page: progress while it runs, the reason when it ended badly, the result when it is done."""

from __future__ import annotations

import streamlit as st

from core import access, jobs
from core.access import Visitor
from core.jobs import JobState
from core.settings import read_settings
from pages.shared import frame, job_actions, job_result_view, job_so_far, job_words
from pages.shared.language import _
from pages.shared.plain_text import fault, inform, plain
from pages.shared.told import told, told_name

_TICK_S = 1.0


def show(job: str, who: Visitor) -> None:
    """Show a job by id, whatever its state; only those who may change it get the means."""
    now = jobs.state(job)
    mine = access.may_change(jobs.read_job(job, read_settings()), who)
    if now.state == "paused":
        _paused(now, mine)
        job_so_far.show(now)
    elif now.state not in jobs.FINAL:
        _progress(job, mine)
        job_so_far.show(now)
    elif now.state == "done" and now.result is not None:
        job_result_view.show(now)
    elif now.state == "rejected":
        fault(_("The photograph could not be used. {why}").format(why=told(now.reason)))
    elif now.state == "failed":
        fault(_("The job failed. {why}").format(why=told(now.reason)))
    else:
        inform(job_words.cancelled_text(now))
    if now.state in jobs.FINAL and mine:
        job_actions.bar(now, who)


@st.fragment(run_every=_TICK_S)
def _progress(job: str, mine: bool) -> None:
    """Draw the progress every second; when the job has ended, draw the page anew."""
    now = jobs.state(job)
    if now.state in jobs.FINAL or now.state == "paused":
        st.rerun()
    # a worker that was killed is replaced by the next look at the page; with one alive this only tries a lock
    jobs.ensure_worker()
    st.header(plain(told_name(now.name)), anchor=False)
    st.progress(now.done / now.total if now.total else 0.0, text=plain(job_words.progress_text(now)))
    frame.note(_("This page may be closed: the worker goes on, and this address shows the result."))
    if not mine:
        return
    with st.container(horizontal=True):
        if st.button(_("Pause"), key="job.pause", icon=":material/pause:"):
            jobs.pause(job)
            st.rerun()
        if st.button(_("Cancel"), key="job.cancel", icon=":material/close:"):
            jobs.cancel(job)
            st.rerun()


def _paused(now: JobState, mine: bool) -> None:
    """Say how far a paused job came, and let it go on."""
    st.header(plain(told_name(now.name)), anchor=False)
    st.progress(now.done / now.total if now.total else 0.0, text=job_words.paused_text(now))
    frame.note(_("What is finished is kept. Going on, the job waits its turn again."))
    if not mine:
        return
    with st.container(horizontal=True):
        if st.button(_("Go on"), key="job.resume", type="primary", icon=":material/play_arrow:"):
            jobs.resume(now.job)
            jobs.ensure_worker()
            st.rerun()
        if st.button(_("Cancel"), key="job.cancel", icon=":material/close:"):
            jobs.cancel(now.job)
            st.rerun()
