"""The sentences and the land-use table of the page Cell, made from the publication's numbers."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import compress
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pages.shared import palette
from pages.shared.class_names import short_name
from pages.shared.head_names import head_name
from pages.shared.language import _, later, number, percent, plural
from pages.shared.study import is_missing


@dataclass(frozen=True)
class Words:
    """What a study calls its income classes, in whole phrases: languages decline them each in its own way."""

    unit: str
    census: str
    predicted: str
    why: str
    why_not: str


_WORDS = {
    10: Words(
        later("decile"),
        later("Census decile"),
        later("Predicted decile"),
        later("Why decile {predicted} here?"),
        later("Why decile {predicted} here, and not {census}?"),
    ),
    5: Words(
        later("quintile"),
        later("Census quintile"),
        later("Predicted quintile"),
        later("Why quintile {predicted} here?"),
        later("Why quintile {predicted} here, and not {census}?"),
    ),
}
_OTHER = Words(
    later("class"),
    later("Census class"),
    later("Predicted class"),
    later("Why class {predicted} here?"),
    later("Why class {predicted} here, and not {census}?"),
)


def words(n_classes: int) -> Words:
    """Return the words for K classes; look them up with `_` where they are drawn."""
    return _WORDS.get(n_classes, _OTHER)


def question(predicted: int | None, census: int | None, n_classes: int) -> str:
    """Return the page's question."""
    if predicted is None:
        return _("What is in this cell?")
    if census is not None and census != predicted:
        return _(words(n_classes).why_not).format(predicted=predicted, census=census)
    return _(words(n_classes).why).format(predicted=predicted)


def _chance(share: float) -> str:
    """Return a chance in percent; one that would be rounded to none is said to be small."""
    if share >= 0.005:
        return percent(share)
    return _("less than {percent}").format(percent=percent(0.01))


def distribution_sentence(
    probabilities: NDArray[np.float64], census: int | None, n_classes: int, out_of_fold: bool
) -> str:
    """Say which class is likeliest, how sure that is, and what the census class got."""
    top = int(probabilities.argmax()) + 1
    if census is None:
        text = _("The model gives {unit} {top} the largest chance, {chance}; the census has no income here.")
    elif census == top:
        text = _("The model gives {unit} {top} the largest chance, {chance}, and the census agrees.")
    else:
        text = _(
            "The model gives {unit} {top} the largest chance, {chance}; the census says {census}, which it "
            "gives {other}."
        )
    said = text.format(
        unit=_(words(n_classes).unit),
        top=top,
        chance=percent(probabilities[top - 1]),
        census=census,
        other="" if census is None else _chance(float(probabilities[census - 1])),
    )
    by = (
        _("Predicted by the network that never saw this cell.")
        if out_of_fold
        else _("Predicted by all folds together; the cell trained none of them.")
    )
    return f"{said} {by}"


def contribution_sentence(rows: pd.DataFrame, z_standard: float) -> str:
    """Say how z compares with the training mean and which land uses account for it, the largest parts
    first."""
    parts = _parts(rows, z_standard)
    if abs(z_standard) < 0.005:
        text = _("z equals the training mean: {parts}.") if parts else _("z equals the training mean.")
    elif z_standard > 0:
        text = (
            _("z is {z} standard deviations above the training mean: {parts}.")
            if parts
            else _("z is {z} standard deviations above the training mean.")
        )
    else:
        text = (
            _("z is {z} standard deviations below the training mean: {parts}.")
            if parts
            else _("z is {z} standard deviations below the training mean.")
        )
    return text.format(z=number(abs(z_standard), 2), parts=parts)


def _parts(rows: pd.DataFrame, z_standard: float) -> str:
    known = rows.dropna(subset=["contribution"])
    if known.empty:
        return ""
    parts = [(short_name(row.code, row.name_official), float(row.contribution)) for row in known.itertuples()]
    rest = z_standard - sum(part for _name, part in parts)
    if abs(rest) >= 0.05:
        parts.append((_("unmapped ground"), rest))
    parts.sort(key=lambda part: -abs(part[1]))
    shown, left = (parts, []) if len(parts) <= 4 else (parts[:3], parts[3:])
    said = [
        _("{value} from {name}").format(value=signed(value), name=name[0].lower() + name[1:])
        for name, value in shown
    ]
    if left:
        value = signed(sum(value for _name, value in left))
        said.append(_("{value} from the other {n}").format(value=value, n=len(left)))
    return ", ".join(said)


def signed(value: float) -> str:
    """Return a number with its sign, none where it rounds to nothing.

    >>> signed(0.314), signed(-2), signed(-0.001)
    ('+0.31', '−2.00', '0.00')
    """
    return number(value, 2, sign=True)


