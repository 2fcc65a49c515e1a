"""The bench of regions at a size of seconds."""

from __future__ import annotations

import os

import pytest

from core.bench import regions
from core.bench.tiny import publish_tiny_study
from data.errors import SettingsError
from tests.core.tiny_region import settings_in


def test_memory_and_cost_of_two_tiles(tmp_path, monkeypatch):
    settings = settings_in(tmp_path)
    publish_tiny_study(settings.publications / "tiny")
    monkeypatch.setattr(regions, "SLOWER", 100)  # so few cells say nothing of speed
    found = regions.measure_regions(5000, study_id="tiny", settings=settings)
    assert found["failed"] == []
    assert 0 < found["small"]["cells"] < found["large"]["cells"] <= 25
    assert 100 < found["memory_mb_max"] < regions.MEMORY_MB


def test_each_bound_is_told():
    assert regions.failures(1999, 1.29) == []
    assert regions.failures(2001, 1.31) == [
        "the worker took 2001 MB",
        "a cell took 1.31 times as long in the larger tile",
    ]


def test_what_cannot_be_measured_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="unknown format 'png'"):
        regions.measure_regions(1000, "png")
    with pytest.raises(SettingsError, match="no published study is called"):
        regions.measure_regions(1000, study_id="none", settings=settings_in(tmp_path))


def test_the_peak_is_that_of_the_process():
    before = regions.peak_mb(os.getpid())
    block = bytearray(200_000_000)
    assert regions.peak_mb(os.getpid()) > before + 100 or before > len(block) / 1e6
    del block
    assert regions.peak_mb(os.getpid()) >= before
