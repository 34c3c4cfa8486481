"""The consultation draft of Qianhai's measures, of 2023-10. It never was law."""
