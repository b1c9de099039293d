"""Use cases: the tamper-evident trail."""
