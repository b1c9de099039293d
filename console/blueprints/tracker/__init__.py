"""Pages and API: items on a board: assign, work, prove, complete."""
