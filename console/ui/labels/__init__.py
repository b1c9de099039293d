"""Words of values for people, a module per subject."""
