"""The documentation as a static site: docs/, the README and what they link to, every link checked."""
