"""Datasets and URIs to a centre: fetched once, guarded, checked, kept for a while."""
