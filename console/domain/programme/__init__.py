"""Rules: the weekly programme."""
