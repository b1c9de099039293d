"""Use cases: the plan that follows from a verdict."""
