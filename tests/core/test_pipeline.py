"""A tiny study from official files to its publication: resumable, honest about faults, right figures."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from core.info import publication_info
from core.pipeline import STAGES, ingest
from core.pipeline.parts import produce, sweep
from core.pipeline.predict import load_folds, models_of
from core.pipeline.run import open_workspace, run_study
from core.pipeline.train import model_tasks
from core.settings import Settings
from data.census import income_thresholds
from data.coverage import LandUseIndex
from data.errors import InputError, StudyError
from data.store.open import connect, current_publication
from models.predict import predict

pytestmark = pytest.mark.xdist_group("pipeline")


def frame(published: Path, query: str) -> pd.DataFrame:
    with connect(published) as connection:
        return connection.execute(query).df()


def test_one_line_a_part_and_every_stage(lines: list[str]) -> None:
    assert list(dict.fromkeys(line.split()[0] for line in lines)) == list(STAGES)
    assert sum(line.startswith("ingest") for line in lines) == 4  # two cities, and the districts of each


def test_a_second_run_does_nothing_again(study_file: Path, settings: Settings, lines: list[str]) -> None:
    said: list[str] = []
    run_study(study_file, settings, say=said.append)
    assert all(line.endswith("(done before)") for line in said if not line.startswith("publish"))


def test_every_table_is_filled(published: Path) -> None:
    from data.store.write import schema_tables

    empty = [t for t in schema_tables() if frame(published, f"SELECT count(*) AS n FROM {t}").n[0] == 0]
    assert empty == []


def test_published_cells_are_those_of_the_files(published: Path, study_file: Path) -> None:
    study = open_workspace(study_file, Settings()).study
    for city in study.cities:
        source = gpd.read_file(city.census.path)
        source.columns = [c.lower() for c in source.columns]
        id_column = next(c for c in source.columns if c in ("idinspire", "idcar_200m"))
        source = source.set_index(id_column)
        cells = frame(published, f"SELECT * FROM cell WHERE city_id = '{city.id}'").set_index("cell_id")
        assert len(cells) > 40
        there = source.loc[cells.index]
        expected = (there.ind_snv / there.ind).where(there.ind > 0)
        np.testing.assert_allclose(cells.income.astype(float), expected, rtol=1e-5)
        flag = next(c for c in there.columns if c in ("i_est_cr", "i_est_200"))
        assert (cells.imputed == (there[flag].astype(int) == 1)).all()


def test_classes_follow_the_thresholds(published: Path) -> None:
    for city_id, cells in frame(published, "SELECT * FROM cell WHERE class IS NOT NULL").groupby("city_id"):
        limits = frame(
            published,
            f"SELECT income FROM threshold WHERE city_id = '{city_id}' AND includes_imputed ORDER BY k",
        ).income.to_numpy()
        np.testing.assert_allclose(limits, income_thresholds(cells.income, 10), rtol=1e-5)
        by_hand = [min(10, 1 + sum(income >= limits[k] for k in range(1, 10))) for income in cells.income]
        # float32 storage may put an income that equals a threshold on either side of it
        assert np.mean(np.array(by_hand) == cells["class"].astype(int)) > 0.97
        assert cells["class"].nunique() == 10


def test_predictions_are_out_of_fold_and_add_up(published: Path) -> None:
    table = frame(
        published,
        "SELECT p.*, c.fold, c.class AS census FROM prediction p JOIN cell c USING (city_id, cell_id)",
    )
    assert (table.out_of_fold == table.fold.notna()).all()
    assert table.out_of_fold.any() and (~table.out_of_fold).any()
    assert table.spread.notna().equals(~table.out_of_fold)
    probabilities = np.stack(table.probabilities)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    p = 1 / (1 + np.exp(-table.z.to_numpy(float)))
    np.testing.assert_allclose(probabilities, stats.binom.pmf(np.arange(10), 9, p[:, None]), atol=1e-5)
    np.testing.assert_allclose(table.expected_class, 1 + 9 * p, atol=1e-4)


def test_evidence_contributions_and_areas_add_up(published: Path) -> None:
    z = frame(published, "SELECT city_id, cell_id, z_standard FROM prediction").set_index(
        ["city_id", "cell_id"]
    )
    maps = frame(published, "SELECT * FROM activation_map").set_index(["city_id", "cell_id"])
    mean = maps.apply(lambda row: np.frombuffer(bytes(row.map_values), "<f2").astype(float).mean(), axis=1)
    np.testing.assert_allclose(mean, z.z_standard[mean.index], atol=3e-3)  # half precision

    activation = frame(published, "SELECT * FROM activation WHERE method = 'cam'")
    cells = frame(published, "SELECT city_id, cell_id, mapped_share FROM cell").set_index(
        ["city_id", "cell_id"]
    )
    whole = cells[cells.mapped_share > 0.9999].index
    total = activation.groupby(["city_id", "cell_id"]).contribution.sum()
    shared = total.index.intersection(whole)
    assert len(shared) > 30
    np.testing.assert_allclose(total[shared], z.z_standard[shared], atol=2e-3)

    land_use = frame(published, "SELECT * FROM land_use")
    area = land_use.groupby(["city_id", "cell_id"]).area_m2.sum()
    np.testing.assert_allclose(area, 40_000 * cells.mapped_share[area.index].astype(float), rtol=1e-4)
    np.testing.assert_allclose(land_use.groupby(["city_id", "cell_id"]).share.sum(), 1, atol=1e-5)
    weighted = activation.merge(land_use, on=["city_id", "cell_id", "code"])
    sums = (
        (weighted.share * weighted.ratio_rich).groupby([weighted.city_id, weighted.cell_id]).sum(min_count=1)
    )
    np.testing.assert_allclose(sums.dropna(), 1, atol=1e-4)  # area-weighted ratios average to one


def test_published_figures_recomputed(published: Path) -> None:
    """Headline Spearman and relation (i) from nothing but the published cells, with scipy."""
    cells = frame(
        published,
        "SELECT c.*, p.expected_class, p.class AS predicted FROM cell c "
        "JOIN prediction p USING (city_id, cell_id) "
        "WHERE p.out_of_fold AND NOT c.imputed",
    )
    shares = frame(published, "SELECT city_id, cell_id, code, share FROM land_use")
    for city_id, city in cells.groupby("city_id"):
        folds = [group for _, group in city.groupby("fold")]
        rhos = [stats.spearmanr(g.income, g.expected_class).statistic for g in folds]
        expected = np.average(rhos, weights=[len(g) for g in folds])
        found = frame(
            published,
            f"SELECT value, n FROM agreement WHERE city_id = '{city_id}' AND measure = 'spearman' "
            "AND scope = 'within_fold' AND NOT includes_imputed",
        ).iloc[0]
        assert found.n == len(city)
        assert found.value == pytest.approx(expected, abs=1e-4)
        wide = (
            shares[shares.city_id == city_id].pivot(index="cell_id", columns="code", values="share").fillna(0)
        )
        city = city[city.cell_id.isin(wide.index)]
        published_rho = (
            frame(
                published,
                "SELECT code, value FROM correlation WHERE relation = 'census' AND level = 'full' "
                f"AND city_id = '{city_id}' "
                "AND coefficient = 'spearman' AND NOT includes_imputed",
            )
            .set_index("code")
            .value
        )
        for code in wide.columns[:6]:
            rho = stats.spearmanr(wide.loc[city.cell_id, code], city["class"].astype(int)).statistic
            if np.isfinite(rho):
                assert published_rho[code] == pytest.approx(rho, abs=1e-6)


def test_occlusion_effects_recomputed_by_painting(
    published: Path, settings: Settings, study_file: Path
) -> None:
    """Effect and reliance of a few cells and classes, from photographs, polygons and weights alone."""
    workspace = open_workspace(study_file, settings)
    city = workspace.study.cities[0]
    tasks = model_tasks(workspace.study, workspace.table("train", "plan", "plan"))
    folds = load_folds(workspace, models_of(tasks, city.id))
    plan = workspace.table("train", "plan", "plan")
    fold = plan[plan.city_id == city.id].set_index("cell_id").fold
    cells = workspace.table("ingest", city.id, "cells")
    images = workspace.array("ingest", city.id, "images")
    land_use = LandUseIndex.of(gpd.read_parquet(workspace.part("ingest", city.id) / "land_use.parquet"))
    colour = np.mean([images[row].mean(axis=(0, 1)) for row in np.flatnonzero(fold.to_numpy() >= 0)], axis=0)
    table = frame(published, f"SELECT * FROM occlusion WHERE city_id = '{city.id}'")
    assert (table.effect - table.moved_effect).abs().max() > 0
    for cell_id in sorted(set(table.cell_id))[::12]:
        row = int(np.flatnonzero(cells.cell_id == cell_id)[0])
        network = folds[fold[cell_id]]
        codes, coverage = land_use.coverage(float(cells.x[row]), float(cells.y[row]), 200.0, (64, 64))
        large = [code for code, share in zip(codes, coverage.mean((1, 2)), strict=True) if share >= 0.01]
        of_cell = table[table.cell_id == cell_id].set_index("code")
        assert set(of_cell.index) == set(large)
        for code in large:
            mask = coverage[codes.index(code)][..., None]
            painted = np.round(images[row] * (1 - mask) + colour * mask).astype(np.uint8)
            whole, without = (
                predict(network.network, picture[None], flips=False, maps=False).z[0]
                for picture in (np.asarray(images[row]), painted)
            )
            assert of_cell.effect[code] == pytest.approx((whole - without) / network.z_std, abs=2e-2)


def test_trust_checks_cover_every_network_and_map(published: Path) -> None:
    checks = frame(published, "SELECT * FROM trust_check")
    assert set(checks.model_id) == set(frame(published, "SELECT model_id FROM model").model_id)
    for _, of_model in checks.groupby("model_id"):
        found = of_model.groupby("check_name").method.agg(set)
        assert found["cascade"] == found["label_shuffle"] == found["other_fold"] == {"cam", "paper"}
        assert found["deletion"] == {"cam", "paper", "random", "area_uniform", "blurred", "edge"}
    likeness = checks[~checks.check_name.isin(["deletion", "insertion"])].value
    assert likeness.between(0, 1).all()


def test_imputed_groups_are_never_split(published: Path, settings: Settings, study_file: Path) -> None:
    workspace = open_workspace(study_file, settings)
    plan = workspace.table("train", "plan", "plan")
    for city in workspace.study.cities:
        cells = workspace.table("ingest", city.id, "cells").merge(plan[plan.city_id == city.id], on="cell_id")
        groups = cells[cells.imputed & (cells.fold >= 0) & cells.group.notna()].groupby("group")
        assert len(groups) > 0
        assert (groups.fold.nunique() == 1).all()


def test_info_says_the_same(published: Path, settings: Settings) -> None:
    found = publication_info(settings, "tiny")
    assert json.loads(json.dumps(found)) == found
    assert {city["recipe"] for city in found["cities"]} == {"objects", "nothing"}
    for city in found["cities"]:
        spearman = city["agreement"]["spearman"]
        assert {"value", "low", "high", "null_low", "null_high"} <= set(spearman)
        assert city["imputed"] > 0
    assert all(len(row["sha256"]) == 64 for row in found["models"] + found["provenance"])
    with pytest.raises(StudyError, match="no published study is called 'other'"):
        publication_info(settings, "other")


def test_an_interruption_loses_no_finished_part(
    study_file: Path, settings: Settings, lines: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Settings(var=tmp_path, threads=1, device="cpu")
    original = ingest.ingest_city
    done: list[str] = []

    def interrupted(workspace, city, out):  # type: ignore[no-untyped-def]
        if done:
            (out / "cells.parquet").write_bytes(b"half")
            raise KeyboardInterrupt
        done.append(city.id)
        return original(workspace, city, out)

    monkeypatch.setattr(ingest, "ingest_city", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_study(study_file, other, stage="ingest")
    workspace = open_workspace(study_file, other)
    assert [city.id for city in workspace.study.cities if workspace.done_with("ingest", city.id)] == done
    monkeypatch.setattr(ingest, "ingest_city", original)
    said: list[str] = []
    run_study(study_file, other, stage="ingest", say=said.append)
    assert said[0].endswith("(done before)") and not said[1].endswith("(done before)")
    assert not list(tmp_path.rglob(".*.partial"))
    mine = workspace.table("ingest", done[0], "cells")
    pd.testing.assert_frame_equal(
        mine, open_workspace(study_file, settings).table("ingest", done[0], "cells")
    )


def test_a_stage_before_its_time_is_refused(study_file: Path, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="stage ingest has not been run for .*--stage ingest"):
        run_study(study_file, Settings(var=tmp_path), stage="train")


def test_parts_are_whole_or_absent(tmp_path: Path) -> None:
    part = tmp_path / "stage" / "part"

    def fails(out: Path) -> str:
        (out / "table").write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(InputError, match="No space left.*finished parts are not done again"):
        produce(part, "a", fails)
    assert not part.exists() and not list((tmp_path / "stage").iterdir())
    assert produce(part, "a", lambda out: "done") == ("done", False)
    assert produce(part, "a", lambda out: "again") == ("done", True)
    with pytest.raises(InputError):
        produce(part, "b", fails)
    assert produce(part, "a", lambda out: "again") == ("done", True)  # the old part stands
    assert produce(part, "b", lambda out: "new") == ("new", False)
    (tmp_path / "stage" / ".part.1.partial").mkdir()
    sweep(tmp_path)
    assert [p.name for p in (tmp_path / "stage").iterdir()] == ["part"]


def _without_occlusion_and_trust(study_file: Path) -> None:
    text = study_file.read_text(encoding="utf-8")
    short = text.replace(
        "[trust]\ncells = 8\nshuffle_epochs = 1\n", "[trust]\nenabled = false\n[occlusion]\nenabled = false\n"
    )
    assert short != text
    study_file.write_text(short, encoding="utf-8")


def _one_city(study_file: Path, city_id: str) -> None:
    head, *cities = study_file.read_text(encoding="utf-8").split("[[cities]]")
    (kept,) = (city for city in cities if f'id = "{city_id}"\nname' in city)
    study_file.write_text(f"{head}[[cities]]{kept}", encoding="utf-8")


def _spoil_all_imputed(folder: Path, city: str) -> None:
    file = next((folder / city).rglob("*carreaux_200m*.gpkg"))
    table = gpd.read_file(file)
    table["i_est_200"] = 1
    table.to_file(file, driver="GPKG")


def test_a_city_whose_cells_are_all_imputed_is_said(study_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "world"
    shutil.copytree(study_file.parent, folder)
    _without_occlusion_and_trust(folder / study_file.name)
    workspace = open_workspace(folder / study_file.name, Settings(var=tmp_path / "var"))
    city = next(c for c in workspace.study.cities if c.census.path.suffix == ".gpkg")
    _spoil_all_imputed(folder, city.id)
    _one_city(folder / study_file.name, city.id)
    settings = Settings(var=tmp_path / "var", threads=1, device="cpu")
    run_study(folder / study_file.name, settings, say=lambda line: None)
    (found,) = publication_info(settings, "tiny")["cities"]
    assert found["imputed"] == found["cells"]
    assert found["agreement"]["spearman"]["value"] is None
    assert found["agreement"]["spearman"]["note"]
    published = current_publication(settings.publications / "tiny").file
    for table in ("occlusion", "reliance", "map_agreement", "trust_check"):
        assert frame(published, f"SELECT count(*) AS n FROM {table}").n[0] == 0, table


def test_a_study_of_one_city_without_land_use_is_published(study_file: Path, tmp_path: Path) -> None:
    text = study_file.read_text(encoding="utf-8")
    kept, skipping = [], False
    for line in text.splitlines():
        if line.startswith("["):
            skipping = line.startswith("[cities.land_use]")
        if not skipping:
            kept.append(line)
    folder = tmp_path / "world"
    shutil.copytree(study_file.parent, folder)
    (folder / "study.toml").write_text("\n".join(kept) + "\n", encoding="utf-8")
    _without_occlusion_and_trust(folder / "study.toml")
    _one_city(folder / "study.toml", "feinteville")
    settings = Settings(var=tmp_path / "var", threads=1, device="cpu")
    said: list[str] = []
    run_study(folder / "study.toml", settings, say=said.append)
    assert any("no land use, nothing to attribute to" in line for line in said)
    published = current_publication(settings.publications / "tiny").file
    assert frame(published, "SELECT count(*) AS n FROM correlation").n[0] == 0
    assert frame(published, "SELECT count(*) AS n FROM prediction").n[0] > 80
