"""Training: learns what is there, goes on after an interruption, ends in rounded weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from data.errors import CarreauError, InputError, SettingsError
from models.network import NetworkSettings
from models.predict import predict
from models.train import FoldModel, TrainSettings, train_fold

CPU = torch.device("cpu")
SMALL = NetworkSettings("mobilenet_v3_small", n_classes=5, input_px=64, output_stride=32)


@pytest.fixture(scope="module")
def cells() -> tuple[np.ndarray, np.ndarray]:
    """Photographs (220, 64, 64, 3): the class 1..5 shows in the number of bright squares."""
    random = np.random.default_rng(4)
    classes = random.integers(1, 6, 220)
    images = random.integers(0, 90, (220, 64, 64, 3)) + random.integers(0, 60, (220, 1, 1, 3))
    for image, income_class in zip(images, classes, strict=True):
        for _ in range(2 * income_class):
            row, column = random.integers(0, 58, 2)
            image[row : row + 6, column : column + 6] = 240
    return images.astype(np.uint8), classes


def same(one: FoldModel, other: FoldModel) -> bool:
    ours, theirs = one.network.state_dict(), other.network.state_dict()
    return all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("head", ["binomial", "softmax", "corn", "coral"])
def test_learns_a_planted_cue(cells: tuple[np.ndarray, np.ndarray], head: str) -> None:
    images, classes = cells
    stride = 16 if head == "binomial" else 32
    settings = NetworkSettings(
        "mobilenet_v3_small", head=head, n_classes=5, input_px=64, output_stride=stride
    )
    train = TrainSettings(epochs=4, batch_size=16, balance_classes=head == "softmax")
    fold = train_fold(images, classes, np.arange(150), settings, train, seed=1, device=CPU)
    held_out = predict(fold.network, images[150:])
    assert spearmanr(held_out.z, classes[150:]).statistic > 0.7
    assert spearmanr(held_out.expected_class, classes[150:]).statistic > 0.7
    assert fold.log[-1]["loss"] < fold.log[0]["loss"] and len(fold.log) == 4 and fold.seconds > 0


def test_interrupted_training_ends_in_the_same_weights(
    cells: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    images, classes = cells
    index, train = np.arange(40), TrainSettings(epochs=3, batch_size=16)

    def run(
        checkpoint: Path | None, stop_at: int | None = None, seed: int = 7
    ) -> tuple[FoldModel, list[int]]:
        steps: list[int] = []

        def progress(done: int, total: int, loss: float) -> None:
            assert total == 9 and np.isfinite(loss)
            steps.append(done)
            if done == stop_at:
                raise KeyboardInterrupt

        fold = train_fold(
            images,
            classes,
            index,
            SMALL,
            train,
            seed=seed,
            checkpoint=checkpoint,
            device=CPU,
            progress=progress,
        )
        return fold, steps

    whole, steps = run(None)
    assert steps == list(range(1, 10))
    checkpoint = tmp_path / "folds" / "0.pt"
    for stop_at in (5, 8):  # in the second epoch, then in the third
        torch.rand(3)  # the global generator's state is no part of the result
        with pytest.raises(KeyboardInterrupt):
            run(checkpoint, stop_at)
    resumed, steps = run(checkpoint)
    assert steps == [7, 8, 9], "finished epochs are not done again"
    assert same(resumed, whole)
    assert (resumed.z_mean, resumed.z_std) == (whole.z_mean, whole.z_std)

    finished, steps = run(checkpoint)
    assert steps == [] and same(finished, whole) and finished.z_mean == whole.z_mean
    assert [path.name for path in checkpoint.parent.iterdir()] == ["0.pt"], "nothing half-written stays"

    _, steps = run(checkpoint, seed=8)
    assert steps == list(range(1, 10)), "another task's checkpoint is not taken for this one's"
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    with pytest.raises(InputError, match="is not a readable training checkpoint"):
        run(checkpoint)


def test_z_mean_is_of_the_rounded_weights_flips_averaged(
    cells: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    images, classes = cells
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    index = np.random.default_rng(0).permutation(220)[:30]
    fold = train_fold(mapped, classes, index, SMALL, TrainSettings(epochs=1), seed=3, device=CPU)
    assert not fold.network.training
    assert all(torch.equal(p, p.half().float()) for p in fold.network.parameters())
    z = predict(fold.network, images[index]).z.astype(float)
    assert fold.z_mean == pytest.approx(z.mean(), abs=1e-5)
    assert fold.z_std == pytest.approx(z.std(), rel=1e-4)


def test_batch_norm_statistics_fit_the_weights(cells: tuple[np.ndarray, np.ndarray]) -> None:
    """torchvision's MobileNetV3 keeps 99 % of its first statistics at each step: after 4 they fit nothing."""
    images, classes = cells
    fold = train_fold(images, classes, np.arange(60), SMALL, TrainSettings(epochs=1), seed=3, device=CPU)
    inputs: list[torch.Tensor] = []
    stem = fold.network.body[0][1]
    hook = stem.register_forward_hook(lambda _, given, __: inputs.append(given[0].detach()))
    predict(fold.network, images[:60], flips=True, batch_size=60)
    hook.remove()
    seen = torch.cat(inputs)
    torch.testing.assert_close(stem.running_mean, seen.mean((0, 2, 3)), rtol=0.05, atol=0.02)
    torch.testing.assert_close(stem.running_var, seen.var((0, 2, 3)), rtol=0.05, atol=0.02)


def test_diverging_training_says_so(cells: tuple[np.ndarray, np.ndarray]) -> None:
    images, classes = cells
    wild = TrainSettings(epochs=3, learning_rate=1e30, gradient_clip=1e30, batch_size=8)
    with pytest.raises(CarreauError, match=r"training diverged .*Lower learning_rate"):
        train_fold(images, classes, np.arange(32), SMALL, wild, seed=1, device=CPU)


def test_wrong_input_is_refused(cells: tuple[np.ndarray, np.ndarray]) -> None:
    images, classes = cells
    with pytest.raises(ValueError, match=r"classes must be in 1\.\.5, got 0"):
        train_fold(images, classes - 1, np.arange(99), SMALL, TrainSettings(), seed=1)
    with pytest.raises(ValueError, match="at least 2 cells"):
        train_fold(images, classes, np.arange(1), SMALL, TrainSettings(), seed=1)
    for keys in ({"epochs": 0}, {"batch_size": 1}, {"learning_rate": 0.0}, {"weight_decay": -1.0}):
        with pytest.raises(SettingsError, match=f"{next(iter(keys))} = "):
            TrainSettings(**keys)
