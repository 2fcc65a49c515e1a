"""What is said of patterns and how it is drawn, by hand-worked tables: counts, nulls, labels, verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data.store.open import connect
from data.store.queries import cities
from pages.shared import (
    chart_labels,
    forest,
    index_words,
    palette,
    pattern_caveats,
    pattern_words,
    ratio_chart,
)

INKS = palette._LIGHT


def frame_of(**columns: list[Any]) -> pd.DataFrame:
    length = len(next(iter(columns.values())))
    base = {
        "code": [f"1{k}000" for k in range(length)],
        "name": [f"class {k}" for k in range(length)],
        "colour": ["#808080"] * length,
        "value": [0.0] * length,
        "low": [-0.1] * length,
        "high": [0.1] * length,
        "q_value": [1.0] * length,
        "n": [100] * length,
        "n_present": [100] * length,
        "n_effective": [50.0] * length,
        "null_torus": [np.nan] * length,
        "enough": [True] * length,
        "note": [""] * length,
    }
    frame = pd.DataFrame({**base, **columns})
    if "low" not in columns:
        frame["low"], frame["high"] = frame.value - 0.05, frame.value + 0.05
    return frame


def test_compared_counts_signs_of_what_is_significant() -> None:
    census = frame_of(value=[0.5, 0.4, -0.5, 0.3, 0.1], q_value=[0.01, 0.01, 0.01, 0.05, 0.4])
    pulls = frame_of(
        value=[0.2, -0.3, -0.2, 0.03, 0.9],
        low=[0.1, -0.4, -0.3, -0.1, 0.8],
        high=[0.3, -0.2, -0.1, 0.1, 1.0],
    ).drop(columns="q_value")
    counts = pattern_words.compared(pattern_words.side_by_side(census, pulls))
    assert (counts.classes, counts.tied, counts.same, counts.opposite, counts.undetermined) == (5, 4, 2, 1, 1)


def test_absence_of_significance_is_never_called_disregard(publication: Path) -> None:
    city = cities(connect(publication))[0]
    nothing = pattern_words.Comparison(classes=12, tied=6, same=1, opposite=1)
    assert "Too little can be told" in pattern_words.scatter_sentence(nothing, city)
    none = frame_of(value=[0.1, 0.2])
    assert "does not show that the network disregards" in pattern_words.forest_sentence(
        "activation", none, none, city
    )


def test_an_interval_that_holds_zero_once_its_null_is_off_is_not_significant() -> None:
    measured = frame_of(value=[0.3], low=[0.1], high=[0.5], q_value=[0.01], null_torus=[0.15])
    assert forest.significant(measured).tolist() == [True]
    assert forest.significant(pattern_words.less_null(measured)).tolist() == [False]


def test_null_is_taken_off_value_and_interval() -> None:
    shown = pattern_words.less_null(frame_of(value=[0.3], low=[0.1], high=[0.5], null_torus=[0.05]))
    np.testing.assert_allclose(shown[["value", "low", "high"]].to_numpy()[0], [0.25, 0.05, 0.45])


def test_too_few_names_each_class_once_with_its_cells() -> None:
    frame = frame_of(enough=[True, False], n=[100, 12])
    assert pattern_caveats.too_few(frame) == "Too few cells to show (cells in brackets): 11000 class 1 (12)."
    assert pattern_caveats.too_few(frame_of(value=[0.1])) == ""
    both = frame_of(code=["11000", "11000"], enough=[False, True], n=[7, 40], polarity=["poor", "rich"])
    assert pattern_caveats.too_few(both).endswith("poor map: 11000 class 0 (7).")


def test_labels_of_the_scatter_never_overlap() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-0.5, 0.5, (2, 25))
    texts = [f"{11000 + k} class {k}" for k in range(25)]
    placed = chart_labels.placed(x, y, texts, ((-0.6, 0.6),) * 2, (430, 340))
    assert len(placed) >= 5 and placed[0].at == 0
    boxes = []
    dots = (np.array([x, y]).T + 0.6) / 1.2 * (430, 340)
    for one in placed:
        (across, up), width = dots[one.at], 6.0 * len(texts[one.at])
        left = across + 9 if one.anchor == "left" else across - 9 - width
        boxes.append((left, left + width, up + one.shift - 7, up + one.shift + 7))
        others = np.delete(dots, one.at, axis=0)
        reach = np.abs(others - (left + width / 2, up + one.shift)) - (width / 2, 7)
        assert (reach.max(axis=1) > 5.9).all()  # no other dot is covered
    meeting = [
        a[0] < b[1] and b[0] < a[1] and a[2] < b[3] and b[2] < a[3]
        for k, a in enumerate(boxes)
        for b in boxes[:k]
    ]
    assert not any(meeting)


def test_ratio_chart_survives_one_missing_polarity() -> None:
    rich = frame_of(value=[1.2], polarity=["rich"])
    income = frame_of(probability=[0.4], polarity=["poor"])
    figure = ratio_chart.ratios(rich, income, 10, INKS)
    assert [trace.marker.symbol for trace in figure.data] == ["diamond", "circle"]


def test_no_verdict_where_the_census_ties_no_class_to_income() -> None:
    census = pd.DataFrame(
        {"enough": [True, True], "low": [-0.1, 0.2], "high": [0.3, 0.5], "q_value": [0.6, 0.2]}
    )
    indices = pd.DataFrame({"verdict": ["disregards", "cannot tell", "follows"], "value": [0.1, 0.2, 0.9]})
    assert index_words.judged(indices, census).verdict.tolist() == [
        "nothing to follow",
        "nothing to follow",
        "follows",
    ]
    tied = census.assign(q_value=[0.6, 0.01])
    assert index_words.judged(indices, tied).verdict.tolist() == indices.verdict.tolist()
    few = tied.assign(enough=False)
    assert index_words.judged(indices, few).verdict.iloc[0] == "nothing to follow"
