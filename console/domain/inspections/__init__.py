"""Rules: inspections, their points and their risk."""
