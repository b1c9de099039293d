"""Rules: assignment, escalation, figures and the autopilot."""
