"""Rules: assets and where they stand."""
