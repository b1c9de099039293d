"""What every layer stands on, without web and without rules: clock, settings, database, context, lists."""
