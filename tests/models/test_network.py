"""Architecture, output stride, preparation of photographs, ImageNet weights."""

from __future__ import annotations

from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
from torch.nn import functional

from data.errors import InputError, SettingsError
from models.device import device_name, pick_device
from models.dilation import DilatedDepthwise
from models.network import ARCHITECTURES, NetworkSettings, build_network, prepare


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_output_stride_16_doubles_the_map_and_keeps_the_weights(architecture: str) -> None:
    coarse = build_network(NetworkSettings(architecture, output_stride=32, input_px=64), seed=3).eval()
    fine = build_network(NetworkSettings(architecture, output_stride=16, input_px=64), seed=3).eval()
    x = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        assert coarse.features(x).shape[2:] == (2, 2)
        assert fine.features(x).shape[2:] == (4, 4)
    ours, theirs = fine.state_dict(), coarse.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_second_fine_feature_is_the_coarse_one(architecture: str) -> None:
    """Exact where no squeeze branch pools over the map: closed here, so that it scales by a constant."""
    at = {}
    x = torch.randn(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    for stride in (16, 32):
        network = build_network(
            NetworkSettings(architecture, output_stride=stride, input_px=96), seed=3
        ).eval()
        with torch.inference_mode():
            for name, module in network.named_modules():
                if name.endswith(("fc1", "fc2")):
                    module.weight.zero_()
                elif isinstance(module, torch.nn.BatchNorm2d):
                    module.weight.fill_(3.0)  # else the signal of random weights fades to nothing
            at[stride] = network.features(x)
    assert at[32].std() > 1e-6
    # the map's far edge differs: stride 32 pads there, stride 16 sees further features
    torch.testing.assert_close(at[16][..., :1:2, :1:2], at[32][..., :1, :1], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("side", [3, 5])
def test_dilated_depthwise_gradients_are_torchs(side: int) -> None:
    generator = torch.Generator().manual_seed(0)
    ours = DilatedDepthwise(torch.nn.Conv2d(4, 4, side, padding=side // 2, groups=4, bias=False)).double()
    x = torch.randn(2, 4, 5, 7, dtype=torch.float64, generator=generator, requires_grad=True)
    expected = functional.conv2d(x, ours.weight, padding=side - 1, dilation=2, groups=4)
    g = torch.randn(expected.shape, dtype=torch.float64, generator=generator)
    torch.testing.assert_close(ours(x), expected)
    for mine, theirs in zip(
        torch.autograd.grad(ours(x), [x, ours.weight], g),
        torch.autograd.grad(expected, [x, ours.weight], g),
        strict=True,
    ):
        torch.testing.assert_close(mine, theirs)


def test_seed_decides_the_weights_and_leaves_the_global_generator_alone() -> None:
    settings = NetworkSettings("mobilenet_v3_small")
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    one, same, other = (build_network(settings, seed=seed).body[0][0].weight for seed in (1, 1, 2))
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(one, same) and not torch.equal(one, other)


def test_new_network_predicts_the_middle_and_has_a_zero_head() -> None:
    network = build_network(NetworkSettings("mobilenet_v3_small", input_px=64)).eval()
    assert not network.head.weight.any() and not network.head.bias.any()
    assert network(torch.randn(2, 3, 64, 64)).tolist() == [[0.0], [0.0]]


def test_prepare_by_hand() -> None:
    images = np.zeros((2, 32, 32, 3), np.uint8)
    images[0, 0, 0] = (255, 0, 51)
    images[1] = 77
    fixed = prepare(images, NetworkSettings(input_px=32))
    assert fixed.dtype == torch.float32 and fixed.shape == (2, 3, 32, 32)
    assert fixed.is_contiguous(memory_format=torch.channels_last)
    expected = [(1 - 0.485) / 0.229, -0.456 / 0.224, (0.2 - 0.406) / 0.225]
    np.testing.assert_allclose(fixed[0, :, 0, 0], expected, rtol=1e-5)
    scaled = prepare(torch.from_numpy(np.maximum(images, 10)), NetworkSettings(input_px=32, scaling="minmax"))
    np.testing.assert_allclose(scaled[0, :, 0, 0], [1, 0, 41 / 245], rtol=1e-6)
    assert not scaled[1].any(), "an image of one value has no contrast"


@pytest.mark.parametrize(
    "images",
    [np.zeros((1, 32, 32, 3)), np.zeros((1, 3, 32, 32), np.uint8), np.zeros((1, 64, 64, 3), np.uint8)],
)
def test_prepare_refuses_what_the_network_was_not_made_for(images: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"images must be uint8 \(B, 32, 32, 3\)"):
        prepare(images, NetworkSettings(input_px=32))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"architecture": "resnet"}, "architecture = 'resnet'; allowed: efficientnet_b0, mobilenet_v3_small"),
        ({"output_stride": 8}, "output_stride = 8; allowed: 16, 32"),
        ({"input_px": 130}, "input_px = 130; allowed: .*multiple of output_stride"),
        ({"n_classes": 1}, "n_classes = 1; allowed: 2 to 255"),
        ({"scaling": "mean"}, "scaling = 'mean'; allowed: fixed, minmax"),
        ({"head": "ordinal"}, "head = 'ordinal'; allowed: binomial"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(keys: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        NetworkSettings(**keys)


def test_imagenet_weights_offline_name_the_file_to_provide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object, **__: object) -> None:
        raise URLError("no route to host")

    monkeypatch.setattr("torch.hub.urlopen", offline)
    before = torch.hub.get_dir()
    torch.hub.set_dir(str(tmp_path))
    try:
        with pytest.raises(
            InputError, match=r"efficientnet_b0_rwightman-7f5810bc\.pth: .*Download https://"
        ) as error:
            build_network(NetworkSettings(pretrained=True))
        place = Path(error.value.file)
        place.write_bytes(b"half a download")
        with pytest.raises(InputError, match="is not the file of ImageNet weights"):
            build_network(NetworkSettings(pretrained=True))
        # the file put where the message says is used
        state = __import__("torchvision").models.efficientnet_b0(weights=None).state_dict()
        torch.save(state, place)
        network = build_network(NetworkSettings(pretrained=True))
        assert torch.equal(network.body[0][0].weight, state["features.0.0.weight"])
        assert not network.head.weight.any()
    finally:
        torch.hub.set_dir(before)


def test_device_is_named_for_people() -> None:
    assert pick_device().type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert "cores" in device_name(torch.device("cpu"))


def test_a_gpu_that_is_asked_for_and_missing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device("auto").type == pick_device("cpu").type == "cpu"
    with pytest.raises(SettingsError, match="no CUDA device"):
        pick_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert pick_device("auto").type == pick_device("cuda").type == "cuda"
    assert pick_device("cpu").type == "cpu"
