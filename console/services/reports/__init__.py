"""Use cases: the weekly and monthly quality reports."""
