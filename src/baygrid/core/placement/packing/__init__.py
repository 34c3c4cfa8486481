"""Which node: policies that pack requests onto nodes so that what stays free is of use (numpy and numba)."""
