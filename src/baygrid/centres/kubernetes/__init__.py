"""The driver for Kubernetes: each attempt is a batch/v1 Job of one pod."""

from baygrid.centres.kubernetes.access import Access, BadKubeconfig, in_cluster, read_kubeconfig
from baygrid.centres.kubernetes.engine import KubernetesEngine
from baygrid.centres.kubernetes.site import Accelerator, Site

__all__ = [
    "Accelerator",
    "Access",
    "BadKubeconfig",
    "KubernetesEngine",
    "Site",
    "in_cluster",
    "read_kubeconfig",
]
