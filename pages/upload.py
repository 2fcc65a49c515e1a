"""Upload: what does the model say of your photograph?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from core import access, drop_folder, jobs
from core.access import Visitor
from core.settings import read_settings
from data.errors import InputError, QuotaError
from data.store.queries import City
from pages.shared import (
    frame,
    job_actions,
    job_list,
    job_view,
    state,
    study,
    upload_preview,
    uploads,
    visitor,
)
from pages.shared.job_result_view import metres
from pages.shared.language import _, later, listed, number, plural
from pages.shared.plain_text import fault
from pages.shared.study import OpenStudy
from pages.shared.told import told

_FOUND = "upload.found"
_PHOTOGRAPHS = "upload.photographs"
_SOURCES = {"browser": later("This computer"), "server": later("The server’s folder")}


def page() -> None:
    here = frame.open_study()
    published = list(study.studies())
    (place,) = frame.title_line(_("What does the model say of your photograph?"), [24])
    who = visitor.visitor()
    if who is None:
        frame.footer(here, of_uploads=True)
        return
    job = job_list.asked_job(who)
    with place:
        if job is None:
            st.selectbox(
                _("Study whose networks are used"),
                published,
                key="study",
                on_change=state.remember,
                args=("study",),
                format_func=lambda study_id: _("Model: {title}").format(
                    title=study.open_study(study_id).row.title
                ),
                label_visibility="collapsed",
            )
        elif st.button(_("Another photograph"), icon=":material/add_photo_alternate:", width="stretch"):
            job_actions.leave()
    if job is None:
        city = _networks_of(here)
        frame.note(_model_line(here, city))
        _form(here, who, city)
    else:
        job_view.show(job, who)
    job_list.show(job, who)
    if who.signed_in:
        visitor.sign_out_button()
    frame.footer(here, has_own_study_control=job is None, of_uploads=True)


def _networks_of(here: OpenStudy) -> City | None:
    """Return the city whose networks are asked, where each has its own; None where all share theirs."""
    if here.row.model_scope != "city" or len(here.cities) == 1:
        return None
    by_id = {city.city_id: city for city in here.cities}
    names = {city_id: city.name for city_id, city in by_id.items()}
    return by_id[frame.one_of(_("Networks of"), "networks", names, here.cities[0].city_id, is_labelled=True)]


def _model_line(here: OpenStudy, city: City | None) -> str:
    """Say whose networks will look at the photograph, and what they learned from."""
    learned = [city] if city else list(here.cities)
    resolutions = sorted({float(f"{c.imagery_resolution_m:.2g}") for c in learned if c.imagery_resolution_m})
    n_networks = here.row.n_folds
    if resolutions:
        text = plural(
            "The photograph is read by the {n} network of <b>{title}</b>, trained on {cities}, on "
            "photographs of {metres} m.",
            "The photograph is read by the {n} networks of <b>{title}</b>, trained on {cities}, on "
            "photographs of {metres} m; the mean of the networks and their spread are shown.",
            n_networks,
        )
    else:
        text = plural(
            "The photograph is read by the {n} network of <b>{title}</b>, trained on {cities}.",
            "The photograph is read by the {n} networks of <b>{title}</b>, trained on {cities}; the mean of "
            "the networks and their spread are shown.",
            n_networks,
        )
    said = text.format(
        n=number(n_networks),
        title=frame.escape(here.row.title),
        cities=frame.escape(listed([one.name for one in learned])),
        metres=listed([metres(r) for r in resolutions]),
    )
    if not here.row.is_generated:
        return said
    means_nothing = _(
        "The prediction for a real photograph then means nothing about incomes; it shows how the method "
        "works."
    )
    return f'{said} <span class="carreau-badge">{_("Invented cities")}</span> {means_nothing}'


def _form(here: OpenStudy, who: Visitor, city: City | None) -> None:
    most = read_settings().max_upload_mb
    dropped = drop_folder.dropped(read_settings())
    left, right = st.columns([60, 40], gap="medium")
    with left:
        sent = _from_server(dropped) if dropped and _source() == "server" else _from_browser(most)
    with right:
        land_use = st.file_uploader(
            _("Land use of the same place (optional): GeoPackage, GeoParquet, or a zipped shapefile"),
            type=uploads.LAND_USE_TYPES,
            max_upload_size=most,
            key="upload.land_use",
        )
        census = st.file_uploader(
            _("Census to compare with (optional): polygons with values, or Filosofi"),
            type=uploads.CENSUS_TYPES,
            max_upload_size=most,
            key="upload.census",
        )
    if sent is None:
        _say_what_is_taken(here, most, bool(dropped))
        return
    sent = replace(sent, land_use=land_use, census=census)
    if land_use is not None:
        sent = replace(sent, land_use_column=st.session_state.get("upload.land_use_column"))
    found, picture = _looked_at(sent)
    usable = bool(found["usable"])
    if not usable:
        fault(told(found["reason"]) or _("The file cannot be used."))
    upload_preview.reading_controls(found)
    if usable:
        upload_preview.show(found, picture)
    if found["land_use"] is not None:
        usable = upload_preview.show_land_use(found["land_use"]) and usable
    if found["census"] is not None:
        column = upload_preview.show_census(found["census"])
        sent, usable = replace(sent, census_column=column), usable and column is not None
    if st.button(_("Ask the model"), type="primary", disabled=not usable, key="upload.submit"):
        _submit(sent, found, here, who, city)


def _source() -> str:
    chosen = st.segmented_control(
        _("Photographs from"),
        list(_SOURCES),
        format_func=lambda source: _(_SOURCES[source]),
        default="browser",
        required=True,
        key="upload.source",
    )
    return str(chosen)


def _from_browser(most: int) -> uploads.Sent | None:
    files = st.file_uploader(
        _("Orthophoto: GeoTIFF or JPEG 2000; several tiles are one region"),
        type=uploads.PHOTOGRAPH_TYPES,
        max_upload_size=most,
        accept_multiple_files=True,
        key="upload.photograph",
    )
    return uploads.Sent(tuple(files)) if files else None


def _from_server(dropped: list[drop_folder.Dropped]) -> uploads.Sent | None:
    by_name = {one.name: one for one in dropped}

    def said(name: str) -> str:
        one = by_name[name]
        size = number(one.megabytes)
        if one.photographs == 1:
            return _("{name} ({size} MB)").format(name=name, size=size)
        text = _("{name} ({n} tiles, {size} MB)")
        return text.format(name=name, n=number(one.photographs), size=size)

    name = st.selectbox(
        _("Photograph or folder of tiles on the server"),
        list(by_name),
        index=None,
        format_func=said,
        placeholder=plural("{n} to choose from", "{n} to choose from", len(by_name)).format(
            n=number(len(by_name))
        ),
        key="upload.dropped",
    )
    return uploads.Sent(dropped=name) if name else None


def _say_what_is_taken(here: OpenStudy, most: int, with_server: bool) -> None:
    taken = _(
        "It is cut into squares of {size} m (the census grid in Europe, a grid in the local UTM zone "
        "elsewhere); from {least} × {least} m on it holds at least one whole square. Any georeferenced "
        "photograph does: 8 or 16 bits, 1 to 8 bands, or with a world file. Files stay on this computer, in "
        "the job’s folder."
    ).format(size=here.row.cell_size_m, least=3 * here.row.cell_size_m)
    if with_server:
        larger = _("Above {most} MB a file, choose it from the server’s folder.")
    else:
        larger = _(
            "Above {most} MB a file, use <code>python -m core submit FILE</code>, which has no such limit."
        )
    frame.note(f"{taken} {larger.format(most=most)}")


def _looked_at(sent: uploads.Sent) -> tuple[dict[str, Any], bytes | None]:
    """Look at uploads once for each way to read them; the answer is kept with their ids, not their bytes."""
    kept = st.session_state.get(_FOUND)
    if st.session_state.get(_PHOTOGRAPHS) not in (None, sent.photographs):
        upload_preview.forget()
    st.session_state[_PHOTOGRAPHS] = sent.photographs
    how = upload_preview.how_chosen()
    key = (sent.key, how)
    if kept is None or kept[0] != key:
        with st.spinner(_("Looking at the photograph"), show_time=True):
            kept = (key, uploads.looked_at(sent, how))
        st.session_state[_FOUND] = kept
    found, picture = kept[1]
    return dict(found), picture


def _submit(
    sent: uploads.Sent, found: dict[str, Any], here: OpenStudy, who: Visitor, city: City | None
) -> None:
    key = None if who.signed_in else access.new_key()
    try:
        with st.spinner(_("Handing it to the worker")), uploads.on_disk(sent) as files:
            job = jobs.submit(
                files.photographs,
                how=found["reading"],
                in_place=sent.dropped is not None,
                land_use=files.land_use,
                land_use_column=sent.land_use_column,
                census=files.census,
                census_column=sent.census_column,
                study_id=here.row.study_id,
                city_id=city.city_id if city else None,
                owner=who.owner,
                key=key,
                name=sent.files[0].name if len(sent.files) == 1 else None,
            )
        jobs.ensure_worker()
    except (InputError, QuotaError) as error:
        fault(error)
        return
    st.session_state.pop(_FOUND, None)
    upload_preview.forget()
    state.put("job", job)
    state.put(visitor.KEY, key)
    st.rerun()


if __name__ == "__main__":  # Streamlit runs pages so; imported, a page draws nothing
    page()
