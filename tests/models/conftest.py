"""Small networks with statistics as after training, and small photographs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from models.network import CellNetwork, NetworkSettings, build_network
from models.train import measure_batch_norm

CPU = torch.device("cpu")


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def draw_photographs(n: int, side: int, seed: int = 0) -> np.ndarray:
    """(n, side, side, 3) uint8: rectangles of random colour over noise."""
    random = np.random.default_rng(seed)
    images = random.integers(60, 120, (n, side, side, 3))
    for image in images:
        for _ in range(6):
            row, column = random.integers(0, side - 8, 2)
            image[row : row + side // 4, column : column + side // 5] = random.integers(0, 256, 3)
    return images.astype(np.uint8)


def calibrated(settings: NetworkSettings, seed: int = 1) -> CellNetwork:
    """Random network whose batch norms fit the photographs and whose head is not zero: |z| of order one."""
    network = build_network(settings, seed=seed)
    images = draw_photographs(32, settings.input_px, seed=99)
    measure_batch_norm(network, images, np.arange(32), CPU)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        network.head.weight.copy_(torch.randn(network.head.weight.shape, generator=generator) * 0.05)
        network.head.bias.add_(0.3)
    return network


@pytest.fixture(scope="session")
def photographs() -> Callable[..., np.ndarray]:
    return draw_photographs


@pytest.fixture(scope="session")
def network_of() -> Callable[..., CellNetwork]:
    """``network_of(head=..., ...)``: a calibrated network at 64 px, built once for each setting."""
    built: dict[NetworkSettings, CellNetwork] = {}

    def make(**keys: object) -> CellNetwork:
        settings = NetworkSettings(**({"input_px": 64, "architecture": "mobilenet_v3_small"} | keys))
        if settings not in built:
            built[settings] = calibrated(settings)
        return built[settings]

    return make
