"""What a file is, whether it can be used, and its figures, as one JSON-able object."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import shapely

from data.census import census_columns, guess_vintage, income_classes, read_census
from data.districts import read_districts
from data.errors import InputError, StudyError
from data.imagery import no_cell_error, open_imagery
from data.landuse import read_land_use
from data.landuse_classes import class_name
from data.photograph_names import PHOTOGRAPH_SUFFIXES
from data.tile_index import is_tile_index
from data.vector_files import check_vector_file, layer_info, list_layers

N_CLASSES = 10


def inspect(
    path: str | Path,
    *,
    code_column: str | None = None,
    district_id: str | None = None,
    district_name: str | None = None,
) -> dict[str, Any]:
    """Say what a file is: kind ('census', 'land_use', 'imagery', 'districts', 'unknown'), usable, reason,
    warnings, figures.

    ``code_column``: the column of classes of a layer that is land use, but not Urban Atlas's.
    ``district_id``, ``district_name``: the columns of a layer of districts, which no column gives away.

    Never raises for a bad file: usable is False then, and reason names the file, the fault and the remedy.
    """
    path = Path(path)
    result: dict[str, Any] = {
        "file": str(path),
        "kind": "unknown",
        "usable": False,
        "reason": "",
        "warnings": [],
    }
    try:
        look: Callable[[Path, dict[str, Any]], None]
        if district_id is not None:
            result["kind"], look = "districts", partial(_districts, columns=(district_id, district_name))
        else:
            result["kind"], look = _recognise(path)
            if code_column is not None:
                result["kind"], look = "land_use", partial(_land_use, code_column=code_column)
        look(path, result)
        result["usable"] = result["reason"] == ""
    except (InputError, StudyError) as error:
        result["reason"] = str(error)
    return result


def _recognise(path: Path) -> tuple[str, Callable[[Path, dict[str, Any]], None]]:
    if path.is_dir() or path.suffix.lower() in PHOTOGRAPH_SUFFIXES:
        return "imagery", _imagery
    check_vector_file(path)
    if path.suffix.lower() == ".csv":
        return "census", _census
    fields = [str(name) for layer in list_layers(path) for name in layer_info(path, layer)["fields"]]
    # an id or an income column is enough: a census file that lacks another column is told so
    if {"cell_id", "snv"} & set(census_columns(fields)):
        return "census", _census
    if is_tile_index(path):
        return "imagery", _imagery
    return "land_use", _land_use


def _census(path: Path, result: dict[str, Any]) -> None:
    census = read_census(path)
    cells = census.cells
    fields = _fields(path)
    result.update(
        cells=len(cells),
        imputed=int(cells.imputed.sum()),
        imputed_share=round(float(cells.imputed.mean()), 6),
        without_income=int(cells.income.isna().sum()),
        individuals=round(float(cells.individuals.sum()), 1),
        households=round(float(cells.households.sum()), 1),
        vintage=census.vintage,
        crs=census.crs,
        bounds=[int(cells.x.min()), int(cells.y.min()), int(cells.x.max()) + 200, int(cells.y.max()) + 200],
        columns=fields,
        warnings=list(census.warnings),
    )
    if census.vintage is None and guess_vintage(fields, "") is None:
        result["warnings"].append(
            f"{path.name}: the columns fit 2019 and 2021 alike. "
            "Put the year into the file name or the study file."
        )
    try:
        _, thresholds = income_classes(cells.income, N_CLASSES)
        result["income_thresholds"] = [round(float(value), 2) for value in thresholds]
        observed = cells.income[~cells.imputed]
        result["income_thresholds_without_imputed"] = (
            [round(float(value), 2) for value in income_classes(observed, N_CLASSES)[1]]
            if observed.nunique() >= N_CLASSES
            else None
        )
    except StudyError as error:
        result["income_thresholds"] = None
        raise InputError(
            path,
            f"{N_CLASSES} income classes need at least {N_CLASSES} distinct incomes, there are "
            f"{cells.income.nunique():d} (in {cells.income.count():d} cells with an income)",
            "Choose fewer classes or a larger area.",
        ) from error


def _fields(path: Path) -> list[str]:
    if path.suffix.lower() == ".csv":
        with path.open(encoding="utf-8-sig") as file:
            header = file.readline().strip()
        return header.split(max(",;\t", key=header.count))
    layers = [[str(name) for name in layer_info(path, layer)["fields"]] for layer in list_layers(path)]
    return max(layers, key=lambda names: len(census_columns(names)))


def _land_use(path: Path, result: dict[str, Any], code_column: str | None = None) -> None:
    land_use = read_land_use(path, code_column=code_column)
    polygons = land_use.polygons
    area = polygons.geometry.area
    years = sorted(
        {
            int(name[-4:])
            for layer in list_layers(path)
            for name in layer_info(path, layer)["fields"]
            if str(name).lower().startswith("code") and str(name)[-4:].isdigit()
        }
    )
    result.update(
        polygons=len(polygons),
        codes={
            code: {
                "name": land_use.names.get(code, class_name(code)),
                "polygons": int((polygons.code == code).sum()),
                "area_km2": round(float(area[polygons.code == code].sum()) / 1e6, 6),
            }
            for code in sorted(polygons.code.unique())
        },
        area_km2=round(float(area.sum()) / 1e6, 6),
        boundary=land_use.boundary is not None,
        boundary_km2=None if land_use.boundary is None else round(shapely.area(land_use.boundary) / 1e6, 6),
        year=land_use.year,
        years=years,
        layers=list(list_layers(path)),
        bounds=[round(float(value), 3) for value in polygons.total_bounds],
        crs=polygons.crs.to_string(),
        warnings=list(land_use.warnings),
    )


def _districts(path: Path, result: dict[str, Any], columns: tuple[str, str | None]) -> None:
    districts = read_districts(path, id_column=columns[0], name_column=columns[1])
    polygons = districts.polygons
    whole = shapely.union_all(polygons.geometry.to_numpy())
    result.update(
        districts=dict(zip(polygons.district_id, polygons.name, strict=True)),
        area_km2=round(float(whole.area) / 1e6, 6),
        overlap_km2=round(float(polygons.geometry.area.sum() - whole.area) / 1e6, 6),
        bounds=[round(float(value), 3) for value in polygons.total_bounds],
        crs=districts.source_crs,
        warnings=list(districts.warnings),
    )
    if result["overlap_km2"] > 0:
        result["warnings"].append(
            f"{path.name}: districts overlap; a cell whose centre lies in several counts to the first by id."
        )


def _imagery(path: Path, result: dict[str, Any]) -> None:
    with open_imagery(path) as mosaic:
        info = mosaic.info
        grid = mosaic.grid()
        result.update(
            crs=info.crs,
            epsg=info.epsg,
            resolution_m=round(info.resolution_m, 4),
            bands=info.bands,
            dtype=info.dtype,
            width=info.width,
            height=info.height,
            tiles=len(info.tiles),
            bounds=list(info.bounds),
            overlap=round(info.overlap, 4),
            grid=grid.crs,
            cells=0,
            warnings=list(info.warnings),
        )
        cells = mosaic.cells(grid)
        result["cells"] = len(cells)
        if cells.empty:
            raise no_cell_error(mosaic, grid)
        # the first blocks are decoded, so that a damaged file is told now and not in the middle of a job
        for _ in mosaic.read_cells(grid, cells.x[:1], cells.y[:1], 64):
            pass
