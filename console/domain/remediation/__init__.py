"""Rules: the plan that follows from a verdict."""
