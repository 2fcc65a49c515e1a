"""The answer under a title follows from the figures, in its verdict and in its doubts."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.settings import SHIPPED_DEMO
from data.store import queries
from data.store.open import connect
from data.store.queries import City
from pages.shared import answers
from tests.pages.conftest import RunPage, texts

KINDS = [("activation", "torus"), ("activation", "other"), ("occlusion", "moved masks")]


@pytest.fixture
def city(publication: Path) -> City:
    return queries.cities(connect(publication))[0]


def indices(*verdicts: str) -> pd.DataFrame:
    rows = [(*kind, verdict) for kind, verdict in zip(KINDS, verdicts, strict=False)]
    frame = pd.DataFrame(rows, columns=["relation", "null_model", "verdict"])
    return frame.assign(value=0.5, n_classes=8, note="")


def agreement(value: float) -> pd.DataFrame:
    row = {"measure": "spearman", "scope": "within_fold", "value": value, "null_low": -0.2, "null_high": 0.2}
    return pd.DataFrame([row])


RELIED = pd.DataFrame(
    {
        "code": ["11100", "31000"],
        "name": ["Continuous urban fabric", "Forests"],
        "value": [0.3, 0.01],
        "low": [0.2, -0.1],
        "high": [0.4, 0.1],
        "q_value": [0.001, 0.8],
    }
)


@pytest.mark.parametrize(
    ("verdicts", "lead", "text"),
    [
        (("follows",) * 3, "Yes.", "land-use classes pull the prediction the way they go with income"),
        (("disregards",) * 3, "No.", "land-use classes do not pull the prediction"),
        (("cannot tell",) * 2, "It cannot be told.", "the intervals allow for both"),
        (
            ("nothing to follow",) * 3,
            "Neither yes nor no: there is nothing to follow.",
            "ties no land-use class to income",
        ),
        (("follows", "cannot tell"), "Not settled.", "“follows” by activation (null: map moved in its cell)"),
    ],
)
def test_the_verdict_leads_and_reliance_stands_beside_it(
    city: City, verdicts: tuple[str, ...], lead: str, text: str
) -> None:
    answer = answers.of_patterns(indices(*verdicts), RELIED, agreement(0.6), city)
    assert answer.lead == lead and text in answer.text and city.name in answer.text
    assert "the model relies, beyond chance, on 1 of 2 classes: continuous urban (+0.30)" in answer.text
    assert "forests" not in answer.text


def test_a_model_that_ranks_nothing_is_not_asked_what_it_looks_at(city: City) -> None:
    answer = answers.of_patterns(indices("follows", "follows"), RELIED, agreement(0.1), city)
    assert answer.lead == "It reads no income here."
    assert "no better than chance" in answer.text and "relies" not in answer.text


def test_no_index_no_verdict(city: City) -> None:
    without = indices("follows").assign(value=np.nan, note="fewer than 6 classes")
    for found in (without, without.head(0)):
        assert answers.of_patterns(found, RELIED.head(0), agreement(0.6), city).lead == "It cannot be told."


def checks(left: float, shuffled: float, deletion: float) -> pd.DataFrame:
    """Checks of one network and the map cam: likeness left, to shuffled labels, area under deletion."""
    rows = [
        ("cascade", "cam", 0, 1.0),
        ("cascade", "cam", 1, left),
        ("other_fold", "cam", 0, 0.7),
        ("label_shuffle", "cam", 0, shuffled),
        *(("deletion", name, 0, area) for name, area in (("cam", deletion), ("random", 0.4), ("edge", 0.3))),
        *(("insertion", name, 0, area) for name, area in (("cam", 0.8), ("random", 0.5), ("edge", 0.6))),
    ]
    frame = pd.DataFrame(rows, columns=["check_name", "method", "position", "value"])
    return frame.assign(model_id="m")


def agreements(city: City, value: float, low: float) -> pd.DataFrame:
    own = {"city_id": city.city_id, "method": "cam", "value": value, "low": low}
    return pd.DataFrame([own, own | {"city_id": "elsewhere", "value": -1.0, "low": -1.0}])


def test_the_checks_a_map_passes_are_counted_and_those_it_fails_named(city: City) -> None:
    every = answers.of_trust(agreements(city, 0.8, 0.6), checks(0.1, 0.2, 0.2), agreement(0.6), city)
    assert every == answers.Answer("As far as checked, yes.", "CAM passes all of 4 checks.")
    part = answers.of_trust(agreements(city, 0.3, 0.1), checks(0.1, 0.2, 0.35), agreement(0.6), city)
    assert part is not None and part.lead == "In part."
    assert "CAM passes 3 of 4 checks: it does not find the evidence before every baseline." in part.text
    assert "At best +0.30 of 1" in part.text
    none = answers.of_trust(agreements(city, 0.1, -0.1), checks(0.6, 0.8, 0.5), agreement(0.6), city)
    assert none is not None and none.lead == "No."
    assert "CAM passes 0 of 4 checks" in none.text and "shuffled labels give the same map" in none.text
    assert "it does not point where painting over matters" in none.text
    assert "without the trained weights" in none.text


def test_maps_of_a_model_that_ranks_nothing_say_nothing_of_incomes(city: City) -> None:
    answer = answers.of_trust(agreements(city, 0.8, 0.6), checks(0.1, 0.2, 0.2), agreement(0.1), city)
    assert answer is not None and answer.lead == "Of a model that reads no income."
    assert "nor does a reliance" in answer.text


def test_without_checks_there_is_no_answer(city: City) -> None:
    nothing = checks(0.1, 0.2, 0.2).head(0)
    assert answers.of_trust(agreements(city, 0.8, 0.6).head(0), nothing, agreement(0.6), city) is None
    alone = answers.of_trust(agreements(city, 0.8, 0.6), nothing, agreement(0.6), city)
    assert alone is not None and alone.text == "CAM passes all of 1 checks."


def means(**by_class: tuple[float, float, float]) -> pd.DataFrame:
    rows = [(name[1:], *three, 40) for name, three in by_class.items()]
    return pd.DataFrame(rows, columns=["group", "value", "low", "high", "n"])


def test_where_the_model_is_wrong_names_classes_and_the_farthest_district(city: City) -> None:
    nothing = pd.DataFrame()
    ends = means(_1=(2.2, 2.0, 2.4), _5=(0.3, -0.1, 0.7), _10=(-2.5, -2.9, -2.2))
    off = pd.DataFrame({"district_id": ["z", "y"], "n": [75, 80], "census": [9.1, 4], "off": [-2.08, 1.0]})
    answer = answers.of_city(ends, off, {"z": "Quatre-Vents"}, agreement(0.6), 10, city)
    assert answer == answers.Answer(
        "Most at both ends.",
        "On average census decile 10 is predicted 2.5 deciles too poor (40 cells) and census decile 1 is "
        "predicted 2.2 deciles too rich (40 cells). Of the districts, Quatre-Vents (mean census decile "
        "9.1) is predicted 2.1 deciles too poor (75 cells).",
    )
    inner = means(_1=(0.1, -0.2, 0.4), _7=(1.5, np.nan, np.nan), _10=(0.2, 0.1, 0.3))
    answer = answers.of_city(inner, nothing, {}, agreement(0.6), 10, city)
    assert answer is not None and answer.lead == "Most in decile 7."
    assert answer.text == "On average census decile 7 is predicted 1.5 deciles too rich (40 cells)."
    blind = answers.of_city(ends, nothing, {}, agreement(0.1), 10, city)
    assert blind is not None and blind.lead == "Everywhere: it ranks cells no better than chance."
    right = means(_1=(0.1, -0.2, 0.4), _10=(-0.1, -0.3, 0.1))
    assert answers.of_city(right, nothing, {}, agreement(0.6), 10, city) is None
    assert answers.of_city(ends.head(0), nothing, {}, agreement(0.6), 10, city) is None


def answer_of(test: AppTest) -> list[str]:
    assert not test.exception
    return [part for part in texts(test).split("<p ") if part.startswith('class="carreau-answer"')]


def test_pages_begin_with_their_answer(run_page: RunPage, city: City) -> None:
    for page, said in (("patterns", city.name), ("trust", "passes")):
        (answer,) = answer_of(run_page(page))
        assert said in answer
    other = dataclasses.replace(city, name="<b>")
    drawn = answers.of_patterns(indices("follows"), RELIED, agreement(0.6), other)
    assert "<b>" in drawn.text  # as it stands here, escaped where it is drawn


@pytest.mark.skipif(not SHIPPED_DEMO.is_dir(), reason=f"no demo study in {SHIPPED_DEMO}")
def test_a_city_begins_with_where_the_model_is_wrong(run_page: RunPage) -> None:
    demo = SHIPPED_DEMO.parent
    (answer,) = answer_of(run_page("city", studies=demo, city="port-imagine"))
    assert "<b>Most at both ends.</b>" in answer and "Of the districts, Les Quatre-Vents" in answer
    (blind,) = answer_of(run_page("city", studies=demo, city="saint-inventaire"))
    assert "Everywhere" in blind
    # of a selection, its figures; of classes with few cells nothing is said
    assert answer_of(run_page("city", studies=demo, city="port-imagine", only="d1_3")) == []
    assert answer_of(run_page("city")) == []
