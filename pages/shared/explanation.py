"""Maps of one cell made when a reader asks: controls, a process that makes them, and what to say of them.

Torch stays out of the server: `python -m core explain` runs in a process of its own, one at a time.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.settings import REPOSITORY
from data.errors import CarreauError
from pages.shared import photograph, state
from pages.shared.cell_words import words
from pages.shared.head_names import head_name
from pages.shared.language import _, later
from pages.shared.study import OpenStudy

EVIDENCE = "evidence"
NAMES = {
    EVIDENCE: later("Evidence (CAM)"),
    "paper": later("Map of the paper"),
    "gradcam": later("Grad-CAM"),
    "integrated_gradients": later("Integrated gradients"),
    "occlusion": later("Occlusion by windows"),
}
_SENTENCES = {
    "paper": later(
        "Rich map (teal) and poor map (brown) as published: Grad-CAM before the last batch norm, times the "
        "size of the gradient, cut at its 99th percentile."
    ),
    "gradcam": later(
        "Grad-CAM of the last feature map: each feature weighed by its mean gradient. It has no natural "
        "zero: compare places, not signs."
    ),
    "integrated_gradients": later(
        "Gradients summed along 32 steps from the mean colour to the photograph; the pixels add up to the "
        "change between the two."
    ),
    "occlusion": later(
        "Each window, a quarter of the side, is painted with the cell’s mean colour in turn: teal where that "
        "lowers the score."
    ),
}
_TIME_LIMIT_S = 180


@dataclass(frozen=True)
class Asked:
    """What map of the cell the reader wants: a key of ``NAMES``, and "z" or an income class."""

    method: str
    target: str


class NotDrawnError(CarreauError):
    """The map could not be made; the text says why."""


def controls(here: OpenStudy, enabled: bool) -> Asked:
    """Draw the choice of the map and of what it explains; both stand in the address."""
    left, right = st.columns(2, gap="medium")
    method = state.choice("map", tuple(NAMES), EVIDENCE)
    with left:
        st.selectbox(
            _("Map"),
            tuple(NAMES),
            format_func=lambda name: _(NAMES[name]),
            key="map",
            disabled=not enabled,
            on_change=state.remember,
            args=("map",),
            help=_("The evidence map is precomputed; the others take ten seconds or so to draw."),
        )
    targets = ("z", *(str(k) for k in range(1, here.row.n_classes + 1)))
    of_a_class = method not in (EVIDENCE, "paper")
    target = state.choice("explains", targets, "z")
    if not of_a_class:
        target = st.session_state["explains"] = "z"
    unit = _(words(here.row.n_classes).unit)
    with right:
        st.selectbox(
            _("Explains"),
            targets,
            format_func=lambda t: (
                _("Wealth score z") if t == "z" else _("Chance of {unit} {k} (log)").format(unit=unit, k=t)
            ),
            key="explains",
            disabled=not (enabled and of_a_class),
            on_change=state.remember,
            args=("explains",),
        )
    return Asked(method, target)


def drawn(here: OpenStudy, city_id: str, cell_id: str, asked: Asked) -> NDArray[np.float32]:
    """Return the signed map (h, w), row 0 north, made now or a while ago; ``NotDrawnError`` says why not."""
    file = str(here.publication.file)
    drawing = _("Drawing: {map}, some ten seconds …").format(map=_(NAMES[asked.method]))
    with st.spinner(drawing, show_time=True):
        return _explained(file, here.row.study_id, city_id, cell_id, asked.method, asked.target)


@st.cache_resource(show_spinner=False)
def _turn() -> threading.Lock:
    """One process at a time for all readers: each takes half a gigabyte and every core."""
    return threading.Lock()


@st.cache_data(max_entries=128, show_spinner=False)
def _explained(
    file: str, study_id: str, city_id: str, cell_id: str, method: str, target: str
) -> NDArray[np.float32]:
    # the publication's file is part of the key alone: a new publication draws anew
    with tempfile.TemporaryDirectory(prefix="carreau-map-") as folder, _turn():
        out = Path(folder) / "map.npy"
        command = [sys.executable, "-m", "core", "explain", "--study", study_id, "--city", city_id]
        command += ["--cell", cell_id, "--method", method, "--target", target, "--out", str(out)]
        try:
            done = subprocess.run(
                command, cwd=REPOSITORY, capture_output=True, text=True, timeout=_TIME_LIMIT_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise NotDrawnError(
                _("it took more than {n} seconds; try again later.").format(n=_TIME_LIMIT_S)
            ) from error
        if done.returncode != 0:
            said = done.stderr.strip().splitlines() or [_("it ended without a word.")]
            raise NotDrawnError(said[-1].removeprefix("carreau: "))
        return np.asarray(np.load(out, allow_pickle=False), np.float32)


def reach(made: NDArray[np.float32]) -> float:
    """Return the 99th percentile of the size of a map, its own scale; 1 for a map of zeros."""
    return float(np.quantile(np.abs(made), 0.99)) or 1.0


def legend(asked: Asked, n_classes: int) -> str:
    """Return the legend as HTML: brown against, teal for, on the map's own scale."""
    if asked.target == "z":
        return photograph.legend(_("poorer"), _("richer; scale of this map alone"))
    against = _("against {unit} {k}").format(unit=_(words(n_classes).unit), k=asked.target)
    return photograph.legend(against, _("for it; scale of this map alone"))


def sentence(asked: Asked, head: str) -> str:
    """Say in one or two sentences what the map is, and under which head it is one map only."""
    said = _(_SENTENCES[asked.method])
    if asked.target != "z" and head in ("binomial", "coral"):
        of_one_number = _(
            "Under the {head} head every class depends on z alone: its map is that of z times a number."
        )
        said += " " + of_one_number.format(head=head_name(head))
    return said
