"""A selection: address and back, and the cells that are in it, against hand-worked cases."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.shared.selection import Selection

CLASSES = st.integers(1, 10)
PLACES = st.integers(-10_000_000, 10_000_000)


def cells() -> pd.DataFrame:
    """Four cells in a row from (0, 0): right, two richer, one poorer, without census income."""
    return pd.DataFrame(
        {
            "x": [0, 200, 400, 600],
            "y": [0, 0, 0, 0],
            "class": pd.array([3, 3, 4, None], dtype="Int64"),
            "predicted": pd.array([3, 5, 3, 7], dtype="Int64"),
            "district": ["01", "02", "01", None],
        }
    )


@given(
    confusion=st.none() | st.tuples(CLASSES, CLASSES),
    difference=st.none() | st.tuples(st.integers(-9, 9), st.integers(-9, 9)).map(lambda d: tuple(sorted(d))),
    corner=st.none() | st.tuples(PLACES, PLACES),
    district=st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
)
def test_address_and_back(confusion, difference, corner, district):
    rectangle = corner and (*corner, corner[0] + 400, corner[1] + 200)
    selection = Selection(confusion, difference, rectangle, district)
    assert Selection.of(selection.text()) == selection
    assert bool(selection) == (selection.text() is not None)


@pytest.mark.parametrize(
    "text", [None, "", "c3", "c3p7x", "r0_0_0_0", "d1", "r5_5_1_9", "c333p1", "....", "<b>", "z", "za b"]
)
def test_what_an_address_cannot_mean_selects_nothing(text):
    assert not Selection.of(text)


@pytest.mark.parametrize(
    ("selection", "quintiles", "kept"),
    [
        (Selection(), False, [True] * 4),
        (Selection(confusion=(3, 5)), False, [False, True, False, False]),
        (Selection(confusion=(2, 2)), True, [True, False, True, False]),  # deciles 3 and 4 are quintile 2
        (Selection(difference=(-1, 0)), False, [True, False, True, False]),
        (Selection(rectangle=(150, 0, 550, 200)), False, [False, True, True, False]),
        (Selection(district="01"), False, [True, False, True, False]),
        (Selection(district="01", difference=(-1, -1)), False, [False, False, True, False]),
        (Selection(confusion=(3, 5), rectangle=(0, 0, 200, 200)), False, [False] * 4),
    ],
)
def test_cells_in_it(selection, quintiles, kept):
    found = selection.mask(cells(), 10, quintiles, 200)
    np.testing.assert_array_equal(found, kept)


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        ((0, 0), "predicted exactly"),
        ((-1, -1), "predicted 1 class poorer"),
        ((-4, -2), "predicted 2 to 4 classes poorer"),
        ((0, 3), "predicted 0 to 3 classes richer"),
        ((-2, 1), "predicted from 2 classes poorer to 1 richer"),
    ],
)
def test_differences_in_words(difference, words):
    assert Selection(difference=difference).words("decile") == words
