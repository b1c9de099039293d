"""The world outside: virus scanner, webhooks, mail, rate counters, the queue."""
