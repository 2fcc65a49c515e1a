"""The closed form of Grad-CAM on networks small enough to work out by hand, and in double precision."""

from __future__ import annotations

import numpy as np
import torch
from captum.attr import LayerGradCam
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from models.activation import evidence
from models.heads import HEADS
from models.network import CellNetwork, NetworkSettings
from models.predict import UNFLIPPED, _mean_over_flips


def small_network(head: str, channels: int = 3) -> CellNetwork:
    """Two convolutions in double precision, evaluation mode, weights as drawn by torch."""
    body = nn.Sequential(nn.Conv2d(3, 5, 3, stride=2, padding=1), nn.BatchNorm2d(5), nn.SiLU())
    last = nn.Sequential(nn.Conv2d(5, channels, 1), nn.BatchNorm2d(channels), nn.SiLU())
    return CellNetwork(NetworkSettings(head=head), nn.Sequential(body, last)).double().eval()


def closed_form(network: CellNetwork, x: Tensor) -> Tensor:
    """M (B, h, w) as `predict` computes it."""
    with torch.no_grad():
        maps = _mean_over_flips(network, x, UNFLIPPED, True)[1]
    assert maps is not None
    return maps


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(sorted(HEADS)), st.integers(1, 10))
def test_closed_form_is_captums_gradcam_in_double_precision(seed: int, head: str, income_class: int) -> None:
    torch.manual_seed(seed)
    network = small_network(head)
    for parameter in network.parameters():
        nn.init.normal_(parameter)
    for norm in (module for module in network.modules() if isinstance(module, nn.BatchNorm2d)):
        nn.init.normal_(norm.running_mean)
        nn.init.uniform_(norm.running_var, 0.2, 3)
    x = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    ours = closed_form(network, x)
    theirs = LayerGradCam(lambda x: network.score(x), network.last_activation).attribute(x)[:, 0].detach()
    np.testing.assert_allclose(theirs * ours[0].numel(), ours, rtol=1e-9, atol=1e-9)
    z = network.score(x).detach()
    np.testing.assert_allclose(
        ours.mean((1, 2)) + network.head.score_bias().detach(), z, rtol=1e-9, atol=1e-9
    )
    if head == "binomial":  # every class is the map of z times k - (K - 1) p
        factor = (income_class - 1) - 9 * torch.sigmoid(z)
        of_class = LayerGradCam(
            lambda x: network.head.log_probabilities(network(x), 10)[:, income_class - 1],
            network.last_activation,
        ).attribute(x)[:, 0]
        np.testing.assert_allclose(
            of_class.detach() * ours[0].numel(), factor[:, None, None] * ours, rtol=1e-6, atol=1e-8
        )


def test_a_network_worked_out_by_hand() -> None:
    """One feature, A = silu(red); w = 2, b = 0.5; silu(ln 3) = 0.75 ln 3, silu(-ln 3) = -0.25 ln 3."""
    convolution = nn.Conv2d(3, 1, 1, bias=False)
    norm = nn.BatchNorm2d(1, eps=0.0)
    network = CellNetwork(
        NetworkSettings(), nn.Sequential(nn.Identity(), nn.Sequential(convolution, norm, nn.SiLU()))
    )
    network = network.double().eval()
    with torch.no_grad():
        convolution.weight.copy_(torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1))
        network.head.weight.fill_(2.0)
        network.head.bias.fill_(0.5)
    ln3 = float(np.log(3))
    x = torch.zeros(1, 3, 2, 2, dtype=torch.float64)
    x[0, 0] = torch.tensor([[0.0, ln3], [-ln3, 0.0]], dtype=torch.float64)
    M = closed_form(network, x)[0].numpy()
    np.testing.assert_allclose(M, [[0, 1.5 * ln3], [-0.5 * ln3, 0]], atol=1e-12)
    z = float(network.score(x).detach())
    assert abs(z - (0.5 + 0.25 * ln3)) < 1e-12
    # E = (M + b - zbar) / s: with zbar = 0.2, s = 0.5 its mean is (z - zbar) / s
    E = evidence(M[None].astype(np.float32), 0.5, 0.2, 0.5)[0]
    np.testing.assert_allclose(E, [[0.6, 0.6 + 3 * ln3], [0.6 - ln3, 0.6]], rtol=1e-6)
    np.testing.assert_allclose(E.mean(), (z - 0.2) / 0.5, rtol=1e-6)
