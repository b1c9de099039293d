"""Rules: recovery drills and what they prove."""
