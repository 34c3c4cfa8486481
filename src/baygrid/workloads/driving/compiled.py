"""What compiles the kernels of this application: numba, which looks as it begins for scipy's linear algebra,
to tell whether it can compute a covariance, and for cffi, whose functions a kernel could call. No kernel does
either, and they cost more than all kernels."""

from __future__ import annotations

from baygrid.workloads.absent import without

with without("scipy.linalg"), without("cffi"):
    import numba.core.typing.cffi_utils
    import numba.np.arraymath  # noqa: F401

from numba import njit as njit
