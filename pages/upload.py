"""Upload: what does the model say of your photograph?"""

from __future__ import annotations

import secrets
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core import jobs
from core.settings import read_settings
from data.errors import CarreauError, InputError, QuotaError
from pages.shared import figures, frame, job_view, state, study, uploads
from pages.shared.study import OpenStudy

_FOUND = "upload.found"
_OWNER = "upload.owner"


def page() -> None:
    here = frame.open_study()
    published = list(study.studies())
    (place,) = frame.title_line("What does the model say of your photograph?", [24])
    job = _asked_job()
    with place:
        if job is None:
            st.selectbox(
                "Study whose networks are used",
                published,
                key="study",
                on_change=state.remember,
                args=("study",),
                format_func=lambda study_id: f"Model: {study.open_study(study_id).row.title}",
                label_visibility="collapsed",
            )
        elif st.button("Another photograph", icon=":material/add_photo_alternate:", width="stretch"):
            state.put("job", None)
            st.rerun()
    if job is None:
        frame.note(_model_line(here))
        _form(here)
    else:
        job_view.show(job)
    _recent(job)
    frame.footer(here, has_own_study_control=job is None)


def _asked_job() -> str | None:
    """Return the job of the address, after a word when there is none of that name."""
    asked = st.query_params.get("job")
    if asked is None:
        return None
    try:
        jobs.state(asked)
    except CarreauError as error:
        st.warning(f"The address asks for a job, but {error}.")
        return None
    return asked


def _model_line(here: OpenStudy) -> str:
    """Say whose networks will look at the photograph, and what they learned from."""
    resolutions = sorted(
        {float(f"{c.imagery_resolution_m:.2g}") for c in here.cities if c.imagery_resolution_m}
    )
    seen = f", on photographs of {' and '.join(f'{r:g}' for r in resolutions)} m" if resolutions else ""
    names = ", ".join(city.name for city in here.cities)
    invented = (
        ' <span class="carreau-badge">Invented cities</span> The prediction for a real photograph then '
        "means nothing about incomes; it shows how the method works."
        if here.row.is_generated
        else ""
    )
    return (
        f"The photograph is read by the {here.row.n_folds} networks of "
        f"<b>{frame.escape(here.row.title)}</b>, trained on "
        f"{frame.escape(names)}{seen}; the mean of the networks and their spread are shown.{invented}"
    )


def _form(here: OpenStudy) -> None:
    most = read_settings().max_upload_mb
    left, right = st.columns([60, 40], gap="medium")
    with left:
        photograph = st.file_uploader(
            "Orthophoto: GeoTIFF or JPEG 2000, georeferenced, colour, 8 bit",
            type=uploads.PHOTOGRAPH_TYPES,
            max_upload_size=most,
            key="upload.photograph",
        )
    with right:
        land_use = st.file_uploader(
            "Land use of the same place (optional): GeoPackage, or a zipped shapefile",
            type=uploads.LAND_USE_TYPES,
            max_upload_size=most,
            key="upload.land_use",
        )
    if photograph is None:
        frame.note(
            f"It is cut into squares of {here.row.cell_size_m} m (the census grid in Europe, a grid in the "
            f"local UTM zone "
            "elsewhere); from 600 × 600 m on it holds at least one whole square. Files stay on this "
            "computer, in the job's "
            f"folder. Above {most} MB use <code>python -m core submit FILE</code>, which has no such limit."
        )
        return
    found = _looked_at(photograph, land_use)
    usable = _say_photograph(found["photograph"])
    if found["land_use"] is not None:
        usable = _say_land_use(found["land_use"]) and usable
    if st.button("Ask the model", type="primary", disabled=not usable, key="upload.submit"):
        _submit(photograph, land_use, here)


def _looked_at(photograph: UploadedFile, land_use: UploadedFile | None) -> dict[str, Any]:
    """Inspect uploads once; the answer is kept with their ids, not with their bytes."""
    key = (photograph.file_id, land_use.file_id if land_use else None)
    kept = st.session_state.get(_FOUND)
    if kept is None or kept[0] != key:
        with st.spinner("Looking at the file"):
            kept = (key, uploads.looked_at(photograph, land_use))
        st.session_state[_FOUND] = kept
    return dict(kept[1])


def _say_photograph(found: dict[str, Any]) -> bool:
    if not found["usable"]:
        st.error(found["reason"] or "The file cannot be used.")
        return False
    cells = found["cells"]
    rows = (
        ("Cells", f"{cells:,}".replace(",", "\u202f"), f"whole squares of 200 m in {found['grid']}"),
        ("Resolution", f"{found['resolution_m']:.3g} m", f"{found['width']} × {found['height']} pixels"),
        ("CRS", f"EPSG:{found['epsg']}" if found.get("epsg") else "its own", "coordinate system of the file"),
        ("Bands", str(found["bands"]), str(found["dtype"])),
    )
    figures.figures(rows)
    for warning in found["warnings"]:
        st.warning(warning)
    return True


def _say_land_use(found: dict[str, Any]) -> bool:
    if not found["usable"]:
        st.error(found["reason"] or "The land use cannot be used.")
        return False
    year = f", {found['year']}" if found.get("year") else ""
    frame.note(
        f"Land use: {found['polygons']} polygons of {len(found['codes'])} classes, {found['area_km2']:.1f} "
        f"km²{year}."
    )
    for warning in found["warnings"]:
        st.warning(warning)
    return True


def _submit(photograph: UploadedFile, land_use: UploadedFile | None, here: OpenStudy) -> None:
    owner = st.session_state.setdefault(_OWNER, f"browser-{secrets.token_hex(8)}")
    try:
        with (
            st.spinner("Handing it to the worker"),
            uploads.on_disk(photograph, land_use) as (picture, layer),
        ):
            job = jobs.submit(
                picture, land_use=layer, study_id=here.row.study_id, owner=owner, name=photograph.name
            )
        jobs.ensure_worker()
    except (InputError, QuotaError) as error:
        frame.fault(error)
        return
    st.session_state.pop(_FOUND, None)
    state.put("job", job)
    st.rerun()


def _recent(shown: str | None) -> None:
    """List the jobs of this browser session, newest first."""
    owner = st.session_state.get(_OWNER)
    mine = jobs.recent(owner) if owner else []
    others = [job for job in mine if job.job != shown]
    if not others:
        return
    st.subheader("Earlier in this browser session", anchor=False)
    for job in others:
        said = f"{job.name}: {job_view.STATES[job.state]}" + (
            f", {job.cells} cells" if job.state == "done" else ""
        )
        st.page_link("pages/upload.py", label=said, query_params={"job": job.job}, icon=":material/history:")


if __name__ == "__main__":  # Streamlit runs pages so; imported, a page draws nothing
    page()
