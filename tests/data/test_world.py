"""The generated cities: same seed, same content; official formats; a truth that holds."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio
import shapely
from scipy.stats import spearmanr

from data.districts import read_districts
from data.landuse import read_land_use
from data.world import write_world
from data.world.income import COLUMNS_2015, COLUMNS_2019, MIX_WEIGHTS, euros, mix_score
from data.world.lots import Site
from data.world.objects import PLANTED, place_cues
from data.world.plan import city_plans
from data.world.quarters import quarters
from data.world.write import World, make_world, oracle, planted

pytestmark = pytest.mark.xdist_group("pipeline")  # whose world it is


@pytest.fixture(scope="module")
def world(study_file: Path) -> Path:
    return study_file


@pytest.fixture(scope="module")
def cities(world: Path) -> list[dict]:
    return tomllib.loads(world.read_text(encoding="utf-8"))["cities"]


def _census(world: Path, city: dict) -> gpd.GeoDataFrame:
    return gpd.read_file(world.parent / city["census"]["path"])


def _land_use(world: Path, city: dict) -> gpd.GeoDataFrame:
    path = world.parent / city["land_use"]["path"]
    layer = next((n for n, _ in pyogrio.list_layers(path) if not n.endswith("Boundary")), None)
    return gpd.read_file(path, layer=layer)


def _photos(world: Path, city: dict) -> list[Path]:
    folder = world.parent / city["imagery"]["path"]
    return sorted(p for p in folder.iterdir() if p.suffix in (".tif", ".jp2"))


def test_study_file_names_files_that_exist(world: Path, cities: list[dict]) -> None:
    assert [c["generated"]["recipe"] for c in cities] == ["objects", "nothing"]
    for city in cities:
        for part in ("census", "land_use", "imagery"):
            assert (world.parent / city[part]["path"]).exists()


def test_census_has_the_official_columns_and_squares(world: Path, cities: list[dict]) -> None:
    for city, columns, name in zip(
        cities, (COLUMNS_2015, COLUMNS_2019), ("IdINSPIRE", "idcar_200m"), strict=True
    ):
        table = _census(world, city)
        assert table.crs.to_epsg() == 3035
        assert list(table.columns) == [*columns, "geometry"]
        assert table[name].is_unique
        x, y, _, _ = table.bounds.to_numpy().round().astype(int).T
        assert table[name].tolist() == [f"CRS3035RES200mN{b}E{a}" for a, b in zip(x, y, strict=True)]
        assert np.allclose(table.area, 40_000)
        assert len(table) >= 60


def test_imputed_cells_share_their_group_s_income_and_some_cells_have_none(
    world: Path, cities: list[dict]
) -> None:
    for city, names in zip(
        cities,
        (("I_est_cr", "Id_carr_n", "Ind_snv", "Ind"), ("i_est_200", "idcar_nat", "ind_snv", "ind")),
        strict=True,
    ):
        flag, group, total, people = names
        table = _census(world, city).assign(per_person=lambda t, a=total, b=people: t[a] / t[b])
        imputed = table[(table[flag] == 1) & table[total].notna()]
        assert 0.05 < len(imputed) / len(table) < 0.2
        assert (imputed.groupby(group)["per_person"].agg(np.ptp) < 1).all()
        valued = table[table[total].notna()]
        assert valued["per_person"].between(10_500, 42_000).all()
        truth = json.loads((world.parent / city["generated"]["truth"]).read_text(encoding="utf-8"))
        assert len(table) <= len(truth["cells"]["id"])


def test_land_use_columns_codes_and_no_overlap(world: Path, cities: list[dict]) -> None:
    for city, column in zip(cities, ("CODE2012", "code_2018"), strict=True):
        layer = _land_use(world, city)
        assert layer.crs.to_epsg() == 3035
        assert layer.is_valid.all()
        codes = layer[column]
        assert codes.str.fullmatch(r"\d{5}").all()
        assert codes.nunique() >= 10
        assert {"12220", "11220", "50000"} <= set(codes)
        merged = shapely.union_all(layer.geometry.to_numpy()).area
        assert layer.area.sum() == pytest.approx(merged, rel=2e-3)
    first = world.parent / cities[0]["land_use"]["path"]
    edge = gpd.read_file(first.with_name(first.stem + "_Boundary.shp")).geometry.union_all()
    covered = _land_use(world, cities[0]).area.sum() / edge.area
    assert 0.93 < covered < 0.9999, "a little land is left unmapped"
    second = world.parent / cities[1]["land_use"]["path"]
    assert any(name.endswith("Boundary") for name, _ in pyogrio.list_layers(second))


def test_index_names_every_tile_where_it_lies(world: Path, cities: list[dict]) -> None:
    for city, suffix in zip(cities, (".tif", ".jp2"), strict=True):
        folder = world.parent / city["imagery"]["path"]
        index = gpd.read_file(folder / "dalles.shp")
        assert index.crs.to_epsg() == 2154
        assert sorted(index["NOM"]) == [f"./{p.name}" for p in _photos(world, city)]
        for name, square in zip(index["NOM"], index.geometry, strict=True):
            with rasterio.open(folder / name) as photo:
                assert name.endswith(suffix)
                assert photo.crs.to_epsg() == 2154
                assert np.allclose(photo.bounds, square.bounds)
                _, _, x, y, *_ = Path(name).stem.split("-")
                assert (photo.bounds.left, photo.bounds.top) == (int(x) * 1000, int(y) * 1000)


def _sample(world: Path, city: dict, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return colours (n, 3) and validity (n,) at EPSG:2154 points."""
    colour, valid = np.zeros((len(points), 3)), np.zeros(len(points), bool)
    for path in _photos(world, city):
        with rasterio.open(path) as photo:
            b = photo.bounds
            here = (
                (points[:, 0] > b.left)
                & (points[:, 0] < b.right)
                & (points[:, 1] > b.bottom)
                & (points[:, 1] < b.top)
            )
            rows, columns = rasterio.transform.rowcol(photo.transform, *points[here].T)
            colour[here] = photo.read((1, 2, 3))[:, rows, columns].T
            valid[here] = photo.dataset_mask()[rows, columns] > 0
    return colour, valid