def similar_sentence(census: int | None, others: list[int], chance: float | None) -> str:
    """Say how the census classes of the most alike cells spread, and how far from the cell's own.

    `chance` is how far off the classes of cells drawn at random in the city would be on average.
    """
    if not others:
        return ""
    low, high, n = min(others), max(others), len(others)
    if low == high:
        return plural(
            "The cell that the network sees as most like this one has census class {low}.",
            "The {n} cells that the network sees as most like this one all have census class {low}.",
            n,
        ).format(n=n, low=low)
    if census is None or chance is None:
        return _(
            "The {n} cells that the network sees as most like this one have census classes {low} to {high}."
        ).format(n=n, low=low, high=high)
    apart = sum(abs(other - census) for other in others) / n
    return _(
        "The {n} cells that the network sees as most like this one have census classes {low} to {high}, on "
        "average {apart} from this cell’s; cells drawn at random would lie {chance} from it."
    ).format(n=n, low=low, high=high, apart=number(apart, 1), chance=number(chance, 1))


def mean_distance(census: int, counts: NDArray[np.int64]) -> float:
    """Return how far on average the class of a cell drawn at random lies from a class; `counts` (K,).

    >>> mean_distance(1, np.array([5, 5, 5]))
    1.0
    """
    return float(np.average(np.abs(np.arange(1, len(counts) + 1) - census), weights=counts))


def land_use_table(rows: pd.DataFrame, z_standard: float | None, mapped_share: float | None) -> str:
    """Return the land use of a cell as an HTML table: area, contribution with a bar, excess, ratios of both
    maps, occlusion where it was measured.

    ``rows``: land use of the cell with share, of the whole cell. The last line adds up; the unmapped rest has
    its own line where there is any.
    """
    widest = float(np.nanmax(np.abs(rows["contribution"].to_numpy(float)), initial=0.0)) or 1.0
    # a cell without poor evidence has no ratio of the poor map, and the other way round
    shown = [not rows[name].isna().all() for name in ("ratio_rich", "ratio_poor", "occlusion")]
    body = "".join(_table_row(row, widest, shown) for row in rows.itertuples())
    total = rows["contribution"].sum()
    if z_standard is not None and not rows["contribution"].isna().all():
        rest = z_standard - total
        if mapped_share is not None and mapped_share < 0.995:
            numbers = _numbers(1 - mapped_share, rest, np.nan, np.nan, np.nan, np.nan)
            body += _line(escape(_("Unmapped")), "", numbers, _bar(rest, widest), shown)
        body += _line(escape(_("Cell")), "", ["", signed(z_standard), "", "", "", ""], "", shown, "total")
    heads = [_("Area"), _("Contribution"), "", _("Excess")]
    heads += compress([_("Ratio, rich"), _("Ratio, poor"), _("Occlusion")], shown)
    bar = escape(_("Contribution as a bar"))
    header = "".join(
        f'<th scope="col">{escape(head)}</th>'
        if head
        else '<th scope="col" class="signs"><span aria-hidden="true"><i>−</i><i>+</i></span>'
        f'<span class="carreau-unseen">{bar}</span></th>'
        for head in [_("Land use"), *heads]
    )
    return f'<table class="carreau-table"><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table>'


def _table_row(row: Any, widest: float, shown: list[bool]) -> str:
    chip = f'<span class="chip" style="background:{escape(row.colour)}"></span>'
    name = f"{chip} {escape(short_name(row.code, row.name_official))} <small>{escape(row.code)}</small>"
    numbers = _numbers(row.share, row.contribution, row.excess, row.ratio_rich, row.ratio_poor, row.occlusion)
    return _line(name, row.name_official, numbers, _bar(row.contribution, widest), shown)


def _numbers(
    share: float, contribution: float, excess: float, rich: float, poor: float, occlusion: float
) -> list[str]:
    """Return the numbers of a line as text, a dash for what is missing."""
    texts = [percent(share, 1)]
    for value, has_sign in (
        (contribution, True),
        (excess, True),
        (rich, False),
        (poor, False),
        (occlusion, True),
    ):
        texts.append("–" if is_missing(value) else number(value, 2, sign=has_sign))
    return texts


def _line(name: str, title: str, numbers: list[str], bar: str, shown: list[bool], of_class: str = "") -> str:
    area, contribution, excess, *others = numbers
    cells = [name, area, contribution, bar, excess, *compress(others, shown)]
    told = f' title="{escape(title)}"' if title else ""
    kind = f' class="{of_class}"' if of_class else ""
    return f"<tr{kind}{told}>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _bar(value: float, widest: float) -> str:
    if is_missing(value):
        return ""
    width = 50 * min(abs(value) / widest, 1)
    left = 50 - width if value < 0 else 50
    colour = palette.diverging(9)[1 if value < 0 else 6 if palette.inks().is_dark else 7]
    return (
        f'<div class="part"><div style="left:{left:.1f}%;width:{width:.1f}%;background:{colour}"></div></div>'
    )


def mirror_note(head: str) -> str:
    """Say what one signed map can and cannot tell under the study's head."""
    if head in ("binomial", "coral"):
        return _(
            "Under the {head} head every class depends on one number, z: the “rich” and the “poor” map are "
            "mirror images of one signed map, one piece of evidence and not two."
        ).format(head=head_name(head))
    return _(
        "Under the {head} head each class has its own weights; the map shown is the evidence for the "
        "expected class, and maps of single classes may differ from it."
    ).format(head=head_name(head))
