"""Input and output models per subject: the one place of types and bounds, read by API, OpenAPI and forms."""
