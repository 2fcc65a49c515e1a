"""Publication: documented schema, atomic publishing, honest failures."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from data.errors import CarreauError, InputError
from data.store import open as store_open
from data.store.write import POINTER, SCHEMA, publish, schema_tables

THRESHOLDS = pd.DataFrame({"city_id": "a", "includes_imputed": True, "k": [0, 1], "income": [1.0, 2.0]})


def test_every_table_and_column_is_described() -> None:
    connection = duckdb.connect()
    connection.execute(SCHEMA.read_text(encoding="utf-8"))
    tables = connection.execute("SELECT table_name, comment FROM duckdb_tables()").fetchall()
    columns = connection.execute(
        "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal"
    ).fetchall()
    assert len(tables) == len(schema_tables()) > 15
    assert [name for name, comment in tables if not comment] == []
    assert [f"{table}.{column}" for table, column, comment in columns if not comment] == []


def test_publish_then_publish_again(tmp_path: Path) -> None:
    study_file = tmp_path / "study.toml"
    first = publish(tmp_path / "out", "s", {"threshold": THRESHOLDS}, study_file=study_file)
    reader = store_open.connect(first)
    second = publish(tmp_path / "out", "s", {"threshold": THRESHOLDS.iloc[:1]}, study_file=study_file)
    assert first != second
    assert reader.execute("SELECT count(*) FROM threshold").fetchone() == (2,)  # old readers keep their file
    current = store_open.current_publication(tmp_path / "out")
    assert current.file == second
    assert current.study_file == study_file


def test_published_files_are_read_only_and_closed_in(tmp_path: Path) -> None:
    file = publish(tmp_path, "s", {"threshold": THRESHOLDS}, study_file=tmp_path / "study.toml")
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with store_open.connect(file) as connection:
        with pytest.raises(duckdb.Error):
            connection.execute("DELETE FROM threshold")
        with pytest.raises(duckdb.Error):
            connection.execute(f"SELECT * FROM read_csv('{tmp_path / 'secret.csv'}')")


@pytest.mark.parametrize(
    ("tables", "fault"),
    [
        ({"treshold": THRESHOLDS}, "no table named treshold"),
        ({"threshold": THRESHOLDS.assign(colour=1)}, "no column colour"),
        ({"threshold": THRESHOLDS.assign(k=None)}, "NOT NULL"),
        ({"threshold": THRESHOLDS.assign(k=400)}, "threshold"),
    ],
)
def test_a_faulty_table_leaves_the_old_publication(tmp_path: Path, tables: dict, fault: str) -> None:
    publish(tmp_path, "s", {"threshold": THRESHOLDS}, study_file=tmp_path / "study.toml")
    before = sorted(p.name for p in tmp_path.iterdir())
    pointer = (tmp_path / POINTER).read_text()
    with pytest.raises(CarreauError, match=fault):
        publish(tmp_path, "s", tables, study_file=tmp_path / "study.toml")
    assert sorted(p.name for p in tmp_path.iterdir()) == before
    assert (tmp_path / POINTER).read_text() == pointer


def test_disk_full_is_said_and_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tmp_path, "s", {"threshold": THRESHOLDS}, study_file=tmp_path / "study.toml")
    before = {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()}

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("data.store.write._write_tables", full)
    with pytest.raises(InputError, match="No space left.*untouched"):
        publish(tmp_path, "s", {"threshold": THRESHOLDS}, study_file=tmp_path / "study.toml")
    assert {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()} == before


def test_pointer_faults_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no publication"):
        store_open.current_publication(tmp_path)
    (tmp_path / POINTER).write_text("{")
    with pytest.raises(InputError, match="not a publication pointer"):
        store_open.current_publication(tmp_path)
    (tmp_path / POINTER).write_text(json.dumps({"publication": "../x.duckdb", "study_file": "s"}))
    with pytest.raises(InputError, match=r"names x\.duckdb"):
        store_open.current_publication(tmp_path)
