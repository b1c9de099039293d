"""Rules of the business in plain Python: they decide, and know neither web nor database nor clock."""
