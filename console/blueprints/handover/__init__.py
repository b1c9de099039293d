"""Pages and API: what one shift hands over to the next."""
