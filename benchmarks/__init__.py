"""Measurements of the product at the size it is made for; `make bench` writes the table."""
