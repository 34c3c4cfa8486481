"""Tables of the region: what there is, how one comes to read it, who did."""
