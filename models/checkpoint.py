"""Network files: half-precision weights in safetensors, what they are in its header. Never pickle."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from data.errors import InputError, SettingsError
from models.network import CellNetwork, NetworkSettings, build_network

_FORMAT = "carreau-network-1"
# stay float32: variances of deep layers leave half precision's range
_RUNNING = ("running_mean", "running_var")


def round_to_half(network: CellNetwork) -> None:
    """Round every weight to the nearest float16 in place, as a saved file holds it.

    ``ValueError`` where a weight is not finite in half precision.
    """
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            rounded = parameter.half()
            if not torch.isfinite(rounded).all():
                raise ValueError(f"weight {name} is not finite in half precision")
            parameter.copy_(rounded)


def save_model(path: str | Path, network: CellNetwork, metadata: dict[str, Any]) -> str:
    """Write weights (float16), batch-norm statistics (float32) and JSON ``metadata``; returns the SHA-256.

    The file appears complete or not at all. Weights that are not yet rounded are rounded in the file only.
    """
    path = Path(path)
    tensors = {}
    for name, tensor in _stored(network).items():
        kept = tensor.detach().cpu()
        tensors[name] = (kept if name.endswith(_RUNNING) else kept.half()).contiguous()
    # one entry only: safetensors writes several in changing order, and one network must give one digest
    described = {"settings": asdict(network.settings), "metadata": metadata}
    header = {_FORMAT: json.dumps(described, sort_keys=True)}
    path.parent.mkdir(parents=True, exist_ok=True)
    half_written = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        save_file(tensors, half_written, metadata=header)
        digest = hashlib.sha256(half_written.read_bytes()).hexdigest()
        half_written.replace(path)
    finally:
        half_written.unlink(missing_ok=True)
    return digest


def load_model(path: str | Path, device: torch.device) -> tuple[CellNetwork, dict[str, Any]]:
    """Network in evaluation mode on ``device`` and its metadata; float32 copies of the stored weights.

    ``InputError`` for a missing, truncated or foreign file (a pickle among them), or for weights that do not
    fit the settings in its header.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(path, "does not exist", "Run the train stage, or restore the study's model files.")
    foreign = "Use a model file written by Carreau (safetensors), or train again."
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            if _FORMAT not in header:
                raise InputError(path, "is a safetensors file, but not a Carreau network", foreign)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
            described = json.loads(header[_FORMAT])
            settings, metadata = NetworkSettings(**described["settings"]), described["metadata"]
    except SafetensorError as error:
        raise InputError(path, f"is truncated or not a safetensors file ({error})", foreign) from error
    except (KeyError, TypeError, ValueError, SettingsError) as error:
        raise InputError(
            path, f"describes a network that this version cannot build ({error})", foreign
        ) from error
    # the file holds the weights: fetch no ImageNet ones, and leave torch's global generator alone
    network = build_network(replace(settings, pretrained=False), seed=0)
    network.settings = settings
    expected = {name: tuple(tensor.shape) for name, tensor in _stored(network).items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if expected != found:
        odd = sorted(name for name in expected | found if expected.get(name) != found.get(name))
        raise InputError(path, f"does not hold the weights of its settings ({odd[0]} and others)", foreign)
    network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()}, strict=False)
    return network.to(device).eval(), metadata


def _stored(network: CellNetwork) -> dict[str, torch.Tensor]:
    """State without the batch counters, which only training uses."""
    state = network.state_dict()
    return {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}
