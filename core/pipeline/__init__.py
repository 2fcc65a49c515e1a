"""The stages from a study's files to its publication, one file each."""

STAGES = ("ingest", "train", "predict", "attribute", "occlude", "trust", "summarise", "publish")
