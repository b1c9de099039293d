"""Pages and API: the weekly and monthly quality reports."""
