"""The form of an application as structs. Names inside of `spec`, containers and pods are those of
Kubernetes, so that who knows a manifest knows the form; `extra` takes what a struct lacks.
"""

from windlass.charts.model.application import (
    Access,
    Application,
    CertificateChoice,
    GatewayChoice,
    Network,
    Quota,
)
from windlass.charts.model.containers import Container, ContainerPort, Part
from windlass.charts.model.kinds import API_VERSIONS, CLUSTER_WIDE
from windlass.charts.model.pods import PodOptions
from windlass.charts.model.resources import Manifest, Resource
from windlass.charts.model.workloads import Kind, Workload

__all__ = [
    "API_VERSIONS",
    "CLUSTER_WIDE",
    "Access",
    "Application",
    "CertificateChoice",
    "Container",
    "ContainerPort",
    "GatewayChoice",
    "Kind",
    "Manifest",
    "Network",
    "Part",
    "PodOptions",
    "Quota",
    "Resource",
    "Workload",
]
