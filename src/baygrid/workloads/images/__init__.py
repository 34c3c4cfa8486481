"""Reference application: what is in pictures, and how many of them a machine looks at in an hour."""
