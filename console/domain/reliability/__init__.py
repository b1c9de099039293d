"""Rules: latency and burn rate of the API."""
