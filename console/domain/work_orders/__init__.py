"""Rules: work orders, what they wait for and what they still need."""
