"""Running a study: the stages in order, each resumable, one line of result a part."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from core.pipeline import (
    STAGES,
    adopt,
    attribute,
    districts,
    features,
    ingest,
    occlude,
    predict,
    publish,
    summarise,
    train,
    trust,
)
from core.pipeline.parts import produce, sweep
from core.pipeline.workspace import Workspace
from core.settings import Settings
from core.study import CitySection, DistrictSource, read_study
from data.errors import StudyError

if TYPE_CHECKING:
    from core.ensemble import Fold

Say = Callable[[str], None]


def open_workspace(study_file: Path, settings: Settings) -> Workspace:
    """Read a study file and return the workspace where its stages keep what they make."""
    study = read_study(study_file)
    root = settings.var / "studies" / study.study.id
    return Workspace(root, study, study_file.resolve(), settings.threads, settings.device)


def run_study(
    study_file: Path,
    settings: Settings,
    *,
    stage: str | None = None,
    publish_to: Path | None = None,
    networks_of: Path | None = None,
    say: Say = print,
) -> None:
    """Run all stages of a study, or one of them, on what the earlier ones left.

    A finished part is not done again unless something it depends on changed. ``publish_to`` is the folder of
    the published study, by default ``var/publications/<study id>``; ``networks_of`` that of one whose
    networks are taken in place of training.

    Raises:
        InputError: a file that cannot be used. SettingsError, StudyError: as their texts say; also when
            ``stage`` is asked for and an earlier stage has not been run.
    """
    workspace = open_workspace(study_file, settings)
    workspace.root.mkdir(parents=True, exist_ok=True)
    with _alone_in(workspace):
        sweep(workspace.root)
        folder = publish_to or settings.publications / workspace.study.study.id
        _run_stages(workspace, folder, stage, networks_of, say)


@contextmanager
def _alone_in(workspace: Workspace) -> Iterator[None]:
    """Hold the workspace for this process; the lock goes with the process, however it ends."""
    with (workspace.root / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StudyError(
                f"study {workspace.study.study.id} is being run by another process. "
                "Wait for it to end, or give this one its own folder with CARREAU_VAR."
            ) from error
        yield


def _run_stages(
    workspace: Workspace, folder: Path, stage: str | None, networks_of: Path | None, say: Say
) -> None:
    steps: dict[str, Callable[[], Iterator[str]]] = {
        "ingest": lambda: _ingest(workspace),
        "train": lambda: _train(workspace, networks_of),
        "predict": lambda: _predict(workspace),
        "attribute": lambda: _attribute(workspace),
        "occlude": lambda: _occlude(workspace),
        "trust": lambda: _trust(workspace),
        "summarise": lambda: _summarise(workspace),
        "publish": lambda: publish.publish_study(workspace, folder),
    }
    for name in STAGES if stage is None else (stage,):
        for line in steps[name]():
            say(f"{name:9} {line}")


def _line(result: tuple[str, bool]) -> str:
    line, stood = result
    return f"{line} (done before)" if stood else line


def _ingest(workspace: Workspace) -> Iterator[str]:
    for city in workspace.study.cities:
        inputs = ingest.ingest_inputs(workspace, city)

        def write(out: Path, city: CitySection = city) -> str:
            return ingest.ingest_city(workspace, city, out)

        yield _line(produce(workspace.part("ingest", city.id), inputs, write))
    for city in workspace.study.cities:
        if city.districts is not None:
            yield _districts(workspace, city, city.districts)


def _districts(workspace: Workspace, city: CitySection, named: DistrictSource) -> str:
    part = workspace.part("ingest", districts.district_part(city))
    inputs = districts.district_inputs(workspace, city, named)
    return _line(produce(part, inputs, lambda out: districts.write_districts(workspace, city, named, out)))


def _train(workspace: Workspace, networks_of: Path | None) -> Iterator[str]:
    _need(workspace, "ingest", [city.id for city in workspace.study.cities])
    yield _line(
        produce(
            workspace.part("train", "plan"),
            train.plan_inputs(workspace),
            lambda out: train.write_plan(workspace, out),
        )
    )
    tasks = train.model_tasks(workspace.study, workspace.table("train", "plan", "plan"))
    if networks_of is not None:
        yield from adopt.adopt_networks(workspace, tasks, networks_of)
    else:
        yield from train.train_all(workspace, tasks)


def _predict(workspace: Workspace) -> Iterator[str]:
    tasks = _tasks(workspace)
    for city in workspace.study.cities:
        mine = predict.models_of(tasks, city.id)
        inputs = predict.predict_inputs(workspace, mine, city.id)
        yield _with_folds(workspace, "predict", city.id, mine, inputs, predict.predict_city)
    for task in tasks:

        def write(out: Path, task: train.ModelTask = task) -> str:
            return features.write_features(workspace, task, out)

        part = workspace.part("predict", features.feature_part(task))
        yield _line(produce(part, features.feature_inputs(workspace, task), write))


def _attribute(workspace: Workspace) -> Iterator[str]:
    _need(workspace, "predict", [city.id for city in workspace.study.cities])
    tasks = _tasks(workspace)
    for city in workspace.study.cities:
        if city.land_use is None:
            yield f"{city.id}: no land use, nothing to attribute to"
            continue
        mine, inputs = predict.models_of(tasks, city.id), attribute.attribute_inputs(workspace, city.id)
        yield _with_folds(workspace, "attribute", city.id, mine, inputs, attribute.attribute_city)


def _occlude(workspace: Workspace) -> Iterator[str]:
    _need(workspace, "predict", [city.id for city in workspace.study.cities])
    if not workspace.study.occlusion.enabled:
        yield "left out: occlusion.enabled is false in the study file"
        return
    tasks = _tasks(workspace)
    for city in _with_land_use(workspace):
        mine, inputs = predict.models_of(tasks, city.id), occlude.occlude_inputs(workspace, city.id)
        yield _with_folds(workspace, "occlude", city.id, mine, inputs, occlude.occlude_city)


def _with_folds(
    workspace: Workspace,
    stage: str,
    city_id: str,
    tasks: list[train.ModelTask],
    inputs: str,
    work: Callable[[Workspace, str, dict[int, Fold], Path], str],
) -> str:
    """Produce a city's part of a stage that needs the networks; they are loaded only if there is work."""

    def write(out: Path) -> str:
        return work(workspace, city_id, predict.load_folds(workspace, tasks), out)

    return _line(produce(workspace.part(stage, city_id), inputs, write))


