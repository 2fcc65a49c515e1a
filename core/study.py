"""The study file: typed, described, unknown keys refused."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from data.errors import InputError

if TYPE_CHECKING:
    from models.network import NetworkSettings
    from models.train import TrainSettings

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
Year = Annotated[int, Field(ge=1990, le=2100)]


class Section(BaseModel):
    """A table of the study file: frozen, and unknown keys are an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class StudySection(Section):
    """`[study]`."""

    id: Slug = Field(description="short name of the study, in lower case")
    title: str = Field(min_length=1, max_length=120, description="title for people")
    description: str = Field("", description="what the study is, in a sentence or two")
    seed: int = Field(1, ge=0, lt=2**31, description="seed of folds, training and resampling")
    generated: bool = Field(False, description="true when the cities are invented")


class LabelSection(Section):
    """`[labels]`."""

    n_classes: int = Field(10, ge=2, le=20, description="income classes: 10 = deciles, 5 = quintiles")
    scope: Literal["city", "study"] = Field(
        "city", description="class thresholds inside each city, or one set"
    )


class FoldSection(Section):
    """`[folds]`."""

    scheme: Literal["block", "random", "city"] = Field(
        "block",
        description="block: square spatial blocks; random: stratified (the paper); city: leave one city out",
    )
    n_folds: int = Field(3, ge=2, le=20, description="number of folds (block and random)")
    block_m: int = Field(1200, ge=200, le=50_000, description="side of the blocks in metres")


class NetworkSection(Section):
    """`[network]`."""

    architecture: Literal["efficientnet_b0", "mobilenet_v3_small"] = Field(
        "efficientnet_b0", description="backbone; mobilenet_v3_small is for quick trials"
    )
    head: Literal["binomial", "softmax", "corn", "coral"] = Field("binomial", description="output head")
    input_px: int = Field(128, ge=64, le=1024, multiple_of=32, description="side of a cell's image in pixels")
    output_stride: Literal[16, 32] = Field(16, description="input pixels per feature-map pixel")
    pretrained: bool = Field(False, description="start from the ImageNet weights of torchvision")
    scaling: Literal["fixed", "minmax"] = Field(
        "fixed", description="fixed: ImageNet mean and deviation; minmax: per image"
    )

    def settings(self, n_classes: int) -> NetworkSettings:
        """Return what `models` needs to build the network."""
        from models.network import NetworkSettings  # pages read study files, and need no torch

        return NetworkSettings(n_classes=n_classes, **self.model_dump())


class TrainSection(Section):
    """`[train]`."""

    scope: Literal["study", "city"] = Field(
        "study", description="one network per fold for all cities, or one a city"
    )
    epochs: int = Field(6, ge=1, le=500, description="passes over the training cells")
    batch_size: int = Field(16, ge=2, le=512, description="cells a step")
    learning_rate: float = Field(
        1e-3, gt=0, le=1, description="peak of the one-cycle schedule (8e-5 for pretrained weights)"
    )
    weight_decay: float = Field(1e-2, ge=0, le=1, description="decoupled weight decay of AdamW")

    def settings(self) -> TrainSettings:
        """Return what `models` needs to train."""
        from models.train import TrainSettings

        return TrainSettings(**self.model_dump(exclude={"scope"}))


class AttributeSection(Section):
    """`[attribute]`."""

    methods: tuple[Literal["cam", "paper"], ...] = Field(
        ("cam", "paper"), description="activation maps to compute"
    )


class OcclusionSection(Section):
    """`[occlusion]`."""

    enabled: bool = Field(True, description="paint over each land-use class of each cell (many predictions)")
    fill: Literal["city_mean", "cell_mean", "rest_mean", "class_mean", "blur"] = Field(
        "city_mean", description="what a class is painted over with; docs/occlusion.md compares them"
    )
    moves: int = Field(8, ge=8, le=64, description="masks of the same shape moved on the torus, for the null")
    min_share: float = Field(0.01, ge=0, lt=1, description="least area share of a class in a cell")