def test_photograph_covers_the_cells_is_not_blank_and_has_holes(world: Path, cities: list[dict]) -> None:
    for city in cities:
        middles = _census(world, city).centroid.to_crs(2154)
        colour, valid = _sample(world, city, np.stack([middles.x, middles.y], 1))
        assert 0.9 < valid.mean() < 1.0
        assert colour[valid].std(0).min() > 15


def test_water_has_neither_trees_nor_lane_marks(world: Path, cities: list[dict]) -> None:
    rng = np.random.default_rng(0)
    for city, column in zip(cities, ("CODE2012", "code_2018"), strict=True):
        layer = _land_use(world, city).to_crs(2154)
        wet = layer[layer[column] == "50000"].union_all().buffer(-6)
        x0, y0, x1, y1 = wet.bounds
        points = rng.uniform((x0, y0), (x1, y1), (60_000, 2))
        points = points[shapely.contains_xy(wet, *points.T)]
        colour, valid = _sample(world, city, points)
        # Blue over red everywhere but in the shade of bridges; no white dash, no green crown.
        usual = np.median(colour[valid], 0)
        strange = (np.abs(colour[valid] - usual) > 40).any(1)
        assert valid.sum() > 500
        assert strange.mean() < 0.02
        assert (colour[valid].min(1) > 150).mean() == 0


