"""Maps on demand: the right photograph and network, the right sign, and refusals that say why."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

from core.__main__ import main
from core.explain import explain_cell
from core.settings import SHIPPED_DEMO
from data.errors import InputError, SettingsError, StudyError
from data.store import cell_queries
from data.store.open import Publication, connect, current_publication

pytestmark = pytest.mark.skipif(
    not SHIPPED_DEMO.is_dir(), reason=f"no demo study has been published to {SHIPPED_DEMO} yet"
)
CITY = "feinteville"


@pytest.fixture(scope="module")
def demo() -> Publication:
    return current_publication(SHIPPED_DEMO)


@pytest.fixture(scope="module")
def cell(demo: Publication) -> str:
    """A cell out of fold whose evidence is strong and varies."""
    with connect(demo.file) as connection:
        return connection.execute(
            "SELECT cell_id FROM prediction WHERE city_id = ? AND out_of_fold "
            "ORDER BY z_standard DESC LIMIT 1",
            [CITY],
        ).fetchone()[0]


@pytest.fixture(scope="module")
def gradcam(demo: Publication, cell: str) -> np.ndarray:
    return explain_cell(demo, CITY, cell, "gradcam")


def test_gradcam_lies_where_the_published_evidence_lies(
    demo: Publication, cell: str, gradcam: np.ndarray
) -> None:
    with connect(demo.file) as connection:
        published = cell_queries.evidence_map(connection, CITY, cell)
        others = [
            cell_queries.evidence_map(connection, CITY, row[0])
            for row in connection.execute(
                "SELECT cell_id FROM activation_map WHERE city_id = ? AND method = 'cam' AND cell_id <> ? "
                "ORDER BY hash(cell_id) LIMIT 40",
                [CITY, cell],
            ).fetchall()
        ]
    side = gradcam.shape[0] // published.shape[0]
    coarse = gradcam.reshape(published.shape[0], side, published.shape[1], side).mean((1, 3))

    def likeness(other: np.ndarray) -> float:
        return float(np.corrcoef(coarse.ravel(), other.ravel())[0, 1])

    assert likeness(published) > 0.95
    assert likeness(published) > max(likeness(other) for other in others)


def test_under_the_binomial_head_a_class_map_is_the_map_of_z_times_a_number(
    demo: Publication, cell: str, gradcam: np.ndarray
) -> None:
    poorest, richest = (explain_cell(demo, CITY, cell, "gradcam", target) for target in (1, 10))
    # each flip has a number of its own, and for a rich cell those of the richest class differ most
    assert np.corrcoef(poorest.ravel(), gradcam.ravel())[0, 1] < -0.95
    assert np.corrcoef(richest.ravel(), gradcam.ravel())[0, 1] > 0.95


def test_paper_map_is_the_rich_map_minus_the_poor_one(demo: Publication, cell: str) -> None:
    made = explain_cell(demo, CITY, cell, "paper")
    assert made.shape == (128, 128)
    assert made.min() < 0 < made.max()


def test_the_command_writes_the_map_and_says_so(
    cell: str, gradcam: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--study", "demo", "--city", CITY, "--cell", cell, "--method", "gradcam"]
    assert main(["explain", *arguments, "--out", str(tmp_path / "map.npy")]) == 0
    said = json.loads(capsys.readouterr().out)
    assert np.load(tmp_path / "map.npy", allow_pickle=False) == pytest.approx(gradcam, abs=1e-5)
    assert (said["height"], said["width"]) == gradcam.shape
    assert said["high"] == pytest.approx(gradcam.max(), abs=1e-5)
    assert main(["explain", *arguments, "--target", "rich", "--out", str(tmp_path / "no.npy")]) == 2
    assert "'rich' is neither z nor an income class" in capsys.readouterr().err


def test_what_cannot_be_explained_is_refused(demo: Publication, cell: str) -> None:
    with pytest.raises(StudyError, match="no predicted cell 'CRS0' in city 'feinteville'"):
        explain_cell(demo, CITY, "CRS0", "gradcam")
    with pytest.raises(SettingsError, match="'guided_gradcam' is unknown; allowed: paper, gradcam"):
        explain_cell(demo, CITY, cell, "guided_gradcam")
    with pytest.raises(SettingsError, match="paper's map explains z"):
        explain_cell(demo, CITY, cell, "paper", 3)
    with pytest.raises(SettingsError, match="income class 11 is unknown; allowed: 1 to 10"):
        explain_cell(demo, CITY, cell, "gradcam", 11)


def test_another_photograph_is_noticed(demo: Publication, cell: str, tmp_path: Path) -> None:
    text = demo.study_file.read_text(encoding="utf-8").replace(
        f'"{CITY}/imagery"', '"saint-inventaire/imagery"'
    )
    other = tmp_path / "study.toml"
    other.write_text(text.replace('path = "', f'path = "{demo.study_file.parent}/'), encoding="utf-8")
    folder = copytree(demo.folder, tmp_path / "published")
    moved = Publication(folder / demo.file.name, folder, other)
    with pytest.raises(InputError, match=f"is not the photograph that {cell} was predicted from"):
        explain_cell(moved, CITY, cell, "gradcam")
