"""The study file: every key described, unknown and impossible ones refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.settings import describe_environment, read_settings
from core.study import describe_settings, read_study
from data.errors import InputError, SettingsError

MINIMAL = """
[study]
id = "s"
title = "S"
{more}
[[cities]]
id = "a"
name = "A"
[cities.census]
path = "census.csv"
[cities.imagery]
path = "imagery"
{city}
"""


def write(folder: Path, more: str = "", city: str = "") -> Path:
    file = folder / "study.toml"
    file.write_text(MINIMAL.format(more=more, city=city))
    return file


def test_defaults_and_paths_beside_the_file(tmp_path: Path) -> None:
    study = read_study(write(tmp_path))
    assert study.labels.n_classes == 10
    assert study.network.architecture == "efficientnet_b0"
    assert study.network.head == "binomial"
    assert study.folds.scheme == "block"
    assert study.cities[0].census.path == tmp_path / "census.csv"
    assert study.cities[0].land_use is None


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ("sead = 1", "unknown key study.sead; known there are description, generated, id, seed, title"),
        ("[trian]\nepochs = 1", "unknown key trian; known there are attribute, cities, folds, labels"),
        ("[train]\nepochs = 0", "train.epochs: must be greater than or equal to 1, not 0"),
        ("[network]\noutput_stride = 8", "network.output_stride: must be 16 or 32, not 8"),
        ("[network]\ninput_px = 100", "network.input_px: must be a multiple of 32"),
        ("[labels]\nn_classes = 1", "labels.n_classes: must be greater than or equal to 2"),
        ("[folds]\nscheme = 'city'", "folds.scheme: 'city' needs at least two cities"),
    ],
)
def test_faults_name_the_key_and_what_is_allowed(tmp_path: Path, more: str, fault: str) -> None:
    with pytest.raises(InputError) as error:
        read_study(write(tmp_path, more))
    assert fault in str(error.value)
    assert "study.toml" in str(error.value)


def test_twice_the_same_city_is_refused(tmp_path: Path) -> None:
    again = '[[cities]]\nid = "a"\nname = "B"\ncensus = {path = "c"}\nimagery = {path = "i"}'
    with pytest.raises(InputError, match="a stands more than once"):
        read_study(write(tmp_path, city=again))


def test_a_fault_inside_a_city_is_said_once_and_in_plain_words(tmp_path: Path) -> None:
    bad = '[[cities]]\nid = "a"\nname = "B"\ncolour = 3\ncensus = {path = "c"}\nimagery = {path = "i"}'
    with pytest.raises(InputError) as error:
        read_study(write(tmp_path, city=bad))
    assert "unknown key cities.1.colour" in str(error.value)
    assert "Tuple" not in str(error.value) and "{" not in str(error.value)


def test_missing_or_broken_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not there"):
        read_study(tmp_path / "none.toml")
    (tmp_path / "broken.toml").write_text("[study\n")
    with pytest.raises(InputError, match="cannot be read as TOML"):
        read_study(tmp_path / "broken.toml")


def test_every_setting_is_described_and_documented() -> None:
    documented = (Path(__file__).parents[2] / "docs" / "study-file.md").read_text(encoding="utf-8")
    rows = describe_settings()
    assert len(rows) > 35
    for key, default, description in rows:
        assert description, key
        assert f"| `{key}` | {default} | {description} |" in documented


def test_the_environment_is_documented() -> None:
    documented = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    assert f"<!-- settings: begin -->\n{describe_environment()}\n<!-- settings: end -->" in documented
    assert "| `CARREAU_THREADS` | `2` | CPU threads of a worker or pipeline process |" in documented


def test_takeover_leaves_time_for_a_missed_heartbeat() -> None:
    with pytest.raises(SettingsError, match="CARREAU_TAKEOVER_S is 15 and must be at least twice"):
        read_settings({"CARREAU_TAKEOVER_S": "15"})


def test_environment_is_checked() -> None:
    assert read_settings({}).threads == 2
    with pytest.raises(SettingsError, match="unknown CARREAU_THREAD;.*CARREAU_THREADS"):
        read_settings({"CARREAU_THREAD": "1"})
    with pytest.raises(SettingsError, match="whole number, not 'two'"):
        read_settings({"CARREAU_THREADS": "two"})
    with pytest.raises(SettingsError, match="at least 1"):
        read_settings({"CARREAU_THREADS": "0"})
    with pytest.raises(SettingsError, match="auto, cpu or cuda"):
        read_settings({"CARREAU_DEVICE": "tpu"})
