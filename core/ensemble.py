"""What the networks of a study say about cells: the pipeline and uploads share these functions.

One fold is an ensemble of one, so a cell predicted out of fold and a cell of an upload go the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from models.activation import evidence
from models.network import CellNetwork
from models.predict import Ensemble, ensemble, predict

BATCH = 32


@dataclass(frozen=True)
class Fold:
    """One network of a study, with the mean and deviation of z over its training cells."""

    network: CellNetwork
    z_mean: float
    z_std: float


def predict_cells(
    images: np.ndarray, folds: Sequence[Fold], device: torch.device | None = None
) -> tuple[Ensemble, np.ndarray]:
    """Predict images (n, px, px, 3) uint8 by all folds: the ensemble, and its evidence maps (n, h, w).

    z and M are means over folds: the mean of E over a cell is (z - z_mean) / z_std of it (METHOD 6).
    """
    together = ensemble(
        [predict(fold.network, images, batch_size=BATCH, device=device) for fold in folds],
        [fold.z_mean for fold in folds],
        [fold.z_std for fold in folds],
    )
    maps = together.predictions.maps
    if maps is None:
        raise AssertionError("predict was asked for maps")
    return together, evidence(maps, together.predictions.bias, together.z_mean, together.z_std)


def prediction_columns(together: Ensemble) -> pd.DataFrame:
    """Return what the ensemble says, one row a cell, named as in the table `prediction` of a publication.

    ``z_standard`` is (z - z_mean) / z_std; ``entropy`` is divided by ln K, its largest value; ``spread`` is
    the standard deviation over folds of the expected class (zero where one fold speaks).
    """
    said = together.predictions
    return pd.DataFrame(
        {
            "class": said.predicted_class.astype(np.uint8),
            "expected_class": said.expected_class,
            "z": said.z,
            "z_standard": ((said.z - together.z_mean) / together.z_std).astype(np.float32),
            "entropy": (said.entropy / np.log(said.probabilities.shape[1])).astype(np.float32),
            "spread": together.spread,
            "probabilities": list(said.probabilities),
        }
    )
