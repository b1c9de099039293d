"""Use cases: a copy of the whole installation, and the way back from it."""
