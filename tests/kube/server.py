"""A Kubernetes API server that is not one: `FakeCluster` is what tests hold in their hands."""

import datetime as dt
import ipaddress
import re
import ssl
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from tests.kube.answers import Refused
from tests.kube.api import Api, Rule
from tests.kube.serving import Fault, Served
from tests.kube.store import Object, Store
from windlass.core.addresses import AddressPolicy
from windlass.core.clusters import Access

TOKEN = "a-token-of-windlass"


class Proof(NamedTuple):
    """A certificate and its key, in PEM."""

    certificate: str
    key: str


class FakeCluster:
    """Reset before each test; the port stays."""

    def __init__(self) -> None:
        self._served = Served(_context())
        self._served.start()
        self.reset()

    def reset(self) -> None:
        self.store = Store()
        self.api = Api(self.store)
        self.store.woken = self._served.wake
        self._served.api = self.api
        self._served.tokens = {TOKEN: "system:serviceaccount:kube-system:windlass"}
        self._served.faults = []
        self._served.asked = []

    def stop(self) -> None:
        self._served.stop()

    # -- how it is reached ---------------------------------------------------------------------

    @property
    def port(self) -> int:
        return self._served.port

    @property
    def server(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca(self) -> str:
        return authority().certificate

    @property
    def access(self) -> Access:
        return Access(self.server, ca=self.ca, token=TOKEN)

    @property
    def allow(self) -> AddressPolicy:
        return AddressPolicy(networks=("127.0.0.0/8",))

    def kubeconfig(self, **user: Any) -> Object:
        """As a file has it; without more it has the token."""
        import base64

        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [
                {
                    "name": "test",
                    "cluster": {
                        "server": self.server,
                        "certificate-authority-data": base64.b64encode(self.ca.encode()).decode(),
                    },
                }
            ],
            "users": [{"name": "me", "user": user or {"token": TOKEN}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "me"}}],
        }

    # -- what is in it -------------------------------------------------------------------------

    def install(self, *groups: str) -> None:
        self.store.install(*groups)

    def namespace(self, name: str) -> None:
        self.make({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def make(self, item: Object, *, manager: str = "kubectl-create") -> Object:
        """As if somebody else had created it."""
        kind = self.store.kind(item["apiVersion"], item["kind"])
        return self.api.writer.create(kind, item, manager=manager)

    def change(
        self,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        manager: str = "kubectl-edit",
        **at: Any,
    ) -> Object:
        """As if somebody else had edited it: `spec={"replicas": 3}` is merged into it."""
        found = self._kind(kind)
        live = self.get(kind, name, namespace)
        assert live is not None
        item = _merged(live, at)
        return self.api.writer.replace(found, live, item, manager=manager)

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        return self.store.get(self._kind(kind), namespace, name)

    def names(self, kind: str, namespace: str | None = None) -> list[str]:
        return [one["metadata"]["name"] for one in self.store.all(self._kind(kind), namespace)]

    def set_status(self, kind: str, name: str, namespace: str | None, status: Object) -> None:
        """As its controller would."""
        found = self._kind(kind)
        live = self.get(kind, name, namespace)
        assert live is not None
        self.api.writer.replace(
            found,
            live,
            {**live, "status": status},
            manager="kube-controller-manager",
            subresource="status",
        )

    def say(self, namespace: str, pod: str, container: str, text: str) -> None:
        """A line of a container's log; `container/previous` for the one that crashed before."""
        key = (namespace, pod, container)
        self.api.logs[key] = self.api.logs.get(key, "") + text
        self._served.wake()

    def remove(self, kind: str, name: str, namespace: str | None = None) -> None:
        live = self.get(kind, name, namespace)
        assert live is not None
        self.store.remove(self._kind(kind), live)

    def end_slowly(self, namespace: str) -> None:
        """From now on it stays Terminating, until `store.end_namespace`."""
        self.store.lingering.add(namespace)

    def _kind(self, kind: str) -> Any:
        return next(one for one in self.store.kinds.values() if one.kind == kind)

    # -- what it refuses -----------------------------------------------------------------------

    def forbid(self, verb: str = "", resource: str = "", namespace: str = "") -> None:
        self.api.forbidden.append(Rule(verb, resource, namespace))

    def deny(self, kind: str, message: str, *, webhook: str = "policy.example.com") -> None:
        """An admission webhook refuses all objects of a kind; "*" stands for every kind."""
        self.api.writer.webhooks.append((kind, webhook, message))

    def allow_all(self) -> None:
        self.api.forbidden.clear()
        self.api.writer.webhooks.clear()
        self._served.faults.clear()

    def warn(self, kind: str, text: str) -> None:
        self.api.writer.warnings[kind] = text

    def expire_tokens(self) -> None:
        self._served.tokens.clear()

    def accept(self, token: str, user: str = "somebody") -> None:
        self._served.tokens[token] = user

    def forget_history(self) -> None:
        self.store.forget_history()

    def fail(
        self,
        status: int,
        *,
        path: str = "",
        method: str = "",
        times: int = 1,
        message: str = "",
        **headers: str,
    ) -> None:
        """The next requests that match are answered so."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = Refused(status, "", message or f"failed with {status}", headers=named)
        self._fault("answer", path, method, times, answer)

    def hang(self, *, path: str = "", method: str = "", times: int = 1) -> None:
        """The next requests that match are never answered."""
        self._fault("hang", path, method, times)

    def cut(self, *, path: str = "", method: str = "", times: int = 1) -> None:
        """The next requests that match are done, and answered with two thirds of the answer."""
        self._fault("cut", path, method, times)

    def _fault(
        self, what: str, path: str, method: str, times: int, answer: Refused | None = None
    ) -> None:
        self._served.faults.append(Fault(what, re.compile(path), method, answer, [times]))

    def drop_all(self) -> None:
        self._served.drop_all()

    @property
    def asked(self) -> list[tuple[str, str]]:
        """(method, path) of each request so far."""
        return list(self._served.asked)


def _merged(live: Any, more: Any) -> Any:
    if not isinstance(more, dict) or not isinstance(live, dict):
        return more
    return {**live, **{key: _merged(live.get(key), value) for key, value in more.items()}}


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    proof = issued("kube-apiserver", address="127.0.0.1")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "server.pem"
        file.write_text(proof.certificate + proof.key)
        context.load_cert_chain(file)
    context.load_verify_locations(cadata=authority().certificate)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


@lru_cache(1)
def authority() -> Proof:
    return _issued("kubernetes", None, None)


def issued(name: str, *, address: str | None = None) -> Proof:
    """A certificate of this authority: a server's where it has an address, otherwise a client's."""
    return _issued(name, authority(), address)


def _issued(name: str, by: Proof | None, address: str | None) -> Proof:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    signer = serialization.load_pem_private_key(by.key.encode(), None) if by else key
    issuer = x509.load_pem_x509_certificate(by.certificate.encode()).subject if by else None
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    today = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
    )
    if address:
        names = [x509.IPAddress(ipaddress.ip_address(address)), x509.DNSName("kubernetes")]
        made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    certificate = made.sign(signer, hashes.SHA256())
    return Proof(
        certificate.public_bytes(serialization.Encoding.PEM).decode(),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
    )
