"""The network: a convolutional body, global average pooling, one linear head.

z = b + sum_c w_c mean_xy A_c, with A the feature map after the last batch norm and activation (METHOD 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.error import URLError

import numpy as np
import torch
from torch import Tensor, nn
from torchvision import models as torchvision_models
from torchvision.models import EfficientNet_B0_Weights, MobileNet_V3_Small_Weights

from data.errors import InputError, SettingsError
from models.dilation import undo_last_stride
from models.heads import HEADS, build_head

ARCHITECTURES = ("efficientnet_b0", "mobilenet_v3_small")
SCALINGS = ("fixed", "minmax")

# ImageNet statistics of RGB in 0..1, those of torchvision's pretrained weights
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class NetworkSettings:
    """What a network is: ``SettingsError`` names the key and what is allowed.

    ``input_px`` is the side of a cell in pixels; it must be a multiple of ``output_stride``, so that
    averaging maps over flips puts each feature at the middle of its block of pixels.
    """

    architecture: str = "efficientnet_b0"
    head: str = "binomial"
    n_classes: int = 10
    output_stride: int = 16  # 32: as published; 16: last stride undone by dilation
    input_px: int = 128
    pretrained: bool = False  # ImageNet weights
    scaling: str = "fixed"  # fixed: ImageNet mean and standard deviation; minmax: per image (paper)

    def __post_init__(self) -> None:
        _one_of("architecture", self.architecture, ARCHITECTURES)
        _one_of("head", self.head, tuple(HEADS))
        _one_of("output_stride", self.output_stride, (16, 32))
        _one_of("scaling", self.scaling, SCALINGS)
        if not 2 <= self.n_classes <= 255:
            raise SettingsError(f"n_classes = {self.n_classes}; allowed: 2 to 255")
        if self.input_px < 32 or self.input_px % self.output_stride:
            raise SettingsError(
                f"input_px = {self.input_px}; allowed: 32 or more and a multiple of output_stride, "
                f"which is {self.output_stride}"
            )

    @property
    def map_px(self) -> int:
        """Side of the activation map in features."""
        return self.input_px // self.output_stride


def _one_of(key: str, value: Any, allowed: tuple[Any, ...]) -> None:
    if value not in allowed:
        raise SettingsError(f"{key} = {value!r}; allowed: {', '.join(map(str, allowed))}")


class CellNetwork(nn.Module):
    """Network of one cell: images (B, 3, H, W) float32 to logits (B, L)."""

    def __init__(self, settings: NetworkSettings, convolutions: nn.Sequential) -> None:
        super().__init__()
        self.settings = settings
        self.body = convolutions[:-1]
        last = cast(nn.Sequential, convolutions[-1])
        self.last_convolution = cast(nn.Conv2d, last[0])
        self.last_norm = cast(nn.BatchNorm2d, last[1])
        self.last_activation = last[2]
        self.head = build_head(settings.head, self.last_convolution.out_channels, settings.n_classes)

    def last_convolution_output(self, x: Tensor) -> Tensor:
        """Output (B, C, h, w) of the last convolution, before batch norm and activation."""
        return self.last_convolution(self.body(x))

    def finish(self, convolved: Tensor) -> Tensor:
        """Feature map A (B, C, h, w) from the last convolution's output: batch norm, activation."""
        return self.last_activation(self.last_norm(convolved))

    def features(self, x: Tensor) -> Tensor:
        """Feature map A (B, C, h, w) after the last batch norm and activation."""
        return self.finish(self.last_convolution_output(x))

    def pool(self, features: Tensor) -> Tensor:
        """Global average (B, C) of a feature map (B, C, h, w)."""
        return features.mean((2, 3))

    def classify(self, features: Tensor) -> Tensor:
        """Logits (B, L) of a feature map (B, C, h, w): global average, linear head."""
        return self.head(self.pool(features))

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, L) of prepared images (B, 3, H, W)."""
        return self.classify(self.features(x))

    def score(self, x: Tensor) -> Tensor:
        """Wealth logit z (B,) of prepared images (B, 3, H, W)."""
        return self.head.score(self(x))


def build_network(settings: NetworkSettings, *, seed: int | None = None) -> CellNetwork:
    """Network in channels_last memory format, with the head's weights at zero.

    ``seed`` fixes the random weights and leaves torch's global generator as it was. With
    ``settings.pretrained`` the convolutions start from torchvision's ImageNet weights; ``InputError`` names
    the file to provide where they can be neither found nor downloaded.
    """
    with torch.random.fork_rng(devices=[], enabled=seed is not None):
        if seed is not None:
            torch.manual_seed(seed)
        weights = _weights(settings.architecture) if settings.pretrained else None
        model = getattr(torchvision_models, settings.architecture)(weights=None)
        if weights is not None:
            model.load_state_dict(_pretrained_state(weights))
        if settings.output_stride == 16:
            undo_last_stride(model.features)
    for module in model.features.modules():
        if hasattr(module, "inplace"):
            module.inplace = False  # captum and autograd hooks need the tensor before the activation
    return CellNetwork(settings, model.features).to(memory_format=torch.channels_last)


def _weights(architecture: str) -> Any:
    of = {"efficientnet_b0": EfficientNet_B0_Weights, "mobilenet_v3_small": MobileNet_V3_Small_Weights}
    return of[architecture].IMAGENET1K_V1


def _pretrained_state(weights: Any) -> dict[str, Tensor]:
    place = Path(torch.hub.get_dir()) / "checkpoints" / weights.url.rsplit("/", 1)[1]
    remedy = f"Download {weights.url} and put it there, or set pretrained = false."
    try:
        return weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except (URLError, TimeoutError, ConnectionError) as error:
        fault = f"ImageNet weights are not there and cannot be downloaded ({error})"
        raise InputError(place, fault, remedy) from error
    except Exception as error:  # torch.load documents no closed list of errors for a damaged file
        raise InputError(place, f"is not the file of ImageNet weights ({error})", remedy) from error


def prepare(images: np.ndarray | Tensor, settings: NetworkSettings) -> Tensor:
    """Photographs (B, H, W, 3) uint8 RGB to network input (B, 3, H, W) float32, channels_last.

    ``fixed``: (x / 255 - mean) / std of ImageNet. ``minmax``: (x - min) / (max - min) over the pixels and
    bands of each image (paper); an image of one value becomes zeros. ``ValueError`` for other shapes or
    types.
    """
    pixels = images if isinstance(images, Tensor) else torch.from_numpy(np.ascontiguousarray(images))
    side = settings.input_px
    if pixels.dtype != torch.uint8 or tuple(pixels.shape[1:]) != (side, side, 3):
        raise ValueError(
            f"images must be uint8 (B, {side}, {side}, 3), got {pixels.dtype} {tuple(pixels.shape)}"
        )
    x = pixels.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.channels_last)  # (B, 3, H, W)
    if settings.scaling == "fixed":
        mean = x.new_tensor(_MEAN)[:, None, None] * 255
        std = x.new_tensor(_STD)[:, None, None] * 255
        return ((x - mean) / std).contiguous(memory_format=torch.channels_last)
    low = x.amin((1, 2, 3), keepdim=True)
    span = x.amax((1, 2, 3), keepdim=True) - low
    return ((x - low) / span.clamp_min(1.0)).contiguous(memory_format=torch.channels_last)
