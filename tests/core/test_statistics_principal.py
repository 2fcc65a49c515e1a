"""Main axes found in portions, against numpy's singular value decomposition of the whole."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from core.statistics.principal import directions, principal_axes


def rows_of(n: int, c: int, seed: int = 0) -> np.ndarray:
    """Rows (n, c) far from 0, of different spread along turned axes."""
    random = np.random.default_rng(seed)
    turn = np.linalg.qr(random.normal(size=(c, c)))[0]
    return 50 + random.normal(size=(n, c)) * np.linspace(3, 0.2, c) @ turn


@pytest.mark.parametrize(("n", "c", "most"), [(200, 12, 5), (200, 12, 32), (6, 12, 32)])
def test_axes_are_those_of_numpy(n: int, c: int, most: int) -> None:
    rows = rows_of(n, c)
    found = principal_axes(lambda: np.array_split(rows, 4), most)
    _, size, axes = np.linalg.svd(rows - rows.mean(0), full_matrices=False)
    k = min(n - 1, c, most)
    assert found.axes.shape == (c, k)
    np.testing.assert_allclose(found.mean, rows.mean(0))
    np.testing.assert_allclose(found.variance, size[:k] ** 2 / (n - 1), rtol=1e-9)
    np.testing.assert_allclose(np.abs((found.axes * axes[:k].T).sum(0)), 1, atol=1e-9)
    np.testing.assert_allclose(found.axes.T @ found.axes, np.eye(k), atol=1e-9)


def test_signs_do_not_depend_on_portions_or_order() -> None:
    rows = rows_of(300, 8)
    whole = principal_axes(lambda: [rows], 4)
    parts = principal_axes(lambda: np.array_split(rows[::-1], 7), 4)
    np.testing.assert_allclose(parts.axes, whole.axes, atol=1e-9)
    largest = np.argmax(np.abs(whole.axes), axis=0)
    assert (whole.axes[largest, range(4)] > 0).all()


def test_likeness_is_the_cosine_about_the_mean() -> None:
    rows = rows_of(100, 6)
    turned = directions(rows, principal_axes(lambda: [rows], 6))
    assert turned.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(turned, axis=1), 1, atol=1e-6)
    centred = rows - rows.mean(0)
    cosine = centred @ centred.T / np.outer(*[np.linalg.norm(centred, axis=1)] * 2)
    np.testing.assert_allclose(turned @ turned.T, cosine, atol=1e-5)


def test_rows_without_a_direction() -> None:
    rows = np.array([[1.0, 0], [-1, 0], [0, 0]])
    turned = directions(rows, principal_axes(lambda: [rows], 2))
    assert turned.shape == (3, 1)
    np.testing.assert_array_equal(turned, [[1], [-1], [np.nan]])
    same = np.ones((4, 3))
    assert directions(same, principal_axes(lambda: [same], 2)).shape == (4, 0)
    assert principal_axes(lambda: [same[:1]], 2).axes.shape == (3, 0)
    with pytest.raises(ValueError, match="no rows"):
        principal_axes(lambda: [], 2)


def test_memory_is_that_of_a_portion() -> None:
    """20,000 rows of 256 numbers: 41 MB in double precision, of which 0.2 are held at a time."""
    rows = np.random.default_rng(0).normal(size=(20_000, 256)).astype(np.float16)
    tracemalloc.start()
    principal_axes(lambda: (rows[start : start + 100] for start in range(0, 20_000, 100)), 32)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8e6
