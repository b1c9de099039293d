"""Pages and API: until when an order has to be done, and when it escalates."""
