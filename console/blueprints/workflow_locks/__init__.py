"""Pages and API: workflow locks."""
