"""Use cases: assets, where they stand and what happened to them."""
