"""Web pages for people, rendered on the server: the same use cases as the API, in the reader's language."""
