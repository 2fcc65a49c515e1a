"""Who may see a job, and who may change it.

A job belongs to whoever made it: to a person where readers sign in, else to whoever holds its key. The id
alone, which cannot be guessed, is the link to share: it shows the job and changes nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from core.job_files import Job, folder_of
from core.settings import Settings

_SHARED = "shared"  # a file in the job's folder


@dataclass(frozen=True)
class Visitor:
    """Whoever looks at the dashboard: their name as an owner, whether they signed in, the key brought."""

    owner: str
    signed_in: bool = False
    key: str | None = None


def owner_of_person(issuer: str, subject: str) -> str:
    """Return the owner's name of a person, by who vouches for them and under what id (OpenID Connect).

    A hash: neither the audit log nor a job's folder says who it is.

    >>> owner_of_person("https://id.example.org", "42") == owner_of_person("https://id.example.org", "43")
    False
    """
    return "user-" + hashlib.sha256(f"{issuer}\n{subject}".encode()).hexdigest()[:32]


def new_key() -> str:
    """Return a key that cannot be guessed."""
    return secrets.token_urlsafe(18)


def hash_of(key: str) -> str:
    """Return what a job keeps of its key."""
    return hashlib.sha256(key.encode()).hexdigest()


def may_change(job: Job, visitor: Visitor) -> bool:
    """Return whether a visitor may pause, cancel, share or delete a job: its owner, or who brings its key."""
    if job.owner == visitor.owner:
        return True
    if job.key_hash is None or visitor.key is None:
        return False
    return hmac.compare_digest(job.key_hash, hash_of(visitor.key))


def may_see(job: Job, visitor: Visitor, settings: Settings) -> bool:
    """Return whether a visitor may see a job: where readers sign in, its owner and those it is shared with.

    Without sign-in the id itself is the permission.
    """
    return not visitor.signed_in or may_change(job, visitor) or is_shared(job, settings)


def is_shared(job: Job, settings: Settings) -> bool:
    """Return whether everybody who signs in and knows the id may see the job."""
    return (folder_of(job.job, settings) / _SHARED).is_file()


def share(job: Job, settings: Settings, shared: bool = True) -> None:
    """Show a job to everybody who signs in and knows its id, or no longer."""
    mark = folder_of(job.job, settings) / _SHARED
    mark.touch() if shared else mark.unlink(missing_ok=True)
