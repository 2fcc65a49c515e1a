"""Predictions: identities, flips, batches, ensembles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats

from models.heads import HEADS
from models.network import CellNetwork
from models.predict import ensemble, predict

Make = Callable[..., CellNetwork]
Photographs = Callable[..., np.ndarray]


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("flips", [True, False])
def test_mean_of_the_map_is_z_less_b(
    network_of: Make, photographs: Photographs, head: str, flips: bool
) -> None:
    p = predict(network_of(head=head), photographs(5, 64), flips=flips)
    assert p.z.std() > 1e-3, "a dead network would pass anything"
    np.testing.assert_allclose(p.maps.mean((1, 2)) + p.bias, p.z, atol=1e-5)


def test_identity_holds_for_efficientnet(network_of: Make, photographs: Photographs) -> None:
    network = network_of(architecture="efficientnet_b0")
    p = predict(network, photographs(3, 64))
    assert p.maps.shape == (3, 4, 4) and p.maps.dtype == np.float32
    np.testing.assert_allclose(p.maps.mean((1, 2)), p.z - float(network.head.bias), atol=1e-5)


def test_binomial_fields_follow_from_z(network_of: Make, photographs: Photographs) -> None:
    p = predict(network_of(), photographs(6, 64))
    chance = 1 / (1 + np.exp(-p.z.astype(float)))
    expected = stats.binom.pmf(np.arange(10), 9, chance[:, None])
    np.testing.assert_allclose(p.probabilities, expected, atol=1e-6)
    np.testing.assert_allclose(p.expected_class, 1 + 9 * chance, rtol=1e-6)
    np.testing.assert_array_equal(p.predicted_class, 1 + expected.argmax(1))
    np.testing.assert_allclose(p.entropy, stats.entropy(expected, axis=1), rtol=1e-5)
    assert p.predicted_class.dtype == np.uint8 and p.probabilities.dtype == np.float32


@pytest.mark.parametrize("head", HEADS)
def test_flipping_the_photograph_flips_the_map_and_nothing_else(
    network_of: Make, photographs: Photographs, head: str
) -> None:
    network, images = network_of(head=head), photographs(4, 64)
    one, turned = predict(network, images), predict(network, images[:, ::-1, :, :])
    np.testing.assert_allclose(turned.z, one.z, atol=1e-5)
    np.testing.assert_allclose(turned.maps[:, ::-1], one.maps, atol=1e-4)
    np.testing.assert_allclose(turned.probabilities, one.probabilities, atol=1e-5)


def test_batches_do_not_matter_and_progress_counts_cells(network_of: Make, photographs: Photographs) -> None:
    network, images = network_of(), photographs(7, 64)
    seen: list[tuple[int, int]] = []
    whole = predict(network, images, batch_size=7)
    parts = predict(network, images, batch_size=3, progress=lambda done, total: seen.append((done, total)))
    np.testing.assert_allclose(parts.z, whole.z, atol=1e-5)
    np.testing.assert_allclose(parts.maps, whole.maps, atol=1e-4)
    assert seen == [(3, 7), (6, 7), (7, 7)]
    assert predict(network, images, maps=False).maps is None
    np.testing.assert_allclose(predict(network, images[4:5]).z, whole.z[4:5], atol=1e-5)


@pytest.mark.parametrize("head", HEADS)
def test_logits_are_the_head_of_the_features(network_of: Make, photographs: Photographs, head: str) -> None:
    network, images = network_of(head=head), photographs(5, 64)
    p = predict(network, images, features=True, maps=False, batch_size=2)
    assert p.features.shape == (5, 576) and p.features.dtype == np.float32
    with torch.inference_mode():
        np.testing.assert_allclose(network.head(torch.from_numpy(p.features)), p.logits, atol=1e-5)
    turned = predict(network, images[:, ::-1], features=True).features
    np.testing.assert_allclose(turned, p.features, atol=1e-5)
    assert predict(network, images).features is None
    assert ensemble([p], [0.0], [1.0]).predictions.features is p.features
    assert ensemble([p, p], [0.0, 0.0], [1.0, 1.0]).predictions.features is None


def test_no_cells_give_empty_arrays(network_of: Make) -> None:
    p = predict(network_of(), np.zeros((0, 64, 64, 3), np.uint8))
    assert p.z.shape == (0,) and p.probabilities.shape == (0, 10) and p.maps.shape == (0, 4, 4)


def test_ensemble_averages_z_and_maps_but_not_distributions(
    network_of: Make, photographs: Photographs
) -> None:
    first = predict(network_of(), photographs(5, 64))
    second = replace(
        first,
        z=first.z + 2,
        logits=first.logits + 2,
        maps=first.maps + 0.5,
        bias=first.bias + 1.5,
        expected_class=first.expected_class + 0.5,
    )
    both = ensemble([first, second], z_mean=[0.0, 2.0], z_std=[1.0, 3.0])
    p = both.predictions
    np.testing.assert_allclose(p.z, first.z + 1, atol=1e-6)
    np.testing.assert_allclose(p.maps, first.maps + 0.25, atol=1e-6)
    np.testing.assert_allclose(p.maps.mean((1, 2)) + p.bias, p.z, atol=1e-5)
    np.testing.assert_allclose(
        p.probabilities, stats.binom.pmf(np.arange(10), 9, 1 / (1 + np.exp(-p.z[:, None]))), atol=1e-6
    )
    np.testing.assert_allclose(both.spread, 0.25, atol=1e-6)
    assert (both.z_mean, both.z_std) == (1.0, 2.0)


def test_ensemble_refuses_folds_that_do_not_belong_together(
    network_of: Make, photographs: Photographs
) -> None:
    binomial, softmax = (
        predict(network_of(head=head), photographs(2, 64)) for head in ("binomial", "softmax")
    )
    with pytest.raises(ValueError, match="must agree"):
        ensemble([binomial, softmax], [0, 0], [1, 1])