def _trust(workspace: Workspace) -> Iterator[str]:
    if not workspace.study.trust.enabled:
        yield "left out: trust.enabled is false in the study file"
        return
    tasks = _tasks(workspace)
    for task in tasks:
        alike = [other for other in tasks if other.city_id == task.city_id]
        others = [other for other in alike if other.fold != task.fold]

        def write(out: Path, task: train.ModelTask = task, others: list[train.ModelTask] = others) -> str:
            folds = predict.load_folds(workspace, [task, *others[:1]])
            other = folds[others[0].fold] if others else None
            return trust.check_network(workspace, task, folds[task.fold], other, out)

        yield _line(
            produce(workspace.part("trust", task.model_id), trust.trust_inputs(workspace, alike, task), write)
        )


def _with_land_use(workspace: Workspace) -> list[CitySection]:
    return [city for city in workspace.study.cities if city.land_use]


def _summarise(workspace: Workspace) -> Iterator[str]:
    _need(workspace, "predict", [city.id for city in workspace.study.cities])
    mapped = [city.id for city in _with_land_use(workspace)]
    _need(workspace, "attribute", mapped)
    if workspace.study.occlusion.enabled:
        _need(workspace, "occlude", mapped)
    for city in workspace.study.cities:

        def write(out: Path, city: CitySection = city) -> str:
            return summarise.summarise_city(workspace, city, out)

        yield _line(
            produce(
                workspace.part("summarise", city.id), summarise.summarise_inputs(workspace, city.id), write
            )
        )
    yield _line(
        produce(
            workspace.part("summarise", "_study"),
            summarise.study_inputs(workspace),
            lambda out: summarise.summarise_study(workspace, out),
        )
    )


def _tasks(workspace: Workspace) -> list[train.ModelTask]:
    _need(workspace, "train", ["plan"])
    tasks = train.model_tasks(workspace.study, workspace.table("train", "plan", "plan"))
    _need(workspace, "train", [task.model_id for task in tasks])
    return tasks


def _need(workspace: Workspace, stage: str, parts: list[str]) -> None:
    missing = [name for name in parts if not workspace.done_with(stage, name)]
    if missing:
        raise StudyError(
            f"study {workspace.study.study.id}: stage {stage} has not been run for {', '.join(missing)}. "
            f"Run `python -m core run {workspace.study_file.name}` without --stage, or with --stage {stage}."
        )
