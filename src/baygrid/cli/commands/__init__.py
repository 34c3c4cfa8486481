"""The commands, by subject. Each module registers its own; what is heavy is imported inside a command."""
