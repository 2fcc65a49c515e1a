"""The answers that begin a report: those of the pages City, Patterns and Trust, each under its question."""

from __future__ import annotations

from data.store import pattern_queries, queries, trust_queries
from pages.report import land_use_part
from pages.report.content import Text
from pages.report.source import Source
from pages.shared import answers
from pages.shared.answers import Answer
from pages.shared.language import _
from pages.shared.pattern_words import drawable


def said(source: Source) -> list[Text]:
    """Return the answers that the figures of the city give, each with the question it is to."""
    asked = [(_("Where is the model wrong?"), _where(source))]
    if source.city.has_land_use:
        asked.append((_("Does the model look at land use as the census does?"), _land_use(source)))
    asked.append((_("Can the maps be believed?"), _trust(source)))
    return [
        Text(answer.text, lead=f"{question} {answer.lead}")
        for question, answer in asked
        if answer is not None
    ]


def _where(source: Source) -> Answer | None:
    return answers.of_city(
        source.by_class,
        source.by_district,
        source.districts,
        source.ask(queries.agreement, source.city.city_id, source.with_imputed),
        source.row.n_classes,
        source.city,
    )


def _land_use(source: Source) -> Answer:
    city_id = source.city.city_id
    relied = drawable(source.ask(pattern_queries.reliance, city_id, source.with_imputed))
    return answers.of_patterns(
        land_use_part.indices_of(source),
        relied[relied.low.notna()],
        source.ask(queries.agreement, city_id, source.with_imputed),
        source.city,
    )


def _trust(source: Source) -> Answer | None:
    return answers.of_trust(
        source.ask(trust_queries.map_agreements),
        source.ask(trust_queries.checks, source.city.city_id),
        source.ask(queries.agreement, source.city.city_id, False),
        source.city,
    )
