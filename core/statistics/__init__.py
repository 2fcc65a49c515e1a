"""Pure functions over arrays and frames: each with its formula, its source and an example that runs."""
