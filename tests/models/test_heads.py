"""Heads against closed forms and reference libraries."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch.nn import functional

from data.errors import SettingsError
from models.heads import HEADS, build_head


def random_head(name: str, n_classes: int, seed: int = 0):
    head = build_head(name, 5, n_classes)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        head.weight.copy_(torch.randn(head.weight.shape, generator=generator))
        head.bias.add_(0.1)
    return head, torch.randn(7, 5, generator=generator)


@given(z=st.floats(-40, 40), n_classes=st.integers(2, 20))
@settings(deadline=None, max_examples=60)
def test_binomial_probabilities_are_scipys(z: float, n_classes: int) -> None:
    head = build_head("binomial", 5, n_classes)
    ours = head.probabilities(torch.tensor([[z]], dtype=torch.float64))[0].numpy()
    theirs = stats.binom.pmf(np.arange(n_classes), n_classes - 1, 1 / (1 + np.exp(-z)))
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-14)


def test_binomial_keeps_small_probabilities_apart_far_out() -> None:
    log_p = build_head("binomial", 5, 10).log_probabilities(torch.tensor([[30.0]]), 10)[0]
    np.testing.assert_allclose(
        np.diff(log_p.numpy()) - np.diff(stats.binom.logpmf(range(10), 9, 0.5)), 30, rtol=1e-9
    )


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("n_classes", [2, 5, 10])
def test_rows_sum_to_one_and_shapes(name: str, n_classes: int) -> None:
    head, pooled = random_head(name, n_classes)
    logits = head(pooled)
    assert logits.shape == (7, head.n_logits(n_classes))
    p = head.probabilities(logits)
    assert p.shape == (7, n_classes) and (p >= 0).all()
    np.testing.assert_allclose(p.sum(1).detach(), 1, atol=1e-12)


@pytest.mark.parametrize("name", ["softmax", "corn", "coral"])
def test_untrained_class_heads_are_uniform(name: str) -> None:
    head = build_head(name, 5, 10)
    np.testing.assert_allclose(head.probabilities(head(torch.randn(3, 5))).detach(), 0.1, atol=1e-6)


def test_corn_probabilities_by_hand() -> None:
    logits = torch.log(torch.tensor([[3.0, 1.0]]))  # P(k>0) = 3/4, P(k>1 | k>0) = 1/2
    p = build_head("corn", 5, 3).probabilities(logits)
    np.testing.assert_allclose(p, [[0.25, 0.375, 0.375]], atol=1e-7)


def test_corn_loss_is_the_sum_of_conditional_cross_entropies() -> None:
    head, pooled = random_head("corn", 4)
    logits, y = head(pooled).detach(), torch.tensor([0, 1, 2, 3, 3, 0, 2])
    total = sum(
        functional.binary_cross_entropy_with_logits(
            logits[y >= j, j], (y[y >= j] > j).float(), reduction="sum"
        )
        for j in range(3)
    )
    assert float(head.loss(logits, y)) == pytest.approx(float(total) / 7, rel=1e-6)


def test_coral_probabilities_by_hand() -> None:
    logits = torch.log(torch.tensor([[3.0, 1.0]]))  # P(k>0) = 3/4, P(k>1) = 1/2
    p = build_head("coral", 5, 3).probabilities(logits)
    np.testing.assert_allclose(p, [[0.25, 0.25, 0.5]], atol=1e-7)


def test_losses_are_least_at_the_truth_and_weights_count() -> None:
    for name in HEADS:
        head = build_head(name, 5, 3)
        logits = torch.zeros(3, head.n_logits(3), requires_grad=True)
        y = torch.tensor([0, 2, 2])
        whole = head.loss(logits, y, torch.tensor([0.0, 1.0, 1.0]))
        assert whole.item() == pytest.approx(head.loss(logits[1:], y[1:]).item())
        (slope,) = torch.autograd.grad(head.loss(logits, y), logits)
        moved = (logits - 0.1 * slope).detach()
        assert head.loss(moved, y) < head.loss(logits, y)


@pytest.mark.parametrize("name", HEADS)
def test_score_is_linear_in_the_pooled_features(name: str) -> None:
    head, pooled = random_head(name, 6)
    z = head.score(head(pooled))
    np.testing.assert_allclose(
        z.detach(), (pooled @ head.score_weight() + head.score_bias()).detach(), atol=1e-5
    )


def test_softmax_score_of_a_binomial_distribution_is_the_binomial_z() -> None:
    z = torch.tensor([[-1.3], [0.4]])
    log_p = build_head("binomial", 5, 10).log_probabilities(z, 10)
    np.testing.assert_allclose(build_head("softmax", 5, 10).score(log_p + 5.0), z[:, 0], rtol=1e-6)


def test_coral_score_leaves_the_biases_out() -> None:
    head, pooled = random_head("coral", 5)
    np.testing.assert_allclose(
        head.score(head(pooled)).detach(), (pooled @ head.weight[0]).detach(), atol=1e-5
    )


def test_unknown_head_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match=r"head = 'gaussian'.*binomial, softmax, corn, coral"):
        build_head("gaussian", 5, 10)
