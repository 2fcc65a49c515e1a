"""`python -m core VERB`: exit status and one clear sentence, whatever the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.__main__ import main
from core.settings import SHIPPED_DEMO


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CARREAU_VAR", str(tmp_path / "var"))
    monkeypatch.setattr("core.settings.SHIPPED_DEMO", tmp_path / "no-demo")


def test_inspect_says_why_a_file_cannot_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rubbish = tmp_path / "rubbish.tif"
    rubbish.write_bytes(b"not a photograph")
    assert main(["inspect", str(rubbish), "--json"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert found["usable"] is False
    assert found["reason"]


def test_inspect_counts_the_real_census(
    real_dir: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in (
        "Filosofi2015_carreaux_200m_bordeaux_3035.gpkg",
        "Filosofi2015_carreaux_200m_bordeaux.csv",
    ):
        assert main(["inspect", str(real_dir / "filosofi" / name), "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["kind"], found["cells"]) == ("census", 6735)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "none.toml"], "none.toml: is not there"),
        (["info"], "no published study was found"),
    ],
)
def test_a_fault_is_one_sentence_and_status_two(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr().err.strip()
    assert sentence in said
    assert len(said.splitlines()) == 1


def test_an_unknown_setting_stops_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CARREAU_THREAD", "1")
    assert main(["info"]) == 2
    assert "unknown CARREAU_THREAD" in capsys.readouterr().err


@pytest.mark.skipif(not SHIPPED_DEMO.is_dir(), reason=f"no demo study is published to {SHIPPED_DEMO}")
def test_info_for_people_and_for_scripts_say_the_same(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.settings.SHIPPED_DEMO", SHIPPED_DEMO)
    assert main(["info", "--study", "demo", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert main(["info", "--study", "demo"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("demo: ")
    for city in found["cities"]:
        rho = city["agreement"]["spearman"]
        line = next(line for line in said.splitlines() if city["name"] in line)
        assert f"{rho['value']:.2f} ({rho['low']:.2f} to {rho['high']:.2f}), {city['cells']} cells" in line
