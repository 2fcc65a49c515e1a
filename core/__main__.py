"""`python -m core VERB`: the commands, each a thin call into the rooms that do the work."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from core.pipeline import STAGES
from core.settings import read_settings
from data.errors import CarreauError, SettingsError


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 1 failed, 2 refused with the reason."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options) or 0)
    except CarreauError as error:
        print(f"carreau: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of the output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print(
            "carreau: interrupted; finished parts are kept, the same command goes on from there",
            file=sys.stderr,
        )
        return 130


def _parser() -> argparse.ArgumentParser:
    from core import bench, explain, metrics, preview, submit, worker
    from data.world.plan import SIZES

    parser = argparse.ArgumentParser(prog="python -m core", description="Carreau from the command line.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    world = verbs.add_parser("world", help="write the files of a study of generated cities")
    world.add_argument("out", type=Path, metavar="OUT", help="folder to write into")
    world.add_argument(
        "--recipe", default="objects", help="a recipe for all cities, or one a city, separated by commas"
    )
    world.add_argument("--seed", type=int, default=1)
    world.add_argument("--size", choices=tuple(SIZES), default="demo")
    world.set_defaults(run=_world)

    run = verbs.add_parser("run", help="run a study: ingest, train, predict, attribute, summarise, publish")
    run.add_argument("study", type=Path, metavar="STUDY.toml")
    run.add_argument("--stage", choices=STAGES, help="one stage alone")
    run.add_argument(
        "--publish-to", type=Path, help="folder of the published study (default: in the var folder)"
    )
    run.add_argument(
        "--networks-of",
        type=Path,
        metavar="FOLDER",
        help="published study whose networks are taken in place of training, where cells and settings agree",
    )
    run.set_defaults(run=_run)

    inspect = verbs.add_parser("inspect", help="say what a file is and whether it can be used")
    inspect.add_argument("file", type=Path)
    inspect.add_argument("--district-id", metavar="COLUMN", help="column of ids, of a file of districts")
    inspect.add_argument("--district-name", metavar="COLUMN", help="column of their names")
    inspect.add_argument("--json", action="store_true", help="print one JSON object")
    inspect.set_defaults(run=_inspect)

    info = verbs.add_parser("info", help="say what the current publication holds")
    info.add_argument("--study", help="id of the study (default: the first found)")
    info.add_argument("--json", action="store_true", help="print one JSON object")
    info.set_defaults(run=_info)

    for name, command, said in (
        ("explain", explain, "draw another activation map of one cell"),
        ("bench", bench, "measure Carreau itself"),
        ("preview", preview, "say what a job on photographs would do"),
        ("submit", submit, "send a photograph through the job queue"),
        ("metrics", metrics, "print or serve figures of the queue for Prometheus"),
        ("worker", worker, "run jobs until there is nothing left to do"),
    ):
        own = verbs.add_parser(name, help=said)
        command.add_arguments(own)
        own.set_defaults(run=command.run)
    return parser


def _world(options: argparse.Namespace) -> int:
    from data.world import write_world

    try:
        print(write_world(options.out, options.recipe, options.seed, options.size))
    except ValueError as error:
        raise SettingsError(f"--recipe: {error}") from error
    return 0


def _run(options: argparse.Namespace) -> int:
    from core.pipeline.run import run_study

    def say(line: str) -> None:
        print(line, flush=True)

    run_study(
        options.study,
        read_settings(),
        stage=options.stage,
        publish_to=options.publish_to,
        networks_of=options.networks_of,
        say=say,
    )
    if options.stage in (None, "publish"):
        say("done; `make run` shows it")
    return 0


def _inspect(options: argparse.Namespace) -> int:
    from data.inspect import inspect

    found = inspect(options.file, district_id=options.district_id, district_name=options.district_name)
    print(json.dumps(found, indent=None if options.json else 2, ensure_ascii=False))
    return 0 if found.get("usable") else 2


def _info(options: argparse.Namespace) -> int:
    from core.info import as_text, publication_info

    found = publication_info(read_settings(), options.study)
    print(json.dumps(found, ensure_ascii=False) if options.json else as_text(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
