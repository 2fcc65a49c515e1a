"""Ten kills at random moments: six on SQLite, four with two machines and a PostgreSQL server.

`python -m core bench kills` does more.
"""

from __future__ import annotations

from typing import Any

import pytest

from core.bench.kills import measure_kills
from tests.core import postgres


def assert_nothing_happened(report: dict[str, Any], kills: int) -> None:
    assert report["failed"] == [], report
    assert (report["lost"], report["doubled"], report["different"]) == (0, 0, 0)
    assert sum(report["killed"].values()) == kills
    assert report["jobs"] >= kills // 3, "too few jobs were under way for the kills to hit any"


def test_six_kills_on_one_machine_change_nothing() -> None:
    report = measure_kills(6, seed=1)
    assert_nothing_happened(report, 6)
    assert sum(n > 0 for n in report["killed"].values()) >= 2


@pytest.mark.xdist_group("postgres")
@pytest.mark.skipif(
    postgres.programs() is None, reason="no PostgreSQL server is installed: apt-get install postgresql"
)
def test_four_kills_among_two_machines_and_a_server_change_nothing() -> None:
    server = postgres.PostgresServer()

    def power_cut() -> None:
        server.kill()
        server.start()

    try:
        assert_nothing_happened(measure_kills(4, seed=2, queue_url=server.url, kill_server=power_cut), 4)
    finally:
        server.close()
