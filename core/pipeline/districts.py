"""Ingest, second half: which district of a city holds each of its cells."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from core.pipeline.ingest import file_record, files_of
from core.pipeline.parts import fingerprint
from core.pipeline.workspace import Workspace, write_facts
from core.study import CitySection, DistrictSource
from data.districts import cells_in_districts, overlap_warning, read_districts
from data.errors import InputError


def district_part(city: CitySection) -> str:
    """Return the name of the part of a city's districts; ids of cities begin with a letter or digit."""
    return f"_districts-{city.id}"


def district_inputs(workspace: Workspace, city: CitySection, districts: DistrictSource) -> str:
    """Return the fingerprint of what the districts of a city's cells depend on."""
    files = files_of(city, [districts.path])
    stats = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return fingerprint(districts, stats, workspace.done_with("ingest", city.id))


def write_districts(workspace: Workspace, city: CitySection, districts: DistrictSource, out: Path) -> str:
    """Write ``districts.parquet`` (district_id, name) and ``cells.parquet`` (cell_id, district_id).

    Only districts that hold the centre of a cell are kept. Raises InputError where none does.
    """
    cells = workspace.table("ingest", city.id, "cells")
    facts = workspace.facts("ingest", city.id)
    size, crs = facts["cell_size_m"], facts["grid_crs"]
    west, south, east, north = cells.x.min(), cells.y.min(), cells.x.max() + size, cells.y.max() + size
    read = read_districts(
        districts.path,
        id_column=districts.id,
        name_column=districts.name,
        layer=districts.layer,
        near=(float(west), float(south), float(east), float(north)),
        crs=crs,
    )
    found, several = cells_in_districts(read, cells.x, cells.y, size)
    table = pd.DataFrame({"cell_id": cells.cell_id, "district_id": found}).dropna()
    if table.empty:
        raise InputError(
            districts.path,
            f"has no district that holds a cell of city {city.id}",
            "Check its CRS, or bring the file of this city.",
        )
    warnings = [*read.warnings, *([overlap_warning(districts.path, several)] if several else [])]
    kept = read.polygons[read.polygons.district_id.isin(table.district_id)]
    pd.DataFrame(kept[["district_id", "name"]]).to_parquet(out / "districts.parquet")
    table.to_parquet(out / "cells.parquet")
    files = [file_record(path) for path in files_of(city, [districts.path])]
    write_facts(out, {"files": files, "crs": read.source_crs, "warnings": warnings})
    line = f"{city.name}: {len(kept)} districts hold {len(table)} of {len(cells)} cells"
    return "; ".join([line, *(warning.rstrip(".") for warning in warnings)])
