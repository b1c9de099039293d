"""Jobs, a module per subject: each is a few lines over a use case."""
