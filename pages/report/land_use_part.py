"""The part of a report on what the network looks at: relations by land-use class, pull, ratios, reliance."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.store import pattern_queries as ask
from data.store import trust_queries
from pages.report import charts, map_picture
from pages.report.agreement_part import between, ground, said
from pages.report.content import Block, Picture, Pictures, Section, Table, Text, note
from pages.report.map_picture import Ground, Key
from pages.report.source import Source
from pages.shared import index_words, land_use_layer, pattern_caveats, pattern_words, trust_words
from pages.shared.class_names import label, short_name
from pages.shared.forest import apart_from_zero, significant
from pages.shared.language import _, chance, number

COEFFICIENT = "spearman"
METHOD = "cam"
_IN_LEGEND = 11


def sections(source: Source) -> list[Section]:
    """Return the parts on land use and on trust; none for a city without land use."""
    city = source.city
    if not city.has_land_use:
        return []
    parts = [
        Section(
            _("Does the model look at land use as the census does?"),
            (*_land_use_map(source), *_relations(source), *_ratios(source)),
        )
    ]
    trust = tuple(_trust(source))
    if trust:
        parts.append(Section(_("Can the maps be believed?"), trust))
    return parts


def _of(source: Source, relation: str) -> pd.DataFrame:
    found = source.ask(ask.correlations, source.city.city_id, relation, COEFFICIENT, source.with_imputed)
    return pattern_words.less_null(found)


def _land_use_map(source: Source) -> list[Block]:
    place = ground(source)
    url, classes = source.ask(land_use_layer.land_use_map, source.city.city_id, place.raster)
    return [land_use_picture(place, url, classes, source.city.name)]


def land_use_picture(place: Ground, url: str, classes: list[tuple[str, str, str]], where: str) -> Pictures:
    """Return the map of land use, a bitmap of the ground's raster, with its classes (code, name, colour)."""
    key = land_use_key(classes)
    drawn = map_picture.draw(place, url, key, charts.WHOLE, hatched=False, height=0.52 * charts.WHOLE)
    alt = _("Map of land use in {city}; the largest classes are {classes}").format(
        city=where, classes=", ".join(key.texts[:5])
    )
    return Pictures((Picture(_("Land use"), drawn.svg(), alt),), wide=True)


def land_use_key(classes: list[tuple[str, str, str]]) -> Key:
    """Return the legend of the largest classes (code, name, colour), and how many more there are."""
    shown = classes[:_IN_LEGEND]
    texts = [short_name(code, name) for code, name, _colour in shown]
    more = len(classes) - len(shown)
    rest = _("and {n} smaller classes").format(n=number(more)) if more > 0 else ""
    return Key(tuple(colour for _code, _name, colour in shown), last=rest, texts=tuple(texts))


def _relations(source: Source) -> list[Block]:
    city = source.city
    everything = {name: _of(source, name) for name in ("census", "activation")}
    census, activation = (pattern_words.drawable(everything[name]) for name in ("census", "activation"))
    blocks: list[Block] = []
    forests = []
    for relation, rows in (("census", census), ("activation", activation)):
        sentence = pattern_words.forest_sentence(relation, rows, census, city)
        if rows.empty:
            blocks.append(Text(sentence))
            continue
        forests.append(_forest(relation, rows, census, sentence))
    if forests:
        blocks.append(Pictures(tuple(forests)))
    blocks.append(
        note(
            _(
                "Dot: Spearman correlation in the class’s Urban Atlas colour, with its 95 % interval, "
                "corrected for neighbours being alike; pale: not told from 0 (q above 0.05 after "
                "false-discovery control, or an interval with 0). Grey tick: the census relation (i). (iii) "
                "correlates the excess of the activation map on a class with the predicted class; what the "
                "map moved inside its cell gives is taken off."
            ),
            pattern_caveats.too_few(everything["activation"], "n_present"),
        )
    )
    return [*blocks, *_pulls(source, census), *_correlation_table(census, activation)]


