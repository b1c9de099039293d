"""Use cases: `f(ctx, ...) -> frozen dataclass`. They load, ask the domain, store and audit; they never commit."""
