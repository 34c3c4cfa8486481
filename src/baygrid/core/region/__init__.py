"""Who is in the region: companies, universities and institutes with their codes, addresses and labels, and
the statistical returns. Here are the values and what is decided of them; files, polygons and scripts are
edges."""
