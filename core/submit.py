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

_OF_RESULT = ("networks", "networks_of", "warnings")  # what a script must know of a result
EXIT = {"done": 0, "queued": 0, "running": 0, "paused": 0, "failed": 1, "cancelled": 1, "rejected": 2}
LOOK_S = 0.25


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `python -m core submit`."""
    parser.add_argument(
        "files",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="GeoTIFF or JPEG 2000; several, or a folder, are one region",
    )
    add_reading_arguments(parser)
    parser.add_argument(
        "--in-place", action="store_true", help="do not copy: read the file or folder where it stands"
    )
    parser.add_argument("--land-use", type=Path, metavar="F", help="land-use polygons of the same place")
    parser.add_argument("--land-use-column", metavar="C", help="its column of classes, if not Urban Atlas's")
    parser.add_argument("--census", type=Path, metavar="F", help="polygons with values to compare with")
    parser.add_argument("--census-column", metavar="C", help="its column of values, if there are several")
    parser.add_argument("--study", metavar="ID", help="whose networks are used (default: the first found)")
    parser.add_argument("--city", metavar="ID", help="whose networks, where each city has its own")
    parser.add_argument("--wait", action="store_true", help="wait for the end of the job")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def add_reading_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how photographs are to be read where their files leave it open."""
    parser.add_argument("--bands", metavar="R,G,B", help="bands to read as red, green, blue, such as 4,3,2")
    parser.add_argument(
        "--levels", metavar="LOW,HIGH", help="values that become black and white in 16-bit files; or auto"
    )
    parser.add_argument("--crs", metavar="CODE", help="CRS of files that name none, such as EPSG:2154")


def reading_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return what was said on how to read, as `data.reading.Reading` takes it; raises SettingsError."""
    from data.reading import Reading  # brings rasterio

    asked: dict[str, Any] = {"crs": options.crs}
    if options.bands:
        asked["bands"] = options.bands.split(",")
    if options.levels:
        asked["levels"] = "auto" if options.levels == "auto" else options.levels.split(",")
    return Reading.from_json(asked).to_json()


def run(options: argparse.Namespace) -> int:
    """Submit, wait if asked to, print where the job stands; 0 done (or queued), 2 rejected, 1 failed."""
    settings = read_settings()
    try:
        job = jobs.submit(
            options.files,
            how=reading_of(options),
            in_place=options.in_place,
            land_use=options.land_use,
            land_use_column=options.land_use_column,
            census=options.census,
            census_column=options.census_column,
            study_id=options.study,
            city_id=options.city,
            settings=settings,
        )
    except (InputError, QuotaError) as error:
        nothing = {
            "job": None,
            "state": "rejected",
            "reason": str(error),
            "cells": 0,
            "skipped": 0,
            "result": None,
            **dict.fromkeys(_OF_RESULT),
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
    """Return the JSON object of a job; one that is done says whose networks spoke, and what to doubt."""
    known: dict[str, Any] = {}
    if state.result is not None:
        known = json.loads((state.result / "summary.json").read_text(encoding="utf-8"))
    return {
        "job": state.job,
        "state": state.state,
        "reason": state.reason,
        "cells": state.cells,
        "skipped": state.skipped,
        "result": str(state.result) if state.result else None,
        **{name: known.get(name) for name in _OF_RESULT},
    }


def _say(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(facts, ensure_ascii=False))
        return
    print(file=sys.stderr)
    print("\n".join(f"{name}: {value}" for name, value in facts.items() if value is not None))
