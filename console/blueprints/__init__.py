"""Doors for people and programs, a module per subject: `pages` at page addresses, `api` at /api."""
