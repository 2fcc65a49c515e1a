"""Painting over part of a photograph: fills by hand, z by the plain way, masks that only move."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from data.errors import SettingsError
from models.network import CellNetwork, prepare
from models.occlusion import FILLS, masked_scores, occluded, torus_moves


def test_fills_worked_out_by_hand() -> None:
    image = torch.tensor([[[[0] * 3, [40] * 3], [[80] * 3, [200] * 3]]], dtype=torch.uint8)
    mask = torch.tensor([[[1.0, 0.0], [0.0, 0.5]]])
    colour = torch.tensor([10.0, 20.0, 30.0])

    def red(fill: str) -> list[list[int]]:
        return occluded(image, mask, fill, colour)[0, :, :, 0].tolist()

    assert red("city_mean") == [[10, 40], [80, 105]]  # half covered: half painted
    assert occluded(image, mask, "city_mean", colour)[0, 0, 0].tolist() == [10, 20, 30]
    assert red("cell_mean") == [[80, 40], [80, 140]]  # mean of 0, 40, 80, 200
    assert red("rest_mean") == [[88, 40], [80, 144]]  # (40 + 80 + 100) / 2.5
    assert red("class_mean") == [[67, 40], [80, 133]]  # (0 + 100) / 1.5


@pytest.mark.parametrize("fill", FILLS)
def test_nothing_masked_changes_nothing_and_one_colour_stays(fill: str) -> None:
    random = np.random.default_rng(0)
    image = torch.from_numpy(random.integers(0, 256, (2, 32, 32, 3), dtype=np.uint8))
    colour = torch.tensor([120.0] * 3)
    assert torch.equal(occluded(image, torch.zeros(2, 32, 32), fill, colour), image)
    plain = torch.full((1, 32, 32, 3), 120, dtype=torch.uint8)
    assert torch.equal(occluded(plain, torch.rand(1, 32, 32), fill, colour), plain)
    everything = occluded(image, torch.ones(2, 32, 32), fill, colour).float()
    assert everything.std((1, 2)).max() < (1 if fill != "blur" else image.float().std())


def test_blur_keeps_the_mean_and_is_symmetric() -> None:
    image = torch.zeros(1, 64, 64, 3, dtype=torch.uint8)
    image[0, 32, 32] = 255
    found = occluded(image, torch.ones(1, 64, 64), "blur")[0, :, :, 0].float()
    assert found.argmax() == 32 * 64 + 32
    assert torch.equal(found[1:, 1:], found[1:, 1:].flip(0).flip(1))


def test_moved_masks_keep_shape_and_area_and_do_move() -> None:
    masks = np.zeros((2, 12, 10), np.float16)
    masks[0, 2:5, 3:9], masks[1, 11, 9] = 1, 0.5
    moved, by = torus_moves(masks, 8, np.random.default_rng(4))
    assert moved.shape == (2, 8, 12, 10)
    assert (by.reshape(-1, 2).sum(1) > 0).all()
    for k in range(2):
        for m in range(8):
            assert np.array_equal(np.roll(moved[k, m], tuple(-by[k, m]), axis=(0, 1)), masks[k])


def test_scores_equal_painting_and_predicting_one_by_one(
    network_of: Callable[..., CellNetwork], photographs: Callable[..., np.ndarray]
) -> None:
    network, images = network_of(), photographs(3, 64)
    random = np.random.default_rng(1)
    masks = [random.random((count, 64, 64)).astype(np.float16) for count in (1, 5, 2)]
    colour = np.array([90, 80, 70], np.float32)
    counted: list[int] = []
    for batch_size in (2, 64):
        found = list(
            masked_scores(
                network,
                zip(images, masks, strict=True),
                colour=colour,
                batch_size=batch_size,
                done=counted.append,
            )
        )
        assert [len(z) for z in found] == [1, 5, 2]
        for image, of_image, z in zip(images, masks, found, strict=True):
            for mask, one in zip(of_image, z, strict=True):
                m = mask[..., None].astype(np.float32)
                painted = np.round(image + m * (colour - image)).clip(0, 255).astype(np.uint8)
                with torch.no_grad():
                    alone = float(network.score(prepare(painted[None], network.settings)))
                assert one == pytest.approx(alone, abs=2e-5)
    assert sum(counted) == 6


def test_what_is_missing_is_said() -> None:
    image, mask = torch.zeros(1, 4, 4, 3, dtype=torch.uint8), torch.ones(1, 4, 4)
    with pytest.raises(SettingsError, match="fill = 'noise'; allowed: city_mean, cell_mean"):
        occluded(image, mask, "noise")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="needs a colour"):
        occluded(image, mask, "city_mean")
