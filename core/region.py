"""A region's cells, from a window of imagery to rows: prediction, evidence map, activation by land-use class.

Pure of jobs: a chunk of cells goes in, tables come out. Uploads and checks use it; the same functions of
`models` and `core.statistics` make the pipeline's tables, so both give the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from duckdb import DuckDBPyConnection

from core.ensemble import Fold, predict_cells, prediction_columns, published_folds
from core.statistics.colours import COLOURS, FEWEST, cell_colours, of_one_colour
from core.statistics.landuse import class_quantities
from data.coverage import LandUseIndex
from data.errors import InputError
from data.grid import Grid
from data.imagery import MIN_VALID_SHARE, Mosaic
from data.store.open import connect
from models.predict import Ensemble


@dataclass(frozen=True)
class StudyNetworks:
    """The networks of a published study and what is to be known to use them on other photographs."""

    study_id: str
    folds: tuple[Fold, ...]
    n_classes: int
    input_px: int
    cell_size_m: int
    imagery_resolution_m: float | None  # median over the training cities
    colours: pd.DataFrame | None  # of the training cells; None where the publication does not tell
    is_generated: bool
    device: torch.device


@dataclass(frozen=True)
class RegionRows:
    """Rows of a chunk in the order of its cells; those with empty pixels or of one colour are left out."""

    cells: pd.DataFrame  # see `cell_rows`
    activation: pd.DataFrame  # as the table `activation` of a publication, with area_m2 and share
    maps: np.ndarray  # (n, h, w) float16, signed evidence E, row 0 north
    thumbnails: np.ndarray  # (m, t, t, 3) uint8, of every cell of the chunk
    colours: np.ndarray  # (n, 6) float32, the columns of `cell_colours`
    skipped: int


def load_networks(publication: Path, device: torch.device, city_id: str | None = None) -> StudyNetworks:
    """Load every fold of a publication; with ``city_id``, those that may speak of that city.

    Of a study with networks of its own for each city, the mean over all cities' is what None gives.

    Raises:
        InputError: weights that are missing, or not those that the publication was made with.
    """
    with connect(publication) as connection:
        study = connection.execute(
            "SELECT study_id, n_classes, input_px, cell_size_m, is_generated FROM study"
        ).fetchone()
        resolution = connection.execute(
            "SELECT median(imagery_resolution_m) FROM city WHERE $1 IS NULL OR city_id = $1", [city_id]
        ).fetchone()
        colours = _training_colours(connection, city_id)
    if study is None:
        raise InputError(publication, "has no study in it", "Publish the study again.")
    folds = published_folds(publication, device, city_id=city_id)
    return StudyNetworks(
        study_id=str(study[0]),
        folds=tuple(folds),
        n_classes=int(study[1]),
        input_px=int(study[2]),
        cell_size_m=int(study[3]),
        imagery_resolution_m=float(resolution[0]) if resolution and resolution[0] is not None else None,
        is_generated=bool(study[4]),
        colours=colours,
        device=device,
    )


def _training_colours(connection: DuckDBPyConnection, city_id: str | None) -> pd.DataFrame | None:
    """Read the colours of the training cells; None from a publication made before they were kept."""
    there = connection.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'cell_colour'"
    ).fetchone()
    if not there or not there[0]:
        return None
    found = connection.execute(
        f"SELECT {', '.join(COLOURS)} FROM cell_colour WHERE $1 IS NULL OR city_id = $1",  # noqa: S608 - constants
        [city_id],
    ).df()
    return found if len(found) >= FEWEST else None


def training_cells(publication: Path, cell_ids: pd.Series) -> int:
    """Count the cells among these (of one grid) that networks of the publication learned from."""
    with connect(publication) as connection:
        connection.register("asked", pd.DataFrame({"cell_id": cell_ids}))
        found = connection.execute(
            "SELECT count(DISTINCT c.cell_id) FROM cell c JOIN asked USING (cell_id) WHERE c.fold IS NOT NULL"
        ).fetchone()
    return int(found[0]) if found else 0


def predict_region(
    mosaic: Mosaic,
    grid: Grid,
    cells: pd.DataFrame,
    networks: StudyNetworks,
    *,
    land_use: LandUseIndex | None = None,
    thumbnail_px: int = 16,
) -> RegionRows:
    """Predict a chunk of cells.

    Args:
        mosaic: photographs.
        grid: grid of the cells.
        cells: columns cell_id, x, y (lower-left corner, metres in the grid's CRS).
        networks: folds of a study.
        land_use: polygons in the grid's CRS; without it there are no activation rows.
        thumbnail_px: side of the small picture of each cell; divides the network's input side.

    Raises:
        InputError: pixels that cannot be decoded.
    """
    px = networks.input_px
    images = np.zeros((len(cells), px, px, 3), np.uint8)
    valid = mosaic.read_into(images, grid, cells.x, cells.y)
    whole = (valid >= MIN_VALID_SHARE) & ~of_one_colour(images)
    kept = cells[whole].reset_index(drop=True)
    images_kept = images[whole]
    together, maps = predict_cells(images_kept, networks.folds, networks.device)
    return RegionRows(
        cells=cell_rows(kept, valid[whole], together),
        activation=activation_rows(kept, maps, grid, land_use),
        maps=maps.astype(np.float16),
        thumbnails=thumbnails(images, thumbnail_px),
        colours=cell_colours(images_kept).to_numpy(),
        skipped=int((~whole).sum()),
    )


def cell_rows(cells: pd.DataFrame, valid_share: np.ndarray, together: Ensemble) -> pd.DataFrame:
    """Return one row a cell: cell_id, x, y and what the ensemble says, as in the table `prediction`."""
    place = pd.DataFrame(
        {
            "cell_id": cells.cell_id.to_numpy(),
            "x": cells.x.to_numpy(np.int64),
            "y": cells.y.to_numpy(np.int64),
            "valid_share": valid_share.astype(np.float32),
        }
    )
    return pd.concat([place, prediction_columns(together)], axis=1)


def activation_rows(
    cells: pd.DataFrame, maps: np.ndarray, grid: Grid, land_use: LandUseIndex | None
) -> pd.DataFrame:
    """Return one row a cell and land-use class present, from evidence maps (n, h, w) (METHOD 7)."""
    rows: list[pd.DataFrame] = []
    if land_use is not None:
        for cell_id, x, y, E in zip(cells.cell_id, cells.x, cells.y, maps, strict=True):
            codes, fractions = land_use.coverage(float(x), float(y), float(grid.size), E.shape)
            if codes:
                rows.append(_of_cell(str(cell_id), codes, fractions, E, grid.size))
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame()


_ACTIVATION = (
    "share",
    "ratio_rich",
    "ratio_poor",
    "maximum_rich",
    "maximum_poor",
    "share_rich",
    "share_poor",
    "contribution",
    "excess",
)


def _of_cell(
    cell_id: str, codes: Sequence[str], fractions: np.ndarray, E: np.ndarray, size: float
) -> pd.DataFrame:
    """Return the rows of one cell: evidence E (h, w) over coverage (k, h, w)."""
    found = class_quantities(E, fractions).to_frame(list(codes))
    rows = found[list(_ACTIVATION)].astype(np.float32)
    rows.insert(0, "area_m2", (found["area"] * size**2 / E.size).astype(np.float32))
    rows.insert(0, "code", found["code"])
    rows.insert(0, "method", "cam")
    rows.insert(0, "cell_id", cell_id)
    return rows


def thumbnails(images: np.ndarray, px: int) -> np.ndarray:
    """Shrink images (n, H, H, 3) uint8 to (n, px, px, 3) by block means; px must divide H."""
    n, side, _, bands = images.shape
    factor = side // px
    blocks = images.reshape(n, px, factor, px, factor, bands)
    return np.round(blocks.mean(axis=(2, 4))).astype(np.uint8)


def thumbnail_side(input_px: int, cells_across: int, longest: int = 2048) -> int:
    """Return the largest divisor of the network's input side that keeps a preview under `longest` pixels.

    >>> thumbnail_side(128, 3), thumbnail_side(128, 100), thumbnail_side(128, 5000)
    (64, 16, 1)
    """
    fits = [px for px in range(1, 65) if input_px % px == 0 and px * cells_across <= longest]
    return max(fits, default=1)
