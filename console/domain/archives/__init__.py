"""Rules: files that runs leave behind, and what became of them."""
