"""Use cases: assignment, escalation, figures and the autopilot."""
