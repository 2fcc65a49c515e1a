from __future__ import annotations

import pickle
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import rasterio
import shapely
from rasterio._err import CPLE_AppDefinedError
from rasterio.enums import ColorInterp, Resampling
from rasterio.transform import Affine
from rasterio.vrt import WarpedVRT

from data.errors import InputError
from data.grid import Grid
from data.imagery import no_cell_error, open_imagery
from data.photograph import reading
from tests.data.photographs import north_up, texture, write_photograph

EUROPE = Grid("EPSG:3035")
X, Y = 4_000_000, 2_800_000  # a cell in Europe


def photograph_around(
    tmp_path: Path, cells: int = 2, resolution: float = 1.0, name: str = "p.tif", **options
):
    """A photograph in EPSG:3035 of cells x cells whole cells from (X, Y)."""
    side = round(cells * 200 / resolution)
    image = texture(side, side)
    path = write_photograph(tmp_path / name, image, north_up(X, Y + cells * 200, resolution), **options)
    return path, image


# ---------------------------------------------------------------------------------------------- geometry


def test_same_grid_same_resolution_gives_the_very_pixels(tmp_path):
    path, image = photograph_around(tmp_path)
    with open_imagery(path) as mosaic:
        south_west, valid = mosaic.read_cell(EUROPE, X, Y, 200)
        north_east, _ = mosaic.read_cell(EUROPE, X + 200, Y + 200, 200)
    assert valid == 1
    np.testing.assert_array_equal(south_west, image[200:, :200])  # row 0 is north: south is the lower half
    np.testing.assert_array_equal(north_east, image[:200, 200:])


