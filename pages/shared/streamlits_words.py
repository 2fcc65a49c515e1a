"""The words that Streamlit itself puts on a page, which the browser says in the reader's language.

Streamlit 1.67 has no option for them; `streamlits_words.js` finds them where it draws them. What the
catalogue does not know stays English.
"""

from __future__ import annotations

from pages.shared.language import _, later

_WORDS = (
    later("Upload"),
    later("Add files"),
    later("Drag and drop a file here"),
    later("Drag and drop files here"),
    later("file upload"),
    later("{size} per file"),
    later("{n} B"),
    later("{n} kB"),
    later("{n} MB"),
    later("{n} GB"),
    later("Error: "),
    later("{kind} files are not read here; bring {endings}."),
    later("Remove {what}"),
    later("Fullscreen"),
    later("Close fullscreen"),
    later("Download plot"),
    later("Download as CSV"),
    later("Search"),
    later("Close Search"),
    later("Show/hide columns"),
    later("Clear selection"),
    later("Select all"),
    later("Sort ascending"),
    later("Sort descending"),
    later("Statistics"),
    later("Format"),
    later("Autosize"),
    later("Pin column"),
    later("Unpin column"),
    later("Hide column"),
    later("Copy column name"),
    later("Copy to clipboard"),
    later("Open"),
    later("Clear value"),
    later("Clear all"),
    later("Delete"),
    later("No results"),
    later("Choose an option"),
    later("Skip to main content"),
    later("App pages"),
    later("Selectbox options"),
    later("Selected values"),
    later("Help for {what}"),
    later("{act}: {what}"),
)


def words() -> dict[str, str]:
    """Return Streamlit's words, each with what the reader's language says.

    >>> from pages.shared.language import speaking
    >>> with speaking("fr"):
    ...     words()["Upload"]
    'Importer'
    """
    return {word: _(word) for word in _WORDS}
