"""Use cases: people, tokens, sessions and sites."""
