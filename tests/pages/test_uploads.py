"""Files that a reader brings: archives unpacked, bad ones refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from data.errors import InputError
from pages.shared import uploads


def zipped(path: Path, names: list[str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return path


def test_names_in_an_archive_never_choose_where_it_is_unpacked(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", ["../../evil.gpkg"])
    layer = uploads.unpacked(archive, tmp_path / "deep" / "out")
    assert layer == tmp_path / "deep" / "out" / "evil.gpkg"
    assert not (tmp_path / "evil.gpkg").exists()


def test_the_boundary_beside_a_land_use_is_not_the_land_use(tmp_path: Path) -> None:
    names = [
        f"Shapefile/FR001L1_UA2012{part}{end}"
        for part in ("", "_Boundary")
        for end in (".shp", ".dbf", ".shx")
    ]
    assert uploads.unpacked(zipped(tmp_path / "a.zip", names), tmp_path / "out").name == "FR001L1_UA2012.shp"


@pytest.mark.parametrize(
    ("names", "fault"),
    [(["readme.txt"], "neither a .gpkg nor a .shp"), (["a.gpkg", "b.gpkg"], "holds 2 layers")],
)
def test_archives_without_one_layer_are_refused(tmp_path: Path, names: list[str], fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        uploads.unpacked(zipped(tmp_path / "a.zip", names), tmp_path / "out")


def test_a_broken_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(InputError, match=r"a\.zip: cannot be unpacked"):
        uploads.unpacked(tmp_path / "a.zip", tmp_path / "out")


def test_an_archive_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "_MOST_UNPACKED", 0)
    with pytest.raises(InputError, match="more than 2 GB"):
        uploads.unpacked(zipped(tmp_path / "a.zip", ["a.gpkg"]), tmp_path / "out")
