"""The measure of recovery on tables whose answer is known; the whole bench takes half an hour."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from core.bench.recovery import add_run, failures, measure_recovery, recovery
from core.settings import REPOSITORY
from core.statistics.index import MIX_REFERENCE
from data.errors import InputError, SettingsError
from data.world.income import MIX_WEIGHTS
from data.world.objects import PLANTED

CODES = [*PLANTED, "12220", "14100", "14200", "31000", "50000"]


def evidence(**columns: np.ndarray) -> pd.DataFrame:
    random = np.random.default_rng(0)
    names = ("reliance", "occlusion", "cam", "paper", "occlusion_signed", "cam_signed")
    made = {name: random.normal(size=len(CODES)) for name in names}
    return pd.DataFrame({"code": CODES, **made, **columns})


def test_auc_equals_scikit_learn_and_leaves_the_border_class_out() -> None:
    reliance = np.array([0.5, 0.3, 0.1, 0.6, 0.9, 0.2, 0.0, -0.1, 0.05])  # the streets, fifth, score highest
    table = evidence(reliance=reliance)
    found = recovery(table, {"recipe": "objects", "planted": PLANTED})
    inside = table["code"].isin(PLANTED)
    streets = table["code"] == "12220"
    assert found["recovery"]["reliance"] == pytest.approx(15 / 16)
    for name in ("reliance", "occlusion", "cam", "paper"):
        expected = roc_auc_score(inside[~streets], table[name][~streets])
        assert found["recovery"][name] == pytest.approx(expected, abs=1e-4)
        assert found["with_border"][name] == pytest.approx(roc_auc_score(inside, table[name]), abs=1e-4)


def test_mix_compares_signs_and_order_with_the_planted_weights() -> None:
    codes = [*MIX_WEIGHTS, "50000", "12220"]
    weights = np.array([MIX_WEIGHTS.get(code, 0.0) for code in codes])
    table = pd.DataFrame(
        {
            "code": codes,
            "reliance": np.abs(weights),
            "occlusion_signed": weights**3,
            "net_signed": weights,
            "cam_signed": -weights,
        }
    )
    found = recovery(table, {"recipe": "mix", "planted": MIX_WEIGHTS})
    assert found["recovery"] == {"reliance": 1.0, "occlusion": 1.0, "cam": -1.0, "paper": None}
    assert found["occlusion_beyond_moved"] == 1.0


def test_failures_name_the_criterion() -> None:
    accuracy = {"value": 0.2, "null_low": -0.1, "null_high": 0.1}
    rows = [{"code": "14100", "q_value": 0.01}, {"code": "50000", "q_value": None}]
    nothing = {"recipe": "nothing", "accuracy": accuracy, "recovery": {}, "classes": rows}
    assert [text[:20] for text in failures(nothing)] == ["rank correlation 0.2", "occlusion of 14100 c"]
    objects = {"recipe": "objects", "accuracy": accuracy, "recovery": {"reliance": 0.89}, "classes": rows}
    assert failures(objects) == ["recovery by reliance 0.89 is below 0.9"]
    assert failures({**objects, "recovery": {"reliance": 0.95}}) == []
    with pytest.raises(
        SettingsError, match="unknown recipe 'luck': choose among objects, nothing, mix, hidden"
    ):
        measure_recovery("luck", 1)


def test_runs_are_kept_in_order_and_replaced(tmp_path: Path) -> None:
    file = tmp_path / "runs.json"
    for recipe, seed, value in (("nothing", 1, 0.1), ("mix", 2, 0.2), ("mix", 1, 0.3), ("mix", 2, 0.4)):
        add_run(file, {"recipe": recipe, "seed": seed, "value": value})
    runs = json.loads(file.read_text(encoding="utf-8"))["runs"]
    assert [(run["recipe"], run["seed"], run["value"]) for run in runs] == [
        ("mix", 1, 0.3),
        ("mix", 2, 0.4),
        ("nothing", 1, 0.1),
    ]
    file.write_text("[1]", encoding="utf-8")
    with pytest.raises(InputError, match="holds no runs of bench recovery"):
        add_run(file, {"recipe": "mix", "seed": 1})
    assert file.read_text(encoding="utf-8") == "[1]"


def test_the_reference_of_verdicts_is_what_the_kept_mix_cities_reach() -> None:
    runs = json.loads((REPOSITORY / "data" / "recovery.json").read_text(encoding="utf-8"))["runs"]
    mix = [run for run in runs if run["recipe"] == "mix"]
    assert len(mix) >= 3
    for relation, reference in MIX_REFERENCE.items():
        values = [next(i for i in run["index"] if i["relation"] == relation)["value"] for run in mix]
        assert reference == pytest.approx(np.mean(values), abs=0.005)
