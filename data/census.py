"""INSEE Filosofi 200 m squares, in the layouts of 2015, 2017, 2019 and 2021, and income quantile classes."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry

from data.errors import InputError, StudyError
from data.grid import CELL_SIZE, LAEA, Grid, parse_cell_ids
from data.vector_files import check_vector_file, first_line, layer_info, list_layers, read_layer, year_in

VINTAGES = {2015, 2017, 2019, 2021}

# What we read -> its names in lower case, oldest first. Case and names change with the vintage.
COLUMNS = {
    "cell_id": ("idinspire", "idcar_200m"),
    "imputed": ("i_est_cr", "i_est_200"),
    "individuals": ("ind",),
    "households": ("men",),
    "snv": ("ind_snv",),
    "group": ("id_carr_n", "idcar_nat"),
}
REQUIRED = ("cell_id", "imputed", "individuals", "households", "snv")

_OFFICIAL = "Bring the 200 m table as INSEE ships it."

# A square may be clipped to an outline, never larger; coordinates are rounded to centimetres at worst.
_POSITION_TOLERANCE_M = 1.0


@dataclass(frozen=True)
class Census:
    """Census cells of one file.

    cells: cell_id str; x, y int, lower-left corner in metres of `crs`; individuals, households float; income
    float, euros a person and year (`Ind_snv / Ind`), NaN where nobody lives or no income is given; imputed
    bool; group str or None, the coarser square that an imputed cell's values come from (every group of cells
    that share one imputed income lies in one such square).
    """

    cells: pd.DataFrame
    vintage: int | None
    path: Path
    crs: str = LAEA
    warnings: tuple[str, ...] = ()


def census_columns(fields: list[str]) -> dict[str, str]:
    """Our name -> the file's name, for what `fields` holds.

    >>> census_columns(["IdINSPIRE", "Ind", "Depcom"])
    {'cell_id': 'IdINSPIRE', 'individuals': 'Ind'}
    """
    by_lower = {field.lower(): field for field in fields}
    found = {}
    for ours, names in COLUMNS.items():
        for name in names:
            if name in by_lower:
                found[ours] = by_lower[name]
                break
    return found


def guess_vintage(fields: list[str], name: str) -> int | None:
    """Vintage from the column names, and from the year in the file's name where they leave a choice.

    >>> guess_vintage(["IdINSPIRE", "I_est_cr"], "squares.csv")
    2015
    >>> guess_vintage(["idcar_200m", "i_est_200"], "carreaux_200m_met.gpkg") is None  # 2019 or 2021
    True
    """
    if any(field.lower() in ("idinspire", "i_est_cr") for field in fields):
        return 2015
    if "Idcar_200m" in fields:
        return 2017
    return year_in(name, {2019, 2021})


def read_census(path: str | Path, *, where: BaseGeometry | None = None) -> Census:
    """Read a Filosofi file (.shp, .gpkg, .csv); the position comes from the id, never from the drawn square.

    `where`: keep the cells whose centre lies in this outline (CRS of the ids, EPSG:3035). Raises InputError,
    naming the file, the fault and the remedy: missing columns, no rows, truncated file, malformed or
    duplicate ids, ids off the 200 m grid or far from the drawn squares (wrong CRS), values that are not
    numbers.
    """
    path = Path(path)
    check_vector_file(path)
    table, names, fields = _read_table(path, where)
    if table.empty:
        raise InputError(
            path, "has no rows" + (" in the area asked for" if where is not None else ""), _OFFICIAL
        )
    cells, crs = _positions(path, table[names["cell_id"]])
    if isinstance(table, gpd.GeoDataFrame) and table.geometry.notna().any():
        _check_positions(path, cells, table.geometry, crs)
    duplicated = cells.cell_id.duplicated()
    if duplicated.any():
        raise InputError(
            path,
            f"holds {int(duplicated.sum())} duplicate ids, the first {cells.cell_id[duplicated].iloc[0]}",
            "Keep one row for each square.",
        )
    individuals = _numbers(path, table, names["individuals"])
    snv = _numbers(path, table, names["snv"])
    cells["individuals"] = individuals
    cells["households"] = _numbers(path, table, names["households"])
    cells["income"] = np.where(individuals > 0, snv / np.where(individuals > 0, individuals, 1), np.nan)
    cells["imputed"] = _flags(path, table, names["imputed"])
    warnings = []
    if "group" in names:
        given = zip(cells.imputed, table[names["group"]], strict=True)
        groups = [str(square) if imputed and pd.notna(square) else None for imputed, square in given]
        cells["group"] = pd.Series(groups, dtype="object")
    else:
        cells["group"] = pd.Series([None] * len(cells), dtype="object")
        if cells.imputed.any():
            warnings.append(
                f"{path.name}: has no column Id_carr_n or idcar_nat, so cells that share an imputed income "
                "cannot be kept together. Bring the table as INSEE ships it."
            )
    if path.suffix.lower() == ".csv" and _ends_open(path):
        warnings.append(
            f"{path.name}: the last row has no line break, so the file may be truncated. "
            "Compare its size with the original."
        )
    if where is not None:
        shapely.prepare(where)
        half = CELL_SIZE / 2
        cells = cells[shapely.intersects_xy(where, cells.x + half, cells.y + half)].reset_index(drop=True)
        if cells.empty:
            raise InputError(
                path, "has no cell in the area asked for", "Check that both cover the same place."
            )
    if cells.income.notna().sum() == 0:
        raise InputError(path, "gives no income (Ind_snv / Ind) for any cell", _OFFICIAL)
    if cells.imputed.all():
        warnings.append(
            f"{path.name}: every cell is imputed, so no figure rests on observed incomes. Check the column "
            f"{names['imputed']}, or choose another area."
        )
    vintage = guess_vintage(fields, str(path.absolute().parent.name + "/" + path.name))
    return Census(cells, vintage, path, crs, tuple(warnings))


def _read_table(path: Path, where: BaseGeometry | None) -> tuple[pd.DataFrame, dict[str, str], list[str]]:
    """The needed columns, their names by ours, and all column names."""
    if path.suffix.lower() == ".csv":
        return _read_csv(path)
    candidates = []
    for layer, kind in list_layers(path).items():
        info = layer_info(path, layer)
        names = census_columns([str(field) for field in info["fields"]])
        candidates.append((len(names), layer, kind, info, names))
    if not candidates:
        raise InputError(path, "has no layer", _OFFICIAL)
    _, layer, kind, info, names = max(candidates, key=lambda candidate: candidate[0])
    _check_columns(path, names)
    if info["features"] == 0:
        raise InputError(path, f"layer {layer} has no rows", _OFFICIAL)
    bbox = None
    if where is not None and kind is not None and _is(info["crs"], LAEA):
        # one cell more on every side: drawn squares may be clipped, so ids decide afterwards
        west, south, east, north = where.bounds
        bbox = (west - CELL_SIZE, south - CELL_SIZE, east + CELL_SIZE, north + CELL_SIZE)
    frame = read_layer(path, layer, list(names.values()), bbox, read_geometry=kind is not None)
    return frame, names, [str(field) for field in info["fields"]]


def _read_csv(path: Path) -> tuple[pd.DataFrame, dict[str, str], list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
    except UnicodeDecodeError as error:
        raise InputError(path, "is not a text table in UTF-8", _OFFICIAL) from error
    separator = max(",;\t", key=header.count)
    fields = next(csv.reader([header], delimiter=separator), [])
    names = census_columns(fields)
    _check_columns(path, names)
    last = _last_line(path)
    if last.count(separator) < header.count(separator):
        raise InputError(path, "ends in the middle of a row (truncated)", "Copy or download it again.")
    try:
        text = [names["cell_id"], *([names["group"]] if "group" in names else [])]
        frame = pd.read_csv(
            path,
            sep=separator,
            usecols=list(names.values()),
            dtype=dict.fromkeys(text, "str"),
            encoding="utf-8-sig",
        )
    except (ValueError, UnicodeDecodeError) as error:  # pandas' ParserError is a ValueError
        raise InputError(path, f"cannot be read ({first_line(error)})", _OFFICIAL) from error
    return frame, names, fields


def _ends_open(path: Path) -> bool:
    """Whether a table's last row lacks its line break, as after a cut inside its last value."""
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) not in (b"\n", b"\r")


