"""Use cases: what the use cases of all subjects share with the database."""