def test_objects_carry_income_and_land_use_does_not(world: Path, cities: list[dict]) -> None:
    truth = json.loads((world.parent / cities[0]["generated"]["truth"]).read_text(encoding="utf-8"))
    assert truth["planted"] == PLANTED
    assert truth["oracle_spearman"] > 0.8
    assert 0.001 < truth["object_pixel_share"] < 0.03
    score, income = truth["cells"]["cue_score"], truth["cells"]["income"]
    assert spearmanr(score, income).statistic == pytest.approx(truth["oracle_spearman"], abs=1e-3)
    assert cities[0]["generated"]["oracle_spearman"] == pytest.approx(truth["oracle_spearman"], abs=1e-3)
    cells = [
        shapely.box(e, n, e + 200, n + 200)
        for n, e in (map(int, i.removeprefix("CRS3035RES200mN").split("E")) for i in truth["cells"]["id"])
    ]
    layer = _land_use(world, cities[0])
    for code, part in layer.groupby("CODE2012"):
        share = shapely.area(shapely.intersection(cells, part.union_all()))
        if (share > 200).sum() >= 12:
            # Regressed out linearly, so what is left is the difference of ranks and values.
            assert abs(np.corrcoef(share, np.argsort(np.argsort(income)))[0, 1]) < 0.25, code


def test_nothing_carries_nothing(world: Path, cities: list[dict]) -> None:
    truth = json.loads((world.parent / cities[1]["generated"]["truth"]).read_text(encoding="utf-8"))
    assert truth["planted"] == {}
    assert abs(truth["oracle_spearman"]) < 0.3  # 95 % band of 95 independent cells: 0.2
    assert np.ptp(truth["cells"]["cue_score"]) > 4, "the objects are there, only by chance"


def test_same_seed_same_content_and_recipes_share_their_layout(
    world: Path, cities: list[dict], tmp_path: Path
) -> None:
    again = write_world(tmp_path, "nothing", 3, "tiny", progress=False)
    twins = tomllib.loads(again.read_text(encoding="utf-8"))["cities"]
    assert [city["generated"]["recipe"] for city in cities] == ["objects", "nothing"]
    differing = []
    for city, twin in zip(cities, twins, strict=True):
        assert _census(world, city).equals(_census(again, twin))
        assert _land_use(world, city).equals(_land_use(again, twin))
        changed = []
        for a, b in zip(_photos(world, city), _photos(again, twin), strict=True):
            with rasterio.open(a) as first, rasterio.open(b) as second:
                changed.append((first.read() != second.read()).any(0).mean())
        differing.append(np.mean(changed))
    assert differing[1] == 0
    # the other recipe moves cues and nothing else: a few pixels in a hundred at most
    assert 0 < differing[0] < 0.03


def test_quarters_share_out_the_city(world: Path, cities: list[dict]) -> None:
    for city in cities:
        named = city["districts"]
        found = read_districts(
            world.parent / named["path"], id_column=named["id"], name_column=named["name"]
        ).polygons
        outline = read_land_use(world.parent / city["land_use"]["path"]).boundary
        assert len(found) == 3 and found.name.is_unique and "Centre" in set(found.name)
        assert found.geometry.area.sum() == pytest.approx(outline.area, rel=1e-3)
        assert shapely.union_all(found.geometry).symmetric_difference(outline).area < 1e-3 * outline.area
        middle = found.distance(outline.centroid)
        assert found.name[middle.idxmin()] == "Centre"


def test_quarters_follow_their_own_stream() -> None:
    plan = city_plans("tiny")[0]
    outline = shapely.Point(0, 0).buffer(plan.radius)
    first, again, other = (
        quarters(plan, outline, np.random.default_rng([seed, 0, 40])) for seed in (3, 3, 4)
    )
    assert first.equals(again)
    assert not first.geometry.geom_equals(other.geometry).any()
    assert first.geometry.is_valid.all()


