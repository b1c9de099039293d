"""Use cases: recovery drills and what they prove."""
