"""Faults, warnings and reasons as a French reader finds them on the pages, from the file to the box."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from streamlit.testing.v1 import AppTest

from core.bench import tiny
from pages.shared.language import speaking
from pages.shared.plain_text import plain
from tests.pages.browser import write_photograph
from tests.pages.conftest import RunPage, texts, upload
from tests.pages.stand_in_job import JOB
from tests.pages.test_every_page import Marked, marked, unmarked_words  # noqa: F401 - a fixture
from tests.pages.test_job_result import result_folder  # noqa: F401 - a fixture

pytestmark = pytest.mark.usefixtures("no_worker", "in_this_process")


@pytest.fixture(autouse=True)
def french() -> Iterator[None]:
    """AppTest writes the options of widgets anew, outside of the page that knows its language."""
    with speaking("fr"):
        yield


def errors(test: AppTest) -> str:
    assert not test.exception
    return " ".join(box.value for box in test.error).replace("\\", "")


def bare_photograph(folder: Path) -> bytes:
    path = tiny.write_photograph(folder / "bare.tif", 2, 2, crs=None, transform=rasterio.Affine.identity())
    return path.read_bytes()


def test_a_photograph_that_nobody_placed(run_page: RunPage, tmp_path: Path) -> None:
    said = errors(upload(run_page("upload", lang="fr"), "bare.tif", bare_photograph(tmp_path)))
    assert said.startswith("bare.tif\u202f: aucun système de coordonnées (CRS). Inscrivez-le dans le fichier")
    assert "gdal_translate -a_srs EPSG:2154" in said


def test_no_photograph_at_all_and_a_name_that_wants_to_be_a_template(run_page: RunPage) -> None:
    name = "a: is empty (0 bytes). Copy or download it again. {file} _x_.tif"
    said = errors(upload(run_page("upload", lang="fr"), name, b"no photograph"))
    assert said == (
        f"{name}\u202f: n’est pas un GeoTIFF ou un JPEG 2000 lisible. Fournissez une orthophotographie "
        "complète, en .tif ou .jp2."
    )


def test_a_photograph_too_small_says_its_size_in_french(run_page: RunPage, tmp_path: Path) -> None:
    content = write_photograph(tmp_path / "small.tif", side_m=120).read_bytes()
    said = errors(upload(run_page("upload", lang="fr"), "small.tif", content))
    assert "ne couvre aucun carreau entier de 200 m" in said
    assert "à partir de 600 × 600 m, elle contient toujours un carreau" in said


def test_what_was_guessed_of_the_bands(run_page: RunPage, tmp_path: Path) -> None:
    pixels = tiny.random_blocks(200, 200).astype(np.uint16) * 8
    four = np.concatenate([pixels, pixels[:1]])
    path = tiny.write_photograph(
        tmp_path / "deep.tif", 2, 2, pixels=four, count=4, dtype="uint16", photometric="minisblack"
    )
    test = upload(run_page("upload", lang="fr"), "deep.tif", path.read_bytes())
    assert not test.exception
    assert "les bandes 1, 2 et 3 sont prises pour le rouge, le vert et le bleu" in texts(test)
    assert "les valeurs uint16 sont étirées sur 8 bits" in texts(test)


def test_layers_that_do_not_serve(run_page: RunPage, tmp_path: Path) -> None:
    photograph = write_photograph(tmp_path / "town.tif").read_bytes()
    path = tmp_path / "names.gpkg"
    square = [shapely.box(0, 0, 200, 200)]
    gpd.GeoDataFrame({"name": ["a"]}, geometry=square, crs="EPSG:3035").to_file(path, driver="GPKG")
    layer = ("names.gpkg", path.read_bytes(), "application/geopackage+sqlite3")
    test = upload(run_page("upload", lang="fr"), "town.tif", photograph)
    test.file_uploader(key="upload.land_use").set_value(layer)
    test.file_uploader(key="upload.census").set_value(layer).run()
    said = errors(test)
    assert "names.gpkg\u202f: aucune colonne de nombres. Fournissez une couche avec des valeurs." in said
    assert (
        "names.gpkg\u202f: aucune colonne CODE2012, code_2018 ou semblable. Indiquez la colonne des" in said
    )
    part = gpd.GeoDataFrame({"IdINSPIRE": ["x"], "Ind": [3]}, geometry=square, crs="EPSG:3035")
    part.to_file(tmp_path / "part.gpkg", driver="GPKG")
    layer = ("part.gpkg", (tmp_path / "part.gpkg").read_bytes(), "application/geopackage+sqlite3")
    test.file_uploader(key="upload.land_use").set_value(layer).run()
    assert "part.gpkg\u202f: absence de colonne\u202f: i_est_cr/i_est_200, men, ind_snv " in errors(test)
    assert "Fournissez la table des carreaux de 200 m telle que l’Insee la diffuse." in errors(test)


def test_a_quota(run_page: RunPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARREAU_MAX_JOBS", "1")
    content = write_photograph(tmp_path / "town.tif").read_bytes()
    test = upload(run_page("upload", lang="fr"), "town.tif", content)
    test.button(key="upload.submit").click().run()
    test.query_params.pop("job")
    test = upload(test.run(), "town.tif", content)
    test.button(key="upload.submit").click().run()
    assert "Vos calculs en cours ou en attente\u202f: 1, pour 1 autorisés" in errors(test)


@pytest.mark.parametrize(
    ("state", "reason", "said"),
    [
        (
            "rejected",
            "town.tif: cannot be read to its end (damaged or truncated). Copy or download it again.",
            "town.tif\u202f: lecture impossible jusqu’à la fin (fichier endommagé ou tronqué). Copiez-le ou",
        ),
        (
            "failed",
            "An unexpected fault stopped the job in plan, 3 times (ValueError: no [such] thing). Submit it "
            "again; if it stays, report it with the log, /var/log/worker.log.",
            "a arrêté le calcul à l’étape plan, 3 fois (ValueError\u202f: no [such] thing). Soumettez-le à",
        ),
        ("failed", "A reason of an earlier version.", "A reason of an earlier version."),
    ],
)
def test_the_stored_reason_of_a_job(
    run_page: RunPage, stand_in: Callable[..., None], state: str, reason: str, said: str
) -> None:
    stand_in(state=state, reason=reason)
    assert said in errors(run_page("upload", job=JOB, lang="fr"))


WARNINGS = [
    "The photograph has pixels of 0.20 m, the training photographs 1.00 m (the network sees both at 1.56 m): "
    "trust the prediction less.",
    "The networks learned from 1200 of these 34567 cells: here their prediction is not out of fold, and "
    "agrees with the census better than it would elsewhere.",
    "atlas.gpkg maps none of the cells, so there is no activation by land use.",
]


def with_warnings(folder: Path) -> Path:
    summary = json.loads((folder / "summary.json").read_text())
    summary["warnings"] = WARNINGS
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder


def test_the_stored_warnings_of_a_result_and_the_name_of_several_tiles(
    run_page: RunPage,
    stand_in: Callable[..., None],
    result_folder: Path,  # noqa: F811
) -> None:
    stand_in(state="done", result=with_warnings(result_folder), cells=3, name="a_1.tif and 12 more")
    test = run_page("upload", job=JOB, lang="fr")
    assert not test.exception
    (box,) = [box.value for box in test.warning]
    assert "des pixels de 0,20 m, les photographies d’entraînement de 1,00 m" in box
    assert "ont appris sur 1\u202f200 de ces 34\u202f567 carreaux" in box
    assert f"{plain('atlas.gpkg')} ne couvre aucun des carreaux" in box
    assert plain("a_1.tif (+ 12)") in [heading.value for heading in test.header]
    english = run_page("upload", job=JOB)
    (box,) = [box.value for box in english.warning]
    assert "pixels of 0.20 m" in box and "1200 of these 34567 cells" in box


def test_an_address_of_a_job_that_is_gone(run_page: RunPage) -> None:
    test = run_page("upload", job="f" * 32, lang="fr")
    assert not test.exception
    assert "il n’existe aucun calcul" in test.warning[0].value


def test_a_city_without_its_photograph_says_why(run_page: RunPage) -> None:
    test = run_page("cell", lang="fr")
    assert not test.exception
    assert "La photographie ne peut pas être montrée" in texts(test)
    assert "is not there" not in texts(test) and "Give the path" not in texts(test)


def test_a_publication_that_cannot_be_read(run_page: RunPage, publication: Path, tmp_path: Path) -> None:
    shutil.copytree(publication.parent, tmp_path / "studies" / "broken")
    with duckdb.connect(str(tmp_path / "studies" / "broken" / publication.name)) as rows:
        rows.execute("DROP TABLE threshold")
    said = errors(run_page("about", studies=tmp_path / "studies", lang="fr"))
    assert said.startswith("La publication ne peut pas être lue\u202f: Catalog Error")


def test_columns_of_the_publication_are_described_in_french(run_page: RunPage) -> None:
    test = run_page("about", lang="fr")
    (columns,) = [table.value for table in test.dataframe if "description" in table.value]
    by_name = columns.set_index(["table", "column"]).description
    assert by_name["study", "cell_size_m"] == "Côté d’un carreau du recensement, en mètres."
    english = run_page("about")
    (before,) = [table.value for table in english.dataframe if "description" in table.value]
    assert (before.description != columns.description).mean() > 0.95


def test_no_fault_or_warning_bypasses_the_catalogue(
    run_page: RunPage,
    stand_in: Callable[..., None],
    tmp_path: Path,
    result_folder: Path,  # noqa: F811
    marked: None,  # noqa: F811
) -> None:
    boxes = [upload(run_page("upload", lang="fr"), "x.tif", bare_photograph(tmp_path)).error[0].value]
    stand_in(state="failed", reason="The disk that holds /0 is full. Free some space there and submit the "
             "photograph again.")  # fmt: skip
    boxes.append(run_page("upload", job=JOB, lang="fr").error[0].value)
    stand_in(state="done", result=with_warnings(result_folder), cells=3)
    boxes.append(run_page("upload", job=JOB, lang="fr").warning[0].value)
    for box in boxes:
        text = box.replace("\\", "")
        assert "⟪" in text
        assert unmarked_words(text) == [], text
    (columns,) = [t.value for t in run_page("about", lang="fr").dataframe if "description" in t.value]
    assert all(text.startswith("⟪") for text in columns.description)
