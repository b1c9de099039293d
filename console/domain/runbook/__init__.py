"""Rules: checks of the installation itself."""
