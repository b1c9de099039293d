"""Rules: the weekly and monthly quality reports."""
