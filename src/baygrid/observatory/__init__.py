"""The observatory: files of the registry, polygons, scripts; counting, indicators and charts over them. What
needs other people's code for that is in the extra `observatory`."""