class TrustSection(Section):
    """`[trust]`."""

    enabled: bool = Field(True, description="check whether each network's maps can be believed")
    cells: int = Field(48, ge=8, le=1000, description="held-out cells that each network is checked on")
    shuffle_epochs: int = Field(
        2, ge=0, le=500, description="training on shuffled labels, for comparison; 0: left out"
    )


class StatisticsSection(Section):
    """`[statistics]`."""

    draws: int = Field(1000, ge=100, le=100_000, description="bootstrap draws")
    pooled_min_share: float = Field(
        0.01, ge=0, lt=1, description="least area share of a class in the pooled ratio"
    )
    coefficients: tuple[Literal["spearman", "pearson", "kendall"], ...] = Field(
        ("spearman", "pearson", "kendall"), description="correlation coefficients to publish"
    )


class CensusSource(Section):
    """`[cities.census]`."""

    path: Path = Field(description="table or layer of 200 m cells, relative to the study file")
    year: Year | None = Field(None, description="vintage; read from the file's columns when left out")
    source: str = Field("", description="who made it")
    licence: str = Field("", description="licence")


class LandUseSource(Section):
    """`[cities.land_use]`."""

    path: Path = Field(description="Urban Atlas layer, relative to the study file")
    year: Year | None = Field(None, description="reference year")
    code_column: str | None = Field(
        None, description="column of the class code, when it is not an Urban Atlas one"
    )
    source: str = Field("", description="who made it")
    licence: str = Field("", description="licence")


class DistrictSource(Section):
    """`[cities.districts]`."""

    path: Path = Field(
        description="polygons (communes, wards ...) that share out the city, relative to the study file"
    )
    id: str = Field(min_length=1, description="column that tells the districts apart")
    name: str | None = Field(None, description="column of their names; the ids when left out")
    layer: str | None = Field(None, description="layer, when several of the file have these columns")
    year: Year | None = Field(None, description="year of the borders")
    source: str = Field("", description="who made it")
    licence: str = Field("", description="licence")


class ImagerySource(Section):
    """`[cities.imagery]`."""

    path: Path = Field(
        description="photograph, folder of tiles or `dalles` index, relative to the study file"
    )
    year: Year | None = Field(None, description="year of the photograph")
    source: str = Field("", description="who made it")
    licence: str = Field("", description="licence")


class GeneratedTruth(Section):
    """`[cities.generated]`: what is known of an invented city."""

    recipe: str = Field(description="recipe of the world")
    seed: int = Field(description="seed of the world")
    oracle_spearman: float = Field(description="rank correlation of the true object score with income")
    object_pixel_share: float = Field(description="share of the photograph that the objects cover")
    truth: Path = Field(description="file with the planted classes, relative to the study file")


class CitySection(Section):
    """`[[cities]]`."""

    id: Slug = Field(description="short name, used in addresses")
    name: str = Field(min_length=1, max_length=80, description="name for people")
    census: CensusSource = Field(description="census cells")
    imagery: ImagerySource = Field(description="photograph")
    land_use: LandUseSource | None = Field(None, description="land use; a study can do without")
    districts: DistrictSource | None = Field(None, description="districts; a study can do without")
    boundary: Path | None = Field(None, description="outline, when the land use has no boundary layer")
    generated: GeneratedTruth | None = Field(None, description="set for invented cities")


class Study(Section):
    """A study file, read and checked; `file` is where it was read from and paths are absolute."""

    study: StudySection
    labels: LabelSection = LabelSection()
    folds: FoldSection = FoldSection()
    network: NetworkSection = NetworkSection()
    train: TrainSection = TrainSection()
    attribute: AttributeSection = AttributeSection()
    occlusion: OcclusionSection = OcclusionSection()
    trust: TrustSection = TrustSection()
    statistics: StatisticsSection = StatisticsSection()
    cities: tuple[CitySection, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Study:
        ids = [city.id for city in self.cities]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"cities.id: {', '.join(twice)} stands more than once")
        if self.folds.scheme == "city" and len(ids) < 2:
            raise ValueError("folds.scheme: 'city' needs at least two cities")
        if self.folds.scheme == "city" and self.train.scope == "city":
            raise ValueError("train.scope: 'city' cannot be combined with folds.scheme 'city'")
        return self


