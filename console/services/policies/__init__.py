"""Use cases: policies with revisions and proposals."""
