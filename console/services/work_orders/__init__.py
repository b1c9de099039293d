"""Use cases: work orders from their creation to their end."""
