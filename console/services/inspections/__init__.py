"""Use cases: inspections and rounds."""