def test_cues_follow_the_rank_and_only_planted_classes_carry_them() -> None:
    rng = np.random.default_rng(1)
    cell = np.repeat(np.arange(200), 16)
    codes = np.array(["11220", "11210", "11100", "31000"])[rng.integers(0, 4, cell.size)]
    sites = [Site(0.0, 0.0, np.array([1.0, 0.0]), "garden", code) for code in codes]
    rank = np.linspace(0, 1, 200)
    cues = place_cues(sites, rng.random(cell.size), cell, rank)
    assert not cues.sign[~np.isin(codes, list(PLANTED))].any()
    assert spearmanr(cues.score(cell, 200), rank).statistic > 0.9
    assert cues.score(cell, 200)[100] == pytest.approx(0, abs=2)


def test_income_scale_and_places() -> None:
    assert euros(np.array([0.0, 0.5, 1.0])).round().tolist() == [11_500, 22_400, 41_000]
    for plan in city_plans("demo"):
        x, y = plan.centre
        # West of Ouessant, whose west end lies near x = 94 km; and right of the zero of the axis.
        assert 4_000 < x - plan.radius * 1.4 < x + plan.radius * 1.4 < 80_000
        assert 6_700_000 < y < 6_900_000
    with pytest.raises(ValueError, match="recipe 'pools'"):
        write_world(Path("nowhere-written"), "pools", 1, "tiny")


@pytest.fixture(scope="module")
def plain_and_hidden() -> tuple[World, World]:
    plan = city_plans("tiny")[0]
    return make_world(plan, "nothing", 3, 0), make_world(plan, "hidden", 3, 0)


def test_hidden_is_the_nothing_world_with_codes_dealt_out_by_income(
    plain_and_hidden: tuple[World, World],
) -> None:
    plain, hidden = plain_and_hidden
    np.testing.assert_array_equal(plain.income, hidden.income)
    np.testing.assert_array_equal(plain.cues.sign, hidden.cues.sign)
    assert plain.land_use.geometry.geom_equals(hidden.land_use.geometry).all()
    before, after = plain.land_use["code"], hidden.land_use["code"]
    assert before.value_counts().to_dict() == after.value_counts().to_dict()
    stays = before.isin({"12210", "12220", "12230", "50000"})
    assert (before[stays] == after[stays]).all()
    assert (before[~stays] != after[~stays]).mean() > 0.5
    pd.testing.assert_frame_equal(plain.shares, hidden.drawn)


def test_hidden_ties_land_use_to_income_and_the_drawing_does_not(
    plain_and_hidden: tuple[World, World],
) -> None:
    plain, hidden = plain_and_hidden
    lived = hidden.households >= 0.5

    def tie(world: World) -> float:
        score = mix_score(world.shares[lived])
        return float(spearmanr(score, world.income[lived]).statistic)

    assert tie(hidden) > 0.5
    assert abs(tie(plain)) < 0.25
    assert oracle(hidden) < 0.5  # in sample, 95 cells and a dozen classes: an upper bound


@pytest.fixture(scope="module")
def mixed() -> World:
    return make_world(city_plans("tiny")[0], "mix", 3, 0)


def test_mix_income_follows_the_planted_weights(mixed: World) -> None:
    world = mixed
    assert oracle(world) > 0.8
    lived = world.households >= 0.5
    signs = {
        code: np.sign(spearmanr(world.shares[code][lived], world.income[lived]).statistic)
        for code in MIX_WEIGHTS
        if code in world.shares and (world.shares[code][lived] > 0.01).sum() > 20
    }
    assert signs
    assert all(signs[code] == np.sign(MIX_WEIGHTS[code]) for code in signs)


def test_planted_weights_of_mix_are_those_of_a_cell_full_of_the_class(mixed: World) -> None:
    world = mixed
    found = planted(world)
    shares = world.shares[world.households >= 0.5]
    assert set(found) == set(MIX_WEIGHTS) & set(shares.columns)
    for code, weight in found.items():
        assert weight * shares[code].std() == pytest.approx(MIX_WEIGHTS[code], abs=2e-3)
    known = shares[list(found)].to_numpy()
    assert mix_score(shares) == pytest.approx(known @ np.array(list(found.values())), abs=1e-2)