def imagery_of(study_file: Path, city_id: str) -> Path:
    """Return where a study file says the photograph of a city is; ``InputError`` where it does not say."""
    path = photographs_of(study_file).get(city_id)
    if path is None:
        raise no_photograph(study_file, city_id)
    return path


def photographs_of(study_file: Path) -> dict[str, Path]:
    """Return where a study file says the photographs are, by city; raises as `read_study`."""
    return {city.id: city.imagery.path for city in read_study(study_file).cities}


def no_photograph(study_file: Path, city_id: str) -> InputError:
    """Return the error of a city of which a study file names no photograph."""
    return InputError(
        study_file, f"names no photograph of {city_id}", "Publish the study again with its own study file."
    )


def read_study(file: Path) -> Study:
    """Read and check a study file.

    Raises:
        InputError: not there, not TOML, an unknown key or a value out of range; the key and what is
            allowed are named.
    """
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(file, "is not there", "Give the path of a study file (TOML).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InputError(file, f"cannot be read as TOML ({error})", "Correct the line it names.") from error
    try:
        study = Study.model_validate(document)
    except ValidationError as error:
        found = error.errors()
        # a city that was refused also leaves the list of cities too short: say the cause alone
        causes = [item for item in found if item["type"] != "too_short" or len(found) == 1]
        faults = "; ".join(_say(item) for item in causes)
        raise InputError(file, faults, "See docs/study-file.md for every setting.") from error
    return _with_absolute_paths(study, file.resolve().parent)


def _say(item: Any) -> str:
    """Turn one pydantic error into a sentence that names the key and what is allowed."""
    key = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        return f"unknown key {key}; known there are {', '.join(sorted(_siblings(item['loc'])))}"
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] == "missing":
        return f"{key} is missing"
    message = message.replace("Input should be", "must be")
    shown = "" if isinstance(item["input"], dict | list) else f", not {item['input']!r}"
    return f"{key}: {message}{shown}" if key else message


def _siblings(location: tuple[int | str, ...]) -> set[str]:
    """Return the keys that are allowed where an unknown one was found."""
    section: Any = Study
    for part in location[:-1]:
        if isinstance(part, int):
            continue
        section = _section_type(section.model_fields[part].annotation)
    return set(section.model_fields)


def _section_type(annotation: Any) -> type[Section]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        if isinstance(inner, type) and issubclass(inner, Section):
            return inner
    raise TypeError(f"{annotation} is no section")  # pragma: no cover - a fault of this module


def _with_absolute_paths(study: Study, folder: Path) -> Study:
    """Resolve every path of the study against the folder of its file."""

    def resolved(section: Section) -> Section:
        update: dict[str, Any] = {}
        for name in type(section).model_fields:
            value = getattr(section, name)
            if isinstance(value, Path):
                update[name] = (folder / value).resolve()
            elif isinstance(value, Section):
                update[name] = resolved(value)
            elif isinstance(value, tuple) and value and isinstance(value[0], Section):
                update[name] = tuple(resolved(item) for item in value)
        return section.model_copy(update=update)

    return resolved(study)  # type: ignore[return-value]


def describe_settings() -> list[tuple[str, str, str]]:
    """Return (key, default, description) of every setting of the study file, in order.

    >>> next(row for row in describe_settings() if row[0] == "labels.n_classes")[1]
    '10'
    """

    def walk(section: type[Section], prefix: str) -> list[tuple[str, str, str]]:
        rows = []
        for name, info in section.model_fields.items():
            try:
                inner = _section_type(info.annotation)
            except TypeError:
                default = "required" if info.is_required() else repr(info.default)
                rows.append((prefix + name, default, info.description or ""))
            else:
                rows.extend(walk(inner, f"{prefix}{name}."))
        return rows

    return walk(Study, "")
