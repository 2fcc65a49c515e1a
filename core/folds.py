"""Which cells are held out together: spatial blocks, random cells or whole cities."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.statistics.lattice import Lattice
from core.statistics.variogram import fit_variogram
from data.errors import StudyError


def square_blocks(x: ArrayLike, y: ArrayLike, block_m: float) -> NDArray[np.int64]:
    """Number the square blocks of ``block_m`` metres that hold the corners ``x``, ``y`` (n,): (n,) from 0.

    The first block begins at the smallest corner, so blocks hold whole cells.

    >>> square_blocks([0, 200, 400, 600], [0, 0, 0, 0], 400).tolist()
    [0, 0, 1, 1]
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    if not block_m > 0:
        raise ValueError(f"block_m must be above 0, not {block_m}")
    if len(x) == 0:
        return np.zeros(0, np.int64)
    column = np.floor((x - x.min()) / block_m).astype(np.int64)
    row = np.floor((y - y.min()) / block_m).astype(np.int64)
    return np.unique(row * (column.max() + 1) + column, return_inverse=True)[1].astype(np.int64)


def block_folds(
    x: ArrayLike,
    y: ArrayLike,
    *,
    n_folds: int,
    block_m: float,
    groups: ArrayLike | None = None,
    seed: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Deal square spatial blocks to folds of nearly equal numbers of cells.

    ``x``, ``y`` (n,) corners in metres, one city at a time; ``groups`` (n,) ids of cells that share an
    imputed value (None, NaN, empty text or a negative number: no group). Returns fold (n,) int in
    0..n_folds-1 and block (n,) int. All cells of a group are counted to the block that holds most of them,
    so neither a block nor a group is ever split between folds. Blocks are taken from the largest to the
    smallest, equal ones in random order, each going to the fold with the fewest cells.

    Raises ``StudyError`` when there are fewer blocks than folds.

    >>> fold, block = block_folds([0, 200, 400, 600], [0, 0, 0, 0], n_folds=2, block_m=400, seed=0)
    >>> bool(fold[0] == fold[1] != fold[2] == fold[3]), block.tolist()
    (True, [0, 0, 1, 1])
    """
    _check_folds(n_folds)
    block = square_blocks(x, y, block_m)
    if groups is not None:
        block = _gather(block, groups)
    size = np.bincount(block)
    if len(size) < n_folds:
        raise StudyError(
            f"Blocks of {block_m:g} m cut the city into {len(size)}, fewer than its {n_folds} folds. "
            "Choose smaller blocks or fewer folds."
        )
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(size))
    largest_first = shuffled[np.argsort(-size[shuffled], kind="stable")]
    cells = np.zeros(n_folds, np.int64)
    fold_of_block = np.empty(len(size), np.int64)
    for number in largest_first:
        fewest = rng.choice(np.flatnonzero(cells == cells.min()))
        fold_of_block[number] = fewest
        cells[fewest] += size[number]
    return fold_of_block[block], block


def _gather(block: NDArray[np.int64], groups: ArrayLike) -> NDArray[np.int64]:
    """Move the cells of each group to the block that holds most of them (the first of equals)."""
    ids = pd.Series(np.asarray(groups, dtype=object))
    grouped = ids.notna() & (ids != "") & ~ids.map(lambda v: isinstance(v, int | float | np.number) and v < 0)
    frame = pd.DataFrame({"group": ids[grouped], "block": block[grouped.to_numpy()]})
    if frame.empty:
        return block
    count = frame.value_counts(["group", "block"], sort=False).rename("cells").reset_index()
    count = count.sort_values(["cells", "block"], ascending=[False, True]).drop_duplicates("group")
    home = frame["group"].map(count.set_index("group")["block"])
    moved = block.copy()
    moved[frame.index.to_numpy()] = home.to_numpy()
    # A block that gave all its cells away is no block any more.
    return np.unique(moved, return_inverse=True)[1].astype(np.int64)


def random_folds(classes: ArrayLike, n_folds: int, seed: int) -> NDArray[np.int64]:
    """Deal cells at random to folds, each income class evenly (the paper's folds, which leak): (n,) int.

    ``classes`` (n,). Raises ``StudyError`` when there are fewer cells than folds.

    >>> np.bincount(random_folds([1, 1, 2, 2, 3, 3], 2, seed=0)).tolist()
    [3, 3]
    """
    _check_folds(n_folds)
    classes = np.asarray(classes)
    if len(classes) < n_folds:
        raise StudyError(f"{len(classes)} cells cannot fill {n_folds} folds. Choose fewer folds.")
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(classes))
    order = order[np.argsort(classes[order], kind="stable")]
    # Dealing on through all classes keeps classes and folds balanced at once.
    fold = np.empty(len(classes), np.int64)
    fold[order] = rng.permutation(n_folds)[np.arange(len(classes)) % n_folds]
    return fold


def city_folds(city: ArrayLike) -> NDArray[np.int64]:
    """One fold a city (leave one city out), in the order of the sorted names: (n,) int.

    Raises ``StudyError`` for a single city.

    >>> city_folds(["Ys", "Lyon", "Ys"]).tolist()
    [1, 0, 1]
    """
    names, fold = np.unique(np.asarray(city).astype(str), return_inverse=True)
    if len(names) < 2:
        raise StudyError("Leaving one city out takes at least two cities. Choose block folds.")
    return fold.astype(np.int64)


def variogram_range(x: ArrayLike, y: ArrayLike, value: ArrayLike, cell_size: float = 200) -> float:
    """Distance in metres at which ``value`` (n,) stops resembling itself; 0 without autocorrelation.

    The practical range (95 % of the sill) of the fitted variogram, at most half the longer side of the
    city; meant for residuals, to choose the side of blocks. NaN values are left out; fewer than 10 cells
    give 0.
    """
    x, y, value = (np.asarray(v, float) for v in (x, y, value))
    kept = np.isfinite(value)
    return fit_variogram(Lattice.of(x[kept], y[kept], cell_size), value[kept]).range_cells * cell_size


def _check_folds(n_folds: int) -> None:
    if n_folds < 2:
        raise StudyError(f"{n_folds} fold leaves nothing to test on. Choose at least 2 folds.")
