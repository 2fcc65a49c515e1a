"""Where the stages of a study keep what they made, and how they read it back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.study import Study

if TYPE_CHECKING:
    from data.coverage import LandUseIndex


@dataclass(frozen=True)
class Workspace:
    """The folder of one study below the var folder, one subfolder a stage."""

    root: Path
    study: Study
    study_file: Path
    threads: int
    device: str

    def part(self, stage: str, name: str) -> Path:
        """Return the folder of a part, for example ``ingest/kerlann``."""
        return self.root / stage / name

    def table(self, stage: str, name: str, table: str) -> pd.DataFrame:
        """Read a table that a part has written."""
        return pd.read_parquet(self.part(stage, name) / f"{table}.parquet")

    def array(self, stage: str, name: str, array: str) -> npt.NDArray[Any]:
        """Map an array that a part has written into memory, read-only."""
        return np.load(self.part(stage, name) / f"{array}.npy", mmap_mode="r", allow_pickle=False)

    def folds(self, city_id: str) -> npt.NDArray[np.int64]:
        """Return the fold (n,) of each ingested cell of a city, -1 for those in none."""
        plan = self.table("train", "plan", "plan")
        return plan[plan.city_id == city_id].fold.to_numpy(np.int64)

    def land_use_index(self, city_id: str) -> LandUseIndex:
        """Read the land-use polygons of a city, ready to be asked for the coverage of a cell."""
        import geopandas as gpd  # half a second that stages without land use need not wait for

        from data.coverage import LandUseIndex

        return LandUseIndex.of(gpd.read_parquet(self.part("ingest", city_id) / "land_use.parquet"))

    def facts(self, stage: str, name: str) -> dict[str, Any]:
        """Read the plain facts (`facts.json`) that a part has written."""
        return dict(json.loads((self.part(stage, name) / "facts.json").read_text(encoding="utf-8")))

    def done_with(self, stage: str, name: str) -> str:
        """Return the fingerprint of the inputs that a finished part was made from, or an empty string."""
        try:
            record = json.loads((self.part(stage, name) / "fingerprint.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return ""
        return str(record["inputs"])


def write_facts(folder: Path, facts: dict[str, Any]) -> None:
    """Write the plain facts of a part."""
    (folder / "facts.json").write_text(json.dumps(facts, indent=1, default=str), encoding="utf-8")
