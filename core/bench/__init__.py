"""Measurements of Carreau itself: `python -m core bench NAME`, exit status 1 when a criterion fails."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.settings import REPOSITORY

Report = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one sub-command a bench."""
    benches = parser.add_subparsers(dest="bench", required=True, metavar="NAME")

    inference = benches.add_parser("inference", help="do corrected tests reject as often as they say?")
    inference.add_argument("--draws", type=int, default=2000, help="pairs of fields a setting")
    inference.set_defaults(measure=_inference)

    recovery = benches.add_parser("recovery", help="do the methods find what a generated city planted?")
    recovery.add_argument("--recipe", default="objects", help="objects, mix, hidden or nothing")
    recovery.add_argument(
        "--keep", type=Path, help="folder to keep world and study in (default: none is kept)"
    )
    recovery.add_argument(
        "--into", type=Path, metavar="FILE.json", help="file of runs to add this one to (data/recovery.json)"
    )
    recovery.set_defaults(measure=_recovery)

    nothing = benches.add_parser("nothing", help="is land use found to matter where nothing carries income?")
    nothing.add_argument("--worlds", type=int, default=50, help="generated cities")
    nothing.add_argument("--size", default="city", help="size of the cities: tiny, city or demo")
    nothing.set_defaults(measure=_nothing)

    kills = benches.add_parser("kills", help="is any job lost, doubled or different when things are killed?")
    kills.add_argument("--rounds", type=int, default=30, help="kills")
    kills.add_argument("--queue-url", default="", help="shared queue of two machines (default: SQLite, one)")
    kills.set_defaults(measure=_kills)

    fuzz = benches.add_parser("fuzz", help="does a hostile file or parameter crash, hang or lead out?")
    fuzz.add_argument("--cases", type=int, default=10_000, help="files and parameters")
    fuzz.set_defaults(measure=_fuzz)

    regions = benches.add_parser("regions", help="do memory and cost stay in proportion to a region's size?")
    regions.add_argument("--pixels", type=int, default=25_000, help="side of the tile")
    regions.add_argument("--form", default="tif", help="tif or jp2")
    regions.set_defaults(measure=_regions)

    pages = benches.add_parser("pages", help="is every page quick at the size of a country?")
    pages.add_argument("--cells", type=int, default=2_300_000, help="cells of the publication")
    pages.add_argument("--keep", type=Path, help="folder that keeps the publication, or holds it already")
    pages.set_defaults(measure=_pages)

    paint = benches.add_parser("paint", help="how soon are the maps of a large city seen in a browser?")
    paint.add_argument("--cells", type=int, default=100_000, help="cells of the city")
    paint.set_defaults(measure=_paint)

    fills = benches.add_parser("fills", help="which fill of class occlusion is closest to the truth?")
    fills.add_argument("--study", type=Path, default=REPOSITORY / "data" / "demo" / "study.toml")
    fills.add_argument("--cells", type=int, default=300)
    fills.set_defaults(measure=_fills)

    for one in (inference, recovery, nothing, kills, fuzz, regions, pages, paint, fills):
        one.add_argument("--seed", type=int, default=1)
        one.add_argument("--json", action="store_true", help="print one JSON object on one line")


def run(options: argparse.Namespace) -> int:
    """Run a bench, print its report and return 1 when one of its criteria failed."""
    measure: Callable[[argparse.Namespace], Report] = options.measure
    report = measure(options)
    print(json.dumps(report, indent=None if options.json else 2, ensure_ascii=False))
    for failure in report["failed"]:
        print(f"carreau: bench {options.bench}: {failure}", file=sys.stderr)
    return 1 if report["failed"] else 0


def _fills(options: argparse.Namespace) -> Report:
    from core.bench.fills import measure_fills

    return measure_fills(options.study, n_cells=options.cells, seed=options.seed)


def _recovery(options: argparse.Namespace) -> Report:
    from core.bench.recovery import add_run, measure_recovery

    report = measure_recovery(options.recipe, options.seed, keep=options.keep)
    if options.into is not None:
        add_run(options.into, report)
    return report


def _inference(options: argparse.Namespace) -> Report:
    from core.bench.inference import measure_inference

    return measure_inference(seed=options.seed, draws=options.draws)


def _nothing(options: argparse.Namespace) -> Report:
    from core.bench.nothing import measure_nothing

    return measure_nothing(options.seed, options.worlds, options.size)


def _kills(options: argparse.Namespace) -> Report:
    from core.bench.kills import measure_kills

    return measure_kills(options.rounds, options.seed, queue_url=options.queue_url)


def _regions(options: argparse.Namespace) -> Report:
    from core.bench.regions import measure_regions

    return measure_regions(options.pixels, options.form)


def _pages(options: argparse.Namespace) -> Report:
    from core.bench.pages import measure_pages

    return measure_pages(options.cells, keep=options.keep)


def _paint(options: argparse.Namespace) -> Report:
    from core.bench.paint import measure_paint

    return measure_paint(options.cells)


def _fuzz(options: argparse.Namespace) -> Report:
    from core.bench.fuzz import measure_fuzz

    return measure_fuzz(options.cases, options.seed)
