"""Use cases: files that prove the work."""
