"""Network files: what goes in comes out, and nothing else is let in."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from data.errors import InputError
from models.checkpoint import load_model, round_to_half, save_model
from models.network import CellNetwork
from models.predict import predict

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def network(network_of: Callable[..., CellNetwork]) -> CellNetwork:
    # settings of its own: rounding must not touch the networks of other tests
    network = network_of(n_classes=7)
    round_to_half(network)
    return network


@pytest.fixture
def saved(tmp_path: Path, network: CellNetwork) -> Path:
    save_model(tmp_path / "fold.safetensors", network, {"z_mean": 0.25, "cities": ["Ker-Goz"]})
    return tmp_path / "fold.safetensors"


def test_predictions_from_the_file_are_equal_bit_for_bit(
    saved: Path, network: CellNetwork, photographs: Callable[..., np.ndarray]
) -> None:
    images = photographs(4, 64)
    loaded, metadata = load_model(saved, CPU)
    assert metadata == {"z_mean": 0.25, "cities": ["Ker-Goz"]}
    assert loaded.settings == network.settings and not loaded.training
    ours, theirs = predict(network, images), predict(loaded, images)
    np.testing.assert_array_equal(theirs.z, ours.z)
    np.testing.assert_array_equal(theirs.maps, ours.maps)
    np.testing.assert_array_equal(theirs.probabilities, ours.probabilities)


def test_weights_are_half_precision_and_statistics_are_not(saved: Path, network: CellNetwork) -> None:
    kinds = {name: tensor.dtype for name, tensor in load_file(saved).items()}
    for name, kind in kinds.items():
        assert kind == (torch.float32 if name.endswith(("running_mean", "running_var")) else torch.float16)
    assert saved.stat().st_size < 2.2 * sum(p.numel() for p in network.parameters())


def test_digest_is_the_files_and_nothing_half_written_stays(tmp_path: Path, network: CellNetwork) -> None:
    digest = save_model(tmp_path / "new" / "a", network, {})
    assert digest == hashlib.sha256((tmp_path / "new" / "a").read_bytes()).hexdigest()
    assert digest == save_model(tmp_path / "new" / "b", network, {}), "same network, same file"
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["a", "b"]


def test_loading_leaves_the_global_generator_alone(saved: Path) -> None:
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    load_model(saved, CPU)
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("kept", [0, 4, 300, -1])
def test_truncated_file_is_refused(saved: Path, kept: int) -> None:
    saved.write_bytes(saved.read_bytes()[:kept])
    with pytest.raises(InputError, match=r"fold\.safetensors: is truncated or not a safetensors file"):
        load_model(saved, CPU)


def test_pickles_are_refused_and_never_run(tmp_path: Path, network: CellNetwork) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "exploded",)

    (tmp_path / "plain").write_bytes(pickle.dumps(Bomb()))
    torch.save(Bomb(), tmp_path / "torch")
    torch.save(network.state_dict(), tmp_path / "state")
    for name in ("plain", "torch", "state"):
        with pytest.raises(InputError, match="not a safetensors file"):
            load_model(tmp_path / name, CPU)
    assert not (tmp_path / "exploded").exists()


def test_foreign_and_mismatched_files_are_refused(tmp_path: Path, saved: Path) -> None:
    foreign = tmp_path / "foreign"
    save_file({"weight": torch.zeros(2)}, foreign)
    with pytest.raises(InputError, match="not a Carreau network"):
        load_model(foreign, CPU)
    with safe_open(saved, "pt") as file:
        header = file.metadata()
    tensors = load_file(saved)
    save_file(tensors | {"head.weight": torch.zeros(3, 576)}, foreign, metadata=header)
    with pytest.raises(InputError, match=r"does not hold the weights of its settings \(head.weight"):
        load_model(foreign, CPU)
    save_file(
        tensors,
        foreign,
        metadata={name: text.replace("mobilenet_v3_small", "resnet") for name, text in header.items()},
    )
    with pytest.raises(InputError, match=r"cannot build .*architecture = 'resnet'"):
        load_model(foreign, CPU)
    with pytest.raises(InputError, match="does not exist"):
        load_model(tmp_path / "nothing", CPU)


def test_weights_beyond_half_precision_are_refused(network_of: Callable[..., CellNetwork]) -> None:
    network = network_of(n_classes=6)
    with torch.no_grad():
        network.head.weight[0, 0] = 1e6
    with pytest.raises(ValueError, match=r"head\.weight is not finite in half precision"):
        round_to_half(network)
