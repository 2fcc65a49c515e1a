"""Does a map depend on what the network learned, and does it find what the network uses? (METHOD 6)

Weight-randomisation cascade: Adebayo et al. (2018), Sanity Checks for Saliency Maps, NeurIPS. Deletion and
insertion: Petsiuk, Das and Saenko (2018), RISE, BMVC, with baselines that know nothing of the network.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage, stats
from torch import nn

from models.activation import paper_maps, resize
from models.network import CellNetwork, build_network
from models.occlusion import masked_scores
from models.predict import predict
from models.train import measure_batch_norm

MapOf = Callable[[CellNetwork, np.ndarray], np.ndarray]
BASELINES = ("random", "area_uniform", "blurred", "edge")
STEPS = 10


def cam_of(network: CellNetwork, images: np.ndarray) -> np.ndarray:
    """Signed map M (n, h, w) float32 of z, over four flips; its zero does not matter to ranks."""
    maps = predict(network, images).maps
    if maps is None:
        raise AssertionError("predict was asked for maps")
    return maps


def paper_of(network: CellNetwork, images: np.ndarray) -> np.ndarray:
    """Signed pair of the paper's maps (n, H, W) float32: the rich map less the poor one."""
    rich, poor = paper_maps(network, images)
    return rich - poor


METHODS: dict[str, MapOf] = {"cam": cam_of, "paper": paper_of}


