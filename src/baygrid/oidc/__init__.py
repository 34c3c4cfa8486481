"""Signing in by OIDC providers."""
