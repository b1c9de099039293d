"""Background work: job registry, RQ worker, scheduler and the launcher."""