def _last_line(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - 65536))
        lines = [line for line in file.read().splitlines() if line.strip()]
    return lines[-1].decode("utf-8", "replace") if lines else ""


def _check_columns(path: Path, names: dict[str, str]) -> None:
    missing = [COLUMNS[ours] for ours in REQUIRED if ours not in names]
    if missing:
        listed = ", ".join("/".join(choices) for choices in missing)
        raise InputError(path, f"has no column {listed} (in any case)", _OFFICIAL)


def _is(crs: str | None, wanted: str) -> bool:
    return crs is not None and pyproj.CRS.from_user_input(crs).equals(
        pyproj.CRS(wanted), ignore_axis_order=True
    )


def _positions(path: Path, ids: pd.Series) -> tuple[pd.DataFrame, str]:
    """cell_id, x, y from the ids, and their CRS."""
    ids = ids.astype("str").str.strip().reset_index(drop=True)
    parsed = parse_cell_ids(ids)
    bad = parsed.isna().any(axis=1)
    if bad.any():
        raise InputError(
            path,
            f"holds {int(bad.sum())} ids that are none, the first {ids[bad].iloc[0]!r}",
            "Ids must read like CRS3035RES200mN2029800E4253000.",
        )
    if (parsed["size"] != CELL_SIZE).any():
        sizes = sorted({int(size) for size in parsed["size"].unique()})
        raise InputError(path, f"holds squares of {', '.join(map(str, sizes))} m", "Bring the 200 m table.")
    if parsed.epsg.nunique() > 1:
        raise InputError(path, "holds ids of several CRS", "Split the file by CRS.")
    off = (parsed.x % CELL_SIZE != 0) | (parsed.y % CELL_SIZE != 0)
    if off.any():
        raise InputError(
            path, f"holds {int(off.sum())} ids off the 200 m grid, the first {ids[off].iloc[0]}", _OFFICIAL
        )
    crs = f"EPSG:{parsed.epsg.iloc[0]}"
    frame = pd.DataFrame({"cell_id": ids, "x": parsed.x.astype("int64"), "y": parsed.y.astype("int64")})
    return frame, crs


