"""Rules: the outbox of alerts and its delivery."""
