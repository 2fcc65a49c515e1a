"""Closed-form maps against captum and against a direct transcription."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from captum.attr import LayerGradCam, Saliency
from torch.nn import functional

from data.errors import SettingsError
from models.activation import captum_map, class_map, evidence, paper_map, paper_maps
from models.heads import HEADS
from models.network import CellNetwork, prepare
from models.predict import predict

Make = Callable[..., CellNetwork]
Photographs = Callable[..., np.ndarray]


def unit(maps: np.ndarray) -> np.ndarray:
    """Maps (n, h, w) divided by the largest absolute value of each: equal up to a positive scale."""
    return maps / np.abs(maps).max((1, 2), keepdims=True)


def gradcam(
    network: CellNetwork, images: np.ndarray, of: Callable[[torch.Tensor], torch.Tensor]
) -> np.ndarray:
    x = prepare(images, network.settings)
    cam = LayerGradCam(lambda x: of(network(x)), network.last_activation).attribute(x)
    return cam.detach()[:, 0].numpy()


@pytest.mark.parametrize("output_stride", [16, 32])
def test_closed_form_is_captums_gradcam_of_z(
    network_of: Make, photographs: Photographs, output_stride: int
) -> None:
    network = network_of(architecture="efficientnet_b0", output_stride=output_stride)
    images = photographs(3, 64)
    ours = predict(network, images, flips=False).maps
    theirs = gradcam(network, images, network.head.score)
    assert np.abs(unit(ours) - unit(theirs)).max() < 1e-5
    hw = ours[0].size
    np.testing.assert_allclose(theirs * hw, ours, rtol=1e-3, atol=1e-5)


def test_closed_form_is_captums_gradcam_of_every_class(network_of: Make, photographs: Photographs) -> None:
    network, images = network_of(architecture="efficientnet_b0"), photographs(3, 64)
    p = predict(network, images, flips=False)
    slope = np.arange(10) - 9 / (1 + np.exp(-p.z[:, None].astype(float)))  # k - (K-1) p, (n, K)
    compared = 0
    for k in range(10):
        cells = np.flatnonzero(np.abs(slope[:, k]) > 0.05)
        theirs = gradcam(
            network, images[cells], lambda logits, k=k: network.head.log_probabilities(logits, 10)[:, k]
        )
        ours = np.sign(slope[cells, k])[:, None, None] * p.maps[cells]
        assert np.abs(unit(ours) - unit(theirs)).max() < 1e-5
        compared += len(cells)
    assert compared >= 25


@pytest.mark.parametrize("head", HEADS)
def test_class_maps_of_every_head_are_captums(network_of: Make, photographs: Photographs, head: str) -> None:
    network, images = network_of(head=head), photographs(3, 64)
    for income_class in (1, 4, 10):
        ours = class_map(network, images, income_class, batch_size=2)
        theirs = gradcam(
            network,
            images,
            lambda logits, k=income_class: network.head.log_probabilities(logits, 10)[:, k - 1],
        )
        assert np.abs(unit(ours) - unit(theirs)).max() < 2e-4


@pytest.mark.parametrize(("head", "mirrors"), [("binomial", 1), ("coral", 1), ("softmax", 0), ("corn", 0)])
def test_poor_and_rich_maps_mirror_only_under_heads_with_one_weight_vector(
    network_of: Make, photographs: Photographs, head: str, mirrors: int
) -> None:
    network, images = network_of(head=head), photographs(4, 64)
    poor, rich = class_map(network, images, 1), class_map(network, images, 10)
    difference = np.abs(unit(poor) + unit(rich)).max()
    assert (difference < 1e-4) == bool(mirrors), difference
    if not mirrors:
        assert difference > 0.1


def test_evidence_is_an_exact_decomposition(network_of: Make, photographs: Photographs) -> None:
    p = predict(network_of(), photographs(4, 64))
    E = evidence(p.maps, p.bias, z_mean=-0.7, z_std=1.6)
    assert E.dtype == np.float32 and E.shape == p.maps.shape
    np.testing.assert_allclose(E.mean((1, 2)), (p.z + 0.7) / 1.6, atol=1e-5)


def transcription(network: CellNetwork, image: np.ndarray, polarity: int) -> np.ndarray:
    """The paper's steps one by one, for one photograph."""
    x = prepare(image[None], network.settings)
    score = lambda x: network.score(x)  # noqa: E731
    cam = LayerGradCam(score, network.last_convolution).attribute(x).detach()  # before batch norm
    cam = cam - cam.mean()
    cam = polarity * functional.interpolate(cam, size=image.shape[:2], mode="bilinear", align_corners=False)
    cam = np.maximum(cam[0, 0].numpy(), 0)
    cam = cam / cam.max()
    gradient = Saliency(score).attribute(x, abs=True)[0].sum(0).detach().numpy()
    product = cam * gradient
    return np.minimum(product, np.percentile(product, 99))


