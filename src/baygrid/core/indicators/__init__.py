"""Figures of the region's industry: what each counts, ratios that are refused, and what is not told of
few."""
