"""What others would do for the same rows, each a small program written as its library's own pages write it.

Each is called `python -m benchmarks.peers.NAME INPUT OUTPUT ...` and writes a Parquet file or folder."""
