"""The fuzz bench: its cases hold here, and what it looks for is found when it is there."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from urllib.parse import urlencode

import numpy as np
import pytest

from core.bench import fuzz, fuzz_cases, fuzz_pages
from core.settings import read_settings


@pytest.fixture(scope="module")
def bases(tmp_path_factory):
    return fuzz_cases.make_bases(tmp_path_factory.mktemp("bases"))


def test_cases_of_every_kind_hold():
    found = fuzz.measure_fuzz(56, seed=7)
    assert found["failed"] == [], found["examples"]
    assert found["refused"] + found["read"] == 56
    assert found["read"] > 3  # or nothing but the first check was reached


def test_a_case_depends_on_seed_and_number_alone(bases):
    bait = [b"/etc/passwd"]
    for kind in fuzz_cases.KINDS:
        one, again = (fuzz_cases.mutate(bases, kind, np.random.default_rng([3, 5]), bait) for _ in range(2))
        assert one == again
        others = {fuzz_cases.mutate(bases, kind, np.random.default_rng([3, k]), bait) for k in range(30)}
        assert len(others) > 10, kind


def reader_with(monkeypatch, tmp_path, bases, body):
    """A reader whose process does something else with a case."""
    monkeypatch.setattr(fuzz, "serve", body)
    return fuzz.Reader(tmp_path / "here", bases, [b"bait"], 1)


def ends(pipe, *_):
    pipe.send("ready")
    pipe.recv()
    os._exit(11)


def sleeps(pipe, *_):
    pipe.send("ready")
    pipe.recv()
    pipe.recv()


def test_a_process_that_ends_is_a_crash_and_the_next_case_is_read(monkeypatch, tmp_path, bases):
    reader = reader_with(monkeypatch, tmp_path, bases, ends)
    assert reader.ask(0, "tif")["outcome"] == "crashes"
    assert "11" in reader.ask(1, "tif")["said"]
    reader.stop()


def test_a_case_without_an_answer_is_a_hang(monkeypatch, tmp_path, bases):
    monkeypatch.setattr(fuzz, "HANG_S", 0.3)
    reader = reader_with(monkeypatch, tmp_path, bases, sleeps)
    assert reader.ask(0, "tif")["outcome"] == "hangs"
    reader.stop()


def test_files_and_connections_outside_are_seen(monkeypatch, tmp_path, bases):
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "bait.tif").write_text("x")
    watch = fuzz.Watch(secret)
    assert watch.seen() == []
    (secret / "bait.tif").read_text()
    assert "bait.tif" in watch.seen()
    assert watch.seen() == []
    watch.close()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert fuzz._connections(listener) == []
        with socket.create_connection(listener.getsockname()):
            assert len(fuzz._connections(listener)) == 1
    reader = reader_with(monkeypatch, tmp_path, bases, sleeps)
    (tmp_path / "here" / "escaped.txt").touch()
    assert reader.strangers() == ["wrote escaped.txt"]
    reader.stop()


def read_page(tmp_path, address):
    (tmp_path / "case.page").write_text(address)
    fuzz_pages.read_address(tmp_path / "case.page", replace(read_settings(), var=tmp_path / "var"))


def test_a_page_that_shows_its_address_as_markup_is_found(monkeypatch, tmp_path):
    address = "city?" + urlencode({"city": fuzz_pages.PICTURE})
    monkeypatch.setenv("CARREAU_VAR", str(tmp_path / "var"))
    read_page(tmp_path, address)
    monkeypatch.setattr("pages.shared.plain_text.plain", str)
    with pytest.raises(fuzz_pages.UnsafeTextError, match="picture"):
        read_page(tmp_path, address)


def test_a_page_that_ends_in_an_exception_is_found(monkeypatch, tmp_path):
    monkeypatch.setenv("CARREAU_VAR", str(tmp_path / "var"))
    monkeypatch.setattr("pages.shared.frame.through_dashboard", lambda: 1 / 0)
    with pytest.raises(RuntimeError, match="division"):
        read_page(tmp_path, "city?city=x")
