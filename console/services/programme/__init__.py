"""Use cases: the weekly programme."""
