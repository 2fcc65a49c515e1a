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
from pages.shared.city_words import unit
from pages.shared.study import OpenStudy

EVIDENCE = "evidence"
NAMES = {
    EVIDENCE: "Evidence (CAM)",
    "paper": "Map of the paper",
    "gradcam": "Grad-CAM",
    "integrated_gradients": "Integrated gradients",
    "occlusion": "Occlusion by windows",
}
_SENTENCES = {
    "paper": "Rich map (teal) and poor map (brown) as published: Grad-CAM before the last batch norm, times "
    "the size of the gradient, cut at its 99th percentile.",
    "gradcam": "Grad-CAM of the last feature map: each feature weighed by its mean gradient. It has no "
    "natural zero: compare places, not signs.",
    "integrated_gradients": "Gradients summed along 32 steps from the mean colour to the photograph; the "
    "pixels add up to the change between the two.",
    "occlusion": "Each window, a quarter of the side, is painted with the cell’s mean colour in turn: teal "
    "where that lowers the score.",
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
            "Map",
            tuple(NAMES),
            format_func=NAMES.__getitem__,
            key="map",
            disabled=not enabled,
            on_change=state.remember,
            args=("map",),
            help="The evidence map is precomputed; the others take ten seconds or so to draw.",
        )
    targets = ("z", *(str(k) for k in range(1, here.row.n_classes + 1)))
    of_a_class = method not in (EVIDENCE, "paper")
    target = state.choice("explains", targets, "z")
    if not of_a_class:
        target = st.session_state["explains"] = "z"
    one = unit(here.row.n_classes)
    with right:
        st.selectbox(
            "Explains",
            targets,
            format_func=lambda t: "Wealth score z" if t == "z" else f"Chance of {one} {t} (log)",
            key="explains",
            disabled=not (enabled and of_a_class),
            on_change=state.remember,
            args=("explains",),
        )
    return Asked(method, target)


def drawn(here: OpenStudy, city_id: str, cell_id: str, asked: Asked) -> NDArray[np.float32]:
    """Return the signed map (h, w), row 0 north, made now or a while ago; ``NotDrawnError`` says why not."""
    file = str(here.publication.file)
    with st.spinner(f"Drawing: {NAMES[asked.method]}, some ten seconds …", show_time=True):
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
            raise NotDrawnError(f"it took more than {_TIME_LIMIT_S} seconds; try again later.") from error
        if done.returncode != 0:
            said = done.stderr.strip().splitlines() or ["it ended without a word."]
            raise NotDrawnError(said[-1].removeprefix("carreau: "))
        return np.asarray(np.load(out, allow_pickle=False), np.float32)


def reach(made: NDArray[np.float32]) -> float:
    """Return the 99th percentile of the size of a map, its own scale; 1 for a map of zeros."""
    return float(np.quantile(np.abs(made), 0.99)) or 1.0


def legend(asked: Asked, one: str) -> str:
    """Return the legend as HTML: brown against, teal for, on the map's own scale."""
    if asked.target == "z":
        return photograph.legend("poorer", "richer; scale of this map alone")
    return photograph.legend(f"against {one} {asked.target}", "for it; scale of this map alone")


def sentence(asked: Asked, head: str) -> str:
    """Say in one or two sentences what the map is, and under which head it is one map only."""
    said = _SENTENCES[asked.method]
    if asked.target != "z" and head in ("binomial", "coral"):
        said += f" Under the {head} head every class depends on z alone: its map is that of z times a number."
    return said
