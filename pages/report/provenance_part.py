"""The last part of a report: from which files, networks and settings everything in it was made."""

from __future__ import annotations

from data.store import pattern_queries
from pages.report.content import Block, Section, Table, Text, note
from pages.report.source import Source
from pages.shared.about_files import kind_text, stated_text
from pages.shared.language import _, day, number

_LISTED = 40  # files; a country's photographs are more than a reader can compare by eye


def sections(source: Source, language: str) -> list[Section]:
    """Return the part on provenance."""
    row, city = source.row, source.city
    files = source.ask(pattern_queries.provenance)
    files = files[(files["city"] == city.name) | (files["city"] == "")]
    blocks: list[Block] = [
        Text(
            _(
                "Study {study}, published {day} as {file} by Carreau {version}; seed {seed}. The same "
                "figures are shown at {address}"
            ).format(
                study=row.study_id,
                day=day(row.created_at),
                file=source.publication.file.name,
                version=row.carreau_version,
                seed=str(row.seed),
                address=source.address(language),
            )
        )
    ]
    if len(files):
        shown = files.head(_LISTED)
        blocks.append(
            Table(
                _("Files that went in"),
                (_("File"), _("What it is"), _("Source and licence"), _("Year"), _("SHA-256")),
                tuple(
                    (
                        str(one.file),
                        kind_text(one.kind),
                        ", ".join(stated_text(part) for part in (one.source, one.licence) if part),
                        str(one.vintage),
                        str(one.sha256),
                    )
                    for one in shown.itertuples()
                ),
                fit=(1, 3),
                hashes=(4,),
            )
        )
        more = len(files) - len(shown)
        if more:
            blocks.append(
                note(
                    _("{n} further files are listed on the page About and in the publication.").format(
                        n=number(more)
                    )
                )
            )
    models = source.ask(pattern_queries.models)
    models = models[models["city_id"].isna() | (models["city_id"] == city.city_id)]
    if len(models):
        blocks.append(
            Table(
                _("Networks"),
                (_("Network"), _("Fold"), _("Learned from"), _("Predicts"), _("SHA-256")),
                tuple(
                    (
                        str(one.model_id),
                        str(one.fold),
                        _("{n} cells").format(n=number(one.n_train)),
                        _("{n} cells").format(n=number(one.n_test)),
                        str(one.sha256),
                    )
                    for one in models.itertuples()
                ),
                numeric=(1, 2, 3),
                hashes=(4,),
            )
        )
    blocks.append(note(_("The hash of a file tells whether you hold the same one: sha256sum FILE.")))
    return [Section(_("Where it comes from"), tuple(blocks))]