def _forest(relation: str, rows: pd.DataFrame, census: pd.DataFrame, sentence: str) -> Picture:
    ordered = rows.sort_values(["value", "code"], ascending=[False, True], ignore_index=True)
    if relation != "census":
        ordered["reference"] = ordered["code"].map(census.set_index("code").value)
    title = _(pattern_words.RELATIONS[relation])
    axis = (
        _("Spearman correlation; null taken off") if relation == "activation" else _("Spearman correlation")
    )
    drawn = charts.forest(ordered, _names(ordered), significant(ordered).tolist(), axis)
    alt = _("Forest plot, {title}: {sentence}").format(title=title, sentence=sentence)
    return Picture(title, drawn.svg(), alt, sentence)


def _names(rows: pd.DataFrame) -> list[str]:
    return [label(code, name) for code, name in zip(rows["code"], rows["name"], strict=True)]


def _pulls(source: Source, census: pd.DataFrame) -> list[Block]:
    city = source.city
    pictures = []
    for by, title, axis in (
        ("activation", _("Pull by activation"), _("pull by activation, standard deviations of z")),
        ("occlusion", _("Pull by occlusion"), _("pull by occlusion, standard deviations of z")),
    ):
        measured = source.ask(ask.pulls, city.city_id, by, source.with_imputed)
        if measured.empty:
            continue
        pairs = pattern_words.side_by_side(census, pattern_words.drawable(pattern_words.less_null(measured)))
        if pairs.empty:
            continue
        sentence = pattern_words.scatter_sentence(pattern_words.compared(pairs), city)
        sure = (significant(pairs, "_x") & apart_from_zero(pairs, "_y")).tolist()
        drawn = charts.scatter(pairs, _names(pairs), sure, (_("(i) land use and census"), axis))
        alt = _("Scatter of relation (i) against the pull of each class. {sentence}").format(
            sentence=sentence
        )
        pictures.append(Picture(title, drawn.svg(), alt, sentence))
    if not pictures:
        return []
    indices = index_words.judged_of(source, source.city.city_id, source.with_imputed)
    return [
        Pictures(tuple(pictures)),
        Text(index_words.index_sentence(indices, city)),
        *_indices(indices),
        note(
            _(
                "Shaded: same sign. The pull of a class is which way, and how far, what the network sees on "
                "it moves z; the index is the correlation of the two across classes, weighted by effective "
                "cells. Not being able to tell is not the same as disregard."
            ),
            _(index_words.VERDICT_RULE),
            pattern_caveats.dates_caveat(city),
        ),
    ]


def _indices(indices: pd.DataFrame) -> list[Block]:
    """Every index with its null, interval and verdict."""
    known = indices[indices.value.notna()]
    if known.empty:
        return []
    rows = tuple(
        (
            index_words.kind(str(one["relation"]), str(one["null_model"])),
            number(one["value"], 2, sign=True),
            between(one["low"], one["high"], False) or "–",
            _(index_words.VERDICTS.get(str(one["verdict"]), str(one["verdict"]))),
            number(one["n_classes"]),
        )
        for one in known.to_dict("records")
    )
    head = (
        _("Index of (i) with the pull"),
        _("Index"),
        _("95 % interval"),
        _("Verdict"),
        _("Land-use classes"),
    )
    return [Table(_("Indices and verdicts"), head, rows, numeric=(1, 2, 4), fit=(3,))]


def _correlation_table(census: pd.DataFrame, activation: pd.DataFrame) -> list[Block]:
    """Both relations by class, by code, with intervals and q."""
    second = activation.set_index("code")
    rows = []
    for one in census.sort_values("code").to_dict("records"):
        other = second.loc[one["code"]] if one["code"] in second.index else None
        rows.append(
            (
                label(one["code"], one["name"]),
                number(one["n_present"]),
                *_with_interval(one),
                *(("–", "–") if other is None else _with_interval(other.to_dict())),
            )
        )
    if not rows:
        return []
    return [
        Table(
            _("Correlations by land-use class"),
            (
                _("Land-use class"),
                _("Cells"),
                _("(i) census, 95 % interval"),
                _("q"),
                _("(iii) activation, 95 % interval"),
                _("q"),
            ),
            tuple(rows),
            numeric=(1, 2, 3, 4, 5),
        )
    ]


