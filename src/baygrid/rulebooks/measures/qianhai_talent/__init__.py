"""A place for Qianhai's subsidies for talent."""
