"""The statistics of the synthetic publication: real measures of its cells, plausible intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from core.statistics.measures import MEASURES, confusion_matrix
from core.statistics.pairs import class_pairs
from tests.pages.synthetic_ground import CODES, K

_UNBOUNDED = ("mean_absolute_error", "slope")


def agreement(city_id: str, joined: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for with_imputed in (True, False):
        used = joined if with_imputed else joined[~joined["imputed"]]
        used = used.astype({"true_class": int, "predicted_class": int})
        for name in MEASURES:
            within = [(_measured(part, name), len(part)) for _, part in used.groupby("fold")]
            values = {
                "within_fold": sum(v * m for v, m in within) / sum(m for _, m in within),
                "pooled": _measured(used, name),
            }
            for scope, value in values.items():
                spread = 0.6 / np.sqrt(len(used) / 8)
                rows.append(
                    {
                        "city_id": city_id,
                        "measure": name,
                        "scope": scope,
                        "includes_imputed": with_imputed,
                        "value": value,
                        "low": value - spread,
                        "high": value + spread if name in _UNBOUNDED else min(1, value + spread),
                        "null_low": -0.19 if name == "spearman" else np.nan,
                        "null_high": 0.18 if name == "spearman" else np.nan,
                        "n": len(used),
                        "n_blocks": 34,
                        "note": "",
                    }
                )
    return pd.DataFrame(rows)


def study_agreement(cities: pd.DataFrame) -> pd.DataFrame:
    keys = ["measure", "scope", "includes_imputed"]
    mean = cities.groupby(keys, sort=False)[["value", "low", "high", "null_low", "null_high"]].mean()
    total = cities.groupby(keys, sort=False)[["n", "n_blocks"]].sum()
    return mean.join(total).reset_index().assign(city_id=None, note="")


def confusion(city_id: str, joined: pd.DataFrame) -> pd.DataFrame:
    frames = []
    for with_imputed in (True, False):
        used = joined if with_imputed else joined[~joined["imputed"]]
        table = confusion_matrix(used["true_class"].astype(int), used["predicted_class"], K)
        census, predicted = np.divmod(np.arange(K * K), K)
        frames.append(
            pd.DataFrame(
                {
                    "city_id": city_id,
                    "includes_imputed": with_imputed,
                    "census_class": census + 1,
                    "predicted_class": predicted + 1,
                    "n": table.ravel(),
                }
            )
        )
    return pd.concat(frames)


def calibration(city_id: str, joined: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for with_imputed in (True, False):
        used = joined if with_imputed else joined[~joined["imputed"]]
        stated = np.stack(used["probabilities"].to_numpy())
        hit = used["true_class"].to_numpy(int)[:, None] == np.arange(1, K + 1)
        which = np.minimum((stated * 10).astype(int), 9)
        for number in np.unique(which):
            inside = which == number
            share, n = hit[inside].mean(), int(inside.sum())
            error = 2 * np.sqrt(share * (1 - share) / n)
            rows.append(
                (
                    city_id,
                    with_imputed,
                    number,
                    stated[inside].mean(),
                    share,
                    max(0, share - error),
                    min(1, share + error),
                    n,
                )
            )
    return pd.DataFrame(
        rows, columns=["city_id", "includes_imputed", "bin", "probability", "frequency", "low", "high", "n"]
    )


def by_class(
    city_id: str, shares: pd.DataFrame, active: pd.DataFrame, joined: pd.DataFrame, rng: np.random.Generator
) -> dict[str, pd.DataFrame]:
    """class_activation, class_income and correlation: real coefficients, plausible intervals."""
    cam = active[active["method"] == "cam"].merge(
        joined[["cell_id", "true_class", "predicted_class", "imputed"]], on="cell_id"
    )
    ratios, incomes, correlations = [], [], []
    wide = (
        shares.pivot(index="cell_id", columns="code", values="share")
        .reindex(index=joined["cell_id"], columns=CODES)
        .fillna(0)
    )
    for code in CODES:
        present = cam[cam["code"] == code]
        for polarity, keep in (
            ("poor", present["predicted_class"] <= 4),
            ("rich", present["predicted_class"] >= 7),
        ):
            values = present.loc[keep, f"ratio_{polarity}"].dropna()
            for method in ("cam", "paper"):
                for estimator in ("mean", "pooled"):
                    value, error = values.mean(), values.std() / np.sqrt(max(len(values), 1))
                    enough = len(values) >= 30
                    ratios.append(
                        (
                            city_id,
                            method,
                            polarity,
                            code,
                            estimator,
                            value,
                            value - 2 * error if enough else None,
                            value + 2 * error if enough else None,
                            error,
                            len(values),
                            enough,
                            "" if enough else "too few",
                        )
                    )
            share = (
                (present["true_class"] <= 4) if polarity == "poor" else (present["true_class"] >= 7)
            ).mean()
            n, enough = len(present), len(present) >= 30
            error = np.sqrt(share * (1 - share) / max(n, 1))
            incomes.append(
                (
                    city_id,
                    polarity,
                    code,
                    share,
                    share - 2 * error if enough else None,
                    share + 2 * error if enough else None,
                    n,
                    enough,
                    "" if enough else "too few",
                )
            )
        for with_imputed in (True, False):
            for coefficient, function in (
                ("spearman", stats.spearmanr),
                ("pearson", stats.pearsonr),
                ("kendall", stats.kendalltau),
            ):
                used = joined if with_imputed else joined[~joined["imputed"]]
                here = present if with_imputed else present[~present["imputed"]]
                share = wide.loc[used["cell_id"], code].to_numpy()
                for relation, methods, a, b in (
                    ("census", ("",), share, used["true_class"].to_numpy(float)),
                    ("prediction", ("",), share, used["predicted_class"].to_numpy(float)),
                    (
                        "activation",
                        ("cam",),
                        here["excess"].to_numpy(),
                        here["predicted_class"].to_numpy(float),
                    ),
                    (
                        "occlusion",
                        ("class",),
                        (here["excess"] + rng.normal(0, 0.3, len(here))).to_numpy(),
                        here["predicted_class"].to_numpy(float),
                    ),
                ):
                    n = len(a)
                    enough = len(here) >= 30
                    found = function(a, b) if n > 3 and np.ptp(a) > 0 else None
                    value = float(found.statistic) if found else np.nan
                    effective = n / rng.uniform(1.2, 4)
                    p = (
                        float(2 * stats.norm.sf(abs(np.arctanh(value)) * np.sqrt(max(effective - 3, 1))))
                        if found
                        else np.nan
                    )
                    half = 1.96 / np.sqrt(max(effective - 3, 1))
                    for method in methods:
                        correlations.append(
                            (
                                city_id,
                                relation,
                                method,
                                coefficient,
                                with_imputed,
                                code,
                                value,
                                np.tanh(np.arctanh(value) - half),
                                np.tanh(np.arctanh(value) + half),
                                p,
                                float(found.pvalue) if found else np.nan,
                                min(1.0, 3 * p),
                                n,
                                len(here),
                                effective,
                                0.01 if relation == "activation" else np.nan,
                                0.02 if relation == "activation" else np.nan,
                                enough,
                                "" if enough else "too few",
                            )
                        )
    made = {
        "class_activation": pd.DataFrame(
            ratios,
            columns=[
                "city_id",
                "method",
                "polarity",
                "code",
                "estimator",
                "value",
                "low",
                "high",
                "standard_error",
                "n",
                "enough",
                "note",
            ],
        ),
        "class_income": pd.DataFrame(
            incomes,
            columns=["city_id", "polarity", "code", "probability", "low", "high", "n", "enough", "note"],
        ),
        "correlation": pd.DataFrame(
            correlations,
            columns=[
                "city_id",
                "relation",
                "method",
                "coefficient",
                "includes_imputed",
                "code",
                "value",
                "low",
                "high",
                "p_value",
                "p_naive",
                "q_value",
                "n",
                "n_present",
                "n_effective",
                "null_torus",
                "null_other",
                "enough",
                "note",
            ],
        ),
    }
    made["class_pair"] = _pairs(city_id, shares, cam, joined)
    made = {name: table.assign(level="full") for name, table in made.items()}
    return made | _occluded(city_id, cam, rng)


def _pairs(city_id: str, shares: pd.DataFrame, cam: pd.DataFrame, joined: pd.DataFrame) -> pd.DataFrame:
    """class_pair, by the very function of the pipeline."""
    ids = joined["cell_id"]
    present = shares.pivot(index="cell_id", columns="code", values="share").reindex(ids).notna()
    tables = []
    for polarity in ("poor", "rich"):
        ratios = cam.pivot(index="cell_id", columns="code", values=f"ratio_{polarity}").reindex(ids)
        ratios = ratios.reindex(columns=present.columns)
        predicted, true = (joined.set_index("cell_id")[f"{kind}_class"] for kind in ("predicted", "true"))
        found = class_pairs(ratios, present, predicted, true, K, polarity)
        tables += [found.assign(city_id=city_id, method=m, polarity=polarity) for m in ("cam", "paper")]
    return pd.concat(tables, ignore_index=True)


def _occluded(city_id: str, cam: pd.DataFrame, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """occlusion, reliance and follow_index: effects near the contributions, plausible intervals."""
    effects = cam[["cell_id", "code"]].assign(
        city_id=city_id,
        effect=cam["contribution"] + rng.normal(0, 0.05, len(cam)),
        moved_effect=0.5 * cam["contribution"],
    )
    size = cam.groupby("code").size()
    value = pd.Series(rng.normal(0.05, 0.08, len(size)), size.index)
    reliance = pd.DataFrame(
        {
            "city_id": city_id,
            "code": size.index,
            "value": value.to_numpy(),
            "low": (value - 0.06).to_numpy(),
            "high": (value + 0.06).to_numpy(),
            "p_value": 0.03,
            "q_value": 0.2,
            "n": 300,
            "n_present": size.to_numpy(),
            "n_effective": 120.0,
            "enough": (size >= 30).to_numpy(),
            "note": "",
        }
    )
    pull = pd.DataFrame(
        {
            "city_id": city_id,
            "level": "full",
            "code": size.index,
            "value": value.to_numpy() / 2,
            "low": (value / 2 - 0.03).to_numpy(),
            "high": (value / 2 + 0.03).to_numpy(),
            "n_present": size.to_numpy(),
            "enough": (size >= 30).to_numpy(),
            "note": "",
        }
    )
    pulls = [
        pull.assign(relation="activation", method="cam", null_torus=0.001, null_other=0.002),
        pull.assign(relation="occlusion", method="class", null_torus=np.nan, null_other=np.nan),
    ]
    index = pd.DataFrame(
        [
            (city_id, "full", relation, method, null, 0.42, -0.05, 0.74, "cannot tell", 8, 36, "800 m")
            for relation, method, null in (
                ("activation", "cam", "torus"),
                ("activation", "cam", "other"),
                ("occlusion", "class", "moved masks"),
            )
        ],
        columns=[
            "city_id", "level", "relation", "method", "null_model", "value", "low", "high", "verdict",
            "n_classes", "n_blocks", "note",
        ],
    )  # fmt: skip
    agreements = pd.DataFrame(
        [
            (city_id, "cam", 0.61, 0.4, 0.8, len(cam), ""),
            (city_id, "paper", 0.12, -0.2, 0.4, len(cam), ""),
        ],
        columns=["city_id", "method", "value", "low", "high", "n", "note"],
    )
    both = (True, False)
    return {
        "map_agreement": agreements,
        "occlusion": effects,
        "class_pull": pd.concat(
            [one.assign(includes_imputed=imputed) for one in pulls for imputed in both], ignore_index=True
        ),
        "reliance": pd.concat([reliance.assign(includes_imputed=one) for one in both], ignore_index=True),
        "follow_index": pd.concat([index.assign(includes_imputed=one) for one in both], ignore_index=True),
    }


def _measured(frame: pd.DataFrame, name: str) -> float:
    measure = MEASURES[name]
    return measure.function(*(frame[column].to_numpy() for column in measure.inputs))


def trust_checks(model_ids: list[str], rng: np.random.Generator) -> pd.DataFrame:
    """Checks of each network as a sound one would give."""
    rows = []
    layers = ("head", "last convolution", *(f"block {number}" for number in range(7, -1, -1)))
    for model_id in model_ids:
        for method, floor in (("cam", 0.1), ("paper", 0.4)):
            for number, layer in enumerate(layers):
                likeness = floor + (1 - floor) * np.exp(-number) + rng.uniform(0, 0.02)
                rows.append((model_id, "cascade", method, layer, (number + 1) / len(layers), likeness, 48))
            rows.append((model_id, "other_fold", method, "", np.nan, 0.6, 48))
            rows.append((model_id, "label_shuffle", method, "", np.nan, 0.1 if method == "cam" else 0.5, 48))
        for order, deletion, insertion in (
            ("cam", 0.2, 0.8), ("paper", 0.5, 0.5), ("random", 0.45, 0.55), ("area_uniform", 0.4, 0.5),
            ("blurred", 0.3, 0.6), ("edge", 0.5, 0.5),
        ):  # fmt: skip
            rows.append((model_id, "deletion", order, "", np.nan, deletion, 48))
            rows.append((model_id, "insertion", order, "", np.nan, insertion, 48))
    columns = ["model_id", "check_name", "method", "variant", "position", "value", "n"]
    return pd.DataFrame(rows, columns=columns)
