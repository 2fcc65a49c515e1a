"""Trust checks on networks whose behaviour is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models.network import CellNetwork, NetworkSettings
from models.trust import BASELINES, agreement, cam_of, paper_of, removal, weight_cascade

SIDE = 64


class Looker(nn.Module):
    """z = mean brightness of the upper left quarter, and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.settings = NetworkSettings(input_px=SIDE)
        self.weight = nn.Parameter(torch.ones(1))

    def score(self, x: Tensor) -> Tensor:
        return x[:, :, : SIDE // 2, : SIDE // 2].mean((1, 2, 3)) * self.weight


def test_a_map_that_names_what_is_used_beats_every_baseline_and_a_wrong_one_loses() -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (12, SIDE, SIDE, 3), dtype=np.uint8)
    images[:6] = images[:6] // 4  # dark cells: z below, bright ones above the colour painted with
    images[6:] = 255 - images[6:] // 4
    used = np.zeros((SIDE, SIDE), np.float32)
    used[: SIDE // 2, : SIDE // 2] = 1
    looker = Looker()
    z = np.array([image[: SIDE // 2, : SIDE // 2].mean() for image in images])
    sign = np.where(z > 120, 1.0, -1.0).astype(np.float32)[:, None, None]
    methods = {"right": lambda _, i: used * sign, "wrong": lambda _, i: (1 - used) * sign}
    found = {
        one.order: one
        for one in removal(looker, images, 0.0, np.full(3, 120.0), seed=1, methods=methods)  # type: ignore[arg-type]
    }
    assert set(found) == {"right", "wrong", *BASELINES}
    # a quarter of the pixels is everything: evidence is gone at 30 %, having fallen evenly until 25 %
    assert found["right"].deletion == pytest.approx((0.6 + 0.2) / 10, abs=0.02)
    assert found["right"].insertion == pytest.approx((0.4 + 0.8 + 8) / 10, abs=0.02)
    assert found["wrong"].deletion > 0.75
    assert found["wrong"].insertion < 0.25
    for name in ("random", "area_uniform"):
        assert found[name].deletion == pytest.approx(0.45, abs=0.05)  # straight down: mean of 0.9, 0.8 ... 0
        assert found[name].insertion == pytest.approx(0.55, abs=0.05)


def test_agreement_is_the_size_of_the_rank_correlation() -> None:
    random = np.random.default_rng(0)
    maps = random.normal(size=(3, 5, 5))
    np.testing.assert_allclose(agreement(maps, np.stack([maps[0], -maps[1], np.exp(maps[2])])), 1)
    assert agreement(maps, np.zeros_like(maps)).tolist() == [0, 0, 0]
    unrelated = random.normal(size=(200, 8, 8))
    assert agreement(unrelated[:100], unrelated[100:]).mean() < 0.15


def test_the_cascade_ends_with_everything_redrawn_and_leaves_the_network_alone(
    network_of: Callable[..., CellNetwork], photographs: Callable[..., np.ndarray]
) -> None:
    network, images = network_of(), photographs(6, SIDE)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    steps = list(weight_cascade(network, images, seed=5))
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert {step.method for step in steps} == {"cam", "paper"}
    cam = [step for step in steps if step.method == "cam"]
    assert [step.layer for step in cam[:2]] == ["head", "last convolution"]
    assert [step.share for step in cam] == sorted(step.share for step in cam)
    assert cam[-1].share == pytest.approx(1)
    assert all(0 <= step.value <= 1 for step in steps)
    assert cam[0].value < 0.99  # other weights of the head, another map
    again = list(weight_cascade(network, images, seed=5))
    assert [step.value for step in again] == [step.value for step in steps]


def test_maps_are_signed_and_of_the_prediction(
    network_of: Callable[..., CellNetwork], photographs: Callable[..., np.ndarray]
) -> None:
    network, images = network_of(), photographs(3, SIDE)
    cam, paper = cam_of(network, images), paper_of(network, images)
    assert cam.shape[0] == paper.shape[0] == 3
    assert paper.shape[1:] == (SIDE, SIDE)
    assert (paper > 0).any()
    assert (paper < 0).any()
