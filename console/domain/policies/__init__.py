"""Rules: policies with revisions and proposals."""
