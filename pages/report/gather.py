"""The report of a city put together: what the data are, where the model is wrong, what it looks at."""

from __future__ import annotations

from data.errors import InputError
from data.store import queries
from data.store.queries import City
from pages.report import agreement_part, answers_part, land_use_part, provenance_part
from pages.report.content import Block, Bullets, Report, Section, Text, note
from pages.report.source import Source
from pages.shared import city_words, frame, palette, pattern_caveats
from pages.shared.head_names import head_name
from pages.shared.language import _, day, number, speaking
from pages.shared.take_away import too_few_households


def gather(source: Source, language: str) -> Report:
    """Return the report of a city in a language.

    Raises:
        InputError: the city holds fewer households than may be handed out.
    """
    with speaking(language), palette.on_paper():
        refused = too_few_households(source.cells)
        if refused:
            raise InputError(source.publication.file, refused, "")
        row, city = source.row, source.city
        sections = [
            Section(_("In short"), tuple(_in_short(source))),
            Section(_("What the data are"), tuple(_data(source))),
            *agreement_part.sections(source),
            *land_use_part.sections(source),
            use(),
            *provenance_part.sections(source, language),
        ]
        return Report(
            language=language,
            title=city.name,
            question=_("Where is the network that reads income from aerial photographs right?"),
            badge=_("Invented cities") if row.is_generated else "",
            about=_(
                "Report of one city of the study “{title}” ({study}), published {day}. Figures describe "
                "squares of {metres} m, never households."
            ).format(
                title=row.title, study=row.study_id, day=day(row.created_at), metres=number(row.cell_size_m)
            ),
            foot=_("Carreau, study {study}, published {day}").format(
                study=row.study_id, day=day(row.created_at)
            ),
            sections=tuple(sections),
        )


def _in_short(source: Source) -> list[Block]:
    city = source.city
    measures = source.ask(queries.agreement, city.city_id, source.with_imputed)
    said = [city_words.verdict(measures, source.row.n_classes)]
    chance = pattern_caveats.chance_sentence(measures, city)
    if chance:
        said.append(chance)
    if not city.has_land_use:
        said.append(
            _(
                "{city} was published without land use, so nothing can be said of what the network looks at."
            ).format(city=city.name)
        )
    planted = pattern_caveats.planted_sentence(city)
    if planted:
        said.append(planted)
    return [
        *agreement_part.figures(measures, source.row.n_classes),
        *answers_part.said(source),
        Bullets(tuple(said)),
    ]


def _data(source: Source) -> list[Block]:
    row, city = source.row, source.city
    years = [city.census_year, city.imagery_year, *([city.land_use_year] if city.has_land_use else [])]
    differ = len(set(years)) > 1 or None in years
    text = _(
        "Income of {census} by squares of {metres} m, cut into {classes} classes (1 = poorest); photograph "
        "of {photograph}; land use of {land_use}."
    ).format(
        census=_year(city.census_year),
        metres=number(row.cell_size_m),
        classes=number(row.n_classes),
        photograph=_year(city.imagery_year),
        land_use=_year(city.land_use_year) if city.has_land_use else _("no source: none was given"),
    )
    if differ:
        text += " " + _("The dates differ, so the place may have changed between them.")
    network = _(
        "Network: {architecture}, {head} head, {px} pixels a cell, {folds} folds ({scheme}). Every "
        "prediction compared with the census comes from a network that never saw the cell."
    ).format(
        architecture=row.architecture,
        head=head_name(row.head),
        px=number(row.input_px),
        folds=number(row.n_folds),
        scheme=_(frame.FOLDS.get(row.fold_scheme, row.fold_scheme)).format(metres=number(row.block_m or 0)),
    )
    blocks: list[Block] = []
    if row.is_generated:
        blocks.append(
            Text(_("The cities of this study are invented: no real place or person is shown or described."))
        )
    return [*blocks, Text(text), Text(network), _counts(city)]


def _counts(city: City) -> Text:
    return note(
        _(
            "{n} cells with income, {imputed} of them imputed by the statistical office for secrecy (hatched "
            "on the maps); {without} cells without people or income; {empty} left out because the photograph "
            "does not cover them; {predicted} predicted."
        ).format(
            n=number(city.n_cells),
            imputed=number(city.n_imputed),
            without=number(city.n_without_income),
            empty=number(city.n_empty_pixels),
            predicted=number(city.n_predicted),
        )
    )


def use() -> Section:
    """Return the part on what a report may and may not be used for."""
    may = Text(
        _(
            "It may be used to see where a network that reads income from photographs is right and where "
            "it is wrong, to ask which land use it looks at, and to judge the method before it is "
            "believed elsewhere."
        )
    )
    may_not = Bullets(
        (
            _(
                "Not to describe a household, a building or a person: figures describe squares, and "
                "imputed squares not even those."
            ),
            _("Not to decide on anyone’s benefits, credit, prices or policing, or to rank streets."),
            _(
                "Not to replace a census: a predicted class is a guess on the census scale that shrinks "
                "toward the middle."
            ),
            _("Not to conclude from a map alone what causes income: attention is not cause."),
        )
    )
    return Section(_("What this may and may not be used for"), (may, may_not))


def _year(year: int | None) -> str:
    return _("an unknown year") if year is None else str(year)
