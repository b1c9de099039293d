"""Pages and API: work orders from their creation to their end."""
