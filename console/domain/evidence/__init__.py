"""Rules: files that prove the work."""