def _check_positions(path: Path, cells: pd.DataFrame, geometry: gpd.GeoSeries, crs: str) -> None:
    """Drawn squares must lie within their cell: they may be clipped to an outline, not elsewhere."""
    drawn = geometry.reset_index(drop=True)
    declared = "no CRS" if drawn.crs is None else drawn.crs.name
    if drawn.crs is not None and not _is(drawn.crs.to_wkt(), crs):
        drawn = drawn.to_crs(crs)
    bounds = drawn.bounds
    squares = Grid(crs).polygons(cells.x, cells.y)
    left, bottom, right, top = shapely.bounds(squares).T
    away = np.maximum.reduce(
        [left - bounds.minx, bottom - bounds.miny, bounds.maxx - right, bounds.maxy - top],
    )
    away = np.where(drawn.isna() | drawn.is_empty, -1.0, np.where(np.isnan(away), np.inf, away))
    wrong = away > _POSITION_TOLERANCE_M
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise InputError(
            path,
            f"draws {int(wrong.sum())} of {len(cells)} squares where their ids do not put them, the first "
            f"{cells.cell_id[first]} (layer CRS: {declared})",
            f"Give the layer its right CRS ({crs}), or bring the CSV table, placed by ids alone.",
        )


def _numbers(path: Path, table: pd.DataFrame, column: str) -> NDArray[np.float64]:
    values = pd.to_numeric(table[column], errors="coerce")
    bad = values.isna() & table[column].notna() & (table[column].astype("str").str.strip() != "")
    if bad.any():
        first = table[column][bad].iloc[0]
        raise InputError(path, f"column {column} holds {first!r}, which is no number", _OFFICIAL)
    return values.to_numpy(dtype=float, na_value=np.nan)


def _flags(path: Path, table: pd.DataFrame, column: str) -> NDArray[np.bool_]:
    values = _numbers(path, table, column)
    if not np.isin(values, (0, 1)).all():
        raise InputError(path, f"column {column} holds values other than 0 and 1", _OFFICIAL)
    return values == 1


def income_thresholds(income: ArrayLike, n_classes: int) -> NDArray[np.float64]:
    """Linear, unweighted quantiles q_0 <= ... <= q_K of the incomes that are finite; shape (K + 1,).

    The position of q_k among the n sorted incomes is k (n - 1) / K, split into whole and rest with integers,
    so a quantile that falls on an income is that income exactly (floats would put it an ulp above, and its
    own cell a class too low). Raises StudyError with fewer than K distinct incomes.

    >>> income_thresholds([1, 2, 3, 4, 5], 2).tolist()
    [1.0, 3.0, 5.0]
    """
    if n_classes < 2:
        raise ValueError("n_classes must be at least 2")
    values = np.asarray(income, dtype=float)
    values = np.sort(values[np.isfinite(values)])
    distinct = len(np.unique(values))
    if distinct < n_classes:
        raise StudyError(
            f"{n_classes} income classes need at least {n_classes} distinct incomes, there are {distinct:d} "
            f"(in {len(values)} cells with an income). Choose fewer classes or a larger city."
        )
    position = np.arange(n_classes + 1) * (len(values) - 1)
    whole, rest = position // n_classes, position % n_classes
    low, high = values[whole], values[np.minimum(whole + 1, len(values) - 1)]
    # never past the upper neighbour, so thresholds rise even where incomes differ by one ulp
    return np.minimum(low + (rest / n_classes) * (high - low), high)


def income_classes(
    income: ArrayLike, n_classes: int, thresholds: ArrayLike | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Income class of every cell (uint8, 1 the poorest, 0 without an income) and the thresholds (K + 1,).

    Class k holds q_{k-1} <= x < q_k, the last one closed, so equal incomes get equal classes (METHOD 3). With
    `thresholds` given (of other cells), incomes beyond them get the first or the last class.

    >>> income_classes([10, 20, 20, 30, float("nan")], 2)[0].tolist()
    [1, 2, 2, 2, 0]
    """
    values = np.asarray(income, dtype=float)
    limits = (
        income_thresholds(values, n_classes) if thresholds is None else np.asarray(thresholds, dtype=float)
    )
    if limits.shape != (n_classes + 1,) or np.any(np.diff(limits) < 0):
        raise ValueError(f"thresholds must be {n_classes + 1} rising numbers")
    classes = np.searchsorted(limits[1:-1], values, side="right") + 1
    return np.where(np.isfinite(values), classes, 0).astype(np.uint8), limits
