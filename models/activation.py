"""Activation maps: where on the photograph the prediction comes from (METHOD 6)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from data.errors import SettingsError
from models.network import CellNetwork, NetworkSettings, build_network, prepare
from models.predict import FLIPS, UNFLIPPED


def evidence(maps: np.ndarray, bias: float, z_mean: float, z_std: float = 1.0) -> np.ndarray:
    """Signed evidence E = (M + b - z_mean) / z_std, in standard deviations of z; the default map, ``cam``.

    ``maps`` (n, h, w) are ``Predictions.maps``, ``bias`` its ``bias``. The mean of E over a cell is
    (z - z_mean) / z_std exactly: positive where wealthier than the fold's training mean. Returns float32.

    >>> evidence(np.array([[[1.0, 3.0]]]), bias=0.5, z_mean=1.5, z_std=2.0)
    array([[[0., 1.]]], dtype=float32)
    """
    return ((np.asarray(maps) + (bias - z_mean)) / z_std).astype(np.float32)


def class_map(
    network: CellNetwork, images: np.ndarray, income_class: int, *, batch_size: int = 32
) -> np.ndarray:
    """Grad-CAM (n, h, w) float32 of log P(class), class in 1..K, in closed form and without flips.

    The gradient of log P by the logits, (B, L), turns the head's weight vectors into one for each cell: for
    softmax w_k - sum_j p_j w_j. Under the binomial head the map is (k - (K-1) p) M, k = class - 1: M itself
    times a scalar; CORAL likewise.
    """
    _check_class(network, income_class)
    network.eval()
    portions = []
    for start in range(0, len(images), batch_size):
        x = _prepared(network, images[start : start + batch_size])
        with torch.no_grad():
            A = network.features(x)  # (B, C, h, w)
            logits = network.classify(A)
        logits.requires_grad_(True)
        log_p = network.head.log_probabilities(logits, network.settings.n_classes)[:, income_class - 1]
        (slope,) = torch.autograd.grad(log_p.sum(), logits)  # (B, L)
        with torch.no_grad():
            weights = network.head.unit_weights(slope)  # (B, C)
            portions.append(torch.einsum("bc,bchw->bhw", weights, A).cpu().numpy())
    return np.concatenate(portions)


def paper_map(
    network: CellNetwork,
    images: np.ndarray,
    *,
    polarity: int = 1,
    flips: bool = False,
    batch_size: int = 16,
) -> np.ndarray:
    """The paper's map (n, H, W) float32 >= 0: rich for ``polarity`` +1, poor for -1.

    Grad-CAM of z at the last convolution before batch norm and activation; minus its mean; resized to the
    image (bilinear, half-pixel); negative part cut; divided by its maximum; times the sum over RGB of
    |gradient of z by the network's input|; cut at its 99th percentile. Poor: the sign of the CAM turned.

    ``flips=False`` is the transcription. ``flips=True`` explains the flip-averaged z of ``predict``: CAM and
    gradient are averaged, re-flipped, over the four flips before anything else is done to them.
    """
    if polarity not in (1, -1):
        raise ValueError(f"polarity must be 1 (rich) or -1 (poor), got {polarity}")
    rich, poor = paper_maps(network, images, flips=flips, batch_size=batch_size)
    return rich if polarity == 1 else poor


def paper_maps(
    network: CellNetwork,
    images: np.ndarray,
    *,
    flips: bool = False,
    batch_size: int = 16,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Rich and poor ``paper_map``, both from one backward pass a flip."""
    network.eval()
    n, side = len(images), network.settings.input_px
    rich, poor = np.empty((2, n, side, side), np.float32)
    for start in range(0, n, batch_size):
        x = _prepared(network, images[start : start + batch_size])
        cams, gradients = zip(
            *(_cam_and_gradient(network, x, axes) for axes in (FLIPS if flips else UNFLIPPED)), strict=True
        )
        cam = torch.stack(cams).mean(0)  # (B, h, w)
        strength = torch.stack(gradients).mean(0).abs().sum(1)  # (B, H, W)
        cam = resize(cam - cam.mean((1, 2), keepdim=True), side)
        here = slice(start, start + len(x))
        rich[here] = _paper_normalised(cam, strength)
        poor[here] = _paper_normalised(-cam, strength)
        if progress is not None:
            progress(here.stop, n)
    return rich, poor


