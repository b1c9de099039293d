"""Pages and API: assignment, escalation, figures and the autopilot."""
