"""Rules: people, tokens, sessions and sites."""
