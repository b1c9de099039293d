"""Use cases: what one shift hands over to the next."""
