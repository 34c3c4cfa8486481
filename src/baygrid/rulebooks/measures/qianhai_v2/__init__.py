"""Qianhai's measures, SQHG [2024] No. 20: known from its guide to applications, its text is not loaded."""
