"""Use cases: checks of the installation itself."""
