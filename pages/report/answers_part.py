"""The answers that begin a report: those of the pages City, Patterns and Trust, each under its question."""

from __future__ import annotations

from data.store import queries
from pages.report.content import Text
from pages.report.source import Source
from pages.shared import answers
from pages.shared.answers import Answer
from pages.shared.language import _


def said(source: Source) -> list[Text]:
    """Return the answers that the figures of the city give, each with the question it is to."""
    asked = [(_("Where is the model wrong?"), _where(source))]
    if source.city.has_land_use:
        asked.append(
            (
                _("Does the model look at land use as the census does?"),
                answers.on_land_use(source, source.city, source.with_imputed),
            )
        )
    asked.append((_("Can the maps be believed?"), answers.on_maps(source, source.city)))
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
