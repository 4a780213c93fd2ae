"""A small client of Kubernetes: plain objects over REST, and nothing on this machine is read or run
for it.

It asks the API server to be strict about fields, keeps fields that nobody here knows, and says of
each refusal what kind it is (`errors.py`).
"""

from windlass.adapters.kube.client import Applied, Client, Listing, Object, Ref, Version
from windlass.adapters.kube.discovery import Discovery, Resource
from windlass.adapters.kube.watching import Change

__all__ = [
    "Applied",
    "Change",
    "Client",
    "Discovery",
    "Listing",
    "Object",
    "Ref",
    "Resource",
    "Version",
]
