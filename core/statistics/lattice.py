"""Pairs of census cells by distance, counted with the fast Fourier transform on the cells' own grid.

Every spatial statistic here needs sums over all pairs of cells at a given distance. Cells lie on a regular
grid, so those sums are autocorrelations: n log n work in place of n squared.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft

# The padded transform of a larger frame would take gigabytes: distant cities are to be passed one by one.
LARGEST_FRAME = 30_000_000


@dataclass(frozen=True)
class Lattice:
    """Cells on their grid: ``row``, ``column`` (n,) int, ``shape`` (rows, columns) of the frame around."""

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    shape: tuple[int, int]

    @classmethod
    def of(cls, x: ArrayLike, y: ArrayLike, cell_size: float) -> Lattice:
        """Place cells with corners ``x``, ``y`` (n,) in metres on a grid of ``cell_size`` metres.

        Raises ``ValueError`` when the frame around the cells exceeds 30 million cells.

        >>> Lattice.of([4000, 4200, 4400], [200, 200, 600], 200).shape
        (3, 3)
        """
        x, y = np.asarray(x, float), np.asarray(y, float)
        if x.size == 0:
            empty = np.zeros(0, np.int64)
            return cls(empty, empty, (0, 0))
        column = np.rint((x - x.min()) / cell_size).astype(np.int64)
        row = np.rint((y - y.min()) / cell_size).astype(np.int64)
        shape = (int(row.max()) + 1, int(column.max()) + 1)
        if shape[0] * shape[1] > LARGEST_FRAME:
            raise ValueError(
                f"the cells span a frame of {shape[0]} x {shape[1]} cells; pass each city by itself"
            )
        return cls(row, column, shape)

    @property
    def n(self) -> int:
        """Number of cells."""
        return len(self.row)

    @cached_property
    def _padded(self) -> tuple[int, int]:
        # Twice the extent, so that no pair is counted across the border.
        return (
            fft.next_fast_len(2 * self.shape[0], real=True),
            fft.next_fast_len(2 * self.shape[1], real=True),
        )

    @cached_property
    def _lag_class(self) -> NDArray[np.int32]:
        """Distance class of every wrapped lag, in cells, flattened; classes one cell wide."""
        rows, columns = self._padded
        down = np.minimum(np.arange(rows), rows - np.arange(rows))
        across = np.minimum(np.arange(columns), columns - np.arange(columns))
        return np.rint(np.hypot(down[:, None], across[None, :])).astype(np.int32).ravel()

    def _autocorrelation(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        field = np.zeros(self._padded)
        # Two records of one cell are added up; the census has one.
        np.add.at(field, (self.row, self.column), values)
        spectrum = fft.rfft2(field)
        power = spectrum.real**2 + spectrum.imag**2
        return np.asarray(fft.irfft2(power, s=self._padded), float)

    def _by_distance(self, by_lag: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.bincount(self._lag_class, weights=by_lag.ravel()), float)

    @cached_property
    def pairs(self) -> NDArray[np.float64]:
        """Ordered pairs of cells in each distance class (classes,), the first being each cell with itself."""
        return self._by_distance(np.rint(self._autocorrelation(np.ones(self.n))))

    def products(self, values: ArrayLike) -> NDArray[np.float64]:
        """Sum of value_i value_j over the ordered pairs in each distance class (classes,).

        >>> Lattice.of([0, 200, 400], [0, 0, 0], 200).products([1.0, 2.0, 3.0]).round(9)[:3].tolist()
        [14.0, 16.0, 6.0]
        """
        return self._by_distance(self._autocorrelation(np.asarray(values, float)))

    def autocovariances(self, values: ArrayLike) -> NDArray[np.float64]:
        """Mean of the centred product over the pairs in each distance class (classes,); NaN where no pair is.

        Class k holds the pairs whose distance rounds to k cells.
        """
        centred = np.asarray(values, float)
        centred = centred - centred.mean()
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.pairs > 0, self.products(centred) / self.pairs, np.nan)

    def semivariances(self, values: ArrayLike) -> NDArray[np.float64]:
        """Half the mean squared difference in each distance class (classes,), Matheron's estimator.

        NaN where no pair is.
        """
        centred = np.asarray(values, float)
        centred = centred - centred.mean()
        squares, mask = np.zeros(self._padded), np.zeros(self._padded)
        np.add.at(squares, (self.row, self.column), centred**2)
        np.add.at(mask, (self.row, self.column), 1)
        # (v_i - v_j)^2 over ordered pairs is twice v_i^2 (for each partner of i) less twice v_i v_j.
        cross = fft.irfft2(np.conj(fft.rfft2(squares)) * fft.rfft2(mask), s=self._padded)
        difference = self._by_distance(cross) - self.products(centred)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.pairs > 0, difference / self.pairs, np.nan)

    @cached_property
    def neighbours(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Index pairs (i, j) of cells that touch by a side or a corner (queen), each unordered pair once."""
        # One spare column keeps the last cell of a row from touching the first of the next.
        width = self.shape[1] + 2
        key = (self.row + 1) * width + self.column + 1
        order = np.argsort(key, kind="stable")
        ranked = key[order]
        first, second = [], []
        for down, across in ((0, 1), (1, -1), (1, 0), (1, 1)):
            wanted = key + down * width + across
            place = np.minimum(np.searchsorted(ranked, wanted), max(len(ranked) - 1, 0))
            found = np.flatnonzero(ranked[place] == wanted) if len(ranked) else np.zeros(0, np.int64)
            first.append(found)
            second.append(order[place[found]])
        return np.concatenate(first), np.concatenate(second)

    def rook(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Index pairs (i, j) of cells that share a side, each unordered pair once."""
        i, j = self.neighbours
        side = (self.row[i] == self.row[j]) | (self.column[i] == self.column[j])
        return i[side], j[side]
