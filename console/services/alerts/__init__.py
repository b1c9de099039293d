"""Use cases: the outbox of alerts and its delivery."""
