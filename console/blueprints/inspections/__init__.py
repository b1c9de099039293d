"""Pages and API: inspections and rounds."""
