"""What every room's tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples at every run, so that a change is judged by what it changed; HYPOTHESIS_PROFILE=explore
# looks for new ones.
settings.register_profile("steady", derandomize=True, deadline=None)  # machines are slow at times
settings.register_profile("explore", derandomize=False, max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

# Files whose tests send jobs to one and the same worker (tests/core/tiny_region.py, shared_room).
ONE_WORKER = {"test_worker", "test_worker_photographs", "test_again", "test_keeping", "test_submit"}
REPOSITORY = Path(__file__).resolve().parent.parent
# A study that runs in seconds.
QUICK = """
[network]
architecture = "mobilenet_v3_small"
input_px = 64
[train]
epochs = 1
[folds]
n_folds = 2
block_m = 400
[trust]
cells = 8
shuffle_epochs = 1
[statistics]
draws = 200
coefficients = ["spearman"]
"""


@pytest.fixture(scope="session")
def real_dir() -> Path:
    """Folder of the real files that are not part of the repository; skips where it is absent."""
    folder = Path(os.environ.get("CARREAU_REAL_FILES", REPOSITORY.parent / "shared" / "real"))
    if not folder.is_dir():
        pytest.skip(f"real files are not in {folder}; set CARREAU_REAL_FILES to their folder to run this")
    return folder


@pytest.fixture(scope="session")
def study_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Study file of two generated cities, for the tests of group `pipeline`."""
    from data.world import write_world  # a second that other groups need not spend

    return write_world(
        tmp_path_factory.mktemp("world"), "objects,nothing", 3, "tiny", progress=False, settings=QUICK
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of a file in one process: what they share, a study or a server, is made once."""
    for item in items:
        if not isinstance(item, pytest.DoctestItem) and not item.get_closest_marker("xdist_group"):
            name = item.path.stem
            item.add_marker(pytest.mark.xdist_group("jobs" if name in ONE_WORKER else name))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Stop where groups have no effect: everything would be made once a process, and time is short."""
    if getattr(session.config.option, "loadgroup", False):
        for item in session.items:
            if item.get_closest_marker("xdist_group") and "@" not in item.nodeid:
                raise pytest.UsageError(f"{item.nodeid} is in a group that pytest-xdist does not see")
