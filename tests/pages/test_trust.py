"""Trust: what is shown is what was published, and a bad value is called bad."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from pages import trust
from pages.shared import palette, trust_charts, trust_words
from pages.shared.forest import significant
from tests.pages.conftest import RunPage, texts
from tests.pages.test_patterns import charts_of, numbers


def test_reliance_shows_the_published_intervals(run_page: RunPage, rows: duckdb.DuckDBPyConnection) -> None:
    test = run_page("trust")
    assert not test.exception
    expected = rows.execute(
        "SELECT code, value FROM reliance WHERE city_id = 'ker-bihan' AND NOT includes_imputed AND enough"
    ).fetchall()
    shown = {
        row[0].split()[0]: value
        for trace in charts_of(test)[0]["data"]
        for row, value in zip(trace["customdata"], numbers(trace["x"]), strict=True)
    }
    assert shown == {code: pytest.approx(value) for code, value in expected}


def test_each_check_has_a_sentence_from_its_figures(run_page: RunPage) -> None:
    said = texts(run_page("trust"))
    assert "Agreement with class occlusion: CAM +0.61" in said
    assert "Marked, because it cannot be told from 0: Grad-CAM × gradient in" in said
    assert "much of a map comes from the photograph" in said  # the paper map keeps 0.4 of its likeness
    assert "CAM beats every baseline in both" in said
    assert "Grad-CAM × gradient fails to beat" in said
    assert "The CAM map is like that of the other fold to 0.60 and like that of shuffled labels to" in said
    assert "is owed to what was learned" in said


def test_the_cascade_draws_every_network_and_map(run_page: RunPage, rows: duckdb.DuckDBPyConnection) -> None:
    figure = charts_of(run_page("trust"))[2]
    models = rows.execute("SELECT count(*) FROM model").fetchone()
    assert models is not None
    assert len(figure["data"]) == 2 * models[0]
    for trace in figure["data"]:
        x = numbers(trace["x"])
        assert x[0] == 0
        assert (np.diff(x) > 0).all()


def test_runs_on_generated_worlds_are_listed(
    run_page: RunPage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = {
        "recipe": "objects",
        "seed": 4,
        "accuracy": {"value": 0.8, "low": 0.7, "high": 0.9, "null_low": -0.2, "null_high": 0.2},
        "oracle": 0.9,
        "object_pixels": 0.0083,
        "recovery": {"reliance": 0.95, "occlusion": 0.9, "cam": 0.5, "paper": None},
        "index": [
            {"relation": "occlusion", "value": 0.1, "low": -0.4, "high": 0.5, "verdict": "cannot tell"}
        ],
    }
    table = trust_words.recovery_table([run])
    assert table["by reliance"].tolist() == ["0.95"]
    assert table["by Grad-CAM × gradient"].tolist() == ["–"]
    assert table["rank correlation"].tolist() == ["0.80 (0.70 to 0.90)"]
    # of a world whose land use goes with no income there is nothing to follow, as on Patterns
    assert table["index by occlusion"].tolist() == ["0.10 (−0.40 to 0.50), nothing to follow"]
    mix = trust_words.recovery_table([run | {"recipe": "mix"}])
    assert mix["index by occlusion"].tolist() == ["0.10 (−0.40 to 0.50), cannot tell"]
    assert trust.RECOVERY.name == "recovery.json"


def test_what_had_to_come_out_is_counted() -> None:
    def run(recipe: str, seed: int, low: float | None, high: float | None, failed: list[str]) -> dict:
        return {
            "recipe": recipe,
            "seed": seed,
            "index": [
                {"relation": "activation", "null_model": "torus", "low": -1, "high": 1},
                {"relation": "activation", "null_model": "other", "low": seed, "high": seed},
                {"relation": "occlusion", "low": low, "high": high},
            ],
            "failed": failed,
        }

    runs = [
        run("mix", 1, 0.4, 0.8, []),
        run("mix", 2, 0.1, 0.6, ["too low"]),
        run("mix", 3, None, None, []),
        run("hidden", 1, -0.5, 0.3, []),
        run("hidden", 2, -0.5, 0.3, []),
        run("hidden", 3, -0.5, 0.3, []),
    ]
    assert trust_words.separated_seeds(runs, "occlusion") == ([1], [1, 2])
    assert trust_words.separated_seeds(runs, "activation") == ([], [1, 2, 3])
    said = trust_words.recovery_sentences(runs)
    assert said[0].endswith("planted weights (at least 0.8): 2 of 3 runs.")
    assert said[1].endswith("band of chance: 3 of 3 runs.")
    assert said[2].endswith(
        "by activation of mix lies above that of hidden, intervals apart, in 0 of 3 seeds."
    )
    assert said[3].endswith("intervals apart, in 1 of 2 seeds.")


def test_reliance_is_claimed_only_beyond_chance() -> None:
    frame = pd.DataFrame(
        {
            "code": ["11220", "14100"],
            "name": ["a", "b"],
            "value": [0.2, 0.1],
            "low": [0.1, -0.05],
            "high": [0.3, 0.25],
            "q_value": [0.01, 0.3],
        }
    )
    city = type("Named", (), {"name": "Kerlann"})()
    assert significant(frame).tolist() == [True, False]
    said = trust_words.reliance_sentence(frame, city)  # type: ignore[arg-type]
    assert "on 1 of 2 classes: medium-density urban (+0.20)" in said
    none = trust_words.reliance_sentence(frame.assign(q_value=np.nan), city)  # type: ignore[arg-type]
    assert "no reliance on a single class could be shown" in none


def test_a_study_of_many_cities_draws_the_chosen_one_and_counts_all() -> None:
    table = pd.DataFrame(
        {
            "city": [f"City {k}" for k in range(20)],
            "city_id": [f"c{k}" for k in range(20)],
            "method": "cam",
            "value": np.linspace(0.1, 0.5, 20),
            "low": [-0.1] * 8 + [0.05] * 12,
            "high": 0.9,
            "n": 50,
        }
    )
    shown = trust_charts.some_cities(table, "c17")
    assert len(shown) == trust_charts.MOST_CITIES
    assert "c17" in set(shown.city_id)
    city = type("Named", (), {"city_id": "c17", "name": "City 17"})()
    said = trust_words.agreement_sentence(table, city)  # type: ignore[arg-type]
    assert "CAM +0.10 to +0.50. In City 17: CAM +0.46." in said
    assert said.endswith("cannot be told from 0: CAM in 8 of 20 cities.")


def test_every_mark_of_the_removal_chart_is_named_though_some_lie_close() -> None:
    where = {  # as measured for Port-Imaginé
        "blurred": (0.172, 0.795),
        "paper": (0.186, 0.762),
        "cam": (0.206, 0.757),
        "edge": (0.27, 0.47),
        "random": (0.437, 0.546),
        "area_uniform": (0.408, 0.04),
    }
    rows = pd.DataFrame(
        [
            (name, method, value)
            for method, both in where.items()
            for name, value in zip(("deletion", "insertion"), both, strict=True)
        ],
        columns=["check_name", "method", "value"],
    )
    figure = trust_charts.removal(rows, palette.inks())
    said = {note.text: (note.x, note.y) for note in figure.layout.annotations}
    assert len(said) == 6 and said["blurred map"] == where["blurred"] and said["CAM"] == where["cam"]
