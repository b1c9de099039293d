"""Pages and API: the outbox of alerts and its delivery."""
