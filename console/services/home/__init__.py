"""Use cases: overview, search and saved views."""