def agreement(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Size of the Spearman correlation over the pixels of each pair of maps (n, h, w): (n,) in 0..1.

    The size, since a network drawn anew may turn every sign. 0 where a map is constant.

    >>> maps = np.arange(8.0).reshape(2, 2, 2)
    >>> agreement(maps, -maps).tolist()
    [1.0, 1.0]
    """
    found = np.zeros(len(first))
    for number, (a, b) in enumerate(zip(first, second, strict=True)):
        if np.ptp(a) > 0 and np.ptp(b) > 0:
            found[number] = abs(stats.spearmanr(a.ravel(), b.ravel()).statistic)
    return found


@dataclass(frozen=True)
class CascadeStep:
    """How alike a map still is to the trained network's, ``layer`` and all above it drawn anew."""

    method: str
    layer: str
    share: float  # of the parameters redrawn so far
    value: float  # mean size of the rank correlation over the photographs


def weight_cascade(
    network: CellNetwork, images: np.ndarray, *, seed: int, methods: dict[str, MapOf] | None = None
) -> Iterator[CascadeStep]:
    """Draw layers anew from the head down and compare the maps of images (n, H, W, 3) uint8.

    A map that explains the network loses its likeness as weights become random; one that only shows edges
    keeps it. Batch-norm statistics are measured anew on the images at each step, else activations die of the
    old ones rather than of the new weights. The network itself is left as it is.
    """
    methods = methods or METHODS
    trained = {name: of(network, images) for name, of in methods.items()}
    fresh = build_network(network.settings, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    redrawn = copy.deepcopy(network)
    total, done = sum(p.numel() for p in network.parameters()), 0
    for layer, old, new in _layers(redrawn, fresh):
        if layer == "head":
            for name, weight in old.named_parameters():  # a fresh head is all zeros: draw one of its spread
                if name == "weight":
                    spread = float(weight.detach().std()) or 0.05
                    weight.data = torch.randn(weight.shape, generator=generator) * spread
        else:
            old.load_state_dict(new.state_dict())
        done += sum(p.numel() for p in old.parameters())
        device = next(redrawn.parameters()).device
        measure_batch_norm(redrawn, images, np.arange(len(images)), device)
        for name, of in methods.items():
            value = float(agreement(trained[name], of(redrawn, images)).mean())
            yield CascadeStep(name, layer, done / total, value)


def _layers(network: CellNetwork, fresh: CellNetwork) -> Iterator[tuple[str, nn.Module, nn.Module]]:
    yield "head", network.head, fresh.head
    last = nn.ModuleList([network.last_convolution, network.last_norm])
    yield "last convolution", last, nn.ModuleList([fresh.last_convolution, fresh.last_norm])
    stages = list(zip(network.body, fresh.body, strict=True))
    for number in range(len(stages) - 1, -1, -1):
        yield f"block {number}", *stages[number]


@dataclass(frozen=True)
class Removal:
    """Area under the deletion (low is good) and insertion curve (high is good) of an order of pixels."""

    order: str  # a map method or one of BASELINES
    deletion: float
    insertion: float


def removal(
    network: CellNetwork,
    images: np.ndarray,
    z_mean: float,
    colour: np.ndarray,
    *,
    seed: int,
    methods: dict[str, MapOf] | None = None,
) -> Iterator[Removal]:
    """Delete and insert the pixels of images (n, H, W, 3) uint8 in the order of each map and baseline.

    The evidence for a cell is s (z - z of the photograph painted over), s the sign of z - ``z_mean``.
    Deletion paints the first 10, 20 ... 100 % of the pixels with ``colour`` (3,), insertion all but them.
    Each curve is the sum of the evidence left over the cells by that of the whole photographs, its area the
    mean over the steps. Baselines: ``random`` pixels in blocks of a sixteenth of the side; ``area_uniform``
    every part thinned alike; ``blurred`` the first method's map, blurred over a quarter of the side; ``edge``
    the strength of edges in the photograph.
    """
    methods = methods or METHODS
    random = np.random.default_rng(seed)
    side = images.shape[1]
    untouched = ((image, np.zeros((1, side, side), np.float16)) for image in images)
    z = np.concatenate(list(masked_scores(network, untouched, colour=colour)))
    sign = np.where(z >= z_mean, 1.0, -1.0)
    maps = {name: of(network, images) for name, of in methods.items()}
    scored = {
        name: resize(torch.from_numpy(found), side).numpy() * sign[:, None, None]
        for name, found in maps.items()
    }
    first = next(iter(scored.values()))
    scored["random"] = random.random((len(images), 16, 16)).repeat(side // 16, 1).repeat(side // 16, 2)
    scored["area_uniform"] = np.broadcast_to(_dither(side), first.shape)
    scored["blurred"] = ndimage.gaussian_filter(first, (0, side / 4, side / 4), mode="nearest")
    scored["edge"] = _edges(images)
    for name, score in scored.items():
        # ties, such as all pixels a map leaves at zero, fall at random
        order = np.lexsort(
            (random.random((len(images), side * side)), -score.reshape(len(images), -1)), axis=-1
        )
        rank = np.empty_like(order)
        np.put_along_axis(rank, order, np.arange(side * side)[None], axis=1)
        share = (rank.reshape(-1, side, side) + 0.5) / (side * side)
        yield Removal(name, *_areas(network, images, share, sign, colour))


def _areas(
    network: CellNetwork, images: np.ndarray, share: np.ndarray, sign: np.ndarray, colour: np.ndarray
) -> tuple[float, float]:
    steps = np.arange(1, STEPS + 1) / STEPS

    def masks(of_cell: np.ndarray) -> np.ndarray:
        removed = [of_cell < step for step in steps]
        kept = [of_cell >= step for step in steps]
        return np.stack([np.zeros_like(of_cell, bool), *removed, *kept]).astype(np.float16)

    work = ((image, masks(of_cell)) for image, of_cell in zip(images, share, strict=True))
    z = np.stack(list(masked_scores(network, work, colour=colour)))  # (n, 1 + 2 steps)
    evidence = (z - z[:, [STEPS]]) * sign[:, None]  # step 10 of deletion: everything painted over
    whole = evidence[:, 0].sum()
    curve = evidence.sum(0) / whole if whole != 0 else np.full(evidence.shape[1], np.nan)
    return float(curve[1 : STEPS + 1].mean()), float(curve[STEPS + 1 :].mean())


def _dither(side: int) -> np.ndarray:
    """Ordered dither (side, side): any first share of it is spread evenly (Bayer 1973)."""
    index = np.zeros((1, 1))
    while len(index) < side:
        index = np.block([[4 * index, 4 * index + 2], [4 * index + 3, 4 * index + 1]])
    return -index[:side, :side]


def _edges(images: np.ndarray) -> np.ndarray:
    grey = images.mean(-1)
    return np.hypot(ndimage.sobel(grey, axis=1), ndimage.sobel(grey, axis=2)).astype(np.float32)
