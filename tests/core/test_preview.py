"""What a job would do, said before it is one; a process that a file may kill; the server's folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rasterio.transform import from_origin

from core import drop_folder, preview
from core.__main__ import main
from data.errors import InputError
from tests.core.tiny_region import NORTH, WEST, random_blocks, settings_in, write_land_use, write_photograph


def test_cells_outline_picture_and_land_use(tmp_path):
    pixels = random_blocks(200, 300)
    pixels[:, :100, 200:] = np.array([255, 0, 0], np.uint8)[:, None, None]  # north-east cell red
    path = write_photograph(tmp_path / "town.tif", 3, 2, pixels=pixels)
    picture = tmp_path / "cells.png"
    use = write_land_use(tmp_path / "use.gpkg")
    found = preview.looked_at([path], land_use=use, picture=picture)
    assert (found["usable"], found["cells"], found["empty"], found["guesses"]) == (True, 5, 0, [])
    assert found["one_colour"] == 1 and found["cells_seen"] == 6
    assert found["extent"] == [WEST, NORTH - 400, WEST + 600, NORTH]
    assert {tuple(point) for point in found["outline"][0]} == {
        (WEST + x, NORTH - y) for x in (0.0, 600.0) for y in (0.0, 400.0)
    }
    assert (found["grid"], found["resolution_m"], found["epsg"]) == ("EPSG:3035", 2.0, 3035)
    assert found["land_use"]["usable"] and set(found["land_use"]["codes"]) == {"11100", "31000"}
    seen = np.asarray(Image.open(picture))
    px = seen.shape[1] // 3
    assert seen.shape == (2 * px, 3 * px, 4)
    assert (seen[2 : px - 2, 2 * px + 2 : -2] == [255, 0, 0, preview.EMPTY]).all()
    json.dumps(found)


def test_empty_cells_are_counted_and_a_region_of_them_is_refused(tmp_path):
    pixels = np.maximum(random_blocks(100, 300), 1)
    pixels[:, 20:40, 120:140] = 0
    one = write_photograph(tmp_path / "one.tif", 3, 1, pixels=pixels, nodata=0)
    found = preview.looked_at([one], picture=tmp_path / "p.png")
    assert (found["cells"], found["empty"], found["cells_seen"]) == (2, 1, 3)
    alpha = np.asarray(Image.open(tmp_path / "p.png"))[32, ::64, 3]
    assert alpha[0] == alpha[2] == 255 and 0 < alpha[1] < 255
    pixels[:, ::8] = 0
    nothing = write_photograph(tmp_path / "none.tif", 3, 1, pixels=pixels, nodata=0)
    found = preview.looked_at([nothing])
    assert not found["usable"]
    assert found["reason"].startswith("none.tif: covers no whole 200 m cell: all 3")


def test_of_a_large_region_only_the_middle_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(preview, "MOST_PICTURED", 4)
    found = preview.looked_at([write_photograph(tmp_path / "town.tif", 6, 6)], picture=tmp_path / "p.png")
    assert (found["cells"], found["cells_seen"]) == (36, 4)
    px = np.asarray(Image.open(tmp_path / "p.png")).shape[0] // 6
    drawn = np.asarray(Image.open(tmp_path / "p.png"))[px // 2 :: px, px // 2 :: px, 3] > 0
    assert drawn.sum() == 4 and drawn[2:4, 2:4].all()


def test_tiles_are_one_region_and_two_of_one_name_are_refused(tmp_path):
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        place = from_origin(WEST + 600 * number, NORTH, 2, 2)
        write_photograph(folder / f"{number}.tif", 3, 1, transform=place)
        write_photograph(folder / "same.tif", 3, 1)
    found = preview.looked_at([tmp_path / "0" / "0.tif", tmp_path / "1" / "1.tif"])
    assert (found["cells"], found["tiles"]) == (6, 2)
    found = preview.looked_at([tmp_path / "0" / "same.tif", tmp_path / "1" / "same.tif"])
    assert found["reason"].startswith("same.tif: is the name of two photographs")


@pytest.mark.parametrize(
    ("count", "kind", "reading", "guess"),
    [
        (1, "uint8", {"bands": [1, 1, 1], "levels": None}, "band 1 is read as grey"),
        (4, "uint8", {"bands": None, "levels": None}, "bands 1, 2, 3 are taken for red, green, blue"),
        (8, "uint8", {"bands": [5, 3, 2], "levels": None}, "WorldView"),
        (3, "uint16", {"bands": None, "levels": [0.0, 2550.0]}, "uint16 values are stretched"),
    ],
)
def test_what_a_file_leaves_open_is_guessed_and_said(tmp_path, count, kind, reading, guess):
    pixels = np.random.default_rng(1).permuted(
        np.linspace(-0.02, 1.02, 100 * 100 * count).clip(0, 1).reshape(count, 100, 100).ravel()
    )
    scale = 255 if kind == "uint8" else 2550
    values = (pixels.reshape(count, 100, 100) * scale).astype(kind)
    path = write_photograph(
        tmp_path / "open.tif", 1, 1, pixels=values, count=count, dtype=kind, photometric="minisblack"
    )
    found = preview.looked_at([path])
    assert found["usable"], found["reason"]
    said = found["reading"]
    assert said["bands"] == reading["bands"]
    if reading["levels"]:
        np.testing.assert_allclose(said["levels"], reading["levels"], atol=15)
    assert guess in "; ".join(found["guesses"])
    # what the reader says takes the guess's place
    chosen = preview.looked_at([path], how={"bands": [1, 1, 1], "levels": [0, scale]})
    assert chosen["guesses"] == [] and chosen["reading"]["bands"] == [1, 1, 1]


def test_a_missing_crs_is_asked_for(tmp_path):
    path = write_photograph(tmp_path / "bare.tif", 1, 1, crs=None)
    found = preview.looked_at([path])
    assert (found["usable"], found["needs_crs"]) == (False, True)
    assert "bare.tif: has no CRS" in found["reason"]
    assert preview.looked_at([path], how={"crs": "EPSG:3035"})["cells"] == 1
    assert "CRS 'nonsense'" in preview.looked_at([path], how={"crs": "nonsense"})["reason"]


def test_a_process_apart_says_the_same(tmp_path):
    path = write_photograph(tmp_path / "town.tif", 3, 2)
    settings = settings_in(tmp_path)
    apart = preview.looked_at_apart([path], picture=tmp_path / "a.png", settings=settings)
    assert apart == preview.looked_at([path], picture=tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_process_that_breaks_or_takes_too_much_is_told_in_words(tmp_path, monkeypatch):
    path = write_photograph(tmp_path / "town.tif", 3, 2)
    little = settings_in(tmp_path, memory_mb=50)
    assert (
        "town.tif: the program that looks at photographs broke"
        in preview.looked_at_apart([path], settings=little)["reason"]
    )
    monkeypatch.setattr(preview, "TIME_LIMIT_S", 0.2)
    found = preview.looked_at_apart([path], settings=settings_in(tmp_path))
    assert not found["usable"]


def test_the_command_prints_the_object(tmp_path, capsys):
    path = write_photograph(tmp_path / "town.tif", 1, 1)
    assert main(["preview", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cells"] == 1
    assert main(["preview", str(tmp_path / "no.tif"), "--json"]) == 2
    assert "not there" in json.loads(capsys.readouterr().out)["reason"]


# the server's folder ---------------------------------------------------------------------------------


@pytest.fixture
def drop(tmp_path):
    root = tmp_path / "drop"
    (root / "rennes" / "deep" / "deeper" / "deepest").mkdir(parents=True)
    for name in ("one.tif", "rennes/a.jp2", "rennes/b.JP2", "rennes/deep/c.tif", "rennes/notes.txt"):
        (root / name).write_bytes(b"x" * 1000)
    (root / "rennes/deep/deeper/deepest/far.tif").write_bytes(b"x")
    (tmp_path / "secret.tif").write_bytes(b"x")
    (root / "link.tif").symlink_to(tmp_path / "secret.tif")
    (root / "out").symlink_to(tmp_path)
    return root


def test_what_lies_in_the_folder_is_listed(drop, tmp_path):
    found = drop_folder.dropped(settings_in(tmp_path, drop_folder=str(drop)))
    assert [(one.name, one.photographs) for one in found] == [
        ("one.tif", 1), ("rennes/", 2), ("rennes/a.jp2", 1), ("rennes/b.JP2", 1), ("rennes/deep/c.tif", 1),
    ]  # fmt: skip
    assert drop_folder.dropped(settings_in(tmp_path)) == []
    assert drop_folder.dropped(settings_in(tmp_path, drop_folder=str(tmp_path / "gone"))) == []


def test_a_name_leads_nowhere_else(drop, tmp_path):
    settings = settings_in(tmp_path, drop_folder=str(drop))
    assert drop_folder.find_dropped("rennes/", settings) == drop / "rennes"
    absolute = str(tmp_path / "secret.tif")
    for name in (
        "../secret.tif",
        absolute,
        "link.tif",
        "out/secret.tif",
        "",
        ".",
        "no.tif",
        "a\0b",
        "a" * 5000,
    ):
        with pytest.raises(InputError, match="server's folder"):
            drop_folder.find_dropped(name, settings)
    (drop / "rennes" / "z.tif").symlink_to(tmp_path / "secret.tif")
    with pytest.raises(InputError, match="link that leads out"):
        drop_folder.find_dropped("rennes/", settings)
    with pytest.raises(InputError):
        drop_folder.find_dropped("one.tif", settings_in(Path(tmp_path)))
