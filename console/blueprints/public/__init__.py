"""Pages and API: what needs no sign-in, and the documents of the API."""
