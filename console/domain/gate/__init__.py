"""Rules: the verdict GO or NO-GO and its rules."""
