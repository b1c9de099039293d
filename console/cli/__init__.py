"""Commands of `flask`, a module per subject."""
