"""Similar cells: the nearest in the features of one network, what they tell, and where they lead."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from data.store import place_queries
from pages.shared import cell_words
from tests.pages.conftest import RunPage, texts
from tests.pages.synthetic import make_publication


def features(rows: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return rows.execute(
        "SELECT f.cell_id, model_id, feature, class FROM cell_feature f JOIN cell USING (city_id, cell_id) "
        "WHERE city_id = 'ker-bihan' ORDER BY cell_id"
    ).df()


def test_similar_cells_are_the_nearest_of_the_same_network(
    run_page: RunPage, rows: duckdb.DuckDBPyConnection
) -> None:
    known = features(rows)
    for own in known.iloc[::29].itertuples():
        others = known[(known["model_id"] == own.model_id) & (known["cell_id"] != own.cell_id)]
        cosine = np.array([np.dot(one, own.feature) for one in others["feature"]])
        nearest = np.argsort(-cosine, kind="stable")[:6]
        found = place_queries.similar_cells(rows, "ker-bihan", own.cell_id, 6)
        assert found["cell_id"].tolist() == others["cell_id"].iloc[nearest].tolist()
        assert found["likeness"].to_numpy() == pytest.approx(cosine[nearest], abs=1e-5)
    test = run_page("cell", cell=own.cell_id, evidence="35")
    addresses = [link.proto.query_string for link in test.get("page_link")]
    assert [re.search("cell=([^&]+)", one).group(1) for one in addresses] == found["cell_id"].tolist()
    assert all("evidence=35" in one and "city=ker-bihan" in one for one in addresses)
    shown = texts(test)
    classes = known.set_index("cell_id").loc[found["cell_id"], "class"].astype(int)
    assert f"census classes {classes.min()} to {classes.max()}, on average" in shown
    apart = (classes - int(own[4])).abs().mean()
    counted = known["class"].astype(int)  # every cell with a class has a fold, but two without pixels
    assert f"on average {apart:.1f} from this cell" in shown
    chance = float(re.search(r"cells drawn at random would lie ([\d.]+) from it", shown).group(1))
    assert chance == pytest.approx((counted - int(own[4])).abs().mean(), abs=0.11)
    x, y, east, north = (
        int(number)
        for (cell,) in ((own.cell_id,), (found["cell_id"].iloc[0],))
        for number in reversed(re.findall(r"[NE](\d+)", cell.split("m", 1)[1]))
    )
    distance = np.hypot(east - x, north - y) / 1000
    assert f"likeness {found['likeness'].iloc[0]:.3f} · {distance:.1f} km" in shown


def test_without_features_no_cell_is_called_similar(
    run_page: RunPage, rows: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    (without,) = rows.execute(
        "SELECT cell_id FROM cell WHERE fold IS NULL AND city_id = 'ker-bihan' LIMIT 1"
    ).fetchone()
    test = run_page("cell", cell=without)
    assert "holds no features of this one" in texts(test)
    assert not test.get("page_link")
    older = make_publication(tmp_path / "older", n_cities=1, cells=60)
    with duckdb.connect(str(older)) as connection:
        connection.execute("DROP TABLE cell_feature")
    test = run_page("cell", studies=tmp_path / "older")
    assert not test.exception
    assert "holds no features of this one" in texts(test)


def test_what_similar_cells_tell_of_their_income() -> None:
    said = cell_words.similar_sentence(2, [2, 3, 9], 3.3)
    assert said == (
        "The 3 cells that the network sees as most like this one have census classes 2 to 9, on average 2.7 "
        "from this cell’s; cells drawn at random would lie 3.3 from it."
    )
    assert "all have census class 4." in cell_words.similar_sentence(4, [4, 4], 2.0)
    assert "classes 1 to 2." in cell_words.similar_sentence(None, [1, 2], None)
    assert cell_words.similar_sentence(3, [], 2.0) == ""
    # 3 of class 1, 1 of class 5: from class 2 they are 1, 1, 1 and 3 away
    assert cell_words.mean_distance(2, np.array([3, 0, 0, 0, 1])) == pytest.approx(1.5)
