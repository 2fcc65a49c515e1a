"""The Chromium installed here, for what is measured and tested in a real browser."""

from __future__ import annotations

import shutil

# quiet: no request that the dashboard did not make
FLAGS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
INSTALL = "sudo apt-get install -y chromium   (Ubuntu: chromium-browser)"


def installed() -> str | None:
    """Return the path of the browser; None where there is none."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
