"""Predictions and closed-form activation maps of many cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from models.heads import class_probabilities
from models.network import CellNetwork, prepare

# Axes of an image (B, 3, H, W) or map (B, h, w), counted from the end; each flip undoes itself
FLIPS: tuple[tuple[int, ...], ...] = ((), (-1,), (-2,), (-2, -1))
UNFLIPPED: tuple[tuple[int, ...], ...] = ((),)


@dataclass(frozen=True)
class Predictions:
    """What one network, or the ensemble of folds, says about n cells.

    ``z``, ``maps`` and ``features`` are means over the same flips, so ``maps.mean((1, 2)) + bias == z`` and
    the head makes ``logits`` of ``features``. Entropy in nats.
    """

    z: np.ndarray  # (n,) float32, wealth logit
    probabilities: np.ndarray  # (n, K) float32
    expected_class: np.ndarray  # (n,) float32, 1..K
    predicted_class: np.ndarray  # (n,) uint8, 1..K, the most probable class
    entropy: np.ndarray  # (n,) float32
    maps: np.ndarray | None  # (n, h, w) float32, M = sum_c w_c A_c
    logits: np.ndarray  # (n, L) float32, mean over flips
    bias: float  # b of z = b + mean M
    head: str
    features: np.ndarray | None = None  # (n, C) float32, mean of A over cell and flips, where asked for


@dataclass(frozen=True)
class Ensemble:
    """Mean of the folds: ``predictions`` with z = mean z_f and M = mean M_f, and how far the folds differ.

    ``z_mean`` and ``z_std`` are the means of the folds' values: the reference for ``activation.evidence``.
    (The standard deviation of a mean of fully correlated z_f is the mean of theirs.)
    """

    predictions: Predictions
    spread: np.ndarray  # (n,) float32, standard deviation over folds of the expected class
    z_mean: float
    z_std: float


def predict(
    network: CellNetwork,
    images: np.ndarray,
    *,
    maps: bool = True,
    flips: bool = True,
    features: bool = False,
    batch_size: int = 32,
    device: torch.device | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Predictions:
    """Predictions for photographs (n, H, W, 3) uint8, which may be a memory map.

    ``flips`` averages logits and re-flipped maps over the four flips, which centres each feature on its block
    of pixels (METHOD 6). The class distribution is that of the averaged logits. ``features`` asks for the
    pooled features too, averaged over the same flips. The network is moved to ``device`` (default: where it
    is) and set to evaluation mode. ``progress(done, total)`` counts cells.
    """
    device = device or next(network.parameters()).device
    network.to(device).eval()
    side = network.settings.map_px
    n = len(images)
    all_maps = np.empty((n, side, side), np.float32) if maps else None
    all_logits = np.empty((n, network.head.bias.numel()), np.float32)
    all_features = np.empty((n, network.last_convolution.out_channels), np.float32) if features else None
    for start in range(0, n, batch_size):
        pixels = np.ascontiguousarray(images[start : start + batch_size])
        with torch.inference_mode():
            x = prepare(torch.from_numpy(pixels).to(device), network.settings)
            logits, M, pooled = _mean_over_flips(network, x, FLIPS if flips else UNFLIPPED, maps)
        here = slice(start, start + len(pixels))
        all_logits[here] = logits.cpu().numpy()
        if all_maps is not None and M is not None:
            all_maps[here] = M.cpu().numpy()
        if all_features is not None:
            all_features[here] = pooled.cpu().numpy()
        if progress is not None:
            progress(here.stop, n)
    with torch.inference_mode():
        z = network.head.score(torch.from_numpy(all_logits).double().to(device)).cpu().numpy()
    bias = float(network.head.score_bias().detach())
    said = _from_logits(all_logits, z, all_maps, bias, network.settings.head, network.settings.n_classes)
    return replace(said, features=all_features)


def _mean_over_flips(
    network: CellNetwork, x: Tensor, flips: Sequence[tuple[int, ...]], maps: bool
) -> tuple[Tensor, Tensor | None, Tensor]:
    """Logits (B, L), maps M (B, h, w) and features (B, C): means over flips of the images x (B, 3, H, W)."""
    logits: list[Tensor] = []
    pooled: list[Tensor] = []
    M: list[Tensor] = []
    for axes in flips:
        turned = torch.flip(x, axes).contiguous(memory_format=torch.channels_last) if axes else x
        A = network.features(turned)  # (B, C, h, w)
        pooled.append(network.pool(A))
        logits.append(network.head(pooled[-1]))
        if maps:
            M.append(torch.flip(torch.einsum("c,bchw->bhw", network.head.score_weight(), A), axes))
    mean_map = torch.stack(M).mean(0) if maps else None
    return torch.stack(logits).mean(0), mean_map, torch.stack(pooled).mean(0)


def _from_logits(
    logits: np.ndarray, z: np.ndarray, maps: np.ndarray | None, bias: float, head: str, n_classes: int
) -> Predictions:
    p = class_probabilities(head, torch.from_numpy(np.asarray(logits)), n_classes).numpy()  # (n, K) float64
    return Predictions(
        z=z.astype(np.float32),
        probabilities=p.astype(np.float32),
        expected_class=(1 + p @ np.arange(n_classes)).astype(np.float32),
        predicted_class=(1 + p.argmax(1)).astype(np.uint8),
        entropy=-(p * np.log(np.maximum(p, 1e-300))).sum(1).astype(np.float32),
        maps=maps,
        logits=logits,
        bias=bias,
        head=head,
    )


def ensemble(folds: Sequence[Predictions], z_mean: Sequence[float], z_std: Sequence[float]) -> Ensemble:
    """Folds' predictions of the same n cells put together: z and M are means of z_f and M_f (METHOD 6).

    The class distribution is that of the mean logits, not the mean of distributions. Features of several
    networks have no mean: only an ensemble of one keeps its own. ``ValueError`` where the folds differ in
    head, number of classes or number of cells.
    """
    kinds = {(fold.head, fold.probabilities.shape) for fold in folds}
    if len(kinds) != 1 or not len(folds) == len(z_mean) == len(z_std):
        raise ValueError(f"folds of an ensemble must agree in head, cells and classes, got {sorted(kinds)}")
    each_maps = [fold.maps for fold in folds if fold.maps is not None]
    predictions = _from_logits(
        np.stack([fold.logits for fold in folds]).mean(0, dtype=np.float64),
        np.stack([fold.z for fold in folds]).mean(0, dtype=np.float64),
        np.stack(each_maps).mean(0) if len(each_maps) == len(folds) else None,
        float(np.mean([fold.bias for fold in folds])),
        folds[0].head,
        folds[0].probabilities.shape[1],
    )
    if len(folds) == 1:
        predictions = replace(predictions, features=folds[0].features)
    spread = np.std([fold.expected_class for fold in folds], axis=0, dtype=np.float64).astype(np.float32)
    return Ensemble(predictions, spread, float(np.mean(z_mean)), float(np.mean(z_std)))
