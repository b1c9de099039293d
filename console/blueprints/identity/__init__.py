"""Pages and API: people, tokens, sessions and sites."""
