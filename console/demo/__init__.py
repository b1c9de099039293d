"""The demo company: four sites, eight people and their last three months, made through the services.

Everything is dated relative to today and comes from a fixed seed; user names begin with `demo.`.
"""
