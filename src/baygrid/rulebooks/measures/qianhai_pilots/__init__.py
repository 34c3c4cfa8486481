"""A place for support of Hong Kong institutions that pilot cross-border databases."""