@pytest.mark.parametrize("factor", [2, 4])
def test_whole_reduction_is_the_mean(tmp_path, factor):
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, (400, 400, 3), dtype=np.uint8)
    path = write_photograph(tmp_path / "noise.tif", image, north_up(X, Y + 400, 1))
    with open_imagery(path) as mosaic:
        cell, _ = mosaic.read_cell(EUROPE, X, Y, 200 // factor)
    mean = image[200:, :200].reshape(200 // factor, factor, 200 // factor, factor, 3).mean(axis=(1, 3))
    assert np.abs(cell - mean).max() <= 0.51


def test_reduction_does_not_alias(tmp_path):
    """Stripes as narrow as a file pixel must become grey, not a moiré of stripes (128 from 200 pixels)."""
    image = np.zeros((200, 200, 3), dtype=np.uint8)
    image[:, ::2] = 200
    path = write_photograph(tmp_path / "stripes.tif", image, north_up(X, Y + 200, 1))
    with open_imagery(path) as mosaic:
        cell, _ = mosaic.read_cell(EUROPE, X, Y, 128)
    assert cell.mean() == pytest.approx(100, abs=1)
    assert cell[4:-4, 4:-4].std() < 30  # 100 in the file


@pytest.mark.parametrize("crs", ["EPSG:2154", "EPSG:32631", "EPSG:4326"])
def test_a_planted_spot_lands_where_it_belongs(tmp_path, crs):
    """A spot at known EPSG:3035 metres, drawn into a photograph of another CRS, to a quarter of a pixel."""
    pixels, (east, north) = 128, (3_800_000 + 63.0, 2_400_000 + 141.0)
    to_photo = pyproj.Transformer.from_crs("EPSG:3035", crs, always_xy=True)
    u, v = to_photo.transform(east, north)
    resolution = 0.5 if crs != "EPSG:4326" else 0.5 / 111_000
    side = 1000
    left, top = u - side / 2 * resolution - 7 * resolution, v + side / 2 * resolution + 3 * resolution
    transform = north_up(left, top, resolution)
    rows, columns = np.mgrid[:side, :side] + 0.5
    xs, ys = transform @ (columns, rows)
    back = pyproj.Transformer.from_crs(crs, "EPSG:3035", always_xy=True)
    ex, ny = back.transform(xs, ys)
    spot = 200 * np.exp(-((ex - east) ** 2 + (ny - north) ** 2) / (2 * 6.0**2))
    image = np.repeat(np.rint(spot)[..., None], 3, axis=2).astype(np.uint8)
    path = write_photograph(tmp_path / "spot.tif", image, transform, crs)
    with open_imagery(path) as mosaic:
        cell, valid = mosaic.read_cell(EUROPE, 3_800_000, 2_400_000, pixels)
    assert valid == 1
    weight = cell[..., 0].astype(float)
    r, c = np.mgrid[:pixels, :pixels] + 0.5
    size = 200 / pixels
    assert (weight * c).sum() / weight.sum() * size == pytest.approx(63.0, abs=size / 4)
    assert 200 - (weight * r).sum() / weight.sum() * size == pytest.approx(141.0, abs=size / 4)


def test_agrees_with_gdal_warp(tmp_path):
    to_photo = pyproj.Transformer.from_crs("EPSG:3035", "EPSG:2154", always_xy=True)
    u, v = to_photo.transform(3_800_100, 2_400_100)
    image = texture(500, 500, scale=12)
    path = write_photograph(tmp_path / "p.tif", image, north_up(u - 250, v + 250, 1), "EPSG:2154")
    with open_imagery(path) as mosaic:
        cell, _ = mosaic.read_cell(EUROPE, 3_800_000, 2_400_000, 200)
    with (
        rasterio.open(path) as dataset,
        WarpedVRT(
            dataset,
            crs="EPSG:3035",
            transform=north_up(3_800_000, 2_400_200, 1),
            width=200,
            height=200,
            resampling=Resampling.bilinear,
        ) as warped,
    ):
        reference = warped.read().transpose(1, 2, 0)
    assert np.abs(cell.astype(int) - reference).max() <= 3
    assert np.abs(cell.astype(int) - reference).mean() < 0.5


def test_rotated_and_south_up_photographs(tmp_path):
    """The same place in a photograph turned by 30 degrees, and one stored upside down."""
    centre = Affine.translation(X + 100, Y + 100)
    turned = centre @ Affine.rotation(30) @ Affine.scale(1, -1) @ Affine.translation(-200, -200)
    rows, columns = np.mgrid[:400, :400] + 0.5
    xs, ys = turned @ (columns, rows)
    ramp = np.stack([xs - X, ys - Y, np.full_like(xs, 50)], axis=-1)
    image = np.clip(np.rint(ramp), 0, 255).astype(np.uint8)
    path = write_photograph(tmp_path / "turned.tif", image, turned)
    expected_x = np.broadcast_to(np.arange(200) + 0.5, (200, 200))
    with open_imagery(path) as mosaic:
        cell, valid = mosaic.read_cell(EUROPE, X, Y, 200)
        assert mosaic.cells(EUROPE)[["x", "y"]].to_numpy().tolist() == [[X, Y]]
    assert valid == 1
    assert np.abs(cell[..., 0] - expected_x).max() <= 1.01
    assert np.abs(cell[..., 1] - expected_x.T[::-1]).max() <= 1.01
    upside = Affine(1, 0, X, 0, 1, Y)
    image = texture(200, 200)
    path = write_photograph(tmp_path / "upside.tif", image, upside)
    with open_imagery(path) as mosaic:
        cell, _ = mosaic.read_cell(EUROPE, X, Y, 200)
    np.testing.assert_array_equal(cell, image[::-1])


def test_blocks_give_what_single_cells_give(tmp_path):
    to_photo = pyproj.Transformer.from_crs("EPSG:3035", "EPSG:2154", always_xy=True)
    u, v = to_photo.transform(3_801_000, 2_401_000)
    path = write_photograph(
        tmp_path / "p.tif", texture(1600, 1600), north_up(u - 800, v + 800, 1), "EPSG:2154", tiled=True
    )
    with open_imagery(path) as mosaic:
        cells = mosaic.cells(EUROPE)
        assert len(cells) > 30
        chosen = cells.sample(20, random_state=0)
        seen = []
        done = []
        for indexes, images, shares in mosaic.read_cells(
            EUROPE, chosen.x, chosen.y, 64, done.append, block=3
        ):
            for index, image, share in zip(indexes, images, shares, strict=True):
                one, valid = mosaic.read_cell(EUROPE, chosen.x.iloc[index], chosen.y.iloc[index], 64)
                assert np.abs(one.astype(int) - image).max() <= 1
                assert share == valid
            seen.extend(indexes.tolist())
    assert sorted(seen) == list(range(20))
    assert sum(done) == 20


def test_cells_are_those_wholly_covered(tmp_path):
    path = write_photograph(tmp_path / "p.tif", texture(500, 601), north_up(X - 1, Y + 450, 1))
    with open_imagery(path) as mosaic:
        cells = mosaic.cells(EUROPE)
        half = mosaic.cells(EUROPE, min_valid=0.2)
    assert sorted(zip(cells.x, cells.y, strict=True)) == [
        (X + a, Y + b) for a in (0, 200, 400) for b in (0, 200)
    ]
    assert len(half) == 12  # one row 50 m high above, one below
    assert half.valid.min() == pytest.approx(0.25)


# ---------------------------------------------------------------------------------------- empty pixels


def test_alpha_marks_empty_pixels_and_their_colour_does_not_bleed(tmp_path):
    image = np.full((200, 200, 3), 80, dtype=np.uint8)
    alpha = np.full((200, 200), 255, dtype=np.uint8)
    image[:, :50], alpha[:, :50] = 255, 0
    path = write_photograph(tmp_path / "a.tif", image, north_up(X, Y + 200, 1), alpha=alpha)
    with open_imagery(path) as mosaic:
        for pixels in (200, 128, 50):
            cell, valid = mosaic.read_cell(EUROPE, X, Y, pixels)
            assert valid == pytest.approx(0.75, abs=0.005)
            assert np.abs(cell.astype(int) - 80).max() <= 1, (
                pixels
            )  # also where it was empty: the mean colour
        assert len(mosaic.cells(EUROPE)) == 0
        assert mosaic.cells(EUROPE, 0.7).valid.iloc[0] == pytest.approx(0.75, abs=0.01)
        assert "75%" in str(no_cell_error(mosaic, EUROPE))


def test_dark_pixels_are_no_empty_pixels(tmp_path):
    image = np.zeros((200, 200, 3), dtype=np.uint8)
    path = write_photograph(tmp_path / "night.tif", image, north_up(X, Y + 200, 1))
    with open_imagery(path) as mosaic:
        assert mosaic.read_cell(EUROPE, X, Y, 64)[1] == 1
        assert len(mosaic.cells(EUROPE)) == 1


@pytest.mark.parametrize("pixels", [200, 100, 64])
def test_nodata_needs_all_bands(tmp_path, pixels):
    image = np.full((200, 200, 3), 100, dtype=np.uint8)
    image[:40] = 255  # empty
    image[100:, :, 0] = 255  # a red saturated roof is not
    path = write_photograph(tmp_path / "n.tif", image, north_up(X, Y + 200, 1), nodata=255)
    with open_imagery(path) as mosaic:
        cell, valid = mosaic.read_cell(EUROPE, X, Y, pixels)
    assert valid == pytest.approx(0.8, abs=0.01)
    lower = cell[int(pixels * 0.55) :]
    assert (lower == (255, 100, 100)).all()


def test_mask_band(tmp_path):
    path = tmp_path / "m.tif"
    image = texture(200, 200)
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(
            path, "w", driver="GTiff", height=200, width=200, count=3, dtype="uint8", crs="EPSG:3035",
            transform=north_up(X, Y + 200, 1),
        ) as dataset,
    ):  # fmt: skip
        dataset.write(image.transpose(2, 0, 1))
        mask = np.full((200, 200), 255, dtype=np.uint8)
        mask[:, 190:] = 0
        dataset.write_mask(mask)
    with open_imagery(path) as mosaic:
        assert mosaic.read_cell(EUROPE, X, Y, 200)[1] == pytest.approx(0.95)


# ------------------------------------------------------------------------------------- bands, formats


def test_bands_are_taken_by_their_marks(tmp_path):
    image = texture(200, 200)
    order = (ColorInterp.blue, ColorInterp.green, ColorInterp.red)
    path = write_photograph(
        tmp_path / "bgr.tif",
        image[..., ::-1],
        north_up(X, Y + 200, 1),
        colours=order,
        photometric="MINISBLACK",
    )
    with open_imagery(path) as mosaic:
        cell, _ = mosaic.read_cell(EUROPE, X, Y, 200)
    np.testing.assert_array_equal(cell, image)


def test_fourth_band_without_mark_is_left_out(tmp_path):
    image = np.concatenate([texture(200, 200), np.zeros((200, 200, 1), np.uint8)], axis=2)
    path = write_photograph(tmp_path / "nir.tif", image, north_up(X, Y + 200, 1), photometric="MINISBLACK")
    with open_imagery(path) as mosaic:
        cell, valid = mosaic.read_cell(EUROPE, X, Y, 200)
        assert mosaic.info.bands == 4
    assert valid == 1
    np.testing.assert_array_equal(cell, image[..., :3])


def test_jpeg2000_gives_the_same_as_tiff(tmp_path):
    tiff, image = photograph_around(tmp_path)
    jp2, _ = photograph_around(tmp_path, name="p.jp2")
    with open_imagery(tiff) as a, open_imagery(jp2) as b:
        np.testing.assert_array_equal(b.read_cell(EUROPE, X, Y, 200)[0], image[200:, :200])
        first, second = a.read_cell(EUROPE, X, Y, 64)[0], b.read_cell(EUROPE, X, Y, 64)[0]
        assert np.abs(first.astype(int) - second).mean() < 2  # wavelet levels are not block means
        assert a.info.epsg == b.info.epsg == 3035


def test_jpeg_cog_close_to_its_source(tmp_path):
    image = texture(1000, 1000)
    path = tmp_path / "cog.tif"
    with rasterio.open(
        path, "w", driver="COG", height=1000, width=1000, count=3, dtype="uint8", crs="EPSG:3035",
        transform=north_up(X, Y + 1000, 1), compress="JPEG", quality=95,
    ) as dataset:  # fmt: skip
        dataset.write(image.transpose(2, 0, 1))
    with open_imagery(path) as mosaic:
        assert len(mosaic.cells(EUROPE)) == 25
        cell, valid = mosaic.read_cell(EUROPE, X, Y, 200)
    assert valid == 1
    assert np.abs(cell.astype(int) - image[800:, :200]).mean() < 2


def test_crs_without_code_is_fine(tmp_path):
    """As IGN's cut-outs: Lambert-93 under a WKT that no register knows."""
    wkt = pyproj.CRS(
        "+proj=lcc +lat_0=46.4 +lon_0=3 +lat_1=49 +lat_2=44 +x_0=700000 +y_0=6600000 +ellps=GRS80"
    ).to_wkt()
    path = write_photograph(tmp_path / "p.tif", texture(700, 700), north_up(700_000, 6_600_700, 1), wkt)
    with open_imagery(path) as mosaic:
        assert mosaic.info.epsg is None
        assert mosaic.grid() == EUROPE
        assert len(mosaic.cells(mosaic.grid())) >= 4


def test_outside_europe_the_grid_is_local(tmp_path):
    path = write_photograph(
        tmp_path / "p.tif", texture(700, 700), north_up(617_000, 3_344_500, 1), "EPSG:26914"
    )
    with open_imagery(path) as mosaic:
        grid = mosaic.grid()
        cells = mosaic.cells(grid)
    assert grid.crs == "EPSG:32614"
    assert cells.cell_id.str.startswith("CRS32614RES200mN").all()
    assert len(cells) == 9


# --------------------------------------------------------------------------------------------- mosaics


def write_tiles(folder: Path, image: np.ndarray, side: int, suffix: str = ".tif") -> list[Path]:
    paths = []
    for r in range(0, image.shape[0], side):
        for c in range(0, image.shape[1], side):
            part = image[r : r + side, c : c + side]
            transform = north_up(X + c, Y + image.shape[0] - r, 1)
            paths.append(write_photograph(folder / f"tile-{r}-{c}{suffix}", part, transform))
    return paths


def write_index(path: Path, names: list[str]) -> Path:
    squares = [shapely.box(i, 0, i + 1, 1) for i in range(len(names))]
    gpd.GeoDataFrame({"NOM": names}, geometry=squares, crs="EPSG:2154").to_file(path)
    return path


@pytest.mark.parametrize("pixels", [200, 128, 50])
def test_tiles_read_as_one_photograph(tmp_path, pixels):
    image = texture(600, 600)
    whole = write_photograph(tmp_path / "whole.tif", image, north_up(X, Y + 600, 1))
    folder = tmp_path / "tiles"
    folder.mkdir()
    write_tiles(folder, image, 300)
    with open_imagery(whole) as one, open_imagery(folder) as many:
        assert many.cells(EUROPE)[["x", "y"]].equals(one.cells(EUROPE)[["x", "y"]])
        assert many.info.overlap == pytest.approx(0, abs=1e-9)
        a, va = one.read_cell(EUROPE, X + 200, Y + 200, pixels)  # the middle cell lies on four tiles
        b, vb = many.read_cell(EUROPE, X + 200, Y + 200, pixels)
    assert va == vb == 1
    assert np.abs(a.astype(int) - b).max() <= 12  # at the seams the edge pixel repeats for half a pixel
    assert np.abs(a.astype(int) - b).mean() < 0.4


def test_first_valid_tile_counts(tmp_path):
    red, blue = np.zeros((2, 200, 200, 3), dtype=np.uint8)
    red[..., 0], blue[..., 2] = 200, 200
    alpha = np.full((200, 200), 255, dtype=np.uint8)
    alpha[:, :100] = 0
    folder = tmp_path / "tiles"
    folder.mkdir()
    write_photograph(folder / "a.tif", red, north_up(X, Y + 200, 1), alpha=alpha)
    write_photograph(folder / "b.tif", blue, north_up(X, Y + 200, 1))
    with open_imagery(folder) as mosaic:
        cell, valid = mosaic.read_cell(EUROPE, X, Y, 200)
        info = mosaic.info
    assert valid == 1
    assert (cell[:, 102:] == (200, 0, 0)).all()
    assert (cell[:, :98] == (0, 0, 200)).all()
    assert info.overlap == pytest.approx(1)
    assert "overlap" in info.warnings[0]


def test_index_names_the_tiles(tmp_path):
    delivery = tmp_path / "ORTHOHR" / "1_DONNEES_LIVRAISON_2024" / "OHR_X"
    supplements = tmp_path / "ORTHOHR" / "3_SUPPLEMENTS_LIVRAISON_2024" / "OHR_X"
    delivery.mkdir(parents=True)
    supplements.mkdir(parents=True)
    tiles = write_tiles(delivery, texture(400, 400), 200, ".jp2")
    index = write_index(supplements / "dalles.shp", [f"./{tile.name}" for tile in tiles])
    with open_imagery(index) as mosaic:
        assert len(mosaic.tiles) == 4
        assert len(mosaic.cells(EUROPE)) == 4
    with open_imagery(tmp_path / "ORTHOHR") as mosaic:
        assert len(mosaic.tiles) == 4
    tiles[2].unlink()
    for path in (index, tmp_path / "ORTHOHR"):
        with pytest.raises(
            InputError, match=rf"dalles.shp: names 1 of 4 tiles that are not there.*{tiles[2].name}"
        ):
            open_imagery(path)


def test_index_never_leads_out_of_its_folder(tmp_path):
    outside, _ = photograph_around(tmp_path, name="secret.tif")
    folder = tmp_path / "upload"
    folder.mkdir()
    index = write_index(folder / "dalles.shp", [f"../{outside.name}"])
    with pytest.raises(InputError, match="not there"):
        open_imagery(index)


def test_tiles_of_two_crs_are_each_read_in_their_own(tmp_path):
    folder = tmp_path / "tiles"
    folder.mkdir()
    write_photograph(folder / "a.tif", texture(400, 400), north_up(X, Y + 400, 1))
    to_utm = pyproj.Transformer.from_crs("EPSG:3035", "EPSG:32632", always_xy=True)
    u, v = to_utm.transform(X + 600, Y + 200)
    write_photograph(folder / "b.tif", texture(400, 400), north_up(u - 200, v + 200, 1), "EPSG:32632")
    with open_imagery(folder) as mosaic:
        assert any("different CRS" in warning for warning in mosaic.info.warnings)
        assert len(mosaic.cells(EUROPE)) >= 4


def test_mixed_resolutions_are_refused(tmp_path):
    folder = tmp_path / "tiles"
    folder.mkdir()
    write_photograph(folder / "a.tif", texture(200, 200), north_up(X, Y + 200, 1))
    write_photograph(folder / "b.tif", texture(200, 200), north_up(X + 200, Y + 200, 0.5))
    with pytest.raises(InputError, match=r"mixes resolutions: a\.tif"):
        open_imagery(folder)


def test_a_mosaic_travels_to_another_process(tmp_path):
    path, _ = photograph_around(tmp_path)
    with open_imagery(path) as mosaic:
        before, _ = mosaic.read_cell(EUROPE, X, Y, 64)
        copy = pickle.loads(pickle.dumps(mosaic))  # noqa: S301
    with copy:
        np.testing.assert_array_equal(copy.read_cell(EUROPE, X, Y, 64)[0], before)
    np.testing.assert_array_equal(mosaic.read_cell(EUROPE, X, Y, 64)[0], before)  # a closed one opens anew


# ------------------------------------------------------------------------------------------- bad input


def refuse(path: Path, fault: str):
    with pytest.raises(InputError) as caught:
        open_imagery(path)
    assert fault in str(caught.value)
    assert caught.value.file == str(path)
    assert caught.value.remedy


def test_refused_photographs(tmp_path):
    image = texture(60, 60)
    place = north_up(X, Y + 60, 1)
    refuse(write_photograph(tmp_path / "no-crs.tif", image, place, None), "no CRS")
    refuse(write_photograph(tmp_path / "no-place.tif", image, Affine.identity()), "no georeference")
    local = 'LOCAL_CS["site",UNIT["metre",1]]'
    refuse(write_photograph(tmp_path / "local.tif", image, place, local), "CRS")
    refuse(write_photograph(tmp_path / "16.tif", image.astype("uint16"), place), "uint16 values in 3 bands")
    refuse(write_photograph(tmp_path / "f.tif", image.astype("float64"), place), "float64 values in 3 bands")
    refuse(write_photograph(tmp_path / "grey.tif", image[..., :1], place), "one band")
    five = np.concatenate([image, image[..., :2]], axis=2)
    refuse(write_photograph(tmp_path / "five.tif", five, place, photometric="MINISBLACK"), "does not mark")
    refuse(tmp_path / "absent.tif", "does not exist")
    (tmp_path / "empty.tif").touch()
    refuse(tmp_path / "empty.tif", "empty")
    (tmp_path / "folder").mkdir()
    refuse(tmp_path / "folder", "no photograph")
    wrong = write_photograph(tmp_path / "wrong.tif", image, north_up(4e6, 2.8e6, 1), "EPSG:4326")
    refuse(wrong, "outside the area")


def test_a_disguised_file_is_not_opened(tmp_path):
    secret, _ = photograph_around(tmp_path, name="secret.tif")
    disguised = tmp_path / "p.tif"
    disguised.write_text(
        f'<VRTDataset rasterXSize="9" rasterYSize="9"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
        f"<SourceFilename>{secret}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    refuse(disguised, "no readable GeoTIFF")


def test_files_beside_a_photograph_are_not_read(tmp_path):
    """But for a world file, whose six numbers we read ourselves (test_reading.py)."""
    path = write_photograph(tmp_path / "p.tif", texture(60, 60), Affine.identity())
    (tmp_path / "p.tif.aux.xml").write_text(
        "<PAMDataset><GeoTransform>4000000, 1, 0, 2800000, 0, -1</GeoTransform></PAMDataset>"
    )
    refuse(path, "no georeference")


@pytest.mark.parametrize("kept", [0.9, 0.5, 0.02])
@pytest.mark.parametrize("name", ["p.tif", "p.jp2"])
def test_truncated_photographs(tmp_path, name, kept):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (400, 400, 3), dtype=np.uint8)
    options = (
        {"tiled": True, "blockxsize": 128, "blockysize": 128, "compress": "deflate"}
        if name == "p.tif"
        else {}
    )
    path = write_photograph(tmp_path / name, image, north_up(X, Y + 400, 1), **options)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(InputError, match=r"truncated|no readable"):
        open_imagery(path)


def test_damage_inside_is_told_when_read(tmp_path):
    image = np.random.default_rng(0).integers(0, 255, (400, 400, 3), dtype=np.uint8)
    path = write_photograph(
        tmp_path / "p.tif", image, north_up(X, Y + 400, 1), compress="deflate", tiled=True
    )
    content = bytearray(path.read_bytes())
    content[len(content) // 3 : -2000] = bytes(len(content) - 2000 - len(content) // 3)
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged"), open_imagery(path) as mosaic:
        for x in (X, X + 200):
            for y in (Y, Y + 200):
                mosaic.read_cell(EUROPE, x, y, 200)


def test_errors_of_the_decoder_that_come_late_are_told(tmp_path):
    """Found by `bench fuzz`: properties read after opening hand on GDAL's own errors."""
    with pytest.raises(InputError, match=r"a\.tif: cannot be read"), reading(tmp_path / "a.tif"):
        raise CPLE_AppDefinedError(3, 1, "Key GTCitationGeoKey of type ASCII has offset=0 and count=30")


def test_pixel_limit(tmp_path):
    path, _ = photograph_around(tmp_path)
    with pytest.raises(InputError, match="400 x 400 pixels, more than 100,000"):
        open_imagery(path, max_pixels=100_000)


def test_too_small_and_misplaced_photographs_say_so(tmp_path):
    small = write_photograph(tmp_path / "s.tif", texture(50, 50), north_up(X, Y + 50, 1))
    with open_imagery(small) as mosaic:
        assert "covers 50 x 50 m, too small for a 200 m cell" in str(no_cell_error(mosaic, EUROPE))
    beside = write_photograph(tmp_path / "b.tif", texture(300, 300), north_up(X + 50, Y + 350, 1))
    with open_imagery(beside) as mosaic:
        assert mosaic.cells(EUROPE).empty
        assert "no whole cell" in str(no_cell_error(mosaic, EUROPE))


# ---------------------------------------------------------------------------------------- real files


def test_real_photographs(real_dir):
    expected = {
        "deeposlandia_aerial_sample.tif": ("EPSG:32614", 0.30, 1),
        "detectree_1091-322_00.tif": ("EPSG:3035", 0.50, 1),
        "ign_pdal_test_data_rgb.tif": ("EPSG:3035", 0.20, 0),
        "riotiler_pix4d_alpha_nodata.tif": ("EPSG:32750", 0.353, 0),
    }
    for name, (crs, resolution, n_cells) in expected.items():
        with open_imagery(real_dir / "ortho" / name) as mosaic:
            grid = mosaic.grid()
            cells = mosaic.cells(grid)
            assert (grid.crs, len(cells)) == (crs, n_cells), name
            assert mosaic.info.resolution_m == pytest.approx(resolution, abs=0.001)
            for cell in cells.itertuples():
                image, valid = mosaic.read_cell(grid, cell.x, cell.y, 256)
                assert valid > 0.999
                assert image.std() > 20
    for name in ("solaris_ms1.tif", "solaris_road_mask_input.tif"):
        refuse(real_dir / "ortho" / name, "bands" if "ms1" in name else "one band")


def test_real_alpha_is_not_black(real_dir):
    """The drone mosaic's border is transparent: it counts as empty, and its black does not reach the cell."""
    with open_imagery(real_dir / "ortho" / "riotiler_pix4d_alpha_nodata.tif") as mosaic:
        grid = mosaic.grid()
        best = mosaic.cells(grid, 0.5).iloc[0]
        image, valid = mosaic.read_cell(grid, best.x, best.y, 128)
    assert valid == pytest.approx(best.valid, abs=0.01)
    assert (image.max(axis=2) < 5).mean() < 0.02
