"""The catalogue of texts: one file a language, in gettext's format."""
