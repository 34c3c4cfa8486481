"""A Ray cluster on the nodes of a gang, for as long as the gang's program runs: `baygrid ray start`."""
