"""The driver for Kubernetes: each attempt is a batch/v1 Job of one pod."""

from baygrid.centres.kubernetes.access import Access, BadKubeconfig, in_cluster, read_kubeconfig
from baygrid.centres.kubernetes.client import Client
from baygrid.centres.kubernetes.engine import KubernetesEngine
from baygrid.centres.kubernetes.options import OPTIONS, parse_site
from baygrid.centres.kubernetes.site import Accelerator, Site

__all__ = [
    "OPTIONS",
    "Accelerator",
    "Access",
    "BadKubeconfig",
    "Client",
    "KubernetesEngine",
    "Site",
    "in_cluster",
    "parse_site",
    "read_kubeconfig",
]
