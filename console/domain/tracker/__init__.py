"""Rules: items on a board: assign, work, prove, complete."""
