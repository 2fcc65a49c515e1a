"""Where a feature sits: a planted patch must be found where it was planted."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from models.activation import feature_centres
from models.network import ARCHITECTURES, CellNetwork, NetworkSettings, build_network
from models.predict import predict

# Smoothing kernels of the strided convolutions: halving the image with [1 2 1]/4 or [1 4 6 4 1]/16 leaves a
# patch's centre of mass where it is, so what is measured is the geometry of strides and paddings alone
_SMOOTH = {3: [0.25, 0.5, 0.25], 5: [1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16]}


def brightness_network(architecture: str, output_stride: int, input_px: int) -> CellNetwork:
    """The real architecture with weights by hand: every channel is the smoothed brightness of the photograph.

    Values are scaled so far up that SiLU and hard-swish are the identity there; squeeze branches are open.
    """
    network = build_network(
        NetworkSettings(architecture, output_stride=output_stride, input_px=input_px, scaling="minmax"),
        seed=0,
    )
    stride = 1
    with torch.no_grad():
        for name, module in network.named_modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.zero_()
                module.running_var.fill_(1)
                module.weight.fill_(1)
                module.bias.zero_()
            elif isinstance(module, nn.Conv2d) and (".fc1" in name or ".fc2" in name):
                module.weight.zero_()
                module.bias.fill_(50.0)
            elif isinstance(module, nn.Conv2d):
                side = module.kernel_size[0]
                strided = module.stride != (1, 1)
                kernel = torch.tensor(_SMOOTH[side]) if strided else torch.eye(side)[side // 2]
                gain = 1e6 if stride == 1 and strided else 1.0  # the first convolution
                stride *= 2 if strided else 1
                module.weight.copy_(gain * torch.outer(kernel, kernel).expand_as(module.weight))
                module.weight.div_(module.weight.shape[1])
        network.head.weight.fill_(1e-6)
    assert stride == output_stride
    return network.eval()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("output_stride", [16, 32])
@pytest.mark.parametrize("input_px", [128, 192])
def test_planted_patch_is_found_within_a_quarter_feature(
    architecture: str, output_stride: int, input_px: int
) -> None:
    network = brightness_network(architecture, output_stride, input_px)
    row, column = 0.45 * input_px, 0.52 * input_px
    image = np.zeros((1, input_px, input_px, 3), np.uint8)
    top, left = round(row) - 3, round(column) - 3
    image[0, top : top + 6, left : left + 6] = 255
    planted = np.array([top + 3.0, left + 3.0])

    for flips in (False, True):
        maps = predict(network, image, flips=flips).maps[0].astype(float)
        offset, step = feature_centres(network, flips=flips)
        assert step == output_stride
        assert offset == (output_stride / 2 if flips else 0.5)
        places = offset + step * np.arange(network.settings.map_px)
        found = np.array([maps.sum(1) @ places, maps.sum(0) @ places]) / maps.sum()
        assert np.abs(found - planted).max() < 0.25 * step
        assert np.abs(found - planted).max() < 0.5, (
            "kernels by hand keep the centre: half a pixel is generous"
        )

    # reading an unflipped map block by block misses by half a feature: a fault to guard against
    maps = predict(network, image, flips=False).maps[0].astype(float)
    naive = (np.arange(network.settings.map_px) + 0.5) * output_stride
    assert abs(maps.sum(1) @ naive / maps.sum() - planted[0]) > 0.4 * output_stride
