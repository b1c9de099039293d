"""Pages and API: the verdict GO or NO-GO and its rules."""
