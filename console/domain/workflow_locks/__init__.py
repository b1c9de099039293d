"""Rules: workflow locks."""
