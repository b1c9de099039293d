"""Rules: what one shift hands over to the next."""
