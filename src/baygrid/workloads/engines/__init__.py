"""What runs the workers: this machine (Daft), or a cluster (Ray Data). Same shards, same parts."""
