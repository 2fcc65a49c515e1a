"""What the networks of a study say about cells: the pipeline and uploads share these functions.

One fold is an ensemble of one, so a cell predicted out of fold and a cell of an upload go the same way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from data.errors import InputError
from data.store.open import connect
from models.activation import evidence
from models.checkpoint import load_model
from models.device import pick_device
from models.network import CellNetwork
from models.predict import Ensemble, ensemble, predict

BATCH = 32


@dataclass(frozen=True)
class Fold:
    """One network of a study, with the mean and deviation of z over its training cells."""

    network: CellNetwork
    z_mean: float
    z_std: float


def published_folds(
    publication: Path,
    device: torch.device | None = None,
    *,
    city_id: str | None = None,
    fold: int | None = None,
) -> list[Fold]:
    """Load the networks of a publication: all, those that may speak of a city, or the one of a fold.

    Raises:
        InputError: weights that are missing, or not those that the publication was made with.
    """
    with connect(publication) as connection:
        rows = connection.execute(
            """
            SELECT file, sha256, z_mean, z_std FROM model
            WHERE ($city IS NULL OR city_id IS NULL OR city_id = $city) AND ($fold IS NULL OR fold = $fold)
            ORDER BY model_id
            """,
            {"city": city_id, "fold": fold},
        ).fetchall()
    if not rows:
        raise InputError(
            publication, "holds no networks", "Run the study's pipeline again, with its train stage."
        )
    device = device or pick_device()
    folds = []
    for file, sha256, z_mean, z_std in rows:
        path = publication.parent / file
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            raise InputError(
                path, "is not the network that the study was published with", "Publish the study again."
            )
        network, _ = load_model(path, device)
        folds.append(Fold(network, float(z_mean), float(z_std)))
    return folds


def predict_cells(
    images: np.ndarray, folds: Sequence[Fold], device: torch.device | None = None, *, features: bool = False
) -> tuple[Ensemble, np.ndarray]:
    """Predict images (n, px, px, 3) uint8 by all folds: the ensemble, and its evidence maps (n, h, w).

    z and M are means over folds: the mean of E over a cell is (z - z_mean) / z_std of it (METHOD 6).
    ``features`` keeps the pooled features, where one fold speaks.
    """
    together = ensemble(
        [predict(fold.network, images, batch_size=BATCH, device=device, features=features) for fold in folds],
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
