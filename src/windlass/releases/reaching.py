"""A client for the cluster of a release."""

from windlass.adapters.kube import Client
from windlass.adapters.world import clusters_of
from windlass.core.clusters import Access
from windlass.core.settings import Settings


def client(settings: Settings, access: Access) -> Client:
    return Client(access, allow=clusters_of(settings))
