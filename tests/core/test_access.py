"""Who may see and change a job."""

from __future__ import annotations

import pytest

from core import access, jobs
from core.access import Visitor
from tests.core.tiny_region import publish_tiny_study, settings_in, write_photograph


@pytest.fixture
def settings(tmp_path):
    made = settings_in(tmp_path)
    publish_tiny_study(made.publications / "tiny")
    return made


def test_owner_and_key_change_and_nobody_else(settings, tmp_path):
    key = access.new_key()
    photograph = write_photograph(tmp_path / "town.tif")
    job = jobs.read_job(jobs.submit(photograph, owner="me", key=key, settings=settings), settings)
    assert key not in (settings.jobs / job.job / "job.json").read_text()
    assert access.may_change(job, Visitor("me"))
    assert access.may_change(job, Visitor("other", key=key))
    for stranger in (Visitor("other"), Visitor("other", key=""), Visitor("other", key=key[:-1]), Visitor("")):
        assert not access.may_change(job, stranger)
        assert access.may_see(job, stranger, settings)  # the id is the link
    keyless = jobs.read_job(jobs.submit(photograph, owner="me", settings=settings), settings)
    assert not access.may_change(keyless, Visitor("other", key=""))


def test_where_readers_sign_in_a_job_is_its_owner_s_until_shared(settings, tmp_path):
    me = access.owner_of_person("https://id.example.org", "42")
    other = access.owner_of_person("https://id.example.org", "43")
    assert me != access.owner_of_person("https://another.example.org", "42")
    submitted = jobs.submit(write_photograph(tmp_path / "town.tif"), owner=me, settings=settings)
    job = jobs.read_job(submitted, settings)
    stranger = Visitor(other, signed_in=True)
    assert access.may_see(job, Visitor(me, signed_in=True), settings)
    assert not access.may_see(job, stranger, settings)
    access.share(job, settings)
    assert access.may_see(job, stranger, settings) and not access.may_change(job, stranger)
    access.share(job, settings, False)
    assert not access.may_see(job, stranger, settings)
