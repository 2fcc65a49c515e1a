"""Errors that a user can cause and repair: each names the file, the fault and the remedy."""

from __future__ import annotations

from pathlib import Path


class CarreauError(Exception):
    """Base of every error that Carreau raises on purpose; its text is meant for the user."""


class InputError(CarreauError):
    """A file that cannot be used as it is.

    >>> str(InputError("census.csv", "has no column 'Ind'", "Use the table as INSEE ships it."))
    "census.csv: has no column 'Ind'. Use the table as INSEE ships it."
    """

    def __init__(self, file: str | Path, fault: str, remedy: str) -> None:
        self.file = str(file)
        self.fault = fault.rstrip(".")
        self.remedy = remedy
        super().__init__(f"{self.file}: {self.fault}. {self.remedy}".rstrip())


class SettingsError(CarreauError):
    """A setting (study file, command line, environment) that is unknown or out of range."""


class StudyError(CarreauError):
    """A study whose parts are readable but cannot be used together, with the reason."""


class QuotaError(CarreauError):
    """More jobs or files than one owner may have; the text says how many, and how to make room."""
