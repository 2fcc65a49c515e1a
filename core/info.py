"""What the current publication holds, as one JSON-able object."""

from __future__ import annotations

import math
from typing import Any

import duckdb

from core.settings import Settings
from data.errors import StudyError
from data.store.open import connect, find_publications


def publication_info(settings: Settings, study_id: str | None = None) -> dict[str, Any]:
    """Return cities with their agreement, models and provenance of a published study.

    Agreement is the headline: within fold, cells with imputed income left out.

    Raises:
        StudyError: no published study, or none with that id.
    """
    found = find_publications(settings.study_roots)
    if not found:
        raise StudyError("no published study was found. Run `python -m core run STUDY.toml` first.")
    if study_id is not None and study_id not in found:
        raise StudyError(f"no published study is called {study_id!r}; there are {', '.join(sorted(found))}.")
    publication = found[study_id or next(iter(found))]
    with connect(publication.file) as connection:
        study = _rows(connection, "SELECT * EXCLUDE (settings_json) FROM study")[0]
        cities = _rows(
            connection,
            "SELECT city_id, name, recipe, n_cells AS cells, n_predicted AS predicted, n_imputed AS imputed, "
            "n_without_income AS without_income, census_year, land_use_year, imagery_year, oracle_spearman, "
            "object_pixel_share FROM city ORDER BY position",
        )
        for city in cities:
            measures = _rows(
                connection,
                "SELECT measure, value, low, high, null_low, null_high, n, n_blocks, note FROM agreement "
                "WHERE city_id = ? AND scope = 'within_fold' AND NOT includes_imputed ORDER BY measure",
                [city["city_id"]],
            )
            city["agreement"] = {row.pop("measure"): row for row in measures}
        return {
            "publication": str(publication.file),
            "study": study,
            "cities": cities,
            "models": _rows(connection, "SELECT * FROM model ORDER BY model_id"),
            "provenance": _rows(
                connection, "SELECT * FROM provenance ORDER BY city_id NULLS FIRST, kind, file"
            ),
        }


def as_text(info: dict[str, Any]) -> str:
    """Return what `publication_info` found in some lines for people."""
    study = info["study"]
    lines = [
        f"{study['study_id']}: {study['title']}, published {study['created_at']}",
        f"  {study['architecture']}, {study['head']} head, {study['input_px']} px, {study['n_folds']} folds "
        f"({study['fold_scheme']}), {len(info['models'])} networks, seed {study['seed']}",
        "within-fold rank correlation of census and prediction, imputed cells left out:",
    ]
    width = max(len(city["name"]) for city in info["cities"])
    for city in info["cities"]:
        found = city["agreement"].get("spearman", {})
        value, low, high = (found.get(name) for name in ("value", "low", "high"))
        said = "none" if value is None else f"{value:.2f}"
        if low is not None and high is not None:
            said += f" ({low:.2f} to {high:.2f})"
        lines.append(
            f"  {city['name']:{width}}  {said}, {city['cells']} cells, {city['imputed']} imputed, "
            f"income {city['census_year']}, photograph {city['imagery_year']}"
        )
    return "\n".join([*lines, f"in {info['publication']}", "(--json for all of it)"])


def _rows(
    connection: duckdb.DuckDBPyConnection, query: str, values: list[Any] | None = None
) -> list[dict[str, Any]]:
    cursor = connection.execute(query, values or [])
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, map(_plain, row), strict=True)) for row in cursor.fetchall()]


def _plain(value: Any) -> Any:
    """Return a value that JSON can hold; a missing number is null."""
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value if isinstance(value, int | str | bool | type(None)) else str(value)