@pytest.mark.parametrize("architecture", ["efficientnet_b0", "mobilenet_v3_small"])
@pytest.mark.parametrize("output_stride", [16, 32])
def test_paper_map_is_its_transcription(
    network_of: Make, photographs: Photographs, architecture: str, output_stride: int
) -> None:
    network = network_of(architecture=architecture, output_stride=output_stride)
    images = photographs(3, 64)
    rich, poor = paper_maps(network, images, batch_size=2)
    for i, image in enumerate(images):
        for ours, polarity in ((rich[i], 1), (poor[i], -1)):
            theirs = transcription(network, image, polarity)
            assert theirs.max() > 0
            assert np.abs(ours - theirs).max() < 1e-4 * theirs.max()
    np.testing.assert_array_equal(paper_map(network, images, polarity=-1, batch_size=2), poor)
    assert all(p.requires_grad for p in network.parameters()), "the network is left as it was"


def test_paper_cam_has_the_closed_form_of_the_method(network_of: Make, photographs: Photographs) -> None:
    """alpha_c = (w_c gamma_c / sigma_c) mean_x silu'(y_c(x)) / hw, y the batch norm's output."""
    network = network_of(architecture="efficientnet_b0")
    x = prepare(photographs(2, 64), network.settings)
    norm = network.last_norm
    with torch.no_grad():
        convolved = network.last_convolution_output(x)
        y = norm(convolved)
        slope = torch.sigmoid(y) * (1 + y * (1 - torch.sigmoid(y)))
        scale = network.head.weight[0] * norm.weight / torch.sqrt(norm.running_var + norm.eps)
        alpha = scale * slope.mean((2, 3)) / y[0, 0].numel()
        ours = torch.einsum("bc,bchw->bhw", alpha, convolved).numpy()
    theirs = LayerGradCam(network.score, network.last_convolution).attribute(x).detach()[:, 0].numpy()
    assert np.abs(unit(ours) - unit(theirs)).max() < 1e-4


def test_flip_averaged_paper_map_turns_with_the_photograph(
    network_of: Make, photographs: Photographs
) -> None:
    network, images = network_of(), photographs(3, 64)
    maps = paper_map(network, images, flips=True)
    turned = paper_map(network, np.ascontiguousarray(images[:, :, ::-1]), flips=True)
    np.testing.assert_allclose(turned[:, :, ::-1], maps, atol=1e-4 * maps.max())
    assert np.abs(maps - paper_map(network, images)).max() > 1e-3 * maps.max()


def test_paper_map_of_an_empty_cam_is_zero(network_of: Make) -> None:
    """A photograph of one colour without padding effects has no contrast; nothing is divided by nothing."""
    network = network_of()
    weight = network.head.weight.detach().clone()
    with torch.no_grad():
        network.head.weight.zero_()
    try:
        maps = paper_map(network, np.full((1, 64, 64, 3), 90, np.uint8))
    finally:
        with torch.no_grad():
            network.head.weight.copy_(weight)
    assert (maps == 0).all()


@pytest.mark.parametrize("method", ["guided_backprop", "guided_gradcam"])
def test_guided_methods_are_refused_without_relu_and_say_why(
    network_of: Make, photographs: Photographs, method: str
) -> None:
    image = photographs(1, 64)[0]
    with pytest.raises(SettingsError, match="acts on ReLU, and this network has none"):
        captum_map(network_of(architecture="efficientnet_b0"), image, method)
    assert captum_map(network_of(), image, method).shape == (64, 64)


def test_captum_maps_of_one_cell(network_of: Make, photographs: Photographs) -> None:
    network, image = network_of(), photographs(1, 64)[0]
    x = prepare(image[None], network.settings)
    zero = torch.zeros_like(x)

    # completeness (Sundararajan et al. 2017): attributions add up to the change from the baseline
    by_pixel = captum_map(network, image, "integrated_gradients", "z", steps=64)
    change = float((network.score(x) - network.score(zero)).detach())
    assert by_pixel.shape == (64, 64) and by_pixel.sum() == pytest.approx(change, rel=0.05, abs=0.02)

    cam = captum_map(network, image, "gradcam", "z")
    fine = torch.from_numpy(predict(network, image[None], flips=False).maps)[:, None]
    resized = functional.interpolate(fine, (64, 64), mode="bilinear", align_corners=False)[0].numpy()
    assert np.abs(unit(cam[None]) - unit(resized)).max() < 1e-4

    # each window's effect is z with the photograph less z with the window filled, on 16 x 16 windows by 8
    effect = captum_map(network, image, "occlusion", "z")
    filled = x.clone()
    filled[:, :, :16, :16] = x.mean((2, 3), keepdim=True)
    expected = float((network.score(x) - network.score(filled)).detach())
    assert effect[:8, :8] == pytest.approx(np.full((8, 8), expected), abs=1e-5)

    richest = captum_map(network, image, "saliency", 10)
    poorest = captum_map(network, image, "saliency", 1)
    assert np.abs(unit(richest[None]) + unit(poorest[None])).max() < 1e-4
    with pytest.raises(SettingsError, match="map method 'lime' is unknown; allowed: gradcam"):
        captum_map(network, image, "lime")
    with pytest.raises(ValueError, match=r"class must be in 1\.\.10"):
        captum_map(network, image, "gradcam", 11)
