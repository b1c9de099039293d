"""Pages and API: what the weekly programme publishes for everybody, and the documents behind it."""
