"""Use cases: until when an order has to be done, and when it escalates."""
