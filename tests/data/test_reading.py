"""What a person may say of photographs: bands, value range, place; and what needs no word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyproj
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from rasterio.enums import ColorInterp
from rasterio.transform import Affine

from data.errors import InputError, SettingsError
from data.imagery import open_imagery
from data.reading import Reading, parse_crs, read_world_file, stretch
from tests.data.photographs import north_up, texture, write_photograph

LEFT, TOP = 3_200_000, 2_500_400
PLACE = north_up(LEFT, TOP, 1.0)


def cell(path: Path, how: Reading | None = None, x: int = LEFT, y: int = TOP - 400) -> np.ndarray:
    with open_imagery(path, how=how) as mosaic:
        rgb, valid = mosaic.read_cell(mosaic.grid(), x, y, 200)
    assert valid == 1
    return rgb


def test_a_palette_is_looked_up_and_its_nodata_is_empty(tmp_path):
    numbers = np.random.default_rng(1).integers(0, 5, (400, 400, 1), np.uint8)
    numbers[:100] = 5
    colours = {k: (40 * k, 250 - 30 * k, 7 * k, 255) for k in range(5)} | {5: (1, 2, 3, 255)}
    path = tmp_path / "palette.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=400, height=400, count=1, dtype="uint8", crs="EPSG:3035",
        transform=PLACE, photometric="palette", nodata=5,
    ) as file:  # fmt: skip
        file.write(numbers[..., 0], 1)
        file.write_colormap(1, colours)
    expected = np.array([colours[k][:3] for k in range(6)], np.uint8)[numbers[200:, :200, 0]]
    np.testing.assert_array_equal(cell(path), expected)
    with open_imagery(path) as mosaic:
        assert mosaic.may_have_empty_pixels
        _, valid = mosaic.read_cell(mosaic.grid(), LEFT, TOP - 200, 200)
        assert valid == pytest.approx(0.5)
        # averages are of colours, not of their numbers
        small, _ = mosaic.read_cell(mosaic.grid(), LEFT, TOP - 400, 50)
    blocks = expected.reshape(50, 4, 50, 4, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(small, blocks, atol=1)


@pytest.mark.parametrize("dtype", ["uint16", "int16"])
@pytest.mark.parametrize("suffix", [".tif", ".jp2"])
def test_sixteen_bits_by_levels(tmp_path, dtype, suffix):
    if (dtype, suffix) == ("int16", ".jp2"):
        pytest.skip("the JPEG 2000 writer offers no negative values to compare with")
    image = texture(400, 400)
    wide = (image.astype(np.int32) * 8 + 300).astype(dtype)
    path = write_photograph(tmp_path / f"wide{suffix}", wide, PLACE)
    found = cell(path, Reading(levels=(300, 300 + 255 * 8)))
    np.testing.assert_array_equal(found, image[200:, :200])
    with pytest.raises(InputError, match=r"8-bit colour only.*gdal_translate"):
        open_imagery(path)


def test_levels_of_all_bands_and_tiles_together(tmp_path):
    west, east = texture(400, 400, 1), texture(400, 400, 2)
    folder = tmp_path / "tiles"
    folder.mkdir()
    write_photograph(folder / "a.tif", west.astype(np.uint16) * 3, PLACE)
    write_photograph(folder / "b.tif", east.astype(np.uint16) * 9, north_up(LEFT + 400, TOP, 1.0))
    with open_imagery(folder, how=Reading(levels="auto")) as mosaic:
        levels = mosaic.levels
        assert {tile.levels for tile in mosaic.tiles} == {levels}
        blue, _ = mosaic.read_cell(mosaic.grid(), LEFT + 400, TOP - 400, 200)
    both = np.concatenate([west.ravel() * 3.0, east.ravel() * 9.0])
    np.testing.assert_allclose(levels, np.percentile(both, [2, 98]), rtol=0.03, atol=12)
    np.testing.assert_array_equal(blue, stretch(east[200:, :200].astype(np.uint16) * 9, levels))


def test_automatic_levels_leave_eight_bits_alone(tmp_path):
    image = texture(400, 400)
    path = write_photograph(tmp_path / "plain.tif", image, PLACE)
    np.testing.assert_array_equal(cell(path, Reading(levels="auto")), image[200:, :200])


def test_nodata_is_judged_before_the_stretch(tmp_path):
    wide = texture(400, 400).astype(np.uint16) * 8 + 300
    wide[:200, :100] = 0
    path = write_photograph(tmp_path / "gap.tif", wide, PLACE, nodata=0)
    with open_imagery(path, how=Reading(levels=(300, 2340))) as mosaic:
        _, valid = mosaic.read_cell(mosaic.grid(), LEFT, TOP - 200, 50)
        assert valid == pytest.approx(0.5)
    with open_imagery(path, how=Reading(levels="auto")) as mosaic:
        assert mosaic.levels[0] >= 300  # the gap is no black


def test_bands_by_choice(tmp_path):
    image = np.concatenate([texture(400, 400, seed) for seed in (1, 2)], axis=2)  # six bands
    path = write_photograph(tmp_path / "six.tif", image, PLACE, photometric="minisblack")
    with pytest.raises(InputError, match="does not mark which"):
        open_imagery(path)
    found = cell(path, Reading(bands=(5, 3, 1)))
    np.testing.assert_array_equal(found, image[200:, :200, [4, 2, 0]])
    with pytest.raises(InputError, match="band 7 was asked for"):
        open_imagery(path, how=Reading(bands=(7, 1, 1)))


def test_one_band_as_grey_and_infrared_marked_as_such_is_left_out(tmp_path):
    grey = texture(400, 400)[..., :1]
    path = write_photograph(tmp_path / "grey.tif", grey, PLACE)
    found = cell(path, Reading(bands=(1, 1, 1)))
    np.testing.assert_array_equal(found, grey[200:, :200].repeat(3, axis=2))
    eight = np.concatenate([texture(400, 400, seed) for seed in (1, 2, 3)], axis=2)[..., :8]
    colours = (ColorInterp.undefined,) * 4 + (
        ColorInterp.blue, ColorInterp.red, ColorInterp.green, ColorInterp.undefined,
    )  # fmt: skip
    path = write_photograph(tmp_path / "eight.tif", eight, PLACE, colours=colours, photometric="minisblack")
    np.testing.assert_array_equal(cell(path), eight[200:, :200, [5, 6, 4]])


def test_a_world_file_and_a_chosen_crs(tmp_path):
    image = texture(400, 400)
    path = write_photograph(tmp_path / "bare.tif", image, Affine.identity(), crs=None)
    with pytest.raises(InputError, match="no georeference|no CRS"):
        open_imagery(path)
    (tmp_path / "bare.tfw").write_text(f"1.0\n0\n0\n-1.0\n{LEFT + 0.5}\n{TOP - 0.5}\n")
    with pytest.raises(InputError, match="no CRS"):
        open_imagery(path)
    np.testing.assert_array_equal(cell(path, Reading(crs="EPSG:3035")), image[200:, :200])


def test_a_file_s_own_place_counts_before_a_world_file(tmp_path):
    image = texture(400, 400)
    path = write_photograph(tmp_path / "own.tif", image, PLACE)
    (tmp_path / "own.tfw").write_text("1\n0\n0\n-1\n0\n0\n")
    np.testing.assert_array_equal(cell(path), image[200:, :200])


@given(
    st.floats(0.05, 50), st.floats(-np.pi, np.pi), st.booleans(), st.floats(-1e7, 1e7), st.floats(-1e7, 1e7)
)
def test_world_files_round_trip(tmp_path_factory, size, angle, flipped, east, north):
    turn = Affine.translation(east, north) @ Affine.rotation(np.degrees(angle))
    expected = turn @ Affine.scale(size, size if flipped else -size)
    path = tmp_path_factory.mktemp("world") / "a.wld"
    c, f = expected @ (0.5, 0.5)
    numbers = (expected.a, expected.d, expected.b, expected.e, c, f)
    path.write_text("\n".join(f"{number:.17g}" for number in numbers))
    np.testing.assert_allclose(read_world_file(path)[:6], expected[:6], rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize(
    "text", ["", "1\n2\n3", "a\nb\nc\nd\ne\nf", "0\n0\n0\n0\n1\n1", "1\n0\n0\nnan\n1\n1"]
)
def test_what_is_no_world_file(tmp_path, text):
    path = tmp_path / "a.tfw"
    path.write_text(text)
    with pytest.raises(InputError, match="a.tfw"):
        read_world_file(path)


def test_crs_by_code_or_wkt_only():
    assert parse_crs("EPSG:2154").to_epsg() == 2154
    assert parse_crs(pyproj.CRS("EPSG:2154").to_wkt()).to_epsg() == 2154
    for bad in ("", "lambert", "+proj=utm +zone=31", "/etc/passwd", "EPSG:99999999", "+init=epsg:2154",
                'LOCAL_CS["ours",UNIT["metre",1]]', "EPSG:5714"):  # fmt: skip
        with pytest.raises(SettingsError, match="CRS"):
            parse_crs(bad)


@pytest.mark.parametrize(
    "facts",
    [{"bands": [1, 2]}, {"bands": [0, 1, 2]}, {"bands": [1, 2, 9]}, {"bands": "rgb"}, {"levels": [5, 5]},
     {"levels": [0, float("nan")]}, {"levels": "most"}, {"crs": "nowhere"}, {"band": 1}],
)  # fmt: skip
def test_readings_that_cannot_be(facts):
    with pytest.raises(SettingsError):
        Reading.from_json(facts)


def test_a_reading_survives_json():
    for how in (Reading(), Reading((4, 3, 2), (0.5, 2000), "EPSG:2154"), Reading(levels="auto")):
        assert Reading.from_json(how.to_json()) == how
