"""Transport: what happens to a request and an answer on the way in and out."""
