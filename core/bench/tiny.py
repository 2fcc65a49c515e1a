"""A published study with tiny untrained networks and small photographs: jobs without a day of training."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import shapely
import torch

from core.bench.tiny_photograph import NORTH, WEST, random_blocks, write_photograph
from core.statistics.colours import cell_colours
from data.store.write import publish
from models.checkpoint import round_to_half, save_model
from models.network import CellNetwork, NetworkSettings, build_network, prepare

__all__ = ["NORTH", "PX", "WEST", "K", "publish_tiny_study", "random_blocks", "write_photograph"]

K = 10
PX = 64


def tiny_network(seed: int) -> CellNetwork:
    """An untrained network whose output depends on the picture: batch norms have seen noise."""
    settings = NetworkSettings(architecture="mobilenet_v3_small", n_classes=K, input_px=PX, output_stride=16)
    network = build_network(settings, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # a plain mean over the batches seen
    noise = torch.randint(0, 256, (16, PX // 8, PX // 8, 3), generator=generator, dtype=torch.uint8)
    noise = noise.repeat_interleave(8, 1).repeat_interleave(8, 2)
    with torch.no_grad():
        network.train()(prepare(noise, settings))
        for parameter in network.head.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.05)
    round_to_half(network)
    return network.eval()


def publish_tiny_study(
    folder: Path, study_id: str = "tiny", n_folds: int = 2, own_networks_of: tuple[str, ...] = ()
) -> Path:
    """Publish a study with `n_folds` tiny networks, or so many for each city named; returns the file."""
    models = []
    for number, city_id in enumerate(own_networks_of or (None,)):
        for fold in range(n_folds):
            name = f"fold-{fold}" if city_id is None else f"{city_id}-{fold}"
            network = tiny_network(fold + 10 * number)
            file = f"weights/{name}.safetensors"
            sha256 = save_model(folder / file, network, {"fold": fold})
            models.append(
                {
                    "model_id": name,
                    "city_id": city_id,
                    "fold": fold,
                    "file": file,
                    "sha256": sha256,
                    "n_train": 10,
                    "n_test": 5,
                    "bias": float(network.head.score_bias().detach()),
                    "z_mean": 0.25 * fold,
                    "z_std": 1.0 + fold,
                    "epochs": 1,
                    "final_loss": 2.0,
                    "seconds": 1.0,
                    "device": "cpu",
                }
            )
    study = {
        "study_id": study_id,
        "title": "Tiny",
        "description": "",
        "is_generated": True,
        "n_classes": K,
        "label_scope": "city",
        "cell_size_m": 200,
        "grid_crs": "EPSG:3035",
        "architecture": "mobilenet_v3_small",
        "head": "binomial",
        "input_px": PX,
        "output_stride": 16,
        "model_scope": "city" if own_networks_of else "study",
        "fold_scheme": "block",
        "n_folds": n_folds,
        "block_m": 1200.0,
        "seed": 1,
        "created_at": datetime(2024, 1, 1, tzinfo=UTC),
        "carreau_version": "0",
        "settings_json": "{}",
    }
    city = {
        "boundary": shapely.box(0, 0, 1, 1).wkb,
        "x_min": 0,
        "y_min": 0,
        "x_max": 200,
        "y_max": 200,
        "n_cells": 1,
        "n_predicted": 1,
        "n_imputed": 0,
        "n_without_income": 0,
        "n_empty_pixels": 0,
        "imagery_resolution_m": 2.0,
    }
    tables = {
        "study": pd.DataFrame([study]),
        "city": pd.DataFrame(
            [
                {"city_id": name, "name": name.title(), "position": number, **city}
                for number, name in enumerate(own_networks_of or ("somewhere",))
            ]
        ),
        "model": pd.DataFrame(models),
        "cell_colour": _colours(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.toml").touch()
    return publish(folder, study_id, tables, study_file=folder / "study.toml")


def _colours() -> pd.DataFrame:
    """Colours of cells as `write_photograph` paints them, at the network's resolution."""
    painted = (random_blocks(100, 100, seed).transpose(1, 2, 0) for seed in range(100))
    cells = np.stack([cv2.resize(cell, (PX, PX), interpolation=cv2.INTER_AREA) for cell in painted])
    return cell_colours(cells.astype(np.uint8)).assign(
        city_id="somewhere", cell_id=[f"{k}" for k in range(len(cells))]
    )
