"""Pages and API: overview, search and saved views."""
