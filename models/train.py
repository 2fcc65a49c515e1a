"""Training of one fold's network, resumable after an interruption with the same result."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR

from data.errors import CarreauError, InputError, SettingsError
from models.checkpoint import round_to_half
from models.device import pick_device
from models.network import CellNetwork, NetworkSettings, build_network, prepare
from models.predict import predict


@dataclass(frozen=True)
class TrainSettings:
    """How a fold is trained; the defaults are those for training from scratch (METHOD, DESIGN).

    With ``NetworkSettings.pretrained`` a learning rate near 1e-4 fits (paper: 8e-5).
    """

    epochs: int = 6
    batch_size: int = 16
    learning_rate: float = 1e-3  # peak of the one-cycle schedule; at 2e-3 three cities together learn nothing
    weight_decay: float = 1e-2  # of weights; biases and batch norm have none
    gradient_clip: float = 1.0  # bound on the norm of the whole gradient
    balance_classes: bool = False  # weigh cells so that every class counts the same (paper: balanced batches)

    def __post_init__(self) -> None:
        for key, least in (("epochs", 1), ("batch_size", 2)):
            if getattr(self, key) < least:
                raise SettingsError(f"{key} = {getattr(self, key)}; allowed: {least} or more")
        for key in ("learning_rate", "gradient_clip"):
            if not getattr(self, key) > 0:
                raise SettingsError(f"{key} = {getattr(self, key)}; allowed: more than 0")
        if not self.weight_decay >= 0:
            raise SettingsError(f"weight_decay = {self.weight_decay}; allowed: 0 or more")


@dataclass(frozen=True)
class FoldModel:
    """A trained fold: network with half-precision-rounded weights, in evaluation mode.

    ``z_mean`` and ``z_std`` are of z over the training cells, averaged over flips as ``predict`` does.
    """

    network: CellNetwork
    z_mean: float
    z_std: float
    log: list[dict[str, float]]  # one entry an epoch: epoch, loss, seconds
    seconds: float  # spent in training, interrupted runs included


Progress = Callable[[int, int, float], None]


def train_fold(
    images: np.ndarray,
    classes: np.ndarray,
    train_index: np.ndarray,
    network: NetworkSettings,
    train: TrainSettings,
    *,
    seed: int,
    checkpoint: Path | None = None,
    device: torch.device | None = None,
    progress: Progress | None = None,
) -> FoldModel:
    """Train on ``images[train_index]``, photographs (n, H, W, 3) uint8 (or memory map), classes (n,) in 1..K.

    AdamW with a one-cycle schedule, random flips and transposes, clipped gradients, float32. After the last
    epoch weights are rounded to half precision, and only then batch-norm statistics are measured over the
    training cells and z_mean and z_std computed: published predictions are those of the rounded weights.

    State is kept in ``checkpoint`` after every epoch; a later call with the same arguments goes on from
    there and ends, on a CPU with the same number of threads, in the same weights. A checkpoint of another
    task is replaced. ``progress(step, steps, loss)`` is called after each step. Raises ``InputError`` for a
    checkpoint that cannot be read, ``CarreauError`` when the loss is no longer finite, ``ValueError`` for
    wrong classes.
    """
    device = device or pick_device()
    train_index = np.asarray(train_index)
    _check(classes, train_index, network)
    cell_weight = _cell_weights(classes, train_index, network.n_classes) if train.balance_classes else None
    task = _fingerprint(images, classes, train_index, network, train, seed)

    # the starting point depends on the seed alone; the head's bias starts at no information
    model = build_network(network, seed=_mix(seed, 0)).to(device)
    optimizer = AdamW(_parameter_groups(model, train.weight_decay), lr=train.learning_rate)
    batches = -(-len(train_index) // train.batch_size)
    steps = batches * train.epochs
    schedule = OneCycleLR(optimizer, train.learning_rate, total_steps=max(steps, 2))
    state = _read(checkpoint, task)
    log: list[dict[str, float]] = []
    if state is not None:
        model.load_state_dict(state["network"])
        log = state["log"]
        if "z_mean" in state:
            return FoldModel(model.eval(), state["z_mean"], state["z_std"], log, state["seconds"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])

    for epoch in range(len(log), train.epochs):
        began, total = time.perf_counter(), 0.0
        model.train()
        # stochastic depth draws from torch's global generator: seed it by epoch, and give it back afterwards
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(_mix(seed, epoch + 1))
            plan = _batches(images, classes, train_index, network, train, seed, epoch)
            for number, (x, y, cells) in enumerate(plan):
                weight = None if cell_weight is None else torch.from_numpy(cell_weight[cells]).to(device)
                loss = model.head.loss(model(x.to(device)), y.to(device), weight)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), train.gradient_clip)
                optimizer.step()
                schedule.step()
                value = float(loss.detach())
                if not np.isfinite(value):
                    raise CarreauError(
                        f"training diverged in epoch {epoch + 1}: the loss is {value}. "
                        f"Lower learning_rate, which is {train.learning_rate}."
                    )
                total += value * len(cells)
                if progress is not None:
                    progress(epoch * batches + number + 1, steps, value)
        log.append(
            {"epoch": epoch + 1, "loss": total / len(train_index), "seconds": time.perf_counter() - began}
        )
        _write(checkpoint, task, model, log, optimizer=optimizer.state_dict(), schedule=schedule.state_dict())

    began = time.perf_counter()
    round_to_half(model)
    measure_batch_norm(model, images, train_index, device)
    z = _z_of(model, images, train_index, device)
    seconds = sum(entry["seconds"] for entry in log) + time.perf_counter() - began
    z_mean, z_std = float(z.mean()), float(z.std())
    _write(checkpoint, task, model, log, z_mean=z_mean, z_std=z_std, seconds=seconds)
    return FoldModel(model.eval(), z_mean, z_std, log, seconds)


def _check(classes: np.ndarray, train_index: np.ndarray, network: NetworkSettings) -> None:
    if len(train_index) < 2:
        raise ValueError(f"training needs at least 2 cells, got {len(train_index)}")
    used = np.asarray(classes)[train_index]
    if used.min() < 1 or used.max() > network.n_classes:
        raise ValueError(f"classes must be in 1..{network.n_classes}, got {used.min()}..{used.max()}")


def _parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    parameters = list(model.parameters())
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]


def _cell_weights(classes: np.ndarray, train_index: np.ndarray, n_classes: int) -> np.ndarray:
    count = np.bincount(np.asarray(classes)[train_index], minlength=n_classes + 1)
    each = len(train_index) / (np.count_nonzero(count) * np.maximum(count, 1))
    return each[np.asarray(classes)].astype(np.float32)


def _batches(
    images: np.ndarray,
    classes: np.ndarray,
    train_index: np.ndarray,
    network: NetworkSettings,
    train: TrainSettings,
    seed: int,
    epoch: int,
) -> Iterator[tuple[Tensor, Tensor, np.ndarray]]:
    """Prepared images, class indices 0..K-1, cell numbers of one epoch; seed and epoch fix the order.

    Batches differ in size by at most one cell, so that none is too small for batch norm.
    """
    random = np.random.default_rng([seed, epoch])
    order = random.permutation(train_index)
    for cells in np.array_split(order, -(-len(order) // train.batch_size)):
        cells = np.sort(cells)  # a memory map is read front to back
        pixels = np.asarray(images[cells])
        turns = random.random((len(cells), 3)) < 0.5
        turned = [_turn(image, *bits) for image, bits in zip(pixels, turns, strict=True)]
        x = prepare(np.stack(turned), network)
        yield x, torch.from_numpy(np.asarray(classes)[cells].astype(np.int64) - 1), cells


def _turn(image: np.ndarray, flip_rows: bool, flip_columns: bool, transpose: bool) -> np.ndarray:
    """One of the eight symmetries of the square: north has no meaning for income."""
    image = image[::-1] if flip_rows else image
    image = image[:, ::-1] if flip_columns else image
    return image.transpose(1, 0, 2) if transpose else image


def measure_batch_norm(
    model: CellNetwork, images: np.ndarray, index: np.ndarray, device: torch.device, *, batch_size: int = 64
) -> None:
    """Replace running batch-norm statistics by averages over ``images[index]``, with the weights as they are.

    A moving average with few steps (or torchvision's momentum of 0.01 in MobileNetV3) lags far behind the
    weights it stands for; averaging over the whole training set does not (Wu and Johnson 2021). Flips take
    turns over batches; stochastic depth is off.
    """
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    model.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # cumulative average over batches
        norm.train()
    # spread over the set, whatever its order: batches of one city or one class would differ in their means
    order = np.random.default_rng(0).permutation(index)
    with torch.no_grad():
        for number, cells in enumerate(np.array_split(order, -(-len(order) // batch_size))):
            pixels = np.asarray(images[np.sort(cells)])
            flipped = pixels[:, :: (-1) ** number, :: (-1) ** (number // 2)]
            model(prepare(flipped, model.settings).to(device))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    model.eval()


def _z_of(model: CellNetwork, images: np.ndarray, index: np.ndarray, device: torch.device) -> np.ndarray:
    """z (n,) float64 of ``images[index]``, flips averaged; in portions: a memory map stays on disk."""
    portions = np.array_split(np.sort(index), -(-len(index) // 256))
    z = [predict(model, np.asarray(images[cells]), maps=False, device=device).z for cells in portions]
    return np.concatenate(z).astype(np.float64)


def _mix(seed: int, part: int) -> int:
    return int(np.random.SeedSequence([seed, part]).generate_state(1)[0])


def _fingerprint(
    images: np.ndarray,
    classes: np.ndarray,
    train_index: np.ndarray,
    network: NetworkSettings,
    train: TrainSettings,
    seed: int,
) -> str:
    """Hash of everything that decides the result; of the photographs, a sample of 64."""
    digest = hashlib.sha256(json.dumps([asdict(network), asdict(train), seed]).encode())
    digest.update(np.ascontiguousarray(train_index, np.int64).tobytes())
    digest.update(np.asarray(classes)[train_index].astype(np.int64).tobytes())
    sample = train_index[:: max(1, len(train_index) // 64)]
    digest.update(np.ascontiguousarray(images[np.sort(sample)]).tobytes())
    return digest.hexdigest()


def _write(
    path: Path | None, task: str, model: CellNetwork, log: list[dict[str, float]], **rest: Any
) -> None:
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    half_written = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        torch.save({"task": task, "network": model.state_dict(), "log": log, **rest}, half_written)
        half_written.replace(path)
    finally:
        half_written.unlink(missing_ok=True)


def _read(path: Path | None, task: str) -> dict[str, Any] | None:
    """State of this task, None where there is none yet; unpickles nothing but tensors and plain values."""
    if path is None or not path.exists():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        return state if state["task"] == task else None
    except Exception as error:  # torch.load documents no closed list of errors for a damaged file
        fault = f"is not a readable training checkpoint ({error})"
        raise InputError(path, fault, "Delete it and train again.") from error
