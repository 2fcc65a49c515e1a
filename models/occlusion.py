"""Occlusion by mask: how z changes when part of a photograph is painted over (METHOD 6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from data.errors import SettingsError
from models.network import CellNetwork, prepare

Fill = Literal["city_mean", "cell_mean", "rest_mean", "class_mean", "blur"]
FILLS: tuple[Fill, ...] = get_args(Fill)
BLUR = 1 / 16  # standard deviation of the blur by the side of the image: 12.5 m of a cell of 200 m


def check_fill(fill: str) -> None:
    """Raise ``SettingsError`` for a fill that is not one of ``FILLS``."""
    if fill not in FILLS:
        raise SettingsError(f"fill = {fill!r}; allowed: {', '.join(FILLS)}")


def occluded(images: Tensor, masks: Tensor, fill: Fill = "city_mean", colour: Tensor | None = None) -> Tensor:
    """Photographs (m, H, W, 3) uint8 painted over where masks (m, H, W) in 0..1 say so: uint8.

    A pixel becomes (1 - mask) * pixel + mask * fill, so a pixel half covered is half painted. Fills:
    ``city_mean`` the given ``colour`` (3,) in 0..255; ``cell_mean`` the photograph's mean; ``rest_mean`` the
    mean outside the mask (of the photograph, where the mask is everywhere); ``class_mean`` the mean inside
    the mask, which keeps the class's colour; ``blur`` the photograph blurred by a Gaussian of 1/16 of the
    side. Raises ``SettingsError`` for another fill, ``ValueError`` without the colour.

    >>> photograph = torch.tensor([[[[10, 10, 10], [90, 90, 90]]]], dtype=torch.uint8)
    >>> occluded(photograph, torch.tensor([[[0.0, 1.0]]]), "rest_mean")[0, 0, :, 0].tolist()
    [10, 10]
    """
    check_fill(fill)
    pixels, covered = images.float(), masks.float()[..., None]  # (m, H, W, 3), (m, H, W, 1)
    if fill == "city_mean":
        if colour is None:
            raise ValueError("the fill city_mean needs a colour")
        paint = colour.to(pixels).expand(3)
    elif fill == "blur":
        paint = _blurred(pixels)
    else:
        weight = {
            "cell_mean": torch.ones_like(covered),
            "rest_mean": 1 - covered,
            "class_mean": covered,
        }[fill]
        everywhere = torch.ones_like(weight)
        weight = torch.where(weight.sum((1, 2, 3), keepdim=True) > 0, weight, everywhere)
        paint = (pixels * weight).sum((1, 2), keepdim=True) / weight.sum((1, 2), keepdim=True)
    return (pixels + covered * (paint - pixels)).round().clamp(0, 255).to(torch.uint8)


def _blurred(pixels: Tensor) -> Tensor:
    """Gaussian blur of (m, H, W, 3), edges mirrored."""
    side = pixels.shape[1]
    deviation = max(side * BLUR, 0.5)
    reach = min(int(3 * deviation), side - 1)
    at = torch.arange(-reach, reach + 1, dtype=torch.float32, device=pixels.device)
    kernel = torch.exp(-0.5 * (at / deviation) ** 2)
    kernel = (kernel / kernel.sum()).expand(3, 1, -1)
    planes = functional.pad(pixels.permute(0, 3, 1, 2), (reach,) * 4, mode="reflect")
    planes = functional.conv2d(planes, kernel[:, :, None, :], groups=3)
    planes = functional.conv2d(planes, kernel[:, :, :, None], groups=3)
    return planes.permute(0, 2, 3, 1)


def torus_moves(masks: np.ndarray, moves: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Move masks (k, H, W) on the torus: (k, moves, H, W), and the moves (k, moves, 2) in pixels.

    Shape and area of each mask stay; a move by nothing is left out.
    """
    k, height, width = masks.shape
    flat = random.integers(1, height * width, (k, moves))
    by = np.stack(np.divmod(flat, width), axis=-1)
    moved = np.stack(
        [
            [np.roll(mask, tuple(step), axis=(0, 1)) for step in steps]
            for mask, steps in zip(masks, by, strict=True)
        ]
    )
    return moved.reshape(k, moves, height, width), by


def masked_scores(
    network: CellNetwork,
    work: Iterable[tuple[np.ndarray, np.ndarray]],
    *,
    fill: Fill = "city_mean",
    colour: np.ndarray | None = None,
    batch_size: int = 64,
    done: Callable[[int], None] | None = None,
) -> Iterator[np.ndarray]:
    """z (m,) float32 of each pair of a photograph (H, W, 3) uint8 and masks (m, H, W) in 0..1.

    Pairs are taken as they come and their masks put together into batches, so that neither all masks nor
    all painted photographs are in memory at once. ``colour`` (3,) in 0..255 for the fill ``city_mean``.
    Without flips: an effect is a difference of two z of the same position. ``done(n)`` counts pairs.
    """
    check_fill(fill)
    device = next(network.parameters()).device
    paint = None if colour is None else torch.as_tensor(np.asarray(colour, np.float32), device=device)
    network.eval()
    waiting: list[tuple[np.ndarray, np.ndarray]] = []
    held = 0
    for pair in work:
        waiting.append(pair)
        held += len(pair[1])
        if held >= batch_size:
            yield from _scores_of(network, waiting, fill, paint, batch_size, device)
            if done is not None:
                done(len(waiting))
            waiting, held = [], 0
    if waiting:
        yield from _scores_of(network, waiting, fill, paint, batch_size, device)
        if done is not None:
            done(len(waiting))


def _scores_of(
    network: CellNetwork,
    pairs: list[tuple[np.ndarray, np.ndarray]],
    fill: Fill,
    paint: Tensor | None,
    batch_size: int,
    device: torch.device,
) -> Iterator[np.ndarray]:
    counts = [len(masks) for _, masks in pairs]
    owner = np.repeat(np.arange(len(pairs)), counts)
    images = np.stack([image for image, _ in pairs])
    masks = np.concatenate([masks for _, masks in pairs])
    scores = np.empty(len(masks), np.float32)
    for start in range(0, len(masks), batch_size):
        here = slice(start, start + batch_size)
        with torch.inference_mode():
            pixels = torch.from_numpy(images[owner[here]]).to(device)
            painted = occluded(pixels, torch.from_numpy(np.asarray(masks[here])).to(device), fill, paint)
            scores[here] = network.score(prepare(painted, network.settings)).float().cpu().numpy()
    yield from np.split(scores, np.cumsum(counts)[:-1])
