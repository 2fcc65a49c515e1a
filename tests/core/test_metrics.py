"""Figures for Prometheus: counted by its own parser, printed and served."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.request
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from core import audit, jobs
from core.__main__ import main
from core.settings import REPOSITORY
from tests.core.tiny_region import publish_tiny_study, settings_in, write_photograph


@pytest.fixture
def settings(tmp_path, monkeypatch):
    made = settings_in(tmp_path)
    publish_tiny_study(made.publications / "tiny")
    for name in ("var", "device"):
        monkeypatch.setenv(f"CARREAU_{name.upper()}", str(getattr(made, name)))
    return made


def figures(text: str) -> dict[str, float]:
    return {
        sample.name + "".join(f"/{value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_jobs_are_counted_by_state_and_waiting_time(settings, tmp_path, capsys):
    photograph = write_photograph(tmp_path / "town.tif")
    for _ in range(3):
        job = jobs.submit(photograph, settings=settings)
    jobs.cancel(job, settings)
    oldest = min(
        settings.jobs.glob("*/job.json"),
        key=lambda p: jobs.state(p.parent.name, settings).state == "cancelled",
    )
    early = (datetime.now(UTC) - timedelta(hours=2)).isoformat(timespec="seconds")
    text = oldest.read_text()
    oldest.write_text(re.sub(r'"created_at": "[^"]+"', f'"created_at": "{early}"', text))
    audit.note(settings, "done", "x" * 32, "me", cells=40)
    with audit.audit_file(settings).open("a") as log:
        log.write('{"event": "cut off by a cra')
    assert main(["metrics"]) == 0
    found = figures(capsys.readouterr().out)
    assert (found["carreau_jobs/queued"], found["carreau_jobs/cancelled"], found["carreau_jobs/done"]) == (
        2,
        1,
        0,
    )
    assert found["carreau_oldest_waiting_seconds"] == pytest.approx(7200, abs=60)
    assert found["carreau_worker_here"] == 0
    assert found["carreau_stored_bytes"] == sum(
        p.stat().st_size for p in settings.jobs.rglob("*") if p.is_file()
    )
    assert found["carreau_job_events_total/submitted"] == 3
    assert found["carreau_cells_predicted_total"] == 40


def test_they_are_served(settings):
    environment = {
        f"CARREAU_{k.upper()}": str(v) for k, v in asdict(settings).items() if k in ("var", "device")
    }
    with subprocess.Popen(
        [sys.executable, "-m", "core", "metrics", "--port", "0"],
        cwd=REPOSITORY, env={"PATH": "/usr/bin:/bin", **environment}, stdout=subprocess.PIPE, text=True,
    ) as server:  # fmt: skip
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310 - our own server
            assert figures(answer.read().decode())["carreau_jobs/queued"] == 0
        server.kill()


def test_a_taken_port_is_told_in_words(settings, capsys):
    assert main(["metrics", "--address", "203.0.113.1", "--port", "9"]) == 2
    assert "cannot be served" in capsys.readouterr().err
