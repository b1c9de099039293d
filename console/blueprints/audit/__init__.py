"""Pages and API: the tamper-evident trail."""
