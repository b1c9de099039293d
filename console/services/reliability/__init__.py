"""Use cases: latency and burn rate of the API."""
