"""Colours of cells and their distance from the training cells."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

from core.statistics.colours import COLOURS, cell_colours, colour_distance


def training(n: int = 4000) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    mixing = rng.normal(size=(6, 6)) * [20, 18, 22, 2, 2, 2]
    return pd.DataFrame(rng.normal(size=(n, 6)) @ mixing + [110, 115, 100, 40, 38, 36], columns=COLOURS)


def test_means_and_deviations_of_every_cell_across_blocks() -> None:
    images = np.random.default_rng(2).integers(0, 256, (300, 8, 8, 3), dtype=np.uint8)
    found = cell_colours(images)
    flat = images.reshape(300, 64, 3).astype(float)
    np.testing.assert_allclose(found.to_numpy(), np.hstack([flat.mean(1), flat.std(1)]), rtol=1e-5)


def test_distance_is_scipy_s_mahalanobis_over_the_quantile_of_the_training_cells() -> None:
    known = training()
    others = training(50) + 30
    inverse = np.linalg.inv(np.cov(known.to_numpy().T) + np.eye(6))
    middle = known.to_numpy().mean(0)[None]
    own = cdist(known.to_numpy(), middle, "mahalanobis", VI=inverse)[:, 0]
    expected = cdist(others.to_numpy(), middle, "mahalanobis", VI=inverse)[:, 0] / np.quantile(own, 0.99)
    np.testing.assert_allclose(colour_distance(others, known), expected, rtol=1e-9)


def test_cells_like_the_training_cells_are_near_and_others_far() -> None:
    known = training()
    unseen = training(8000).iloc[4000:]
    assert (colour_distance(unseen, known) > 1).mean() == pytest.approx(0.01, abs=0.009)
    hazy = known.assign(red_sd=known.red_sd / 4, green_sd=known.green_sd / 4, blue_sd=known.blue_sd / 4)
    assert (colour_distance(hazy, known) > 1).mean() > 0.5


def test_one_colour_everywhere_is_no_division_by_zero() -> None:
    flat = pd.DataFrame(np.full((30, 6), 128.0), columns=COLOURS)
    np.testing.assert_allclose(colour_distance(flat + 1, flat), np.sqrt(6))
    with pytest.raises(ValueError, match="20"):
        colour_distance(flat, flat[:5])
