"""`python -m core submit FILE`: a photograph through the same job path as the page."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from core import jobs
from core.settings import read_settings
from data.errors import InputError, QuotaError

EXIT = {"done": 0, "queued": 0, "running": 0, "paused": 0, "failed": 1, "cancelled": 1, "rejected": 2}
LOOK_S = 0.25


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `python -m core submit`."""
    parser.add_argument("file", type=Path, metavar="FILE", help="GeoTIFF or JPEG 2000")
    parser.add_argument("--land-use", type=Path, metavar="F", help="land-use polygons of the same place")
    parser.add_argument("--study", metavar="ID", help="whose networks are used (default: the first found)")
    parser.add_argument("--wait", action="store_true", help="wait for the end of the job")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def run(options: argparse.Namespace) -> int:
    """Submit, wait if asked to, print where the job stands; 0 done (or queued), 2 rejected, 1 failed."""
    settings = read_settings()
    try:
        job = jobs.submit(options.file, land_use=options.land_use, study_id=options.study, settings=settings)
    except (InputError, QuotaError) as error:
        nothing = {
            "job": None,
            "state": "rejected",
            "reason": str(error),
            "cells": 0,
            "skipped": 0,
            "result": None,
        }
        _say(nothing, options.json)
        return EXIT["rejected"]
    jobs.ensure_worker(settings)
    state = jobs.state(job, settings)
    while options.wait and state.state not in jobs.FINAL:
        if not options.json and state.total:
            print(f"\r{state.done} of {state.total} cells", end="", file=sys.stderr, flush=True)
        time.sleep(LOOK_S)
        jobs.ensure_worker(settings)
        state = jobs.state(job, settings)
    _say(summary(state), options.json)
    return EXIT[state.state]


def summary(state: jobs.JobState) -> dict[str, Any]:
    """Return the JSON object of a job."""
    return {
        "job": state.job,
        "state": state.state,
        "reason": state.reason,
        "cells": state.cells,
        "skipped": state.skipped,
        "result": str(state.result) if state.result else None,
    }


def _say(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(facts, ensure_ascii=False))
        return
    print(file=sys.stderr)
    print("\n".join(f"{name}: {value}" for name, value in facts.items() if value is not None))
