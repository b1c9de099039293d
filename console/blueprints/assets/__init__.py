"""Pages and API: assets and where they stand."""
