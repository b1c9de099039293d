"""Use cases: workflow locks."""