def _with_interval(row: dict[str, object]) -> tuple[str, str]:
    interval = between(row["low"], row["high"], False)
    value = number(float(str(row["value"])), 2, sign=True)
    q = row["q_value"]
    told = "–" if pd.isna(q) else chance(float(str(q)))
    return (f"{value} ({interval})" if interval else value), told


def _ratios(source: Source) -> list[Block]:
    city = source.city
    everything = source.ask(ask.class_activation, city.city_id, METHOD, "pooled")
    incomes = source.ask(ask.class_income, city.city_id)
    rows = pattern_words.drawable(everything)
    income = incomes[incomes.enough.astype(bool) & incomes.probability.notna()]
    if rows.empty:
        return []
    known = rows.drop_duplicates("code").set_index("code")
    rich, poor = (rows[rows.polarity == p].set_index("code").value for p in ("rich", "poor"))
    gap = (rich - poor).reindex(known.index).fillna(-np.inf)
    order = list(gap.sort_values(ascending=False).index)
    drawn = charts.ratios(
        rows,
        order,
        {code: label(code, name) for code, name in known["name"].items()},
        dict(known["colour"]),
    )
    sentence = pattern_words.ratio_sentence(rows, income, city)
    size = source.ask(ask.map_size, city.city_id, METHOD)
    width = size[1] if size else source.row.input_px // source.row.output_stride
    alt = _("Activation ratio by land-use class for the poor and the rich map. {sentence}").format(
        sentence=sentence
    )
    picture = Picture(_("Where the poor and the rich map dwell"), drawn.svg(), alt)
    relied = _reliance(source)
    return [
        Pictures((picture, relied)) if relied else Pictures((picture,)),
        Text(sentence),
        *([Text(relied.alt)] if relied else []),
        note(
            pattern_caveats.mirror_caveat(source.row),
            pattern_caveats.resolution_caveat(source.row, width),
            _(
                "Any function of the photograph relates to land use, so a ratio off 1 is no proof of "
                "attention to income. A reliance near 0 is no proof that a class is not looked at."
            ),
        ),
    ]


def _reliance(source: Source) -> Picture | None:
    rows = pattern_words.drawable(source.ask(ask.reliance, source.city.city_id, source.with_imputed))
    rows = rows[rows.low.notna()].sort_values(["value", "code"], ascending=[False, True], ignore_index=True)
    if rows.empty:
        return None
    drawn = charts.forest(
        rows, _names(rows), significant(rows).tolist(), _("rank correlation lost, class painted over")
    )
    return Picture(_("Reliance on each class"), drawn.svg(), trust_words.reliance_sentence(rows, source.city))


def _trust(source: Source) -> list[Block]:
    city = source.city
    agreements = source.ask(trust_queries.map_agreements)
    agreements = agreements[agreements["city_id"] == city.city_id]
    checks = source.ask(trust_queries.checks, city.city_id)
    sentences = []
    if len(agreements):
        sentences.append(trust_words.agreement_sentence(agreements, city))
    for names, sentence in (
        (["cascade"], trust_words.cascade_sentence),
        (["deletion", "insertion"], trust_words.removal_sentence),
    ):
        part = checks[checks.check_name.isin(names)]
        if len(part):
            sentences.append(sentence(part))
    if len(checks):
        sentences.append(trust_words.likeness_sentence(checks))
    blocks: list[Block] = [Text(text) for text in sentences]
    if len(agreements):
        blocks.append(
            Table(
                _("Maps against class occlusion"),
                (_("Map"), _("Rank correlation"), _("95 % interval"), _("Pairs of cell and class")),
                tuple(
                    (
                        _(pattern_words.METHODS.get(str(one["method"]), str(one["method"]))),
                        said(one["value"], False),
                        between(one["low"], one["high"], False) or "–",
                        number(one["n"]),
                    )
                    for one in agreements.to_dict("records")
                ),
                numeric=(1, 2, 3),
            )
        )
        blocks.append(
            note(
                _(
                    "Good: near 1. Near 0 the map cannot say where the network looks. Weights drawn anew: "
                    "a map that keeps its likeness shows the photograph rather than the network."
                )
            )
        )
    return blocks
