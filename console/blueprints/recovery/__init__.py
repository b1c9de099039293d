"""Pages and API: recovery drills and what they prove."""
