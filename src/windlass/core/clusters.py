"""How a Kubernetes cluster is reached: what areas give to `adapters.kube`, not knowing it."""

import msgspec


class Access(msgspec.Struct, frozen=True):
    """A server and what it asks for, whole: no files, no programs that make tokens.

    Never shown: neither `repr` nor a log has more of it than the server.
    """

    server: str
    """`https://host[:port][/path]`; Rancher has a path for each cluster."""
    ca: str | None = None
    """Certificates in PEM that the server's must come from; None: those of this machine."""
    token: str | None = None
    certificate: str | None = None
    key: str | None = None
    """The client's certificate and its key, in PEM."""
    insecure: bool = False
    """Whether anybody may claim to be the server: only where somebody said so aloud."""
    tls_name: str | None = None
    """The name in the server's certificate, where it is another than the address."""

    def __repr__(self) -> str:
        return f"Access({self.server!r})"