def _cam_and_gradient(network: CellNetwork, x: Tensor, axes: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Grad-CAM (B, h, w) before batch norm and gradient of z (B, 3, H, W) of flipped images, flipped back.

    alpha_c = mean_x dz/dconv_c(x), and with y_c the batch norm's output this is
    (w_c gamma_c / sigma_c) mean_x activation'(y_c(x)) / hw; the input's backward pass has it anyway.
    """
    turned = (torch.flip(x, axes) if axes else x).contiguous(memory_format=torch.channels_last)
    turned.requires_grad_(True)
    trained = [p for p in network.parameters() if p.requires_grad]
    for parameter in trained:
        parameter.requires_grad_(False)  # a third of the backward pass would be weight gradients
    try:
        convolved = network.last_convolution_output(turned)
        z = network.head.score(network.classify(network.finish(convolved)))
        of_features, of_input = torch.autograd.grad(z.sum(), [convolved, turned])
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)
    alpha = of_features.mean((2, 3))  # (B, C)
    cam = torch.einsum("bc,bchw->bhw", alpha, convolved.detach())
    return torch.flip(cam, axes), torch.flip(of_input, axes)


def resize(maps: Tensor, side: int) -> Tensor:
    """Maps (B, h, w) to (B, side, side), bilinear, pixel centres at half pixels."""
    return functional.interpolate(maps[:, None], size=(side, side), mode="bilinear", align_corners=False)[
        :, 0
    ]


def _paper_normalised(cam: Tensor, strength: Tensor) -> np.ndarray:
    positive = cam.clamp_min(0)
    peak = positive.amax((1, 2), keepdim=True)
    maps = (positive / peak.where(peak > 0, 1) * strength).cpu().numpy()  # (B, H, W)
    cut = np.percentile(maps, 99, axis=(1, 2), keepdims=True)
    return np.minimum(maps, cut).astype(np.float32)


CAPTUM_METHODS = (
    "gradcam",
    "integrated_gradients",
    "occlusion",
    "saliency",
    "input_x_gradient",
    "guided_backprop",
    "guided_gradcam",
)


def captum_map(
    network: CellNetwork,
    image: np.ndarray,
    method: str = "gradcam",
    target: int | str = "z",
    *,
    steps: int = 32,
) -> np.ndarray:
    """Signed map (H, W) float32 of one photograph (H, W, 3) uint8 by one of ``CAPTUM_METHODS``.

    ``target`` is "z" or an income class 1..K, which explains log P(class). Pixel attributions are summed
    over RGB. Integrated gradients: ``steps`` steps from an image of zeros in network input (``fixed``: the
    ImageNet mean colour; ``minmax``: black). Occlusion: windows of a quarter of the side, moved by half of
    that, filled with the image's mean colour. Grad-CAM is that of the last feature map, resized bilinearly.

    ``SettingsError`` for an unknown method, and for a guided one where the network has no ReLU: its rule acts
    on ReLU alone, so the result would be plain gradients under another name.
    """
    from captum import attr  # brings matplotlib with it: a second that predictions need not wait for

    _check_method(network, method)
    if target != "z":
        _check_class(network, int(target))
    network.eval()
    x = _prepared(network, image[None]).requires_grad_(method not in ("gradcam", "occlusion"))
    side, n_classes = network.settings.input_px, network.settings.n_classes

    def explained(x: Tensor) -> Tensor:
        logits = network(x)
        if target == "z":
            return network.head.score(logits)
        return network.head.log_probabilities(logits, n_classes)[:, int(target) - 1]

    if method == "gradcam":
        cam = attr.LayerGradCam(explained, network.last_activation).attribute(x)  # (1, 1, h, w)
        return resize(cam.detach()[:, 0].float(), side)[0].cpu().numpy()
    if method == "integrated_gradients":
        by_pixel = attr.IntegratedGradients(explained).attribute(x, n_steps=steps, internal_batch_size=8)
    elif method == "occlusion":
        window = side // 4
        by_pixel = attr.Occlusion(explained).attribute(
            x,
            sliding_window_shapes=(3, window, window),
            strides=(3, window // 2, window // 2),
            baselines=x.mean((2, 3), keepdim=True).expand_as(x),
            perturbations_per_eval=16,
        )
        by_pixel = by_pixel / 3  # captum repeats a window's effect on every band
    elif method == "saliency":
        by_pixel = attr.Saliency(explained).attribute(x, abs=False)
    elif method == "input_x_gradient":
        by_pixel = attr.InputXGradient(explained).attribute(x)
    else:
        by_pixel = _guided(network, explained, x, method)
    return by_pixel.detach().sum(1)[0].float().cpu().numpy()


def _guided(network: CellNetwork, explained: Callable[[Tensor], Tensor], x: Tensor, method: str) -> Tensor:
    """Guided gradients (1, 3, H, W), for ``guided_gradcam`` times the positive part of Grad-CAM."""
    from captum import attr

    class Explained(nn.Module):
        """Captum looks for ReLU among the children of a module."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, x: Tensor) -> Tensor:
            return explained(x)

    if method == "guided_backprop":
        return attr.GuidedBackprop(Explained()).attribute(x)
    return attr.GuidedGradCam(Explained(), network.last_activation).attribute(x, interpolate_mode="bilinear")


def _check_method(network: CellNetwork, method: str) -> None:
    if method not in CAPTUM_METHODS:
        raise SettingsError(f"map method '{method}' is unknown; allowed: {', '.join(CAPTUM_METHODS)}")
    if method.startswith("guided") and not any(isinstance(module, nn.ReLU) for module in network.modules()):
        raise SettingsError(
            f"map method '{method}' does nothing on {network.settings.architecture}: guided backpropagation "
            "acts on ReLU, and this network has none, so the result would be plain gradients. "
            "Use saliency or the paper map, or a network with ReLU (mobilenet_v3_small has some)."
        )


def feature_centres(network: CellNetwork | NetworkSettings, *, flips: bool = False) -> tuple[float, float]:
    """(offset, step) in pixels: feature i of a map row is centred at ``offset + step * i`` on the input.

    Pixel p covers p to p + 1. From the kernels, strides and paddings of the convolutions; with ``flips`` the
    centre of a map averaged over flips by ``predict``, which is the middle of its block of pixels.

    >>> feature_centres(NetworkSettings(output_stride=32))
    (0.5, 32.0)
    >>> feature_centres(NetworkSettings(output_stride=32), flips=True)
    (16.0, 32.0)
    """
    if isinstance(network, NetworkSettings):
        network = build_network(network, seed=0)
    offset, step = 0.5, 1.0
    for module in (*network.body.modules(), network.last_convolution):
        if isinstance(module, nn.Conv2d):  # 1 x 1 convolutions and pooled branches move nothing
            (kernel, _), (stride, _), (dilation, _) = module.kernel_size, module.stride, module.dilation
            offset += (dilation * (kernel - 1) / 2 - int(module.padding[0])) * step
            step *= stride
    if flips:
        settings = network.settings
        offset = (settings.input_px - step * (settings.map_px - 1)) / 2
    return offset, step


def _prepared(network: CellNetwork, images: np.ndarray) -> Tensor:
    device = next(network.parameters()).device
    return prepare(torch.from_numpy(np.ascontiguousarray(images)).to(device), network.settings)


def _check_class(network: CellNetwork, income_class: int) -> None:
    if not 1 <= income_class <= network.settings.n_classes:
        raise ValueError(f"class must be in 1..{network.settings.n_classes}, got {income_class}")
