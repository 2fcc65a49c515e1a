"""Region: rows from a window of imagery, against what the parts give when they are put together by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core.preview import looked_at
from core.region import load_networks, predict_region, thumbnail_side, thumbnails
from core.region_plan import plan_region
from data.coverage import LandUseIndex
from data.errors import InputError
from data.grid import Grid
from data.imagery import open_imagery
from data.landuse import read_land_use
from models.checkpoint import load_model
from models.predict import predict
from tests.core.tiny_region import (
    NORTH,
    PX,
    WEST,
    K,
    publish_tiny_study,
    random_blocks,
    write_land_use,
    write_photograph,
)

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def publication(tmp_path_factory):
    return publish_tiny_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def networks(publication):
    return load_networks(publication, CPU)


@pytest.fixture(scope="module")
def photograph(tmp_path_factory):
    return write_photograph(tmp_path_factory.mktemp("photo") / "town.tif", 3, 2)


@pytest.fixture(scope="module")
def land_use(tmp_path_factory):
    return LandUseIndex.of(read_land_use(write_land_use(tmp_path_factory.mktemp("lu") / "use.gpkg")))


@pytest.fixture(scope="module")
def rows(photograph, networks, land_use):
    plan = plan_region(photograph, 8)
    with open_imagery(photograph) as mosaic:
        return plan.cells, predict_region(mosaic, plan.grid, plan.cells, networks, land_use=land_use)


def test_ensemble_is_the_mean_of_the_folds(rows, publication, photograph):
    cells, found = rows
    grid = Grid("EPSG:3035")
    with open_imagery(photograph) as mosaic:
        ((order, images, _),) = mosaic.read_cells(grid, cells.x, cells.y, PX)
    assert order.tolist() == list(range(6))
    folds = []
    for fold in range(2):
        network, _ = load_model(publication.parent / "weights" / f"fold-{fold}.safetensors", CPU)
        folds.append(predict(network, images))
    z = (folds[0].z + folds[1].z) / 2
    np.testing.assert_allclose(found.cells.z, z, atol=1e-5)
    assert np.ptp(z) > 0.05, "the pictures must differ for the network, or this shows nothing"
    # zbar and deviation are means over folds: (0 + 0.25) / 2 and (1 + 2) / 2
    np.testing.assert_allclose(found.cells.z_standard, (z - 0.125) / 1.5, atol=1e-5)
    np.testing.assert_allclose(found.maps.astype(float).mean(axis=(1, 2)), (z - 0.125) / 1.5, atol=2e-3)
    spread = np.abs(folds[0].expected_class - folds[1].expected_class) / 2
    np.testing.assert_allclose(found.cells.spread, spread, atol=1e-5)


def test_class_distribution_is_the_binomial_of_z(rows):
    cells = rows[1].cells
    p = 1 / (1 + np.exp(-cells.z.to_numpy(float)))
    probabilities = np.stack(cells.probabilities.to_list()).astype(float)
    assert probabilities.shape == (6, K)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(probabilities[:, 0], (1 - p) ** 9, atol=1e-6)
    np.testing.assert_allclose(cells.expected_class, 1 + 9 * p, atol=1e-5)
    assert (cells["class"] == 1 + probabilities.argmax(axis=1)).all()
    surprise = -(probabilities * np.log(probabilities)).sum(axis=1) / np.log(10)
    np.testing.assert_allclose(cells.entropy, surprise, atol=1e-5)


def test_land_use_areas_by_hand(rows):
    activation = rows[1].activation.set_index(["cell_id", "code"])
    grid = Grid("EPSG:3035")
    south_west, south_middle = grid.frame([WEST, WEST + 200], [NORTH - 400] * 2).cell_id
    assert activation.loc[(south_west, "11100"), "area_m2"] == pytest.approx(150 * 200, rel=1e-5)
    assert activation.loc[(south_west, "31000"), "area_m2"] == pytest.approx(50 * 160, rel=1e-5)
    assert activation.loc[(south_middle, "31000"), "area_m2"] == pytest.approx(200 * 160, rel=1e-5)
    assert activation.loc[(south_west, "11100"), "share"] == pytest.approx(30_000 / 38_000, rel=1e-5)


def test_contributions_add_up_where_all_is_mapped(rows):
    cells, found = rows
    north = cells.cell_id[cells.y == NORTH - 200]
    summed = found.activation.groupby("cell_id").contribution.sum()
    expected = found.cells.set_index("cell_id").z_standard
    np.testing.assert_allclose(summed[north], expected[north], atol=1e-4)
    south = cells.cell_id[cells.y == NORTH - 400]
    assert (np.abs(summed[south] - expected[south]) > 1e-3).any(), "the unmapped strip must take a part"


def test_evidence_lies_where_the_picture_is(networks, tmp_path):
    """A picture turned by 180 degrees has its map turned by 180 degrees: row 0 north, column 0 west."""
    pixels = random_blocks(100, 100)
    upright = write_photograph(tmp_path / "a.tif", 1, 1, pixels=pixels)
    turned = write_photograph(tmp_path / "b.tif", 1, 1, pixels=pixels[:, ::-1, ::-1])
    maps = []
    for file in (upright, turned):
        plan = plan_region(file, 8)
        with open_imagery(file) as mosaic:
            maps.append(predict_region(mosaic, plan.grid, plan.cells, networks).maps[0].astype(float))
    np.testing.assert_allclose(maps[0], maps[1][::-1, ::-1], atol=0.05)
    assert np.abs(maps[0] - maps[1]).max() > 0.2


def test_no_land_use_no_activation(photograph, networks):
    plan = plan_region(photograph, 8)
    with open_imagery(photograph) as mosaic:
        assert predict_region(mosaic, plan.grid, plan.cells, networks).activation.empty


def test_cells_with_empty_pixels_are_skipped(networks, tmp_path):
    pixels = np.maximum(random_blocks(100, 300), 1)
    pixels[:, 20:40, 120:140] = 0  # 4 % of the middle cell
    file = write_photograph(tmp_path / "hole.tif", 3, 1, pixels=pixels, nodata=0)
    plan = plan_region(file, 8)
    assert plan.cells.x.tolist() == [WEST, WEST + 200, WEST + 400]  # to know more, it would have to decode
    with open_imagery(file) as mosaic:
        found = predict_region(mosaic, plan.grid, plan.cells, networks)
    assert found.skipped == 1
    assert found.cells.x.tolist() == [WEST, WEST + 400]
    assert len(found.maps) == 2 and len(found.thumbnails) == 3


def test_a_cell_of_one_colour_is_skipped(networks, tmp_path):
    pixels = np.maximum(random_blocks(100, 300), 1)
    pixels[:, :, 100:200] = 118  # the middle cell: a sheet of grey, with what compression leaves in it
    pixels[1, 50, 150] += 2
    file = write_photograph(tmp_path / "sheet.tif", 3, 1, pixels=pixels)
    plan = plan_region(file, 8)
    with open_imagery(file) as mosaic:
        found = predict_region(mosaic, plan.grid, plan.cells, networks)
    assert found.skipped == 1 and found.cells.x.tolist() == [WEST, WEST + 400]
    assert len(found.colours) == 2
    shown = looked_at([file])
    assert (shown["cells"], shown["empty"], shown["one_colour"]) == (2, 0, 1)
    pixels[:] = 118
    file = write_photograph(tmp_path / "all.tif", 3, 1, pixels=pixels)
    assert "shows one colour throughout in all" in looked_at([file])["reason"]


def test_a_chunk_of_skipped_cells_only(networks, tmp_path):
    pixels = np.maximum(random_blocks(100, 100), 1)
    pixels[:, :20] = 0
    file = write_photograph(tmp_path / "hole.tif", 1, 1, pixels=pixels, nodata=0)
    with open_imagery(file) as mosaic:
        found = predict_region(
            mosaic, Grid("EPSG:3035"), Grid("EPSG:3035").frame([WEST], [NORTH - 200]), networks
        )
    assert (len(found.cells), found.skipped) == (0, 1)


@pytest.mark.parametrize("side", [1, 2, 8])
def test_plan_cuts_every_cell_into_one_chunk(photograph, side):
    plan = plan_region(photograph, side)
    assert plan.cells.cell_id.is_unique and len(plan.cells) == 6
    reach = side * 200
    for number in range(plan.chunks):
        chunk = plan.chunk(number)
        assert len(set(zip(chunk.x // reach, chunk.y // reach, strict=True))) == 1
    assert sum(len(plan.chunk(number)) for number in range(plan.chunks)) == 6


def test_partly_covered_cells_are_no_cells(tmp_path):
    """A photograph 30 m off the grid holds one column of cells less."""
    plan = plan_region(write_photograph(tmp_path / "off.tif", 3, 2, shift=30), 8)
    assert sorted(set(plan.cells.x)) == [WEST + 200, WEST + 400]


def test_too_small_a_photograph_is_refused_with_its_size(tmp_path):
    file = write_photograph(tmp_path / "small.tif", 0.5, 0.25)
    with pytest.raises(InputError, match=r"covers no whole 200 m cell.*100 x 50 m.*600 x 600 m"):
        plan_region(file, 8)


def test_thumbnails_are_block_means():
    image = np.zeros((1, 4, 4, 3), np.uint8)
    image[0, :2, 2:] = [[[10, 20, 30], [30, 40, 50]], [[10, 20, 30], [30, 40, 50]]]
    small = thumbnails(image, 2)
    assert small.shape == (1, 2, 2, 3)
    assert small[0, 0, 1].tolist() == [20, 30, 40] and small[0, 1].sum() == 0


@pytest.mark.parametrize("across", [1, 7, 100, 3000, 10**5])
def test_thumbnail_side_divides_and_fits(across):
    side = thumbnail_side(PX, across)
    assert PX % side == 0 and (side * across <= 2048 or side == 1)


def test_weights_that_are_not_the_published_ones_are_refused(tmp_path):
    publication = publish_tiny_study(tmp_path, n_folds=2)
    weights = tmp_path / "weights"
    (weights / "fold-0.safetensors").write_bytes((weights / "fold-1.safetensors").read_bytes())
    with pytest.raises(InputError, match="not the network that the study was published with"):
        load_networks(publication, CPU)
    Path(weights / "fold-0.safetensors").unlink()
    with pytest.raises(InputError, match="fold-0"):
        load_networks(publication, CPU)
