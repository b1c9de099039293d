"""Rules: the tamper-evident trail."""
