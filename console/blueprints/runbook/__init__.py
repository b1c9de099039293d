"""Pages and API: checks of the installation itself."""
